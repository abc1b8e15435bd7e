"""The hidden Markov model: a language model with a latent variable, p(x) = Σ_z p(x, z).

A hidden state z₁ is drawn from a start distribution; each state emits a token and moves on:
p(x, z) = π(z₁) B(z₁, x₁) ∏ A(zₜ₋₁, zₜ) B(zₜ, xₜ), until end-of-text is emitted. All sums over
z are by the forward algorithm, scaled at every step; training is expectation maximisation
(Baum–Welch; Rabiner 1989, "A tutorial on hidden Markov models", section III), in ``hmm_training``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.models.base import Continuation, LanguageModel, LogProbs, Tokens, check_ids

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class HmmParameters:
    """π, A and B: rows are distributions."""

    start: Floats
    """π: shape (K,), p(z₁)."""
    transition: Floats
    """A: shape (K, K), A[i, j] = p(zₜ = j | zₜ₋₁ = i)."""
    emission: Floats
    """B: shape (K, V), B[i, v] = p(xₜ = v | zₜ = i); end-of-text is the last column."""

    def __post_init__(self) -> None:
        """Check shapes and sums.

        Raises:
            ValueError: if the shapes don't fit together, or a row is no distribution.
        """
        k = len(self.start)
        if self.transition.shape != (k, k) or self.emission.shape[:1] != (k,):
            raise ValueError("the shapes of a hidden Markov model are (K,), (K, K) and (K, V)")
        for table in (self.start[None], self.transition, self.emission):
            if table.min() < 0 or not np.allclose(table.sum(axis=1), 1.0, atol=1e-8):
                raise ValueError("every row of a hidden Markov model must be a distribution")


class HiddenMarkovModel(LanguageModel):
    """A hidden Markov model as a language model: next-token distributions by filtering."""

    kind = "hmm"

    def __init__(self, parameters: HmmParameters) -> None:
        self.parameters = parameters

    @property
    def name(self) -> str:
        """Such as "HMM, 16 states"."""
        return f"HMM, {self.n_states} states"

    @property
    def n_states(self) -> int:
        """K."""
        return len(self.parameters.start)

    @property
    def vocab_size(self) -> int:
        """V, end-of-text included."""
        return int(self.parameters.emission.shape[1])

    def favourite_tokens(self, state: int, n: int) -> list[tuple[int, float]]:
        """What a state emits: its n most probable tokens with their probabilities, equals by id.

        Raises:
            IndexError: if there is no such state.
        """
        row = self.parameters.emission[state]  # (V,)
        best = np.argsort(-row, kind="stable")[:n]
        return [(int(token), float(row[token])) for token in best]

    def predicted_states(self, context: Tokens) -> Floats:
        """p(zₜ | x_<t): which state is about to emit, shape (K,); NaN where p(x_<t) = 0."""
        state = self.parameters.start
        for token in check_ids(context, self.vocab_size).tolist():
            state = self._advance(state, token)
        return state

    def _advance(self, predicted: Floats, token: int) -> Floats:
        """p(zₜ | x_<t) -> p(zₜ₊₁ | x_≤t); a new document starts after end-of-text."""
        if token == self.end_of_text:
            return self.parameters.start
        joint = predicted * self.parameters.emission[:, token]  # (K,)
        total = joint.sum()
        if not total > 0:
            return np.full_like(predicted, np.nan)
        moved: Floats = (joint / total) @ self.parameters.transition  # (K,)
        return moved

    def _next(self, predicted: Floats) -> LogProbs:
        probabilities = predicted @ self.parameters.emission  # (V,)
        with np.errstate(divide="ignore"):
            logs: LogProbs = np.log(probabilities)
        return np.where(np.isnan(logs), -np.inf, logs)

    def next_log_probs(self, context: Tokens) -> LogProbs:
        """log p(· | context), shape (V,); −inf throughout after a context of probability 0."""
        return self._next(self.predicted_states(context))

    def log_probs(self, ids: Tokens) -> LogProbs:
        """Shape (T, V), one filtering pass."""
        tokens = check_ids(ids, self.vocab_size).tolist()
        states = np.empty((len(tokens), self.n_states))
        state = self.parameters.start
        for t, token in enumerate(tokens):
            states[t] = state
            state = self._advance(state, token)
        with np.errstate(divide="ignore"):
            logs: LogProbs = np.log(states @ self.parameters.emission)
        return np.where(np.isnan(logs), -np.inf, logs)

    def token_log_probs(self, ids: Tokens) -> LogProbs:
        """Shape (T,), one filtering pass without the (T, V) table."""
        tokens = check_ids(ids, self.vocab_size)
        scales = np.empty(len(tokens))
        emitted = np.ascontiguousarray(self.parameters.emission.T)[tokens]  # (T, K)
        predicted, dead = self.parameters.start, False
        for t, token in enumerate(tokens.tolist()):
            joint = predicted * emitted[t]
            total = 0.0 if dead else float(joint.sum())
            scales[t] = total
            dead = dead or not total > 0
            if token == self.end_of_text:
                predicted, dead = self.parameters.start, False
            elif not dead:
                predicted = (joint / total) @ self.parameters.transition
        with np.errstate(divide="ignore"):
            logs: LogProbs = np.log(scales)
        return logs

    def smoothed_states(self, ids: Tokens) -> Floats:
        """p(zₜ | x₁:T) for every t of one document, shape (T, K): which state emitted what.

        Raises:
            ValueError: if the document has probability 0, so that no state emitted it.
        """
        tokens = check_ids(ids, self.vocab_size)
        emitted = self.parameters.emission.T[tokens]  # (T, K)
        forward = np.empty_like(emitted)
        predicted = self.parameters.start
        for t in range(len(tokens)):
            joint = predicted * emitted[t]
            total = joint.sum()
            if not total > 0:
                raise ValueError("the document has probability 0 under this model")
            forward[t] = joint / total
            predicted = forward[t] @ self.parameters.transition
        backward = np.ones(self.n_states)
        for t in range(len(tokens) - 2, -1, -1):
            backward = self.parameters.transition @ (emitted[t + 1] * backward)
            backward /= backward.sum()
            forward[t] *= backward
            forward[t] /= forward[t].sum()
        return forward

    def continuation(self, context: Tokens) -> Continuation:
        """Keeps the filtered state, so that one token more costs O(K² + K·V)."""
        return _Filter(self, context)


class _Filter(Continuation):
    def __init__(self, model: HiddenMarkovModel, context: Tokens) -> None:
        self._hmm = model
        self._predicted = model.predicted_states(context)

    def next_log_probs(self) -> LogProbs:
        return self._hmm._next(self._predicted)

    def append(self, token_id: int) -> None:
        self._predicted = self._hmm._advance(self._predicted, int(token_id))
