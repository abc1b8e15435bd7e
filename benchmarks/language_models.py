"""What a person waits for on the tab of language models, with 10 MB of text behind it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.ngrams import fastest, megabyte, tenfold
from benchmarks.row import Row
from engine.models import NGramModel
from engine.models.comparison import common_rows, next_token
from engine.models.hmm import HiddenMarkovModel
from engine.models.hmm_training import initial_parameters
from engine.models.ledger import ledger
from engine.models.reversed import ReversedModel, reverse_stream
from engine.tokenizers import BPETokenizer, encode_documents

WAIT_MS = 150
"""DESIGN's budget for an interactive result."""
ORDER = 5
STATES = 64
SENTENCE = (
    "But, soft! what light through yonder window breaks? It is the east, and Juliet is the sun."
)


def _row(name: str, measured: str, work: Callable[[], object], note: str) -> Row:
    value = 1000 * fastest(work, 5)
    return Row(
        name=name,
        measured=measured,
        value=value,
        unit="ms",
        reference=None,
        reference_name="",
        ratio=None,
        budget=f"≤ {WAIT_MS} ms",
        passed=value <= WAIT_MS,
        note=note,
    )


def interactive(path: Path | None = None) -> list[Row]:
    """Bars, ledger, count tables, reversed bars and hidden states over ten times a megabyte."""
    text = megabyte(path)
    tokenizer = BPETokenizer.train(text[:300_000], 1000)
    stream = tenfold(encode_documents(tokenizer, text.split("\n\n")))
    model = NGramModel.train(stream, ORDER)
    backwards = ReversedModel(NGramModel.train(reverse_stream(stream), ORDER))
    hmm = HiddenMarkovModel(initial_parameters(stream, STATES, 0))
    ids = tokenizer.encode(SENTENCE)
    closed = [*ids, model.end_of_text]

    def bars() -> None:
        answers = [next_token(each, ids) for each in (model, hmm)]
        common_rows(answers, 0, 30)

    def written_out() -> None:
        for each in (model, hmm):
            ledger(each, tokenizer, SENTENCE)

    def counted() -> None:
        history = model.history(ids[:2])[-1:]  # the most frequent contexts are the slowest
        tokens, _ = model.count_table(history)
        model.interpolation_shares(ids, int(tokens[0]))
        model.occurrences((*history, int(tokens[0])), 50)

    def from_the_end() -> None:
        float(np.sum(backwards.document_log_probs(ids)))
        next_token(backwards, ids[::-1])

    note = f"{stream.n_bytes / 1e6:.0f} MB, {ORDER}-gram, V = {stream.vocab_size}"
    return [
        _row("lm-bars", "next-token bars of n-gram and HMM", bars, note),
        _row("lm-ledger", f"ledger of {len(closed)} tokens, both models", written_out, note),
        _row("lm-counts", "count table, order shares, 50 places", counted, note),
        _row("lm-reversed", "a text from its end, and what came before", from_the_end, note),
        _row(
            "lm-states",
            f"p(state | text) of {STATES} states",
            lambda: hmm.smoothed_states(closed),
            note,
        ),
    ]


BENCHMARKS: dict[str, Callable[[Path | None], list[Row]]] = {"lm-interactive": interactive}
