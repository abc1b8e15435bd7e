"""The workspace: what all tabs share, what was made from what, saving and loading.

>>> workspace = Workspace()
>>> choice = CorpusChoice("text", text="the cat sat on the mat")
>>> workspace.adopt_corpus(choice, choice.load())
>>> workspace.adopt_tokenizer(make_tokenizer(TokenizerSpec("bytes"), workspace.corpus))
>>> workspace.streams().train.n_targets
23
"""

from engine.workspace.choices import (
    CorpusChoice,
    NGramSettings,
    TokenizerKind,
    TokenizerSpec,
    build_tokenizer,
)
from engine.workspace.made import (
    MadeFrom,
    MadeNGram,
    MadeTokenizer,
    Saveable,
    Streams,
    TrainedRun,
    make_ngram,
    make_streams,
    make_tokenizer,
    tokenizer_fingerprint,
)
from engine.workspace.staleness import Outdated
from engine.workspace.storage import Loaded, load, save
from engine.workspace.workspace import MAX_RUNS, Workspace

__all__ = [
    "MAX_RUNS",
    "CorpusChoice",
    "Loaded",
    "MadeFrom",
    "MadeNGram",
    "MadeTokenizer",
    "NGramSettings",
    "Outdated",
    "Saveable",
    "Streams",
    "TokenizerKind",
    "TokenizerSpec",
    "TrainedRun",
    "Workspace",
    "build_tokenizer",
    "load",
    "make_ngram",
    "make_streams",
    "make_tokenizer",
    "save",
    "tokenizer_fingerprint",
]
