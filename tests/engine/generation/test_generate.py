"""Generation: endings, reproducibility, and strings as frequent as their probabilities."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.errors import LabError
from engine.generation import Ending, SamplingRules, generate
from engine.jobs import Job, JobCancelled
from engine.models import LanguageModel, NGramModel
from engine.models.base import LogProbs, Tokens, check_ids


class Chain(LanguageModel):
    """A bigram model written as a matrix: row j is p(· | j), the last row opens a document."""

    kind = "ngram"

    def __init__(self, rows: list[list[float]]) -> None:
        with np.errstate(divide="ignore"):
            self._rows = np.log(rows)
        self.asked: list[tuple[int, ...]] = []

    @property
    def name(self) -> str:
        return "chain"

    @property
    def vocab_size(self) -> int:
        return len(self._rows)

    def next_log_probs(self, context: Tokens) -> LogProbs:
        ids = check_ids(context, self.vocab_size)
        self.asked.append(tuple(ids.tolist()))
        row: LogProbs = self._rows[ids[-1] if len(ids) else self.end_of_text]
        return row


CHAIN = [[0.1, 0.6, 0.3], [0.5, 0.2, 0.3], [0.7, 0.3, 0.0]]


def test_strings_come_as_often_as_they_should() -> None:
    """χ² over all strings of up to 3 tokens and the rest, 4000 texts, one fixed seed."""
    rng = np.random.default_rng(8)
    model = Chain(CHAIN)
    seen: dict[tuple[int, ...], int] = {}
    n = 4000
    for _ in range(n):
        written = generate(model, [], seed=rng, max_tokens=4)
        string = tuple(token.id for token in written)
        string = string if written.ending is Ending.END_OF_TEXT and len(string) < 4 else ()
        seen[string] = seen.get(string, 0) + 1
    statistic, rest = 0.0, 1.0
    strings = [(a,) for a in (0, 1)]
    strings += [(*s, b) for s in strings for b in (0, 1)]
    strings += [(*s, b) for s in strings if len(s) == 2 for b in (0, 1)]
    assert len(strings) == 14
    for string in strings:
        p = math.exp(model.token_log_probs([*string, 2]).sum())
        rest -= p
        statistic += (seen.get(string, 0) - n * p) ** 2 / (n * p)
    statistic += (seen.get((), 0) - n * rest) ** 2 / (n * rest)
    assert statistic < 36.12  # the 99.9 % point for 14 degrees of freedom


def test_tokens_tell_how_they_were_drawn() -> None:
    model = Chain(CHAIN)
    rules = SamplingRules(temperature=0.5, top_k=2)
    written = generate(model, [0, 1], rules, seed=3, max_tokens=30)
    context = [0, 1]
    rng = np.random.default_rng(3)
    tokens = list(written)
    assert written.ending is Ending.END_OF_TEXT
    assert written.closing is not None
    for token in [*tokens, written.closing]:
        row = model.next_log_probs(context)
        sampled = rules.apply(row)
        assert token.u == rng.random()
        assert token.id == sampled.token_at(token.u)
        assert token.probability == sampled.probabilities[token.id]
        assert token.model_probability == pytest.approx(math.exp(row[token.id]))
        assert token.rank == 1 + sum(other > row[token.id] for other in row)
        assert token.n_kept == 2
        context.append(token.id)
    assert written.closing.id == model.end_of_text
    assert model.end_of_text not in [token.id for token in tokens]


def test_same_seed_same_text() -> None:
    model = Chain(CHAIN)
    one, two = (list(generate(model, [], seed=5)) for _ in range(2))
    assert one == two
    texts = {tuple(t.id for t in generate(model, [], seed=seed)) for seed in range(10)}
    assert len(texts) > 3


def test_it_stops_at_the_length_asked_for() -> None:
    cycle = Chain([[0, 1, 0], [1, 0, 0], [1, 0, 0]])
    written = generate(cycle, [], max_tokens=5)
    assert written.ending is None
    assert [token.id for token in written] == [0, 1, 0, 1, 0]
    assert written.ending is Ending.LENGTH
    assert written.closing is None
    assert list(written) == []
    # The last token was never read: nothing follows it.
    assert cycle.asked[-1] == (0, 1, 0, 1)
    none = generate(cycle, [], max_tokens=0)
    assert list(none) == []
    assert none.ending is Ending.LENGTH


def test_it_stops_where_the_model_is_undefined() -> None:
    model = NGramModel.train([[0, 1], [1]], 3, "maximum_likelihood", vocab_size=4)
    written = generate(model, [1, 0])
    assert list(written) == []
    assert written.ending is Ending.UNDEFINED
    broken = Chain([[np.nan] * 3] * 3)
    written = generate(broken, [])
    assert list(written) == []
    assert written.ending is Ending.UNDEFINED


def test_greedy_follows_the_most_probable_path() -> None:
    model = Chain(CHAIN)
    tokens = list(generate(model, [], SamplingRules(temperature=0), max_tokens=4))
    assert [token.id for token in tokens] == [0, 1, 0, 1]
    assert {token.rank for token in tokens} == {1}
    assert {token.probability for token in tokens} == {1.0}
    assert tokens[1].model_probability == pytest.approx(0.6)


def test_n_gram_continuations_write_what_whole_contexts_would() -> None:
    rng = np.random.default_rng(0)
    model = NGramModel.train([rng.integers(0, 5, size=300)], 3, vocab_size=6)
    ids = [1, 2]
    for token in generate(model, [1, 2], seed=9, max_tokens=50):
        sampled = SamplingRules().apply(model.next_log_probs(ids))
        assert token.id == sampled.token_at(token.u)
        ids.append(token.id)
    assert len(ids) > 10


def test_bad_requests() -> None:
    model = Chain(CHAIN)
    with pytest.raises(LabError, match="0 or more"):
        generate(model, [], max_tokens=-1)
    with pytest.raises(ValueError, match="0 … 2"):
        generate(model, [3])


def test_it_can_be_cancelled_between_tokens() -> None:
    class Stop(Job):
        calls = 0

        def yield_point(self) -> None:
            self.calls += 1
            if self.calls == 3:
                raise JobCancelled

    written = generate(Chain([[0, 1, 0], [1, 0, 0], [1, 0, 0]]), [], job=Stop())
    assert [next(written).id, next(written).id] == [0, 1]
    with pytest.raises(JobCancelled):
        next(written)
