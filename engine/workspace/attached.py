"""What a kept run needs to go on anywhere: its text in tokens and its tokenizer, as files that
runs share (``engine.runs.store``).

The text is kept as tokens, not by its name: a file may have changed or be gone, and only the
very same tokens make a run go on bit for bit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from engine.errors import LabError
from engine.runs.store import Store
from engine.tokenizers import tokenizer_from_dict
from engine.tokenizers.stream import TokenStream
from engine.workspace.choices import TokenizerSpec
from engine.workspace.made import MadeFrom, MadeTokenizer, Streams, tokenizer_fingerprint

TEXTS, TOKENIZER = "texts", "tokenizer"
"""The parts that the two files play."""
_MISSING = (
    "This run can't go on: its text or its tokenizer was not kept with it, or is damaged. "
    "Its curves are still there; clone its settings to train it again."
)


def attach(store: Store, streams: Streams, tokenizer: MadeTokenizer) -> dict[str, str]:
    """Keep a run's text and tokenizer; returns their names for ``RunDescription.attachments``.

    Raises:
        LabError: if they can't be written.
    """
    halves = {"train": streams.train, "held_out": streams.held_out}
    about = {
        "end_of_text": streams.train.end_of_text,
        "n_bytes": {name: half.n_bytes for name, half in halves.items()},
        "made_from": streams.made_from.to_dict(),
    }
    ids = {name: half.ids.astype("<i4") for name, half in halves.items()}
    texts = save(ids, {"about": json.dumps(about)})
    described = {
        "tokenizer": tokenizer.tokenizer.to_dict(),
        "spec": tokenizer.spec.to_dict(),
        "made_from": tokenizer.made_from.to_dict(),
    }
    made = json.dumps(described, separators=(",", ":"), sort_keys=True).encode("ascii")
    return {TEXTS: store.put(texts, "safetensors"), TOKENIZER: store.put(made, "json")}


def attached(store: Store, names: Mapping[str, str]) -> tuple[Streams, MadeTokenizer]:
    """The text and the tokenizer of a run.

    Raises:
        LabError: if they are missing or damaged, or don't fit each other.
    """
    if not {TEXTS, TOKENIZER} <= set(names):
        raise LabError(_MISSING)
    try:
        tokenizer = _tokenizer(store.get(names[TOKENIZER]))
        streams = _streams(store.get(names[TEXTS]))
    except (LabError, SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise LabError(_MISSING) from error
    if streams.train.end_of_text != tokenizer.tokenizer.vocab_size:
        raise LabError(_MISSING)
    return streams, tokenizer


def _tokenizer(data: bytes) -> MadeTokenizer:
    value = json.loads(data)
    tokenizer = tokenizer_from_dict(value["tokenizer"])
    spec = TokenizerSpec.from_dict(value["spec"])
    made_from = MadeFrom.from_dict(value["made_from"])
    return MadeTokenizer(tokenizer, spec, tokenizer_fingerprint(tokenizer), made_from)


def _streams(data: bytes) -> Streams:
    ids = load(data)
    # the format: the header's length in 8 bytes, little-endian, then the header as JSON
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    about = json.loads(header["__metadata__"]["about"])
    end = about["end_of_text"]
    if type(end) is not int:
        raise TypeError("no id of the end of text")
    halves = []
    for name in ("train", "held_out"):
        part, n_bytes = ids[name], about["n_bytes"][name]
        good = part.ndim == 1 and part.dtype == np.int32 and len(part) and type(n_bytes) is int
        if not good or part.min() < 0 or part.max() > end:
            raise ValueError("no ids of tokens")
        halves.append(TokenStream(part, end, n_bytes))
    return Streams(halves[0], halves[1], MadeFrom.from_dict(about["made_from"]))
