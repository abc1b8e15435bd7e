"""The hidden Markov model against sums over all hidden paths, and EM against hmmlearn."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hmmlearn.hmm import CategoricalHMM
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LabError
from engine.jobs import Job, JobCancelled
from engine.models.hmm import HiddenMarkovModel, HmmParameters
from engine.models.hmm_training import EmRound, initial_parameters, train_hmm
from engine.tokenizers.stream import TokenStream

END = 3


def random_parameters(seed: int, states: int = 3, vocab_size: int = END + 1) -> HmmParameters:
    rng = np.random.default_rng(seed)
    return HmmParameters(
        start=rng.dirichlet(np.ones(states)),
        transition=rng.dirichlet(np.ones(states), size=states),
        emission=rng.dirichlet(np.ones(vocab_size), size=states),
    )


def by_all_paths(p: HmmParameters, ids: list[int]) -> float:
    """p(x) as the sum over every path of hidden states."""
    total = 0.0
    for path in product(range(len(p.start)), repeat=len(ids)):
        joint = p.start[path[0]] if path else 1.0
        for t, token in enumerate(ids):
            joint *= p.emission[path[t], token]
            if t:
                joint *= p.transition[path[t - 1], path[t]]
        total += joint
    return total


def stream_of(documents: list[list[int]], end: int = END) -> TokenStream:
    ids = [end]
    for document in documents:
        ids += [*document, end]
    return TokenStream(np.array(ids, dtype=np.int32), end_of_text=end, n_bytes=len(ids))


tokens = st.lists(st.integers(0, END - 1), max_size=5)


@settings(max_examples=50)
@given(st.integers(0, 1000), tokens)
def test_the_chain_rule_gives_the_sum_over_all_paths(seed: int, ids: list[int]) -> None:
    parameters = random_parameters(seed)
    model = HiddenMarkovModel(parameters)
    document = [*ids, END]
    expected = by_all_paths(parameters, document)
    assert np.exp(model.token_log_probs(document).sum()) == pytest.approx(expected)
    table = model.log_probs(document)
    assert np.exp(table).sum(axis=1) == pytest.approx(np.ones(len(document)))
    picked = table[np.arange(len(document)), document]
    assert picked == pytest.approx(model.token_log_probs(document))
    continuation = model.continuation(ids[:1])
    for token in ids[1:]:
        continuation.append(token)
    assert continuation.next_log_probs() == pytest.approx(model.next_log_probs(ids))
    assert table[-1] == pytest.approx(model.next_log_probs(ids))


@settings(max_examples=30)
@given(st.integers(0, 1000), tokens)
def test_smoothed_states_are_ratios_of_sums_over_paths(seed: int, ids: list[int]) -> None:
    parameters = random_parameters(seed)
    document = [*ids, END]
    expected = np.zeros((len(document), 3))
    for path in product(range(3), repeat=len(document)):
        joint = parameters.start[path[0]]
        for t, token in enumerate(document):
            joint *= parameters.emission[path[t], token]
            if t:
                joint *= parameters.transition[path[t - 1], path[t]]
        for t, state in enumerate(path):
            expected[t, state] += joint
    expected /= expected.sum(axis=1, keepdims=True)
    assert HiddenMarkovModel(parameters).smoothed_states(document) == pytest.approx(expected)


def test_a_new_document_starts_after_end_of_text() -> None:
    model = HiddenMarkovModel(random_parameters(0))
    assert model.next_log_probs([0, 1, END, 2]) == pytest.approx(model.next_log_probs([2]))
    together = model.token_log_probs([0, END, 1, END])
    apart = [*model.token_log_probs([0, END]), *model.token_log_probs([1, END])]
    assert together == pytest.approx(apart)


def test_what_is_impossible_is_minus_infinity_and_then_undefined() -> None:
    parameters = HmmParameters(
        start=np.array([1.0, 0.0]),
        transition=np.array([[0.5, 0.5], [0.5, 0.5]]),
        emission=np.array([[1.0, 0.0, 0.0], [0.5, 0.0, 0.5]]),
    )
    model = HiddenMarkovModel(parameters)
    assert model.token_log_probs([1, 0, 2, 0]).tolist() == [-np.inf, -np.inf, -np.inf, 0.0]
    assert model.next_log_probs([1]).tolist() == [-np.inf] * 3
    assert (model.log_probs([1, 0])[1] == -np.inf).all()
    with pytest.raises(ValueError, match="probability 0"):
        model.smoothed_states([1, 2])


def test_parameters_must_be_distributions_of_matching_shapes() -> None:
    good = random_parameters(0)
    with pytest.raises(ValueError, match="shapes"):
        HmmParameters(good.start, good.transition[:2], good.emission)
    with pytest.raises(ValueError, match="distribution"):
        HmmParameters(good.start, good.transition * 2, good.emission)


def test_each_round_equals_hmmlearns() -> None:
    rng = np.random.default_rng(7)
    documents = [rng.integers(0, END, n).tolist() for n in (1, 9, 30, 30, 4, 17)]
    stream = stream_of(documents)
    start = random_parameters(5)
    theirs = CategoricalHMM(3, n_iter=4, tol=-np.inf, init_params="", n_features=END + 1)
    theirs.startprob_, theirs.transmat_ = start.start, start.transition
    theirs.emissionprob_ = start.emission
    observed = stream.ids[1:].reshape(-1, 1)
    theirs.fit(observed, [len(document) + 1 for document in documents])
    *_, ours = train_hmm(stream, 3, iterations=4, pseudo_count=0.0, initial=start)
    assert ours.model.parameters.start == pytest.approx(theirs.startprob_, abs=1e-9)
    assert ours.model.parameters.transition == pytest.approx(theirs.transmat_, abs=1e-9)
    assert ours.model.parameters.emission == pytest.approx(theirs.emissionprob_, abs=1e-9)
    assert ours.nats_per_token * stream.n_targets == pytest.approx(-theirs.monitor_.history[-1])


@settings(max_examples=20, deadline=None)
@given(st.lists(tokens, min_size=1, max_size=6), st.integers(0, 99))
def test_every_round_raises_the_likelihood(documents: list[list[int]], seed: int) -> None:
    rounds = list(train_hmm(stream_of(documents), 2, iterations=6, seed=seed, pseudo_count=0.0))
    losses = [r.nats_per_token for r in rounds]
    assert all(b <= a + 1e-9 for a, b in pairwise(losses))


def test_two_alternating_letters_are_learned_with_two_states() -> None:
    stream = stream_of([[0, 1] * 10 for _ in range(20)])
    best = min(
        (list(train_hmm(stream, 2, iterations=60, seed=seed))[-1] for seed in range(4)),
        key=lambda r: r.nats_per_token,
    )
    # 20 letters known after the first, then the end by chance: about the entropy of the end.
    assert best.nats_per_token < 0.35
    after = np.exp(best.model.next_log_probs([0, 1, 0]))
    assert after[1] > 0.8


def test_batches_and_one_pass_count_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    stream = stream_of([rng.integers(0, END, n).tolist() for n in (5, 1, 8, 3, 3, 12)])

    def last() -> EmRound:
        return list(train_hmm(stream, 3, iterations=3, seed=1))[-1]

    whole = last()
    monkeypatch.setattr("engine.models.hmm_training.TOKENS_AT_ONCE", 6)
    parts = last()
    assert parts.model.parameters.emission == pytest.approx(whole.model.parameters.emission)
    assert parts.nats_per_token == pytest.approx(whole.nats_per_token)


def test_the_same_seed_gives_the_same_start() -> None:
    stream = stream_of([[0, 1, 2]])
    one, two = (initial_parameters(stream, 4, seed=9).emission for _ in range(2))
    assert (one == two).all()
    assert (initial_parameters(stream, 4, seed=10).emission != one).any()


def test_refusals_and_stopping() -> None:
    class Stopped(Job):
        def yield_point(self) -> None:
            raise JobCancelled

    with pytest.raises(LabError, match="2 to 64"):
        next(train_hmm(stream_of([[0]]), 1))
    with pytest.raises(LabError, match="no training text"):
        next(train_hmm(TokenStream(np.array([END], dtype=np.int32), END, 0), 2))
    with pytest.raises(JobCancelled):
        next(train_hmm(stream_of([[0]]), 2, job=Stopped()))


def test_a_state_is_known_by_what_it_emits() -> None:
    emission = np.array([[0.2, 0.5, 0.2, 0.1], [0.0, 0.0, 0.0, 1.0]])
    parameters = HmmParameters(np.array([0.5, 0.5]), np.full((2, 2), 0.5), emission)
    model = HiddenMarkovModel(parameters)
    assert model.favourite_tokens(0, 3) == [(1, 0.5), (0, 0.2), (2, 0.2)]
    assert model.favourite_tokens(1, 1) == [(3, 1.0)]
    with pytest.raises(IndexError):
        model.favourite_tokens(2, 1)
