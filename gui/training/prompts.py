"""What the samples continue, and how long they are."""

from __future__ import annotations

from engine.text import Corpus
from engine.workspace import Streams

PROMPT_WORDS = 3
LONGEST_PROMPT = 60
SAMPLE_CHARACTERS = 220
FEWEST_TOKENS, MOST_TOKENS = 30, 160


def default_prompt(corpus: Corpus) -> str:
    """The first words of the first document that the model doesn't learn from; of the first one
    at all where nothing is held out."""
    documents = corpus.held_out or corpus.train
    if not documents:
        return ""
    start = documents[0].lstrip()[:LONGEST_PROMPT]
    return " ".join(start.split()[:PROMPT_WORDS])


def sample_tokens(streams: Streams) -> int:
    """How many tokens make a sample of about SAMPLE_CHARACTERS bytes."""
    text = streams.train
    per_token = text.n_bytes / max(1, text.n_targets)
    wanted = round(SAMPLE_CHARACTERS / max(per_token, 0.1))
    return min(MOST_TOKENS, max(FEWEST_TOKENS, wanted))
