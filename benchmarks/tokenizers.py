"""Tokenizers: how fast merges are learned and applied, beside minbpe's rule and Hugging Face."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path

import tokenizers as hugging_face
from tokenizers import models, pre_tokenizers, trainers

from benchmarks.row import Row
from benchmarks.text import benchmark_text
from engine.tokenizers import (
    BPETokenizer,
    ByteTokenizer,
    CharacterTokenizer,
    Tokenizer,
    WordTokenizer,
)
from engine.tokenizers.alphabet import gpt2_byte_characters
from engine.tokenizers.merge_walk import MergeWalk

MERGES = 256
VOCABULARY = 4096


def fastest(work: Callable[[], object], repeats: int = 3) -> float:
    """Seconds of the fastest of several runs."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


# minbpe's rule


def minbpe_step(ids: list[int], new: int) -> tuple[tuple[int, int], list[int]]:
    """One merge by minbpe's rule, in plain Python as there: the most frequent pair of
    neighbours (the first seen among equals) and the ids after it is replaced."""
    counts: dict[tuple[int, int], int] = {}
    for pair in itertools.pairwise(ids):
        counts[pair] = counts.get(pair, 0) + 1
    best = max(counts, key=lambda pair: counts[pair])
    merged: list[int] = []
    i, last = 0, len(ids) - 1
    while i < len(ids):
        if i < last and ids[i] == best[0] and ids[i + 1] == best[1]:
            merged.append(new)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return best, merged


def minbpe_merges(text: str, merges: int) -> list[tuple[bytes, bytes]]:
    """The first merges by minbpe's rule on bytes, spelled out."""
    ids = list(text.encode("utf-8"))
    spelled = {byte: bytes([byte]) for byte in range(256)}
    learned = []
    for new in range(256, 256 + merges):
        (left, right), ids = minbpe_step(ids, new)
        learned.append((spelled[left], spelled[right]))
        spelled[new] = spelled[left] + spelled[right]
    return learned


def spelled_merges(tokenizer: BPETokenizer) -> list[tuple[bytes, bytes]]:
    """Our merges, spelled out."""
    table = tokenizer.token_bytes
    return [(table(merge.left), table(merge.right)) for merge in tokenizer.merges]


def without_pretokenization(path: Path | None) -> list[Row]:
    """The tutorial's BPE: the whole of our time against minbpe's, taken from its first merges."""
    text = benchmark_text(path)
    size = 256 + MERGES
    seconds = fastest(lambda: BPETokenizer.train(text, size, pre_tokenize=False))
    # minbpe's time for a merge goes with the length of the ids at that moment, and the walk
    # knows all lengths: a few merges on the whole text give the seconds for each id.
    lengths = MergeWalk.learning(text, size, "bytes").lengths[:-1]
    timed = 6
    began = time.perf_counter()
    first = minbpe_merges(text, timed)
    reference = (time.perf_counter() - began) * lengths.sum() / lengths[:timed].sum()
    # The same merges: the timed ones on the whole text, all of them on its first 30,000 characters.
    part = text[:30_000]
    ours = BPETokenizer.train(part, size, pre_tokenize=False)
    same = spelled_merges(ours) == minbpe_merges(part, len(ours.merges))
    whole = BPETokenizer.train(text, 256 + timed, pre_tokenize=False)
    same = same and spelled_merges(whole) == first
    return [
        Row(
            name="bpe-no-pretokenization",
            measured=f"BPE without pre-tokenization, {len(text) / 1e6:.2f} MB, {MERGES} merges",
            value=seconds,
            unit="s",
            reference=float(reference),
            reference_name="minbpe's algorithm in plain Python",
            ratio=float(seconds / reference),
            budget="at most 1/20 of minbpe's time, same merges",
            passed=bool(seconds <= reference / 20 and same),
            note=f"reference: {timed} merges timed, the rest by the lengths of their inputs; "
            f"merges {'agree' if same else 'DIFFER'} (those {timed}, and {MERGES} on 30 kB)",
        )
    ]


# Hugging Face


def hugging_face_tokenizer(texts: list[str], vocab_size: int) -> hugging_face.Tokenizer:
    """Hugging Face's byte-level BPE, trained on the texts."""
    tokenizer = hugging_face.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def with_pretokenization(path: Path | None) -> list[Row]:
    """The usual byte-level BPE, learned and applied, against Hugging Face's in Rust."""
    text = benchmark_text(path)
    # Hugging Face works in parallel where it is given many texts: line by line it has almost
    # the same pre-tokens, and is quicker. The faster way counts, the exact one is compared.
    lines = text.splitlines(keepends=True)
    ways = {
        "as one text": fastest(lambda: hugging_face_tokenizer([text], VOCABULARY)),
        "line by line": fastest(lambda: hugging_face_tokenizer(lines, VOCABULARY)),
    }
    way = min(ways, key=lambda name: ways[name])
    seconds = fastest(lambda: BPETokenizer.train(text, VOCABULARY))
    theirs = hugging_face_tokenizer([text], VOCABULARY)
    ours = BPETokenizer.train(text, VOCABULARY)
    stand_in = gpt2_byte_characters()
    spelled = [
        ["".join(stand_in[byte] for byte in token) for token in pair]
        for pair in spelled_merges(ours)
    ]
    same = spelled == json.loads(theirs.to_str())["model"]["merges"]

    def encode_afresh() -> None:
        BPETokenizer(ours.alphabet, ours.merges).encode_array(text)

    construct = fastest(lambda: BPETokenizer(ours.alphabet, ours.merges))
    encoding = fastest(encode_afresh) - construct
    their_encoding = fastest(lambda: theirs.encode(text))
    same_ids = ours.encode(text) == theirs.encode(text).ids
    return [
        Row(
            name="bpe-pretokenization",
            measured=f"byte-level BPE, {len(text) / 1e6:.2f} MB, {VOCABULARY} tokens",
            value=seconds,
            unit="s",
            reference=ways[way],
            reference_name=f"Hugging Face tokenizers, {way}",
            ratio=seconds / ways[way],
            budget="at most Hugging Face's time, same merges",
            passed=seconds <= ways[way] and same,
            note=f"merges {'agree' if same else 'DIFFER'}; "
            + ", ".join(f"theirs {name} {taken:.3f} s" for name, taken in ways.items()),
        ),
        Row(
            name="bpe-encode",
            measured=f"encoding {len(text) / 1e6:.2f} MB with {VOCABULARY} tokens, nothing cached",
            value=encoding,
            unit="s",
            reference=their_encoding,
            reference_name="Hugging Face tokenizers, as one text",
            ratio=encoding / their_encoding,
            budget="well under a second, same ids",
            passed=encoding < 0.7 and same_ids,
            note=f"ids {'agree' if same_ids else 'DIFFER'}",
        ),
    ]


# What a learner feels


def typing(path: Path | None) -> list[Row]:
    """10 kB of the learner's text, cut anew by every tokenizer at once; a walk through it."""
    text = benchmark_text(path)
    own = text[100_000:110_000]
    rows: dict[str, Tokenizer] = {
        "characters": CharacterTokenizer.train(text),
        "bytes": ByteTokenizer(),
        "words": WordTokenizer.train(text, 10_000),
        **{f"BPE {size}": BPETokenizer.train(text, size) for size in (512, 2048, 8192)},
        "BPE across words": BPETokenizer.train(text, 2048, pre_tokenize=False),
    }

    def cut_all() -> None:
        for tokenizer in rows.values():
            tokenizer.encode_array(own)

    cut_all()  # as while typing: most words have been met before
    walk = MergeWalk.learning(own)
    slowest = max(fastest(lambda step=step: walk.step(step)) for step in (0, len(walk) // 2))
    return [
        Row(
            name="typing",
            measured=f"10 kB of own text encoded by {len(rows)} tokenizers",
            value=fastest(cut_all, 20) * 1000,
            unit="ms",
            reference=None,
            reference_name="",
            ratio=None,
            budget="one frame of 17 ms, or coalesced",
            passed=None,
        ),
        Row(
            name="merge-walk",
            measured=f"learning 10 kB of own text to the end ({len(walk)} merges)",
            value=fastest(lambda: MergeWalk.learning(own)) * 1000,
            unit="ms",
            reference=None,
            reference_name="",
            ratio=None,
            budget="",
            passed=None,
        ),
        Row(
            name="merge-walk-step",
            measured="one state of that walk, with all its pair counts and spans",
            value=slowest * 1000,
            unit="ms",
            reference=None,
            reference_name="",
            ratio=None,
            budget="at most 50 ms a move",
            passed=slowest <= 0.050,
        ),
    ]


BENCHMARKS: dict[str, Callable[[Path | None], list[Row]]] = {
    "bpe-no-pretokenization": without_pretokenization,
    "bpe-pretokenization": with_pretokenization,
    "typing": typing,
}
