"""N-grams: how fast they are, and whether Kneser–Ney's values are KenLM's."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.row import Row
from benchmarks.text import SHAKESPEARE, benchmark_text
from engine.jobs import Job
from engine.models import NGramModel
from engine.models.ngram.counting import document_stream
from engine.tokenizers import CharacterTokenizer, WordTokenizer, encode_documents
from engine.tokenizers.stream import TokenStream

ORACLE = SHAKESPEARE.parents[1] / "oracles" / "kenlm.json"
"""KenLM's own figures for tiny Shakespeare; rows that need it are left out where it is not."""

LMPLZ_SECONDS = 0.5
"""What KenLM's lmplz takes for a 5-gram of 1 MB of words on two cores."""


class Gaps(Job):
    """Measures the longest time between two yield points: how late a Stop can take effect."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = time.perf_counter()

    def yield_point(self) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._last)
        self._last = now


def fastest(work: Callable[[], object], repeats: int = 3) -> float:
    """Seconds of the fastest of several runs."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def longest_gap(work: Callable[[Job], object]) -> float:
    """Milliseconds between the two yield points that lie furthest apart."""
    gaps = Gaps()
    work(gaps)
    gaps.yield_point()
    return gaps.longest * 1000


def timed(
    name: str, measured: str, value: float, limit: float, unit: str = "s", note: str = ""
) -> Row:
    """A row with a limit and no reference."""
    return Row(
        name, measured, value, unit, None, "", None, f"≤ {limit:g} {unit}", value <= limit, note
    )


def megabyte(path: Path | None) -> str:
    """The benchmark's text, cut or repeated to 10⁶ characters."""
    text = benchmark_text(path)
    return (text * (1_000_000 // max(1, len(text)) + 1))[:1_000_000]


def streams(text: str) -> dict[str, tuple[TokenStream, str]]:
    """The text in words and in characters, its paragraphs as documents."""
    documents = [part for part in text.split("\n\n") if part]
    words = encode_documents(WordTokenizer.train(documents), documents)
    characters = encode_documents(CharacterTokenizer.train(documents), documents)
    return {
        "words": (words, f"{len(words.ids):,} words, V = {words.vocab_size:,}"),
        "characters": (
            characters,
            f"{len(characters.ids):,} characters, V = {characters.vocab_size}",
        ),
    }


def tenfold(stream: TokenStream) -> TokenStream:
    """Ten times the text, one token in ten of each copy redrawn from the whole, so that its
    n-grams are mostly new ones (natural text repeats itself more)."""
    rng = np.random.default_rng(0)
    copies = [stream.ids]
    for _ in range(9):
        ids = stream.ids.copy()
        redrawn = (rng.random(len(ids)) < 0.1) & (ids != stream.end_of_text)
        ids[redrawn] = rng.choice(stream.ids[stream.ids != stream.end_of_text], redrawn.sum())
        copies.append(ids[1:])
    return TokenStream(np.concatenate(copies), stream.end_of_text, 10 * stream.n_bytes)


def speed(path: Path | None = None) -> list[Row]:
    """Training, scoring and next-token distributions on 1 MB."""
    text = streams(megabyte(path))
    words, what = text["words"]
    model = NGramModel.train(words, 5)
    seconds = fastest(lambda: NGramModel.train(words, 5))
    rows = [
        Row(
            "kneser-ney-5-words",
            "modified Kneser–Ney 5-gram of words on 1 MB, counting included",
            seconds,
            "s",
            LMPLZ_SECONDS,
            "KenLM's lmplz, measured on another two-core machine",
            seconds / LMPLZ_SECONDS,
            "≤ 1 s",
            seconds <= 1,
            f"{what}; tokenization not included",
        ),
        timed(
            "kneser-ney-5-scoring",
            "log p of every token of 1 MB under the 5-gram of words",
            fastest(lambda: model.stream_log_probs(words)),
            1.0,
        ),
        next_token("next-token-words", model, words),
    ]
    characters, what = text["characters"]
    model = NGramModel.train(characters, 8)
    rows += [
        timed(
            "kneser-ney-8-characters",
            "modified Kneser–Ney 8-gram of characters on 1 MB, counting included",
            fastest(lambda: NGramModel.train(characters, 8)),
            2.0,
            note=what,
        ),
        timed(
            "kneser-ney-8-scoring",
            "log p of every token of 1 MB under the 8-gram of characters",
            fastest(lambda: model.stream_log_probs(characters), 1),
            1.5,
        ),
        timed(
            "kneser-ney-stop",
            "longest stretch of training an 8-gram of characters that a Stop waits for",
            longest_gap(lambda job: NGramModel.train(characters, 8, job=job)),
            300,
            "ms",
        ),
    ]
    return rows


def next_token(name: str, model: NGramModel, stream: TokenStream) -> Row:
    """A row: the time of one next-token distribution, over 200 contexts of the text."""
    places = np.random.default_rng(0).integers(20, len(stream.ids), size=200)
    contexts = [stream.ids[place - 20 : place] for place in places]
    seconds = fastest(lambda: [model.next_log_probs(context) for context in contexts])
    return timed(
        name,
        f"one next-token distribution, V = {model.vocab_size:,}",
        seconds / len(contexts) * 1000,
        5.0,
        "ms",
    )


def ten_megabytes(path: Path | None = None) -> list[Row]:
    """The same with ten times the text."""
    rows = []
    for kind, order in (("words", 5), ("characters", 6)):
        small, _ = streams(megabyte(path))[kind]
        stream = tenfold(small)
        seconds = fastest(lambda s=stream, n=order: NGramModel.train(s, n), 1)
        gaps = Gaps()
        model = NGramModel.train(stream, order, job=gaps)
        n_grams = sum(model.n_grams(n) for n in range(1, order + 1))
        note = f"{len(stream.ids):,} tokens, {n_grams:,} distinct n-grams"
        rows += [
            timed(
                f"kneser-ney-{order}-{kind}-10-mb",
                f"modified Kneser–Ney {order}-gram of {kind} on 10 MB, counting included",
                seconds,
                10.0,
                note=note,
            ),
            timed(
                f"kneser-ney-{kind}-10-mb-stop",
                "longest stretch of it that a Stop waits for",
                gaps.longest * 1000,
                300,
                "ms",
            ),
            next_token(f"next-token-{kind}-10-mb", model, stream),
        ]
    return rows


class Lines:
    """Lines as documents of words or of characters, as KenLM was given them."""

    def __init__(self, train: Sequence[str], split: Callable[[str], list[str]]) -> None:
        self._split = split
        types = {token: None for line in train for token in split(line)}
        self._ids = {token: i for i, token in enumerate(types)}
        self.unknown = len(self._ids)
        self.vocab_size = len(self._ids) + 2  # the unknown token, which never occurs, and E

    def stream(self, lines: Sequence[str]) -> TokenStream:
        return document_stream([self.encode(line) for line in lines], self.vocab_size)

    def encode(self, line: str) -> list[int]:
        return [self._ids.get(token, self.unknown) for token in self._split(line)]


def kenlm_values(path: Path | None = None) -> list[Row]:
    """Counts, discounts, log-probabilities and perplexities against KenLM's, on the text that
    it was run on (whatever text the other benchmarks use)."""
    if not (ORACLE.is_file() and SHAKESPEARE.is_file()):
        return []
    oracle = json.loads(ORACLE.read_text(encoding="utf-8"))
    lines = [line for line in SHAKESPEARE.read_text(encoding="utf-8").split("\n") if line.strip()]
    train, test = lines[:29499], lines[29499:]
    return [
        *_against_kenlm("words", train, test, str.split, oracle["word_order_3"]),
        *_against_kenlm("characters", train, test, list, oracle["char_order_3"]),
    ]


def _against_kenlm(
    kind: str,
    train: Sequence[str],
    test: Sequence[str],
    split: Callable[[str], list[str]],
    kenlm: dict[str, Any],
) -> list[Row]:
    lines = Lines(train, split)
    model = NGramModel.train(lines.stream(train), 3)
    counts = [model.n_grams(n) for n in (1, 2, 3)]
    counts[0] += 2  # KenLM lists <s> and <unk> too
    differ = sum(a != b for a, b in zip(counts, kenlm["ngram_counts"], strict=True))
    discounts = np.array(kenlm["discounts"])
    log10 = [
        model.token_log_probs([*lines.encode(text), model.end_of_text])[: len(expected)]
        / np.log(10)
        - expected
        for text, expected in kenlm["log10_p"].items()
    ]
    held_out = lines.stream(test)
    scores = model.stream_log_probs(held_out)
    name = f"kenlm-{kind}"
    rows = [
        _exact(f"{name}-counts", "numbers of n-grams that differ, orders 1–3", differ, 0),
        _exact(
            f"{name}-discounts",
            "largest relative difference of a discount",
            float(np.max(np.abs(np.array(model.discounts) / discounts - 1))),
            5e-5,
        ),
        _exact(
            f"{name}-log-probs",
            f"largest difference of a log10 p, over {sum(map(len, log10))} tokens",
            float(np.max(np.abs(np.concatenate(log10)))),
            5e-5,
        ),
    ]
    known = held_out.ids[1:] != lines.unknown
    perplexities = {"perplexity": scores, "perplexity_including_oov": scores}
    perplexities["perplexity_excluding_oov"] = scores[known]
    for key, values in perplexities.items():
        if key in kenlm:
            ours = float(np.exp(-values.mean()))
            ratio = ours / kenlm[key]
            rows.append(
                Row(
                    f"{name}-{key.replace('_', '-')}",
                    f"perplexity on {len(values):,} held-out tokens",
                    ours,
                    "perplexity",
                    kenlm[key],
                    "KenLM 0.3.0",
                    ratio,
                    "equal to 4 digits",
                    abs(ratio - 1) < 5e-5,
                )
            )
    return rows


def _exact(name: str, measured: str, value: float, limit: float) -> Row:
    return Row(name, measured, value, "", 0.0, "KenLM 0.3.0", None, f"≤ {limit:g}", value <= limit)


BENCHMARKS = {
    "ngram-speed": speed,
    "ngram-10-mb": ten_megabytes,
    "ngram-kenlm-values": kenlm_values,
}
"""Name -> function of an optional text file that returns rows."""


def run(only: str | None = None) -> list[Row]:
    """All rows, or those of one benchmark."""
    return [row for name, rows in BENCHMARKS.items() if only in (None, name) for row in rows()]
