"""The sweep over orders, against counting by hand and the models' own scores."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.errors import LabError
from engine.models import NGramModel
from engine.models.order_sweep import SMOOTHINGS, best_order, order_sweep, sentence_numbers
from engine.models.scores import held_out_score
from engine.tokenizers import ByteTokenizer, encode_documents

BYTES = ByteTokenizer()
TRAIN = encode_documents(BYTES, ["the cat sat. the cat ran!", "a dog sat. a dog ran."] * 3)
HELD_OUT = encode_documents(BYTES, ["the dog sat. a cat ran. the zebra!", "the cat sat."])
FIGURES = list(order_sweep(TRAIN, HELD_OUT, BYTES, 5))


def test_sentences_end_at_marks_and_with_the_document() -> None:
    stream = encode_documents(BYTES, ["ab. c?! d", "e."])
    #               a  b  .  _  c  ?  !  _  d  E  e  .  E
    assert sentence_numbers(stream, BYTES).tolist() == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3]


@pytest.mark.parametrize("order", range(1, 6))
def test_shares_are_those_of_looking_at_every_token(order: int) -> None:
    figures = FIGURES[order - 1]
    assert figures.order == order
    model = NGramModel.train(TRAIN, order, "maximum_likelihood")
    unseen, sentences = [], []
    for document in HELD_OUT.documents():
        ids = document.tolist()
        current: list[float] = []
        for t, token in enumerate(ids):
            row = model.next_log_probs(ids[:t])
            unseen.append(not np.isfinite(row).any())
            current.append(row[token])
            ends = token == BYTES.vocab_size or chr(token) in ".!?\n"
            if ends and (t + 1 == len(ids) or ids[t + 1] != BYTES.vocab_size):
                sentences.append(-math.inf in current)
                current = []
    assert figures.unseen_contexts == pytest.approx(np.mean(unseen))
    assert figures.impossible_sentences == pytest.approx(np.mean(sentences))
    assert figures.n_grams == model.n_grams(order)


def test_perplexities_are_the_scores() -> None:
    for figures in FIGURES:
        for smoothing in SMOOTHINGS:
            model = NGramModel.train(TRAIN, figures.order, smoothing)
            for stream, got in (
                (TRAIN, figures.train_perplexity[smoothing]),
                (HELD_OUT, figures.held_out_perplexity[smoothing]),
            ):
                assert got == pytest.approx(held_out_score(model, stream).perplexity)


def test_sparseness_grows_and_learning_by_heart_does_too() -> None:
    unseen = [f.unseen_contexts for f in FIGURES]
    learned = [f.train_perplexity["maximum_likelihood"] for f in FIGURES]
    assert unseen == sorted(unseen) and unseen[0] == 0 < unseen[-1]
    assert learned == sorted(learned, reverse=True)
    assert all(math.isfinite(f.held_out_perplexity["kneser_ney"]) for f in FIGURES)
    best = best_order(FIGURES, "kneser_ney")
    held_out = [f.held_out_perplexity["kneser_ney"] for f in FIGURES]
    assert held_out[best - 1] == min(held_out)


def test_nothing_held_out_is_refused() -> None:
    with pytest.raises(LabError, match="held-out"):
        list(order_sweep(TRAIN, encode_documents(BYTES, []), BYTES))
