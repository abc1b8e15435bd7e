"""The best possible vocabulary for a small text: min |f(X)| such that |Σ| = V, solved exactly.

Byte-pair encoding is greedy twice over: it fixes one merge after another, and it encodes by
replaying the merges instead of looking for the fewest tokens. Here the wish itself is solved, with
tokens inside words: given words with their counts and a base alphabet Σ₀ that stays, which k new
tokens make the text shortest, when every word is cut into as few tokens as the vocabulary allows?

As an integer program: a word of n characters is a chain of nodes 0 … n; each substring i:j is an
edge of length one token, and a shortest path from 0 to n is the word's encoding. An edge of two or
more characters is open only if its substring is one of the k chosen tokens. Only the choice of
tokens needs whole numbers: with it fixed, each word is a shortest-path problem, whose linear
program is integral. Branch and bound over the linear relaxation (HiGHS; Huangfu and Hall 2018)
returns the best choice and a bound that no vocabulary of that size can beat.
The general problem is NP-hard (Whittington, Bachmann and Pimentel 2024; Kozma and Voderholzer
2024), hence the time limit.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import LabError
from engine.jobs import NO_JOB, Job, JobCancelled

if TYPE_CHECKING:
    import highspy

MAX_EDGES = 60_000
"""Substrings of all distinct words together, above which the program is not even set up."""


@dataclass(frozen=True)
class OptimalVocabulary:
    """The answer of :func:`optimal_vocabulary`."""

    new_tokens: tuple[str, ...]
    """The chosen tokens of two or more characters, most used first. Fewer than asked for where
    more would not help."""
    n_tokens: int
    """|f(X)|: tokens of the whole text under the best vocabulary found."""
    bound: int
    """No vocabulary with as many new tokens gives fewer than this many tokens: proved."""
    seconds: float
    """Time the search took."""

    @property
    def proved(self) -> bool:
        """Whether the vocabulary found is known to be the best."""
        return self.n_tokens == self.bound


def shortest_encoding(word: str, vocabulary: frozenset[str] | set[str]) -> list[str]:
    """The word cut into the fewest tokens; single characters are always tokens.

    Of several shortest cuts, the one with the longest last token, then last but one, and so on.

    >>> shortest_encoding("abcd", {"ab", "bcd"})
    ['a', 'bcd']
    """
    longest = max((len(token) for token in vocabulary), default=1)
    fewest = [0] + [math.inf] * len(word)
    start_of_last = [0] * (len(word) + 1)
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - longest), end):
            usable = end - start == 1 or word[start:end] in vocabulary
            if usable and fewest[start] + 1 < fewest[end]:
                fewest[end], start_of_last[end] = fewest[start] + 1, start
    tokens: list[str] = []
    end = len(word)
    while end > 0:
        tokens.append(word[start_of_last[end] : end])
        end = start_of_last[end]
    return tokens[::-1]


def encoded_length(words: Mapping[str, int], vocabulary: Iterable[str]) -> int:
    """|f(X)| with shortest-path encoding: tokens of the words, each as often as it occurs."""
    tokens = frozenset(vocabulary)
    return sum(count * len(shortest_encoding(word, tokens)) for word, count in words.items())


@dataclass(frozen=True)
class _Edges:
    """All substrings of two or more characters, as edges of the words' chains."""

    word: list[int]
    start: list[int]
    end: list[int]
    candidate: list[int]
    candidates: list[str]


def _edges(words: Sequence[str]) -> _Edges:
    index: dict[str, int] = {}
    edges = _Edges([], [], [], [], [])
    for w, word in enumerate(words):
        for start in range(len(word)):
            for end in range(start + 2, len(word) + 1):
                edges.word.append(w)
                edges.start.append(start)
                edges.end.append(end)
                edges.candidate.append(index.setdefault(word[start:end], len(index)))
    edges.candidates.extend(index)
    return edges


def optimal_vocabulary(
    words: Mapping[str, int],
    new_tokens: int,
    time_limit: float = 20.0,
    start_from: Iterable[str] = (),
    job: Job = NO_JOB,
) -> OptimalVocabulary:
    """Find the ``new_tokens`` substrings of words that make the text shortest.

    Args:
        words: distinct words and how often each occurs; tokens never cross words.
        new_tokens: k = |Σ| − |Σ₀|, how many tokens may be added to the single characters.
        time_limit: seconds after which the best found so far and the bound are returned.
        start_from: a vocabulary to start from, such as BPE's; the answer is never worse.
        job: progress and cancellation.

    Raises:
        LabError: if there is no word, or the text is too large for an exact search.
        JobCancelled: if the work was asked to stop.
    """
    words = {word: count for word, count in words.items() if word and count > 0}
    if not words:
        raise LabError("There is no word in this text. Type one or two first.")
    if new_tokens < 1:
        raise LabError("Ask for at least one new token.")
    n_edges = sum(len(word) * (len(word) - 1) // 2 for word in words)
    if n_edges > MAX_EDGES:
        raise LabError(
            f"This text has {n_edges:,} places where a token could stand, too many for an exact "
            f"search (at most {MAX_EDGES:,}). Take a shorter text, or one with shorter words."
        )
    began = time.monotonic()
    letters = sum(count * len(word) for word, count in words.items())
    best = sorted(set(start_from), key=lambda token: (-len(token), token))[:new_tokens]
    if n_edges == 0:
        return OptimalVocabulary((), letters, letters, 0.0)
    found, bound = _solve(words, new_tokens, time_limit, best, job)
    n_tokens = encoded_length(words, found)
    if best and encoded_length(words, best) < n_tokens:
        found, n_tokens = best, encoded_length(words, best)
    used: Counter[str] = Counter()
    for word, count in words.items():
        for token in shortest_encoding(word, frozenset(found)):
            used[token] += count
    chosen = sorted((t for t in found if used[t]), key=lambda t: (-used[t], t))
    # Token counts are whole, so the bound may be rounded up (less the solver's own tolerance).
    whole = min(n_tokens, math.ceil(bound - 1e-6 * max(1.0, abs(bound))))
    return OptimalVocabulary(tuple(chosen), n_tokens, whole, time.monotonic() - began)


def _solve(
    words: Mapping[str, int], k: int, time_limit: float, best: list[str], job: Job
) -> tuple[list[str], float]:
    """Solve the integer program; return the chosen tokens and the proved bound."""
    import highspy  # only the exact search needs a solver, and it takes a moment to load

    edges = _edges(list(words))
    n_candidates = len(edges.candidates)
    solver = highspy.Highs()
    solver.silent()
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("time_limit", float(time_limit))
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.passModel(_program(words, edges, k))
    if best:
        index = {token: i for i, token in enumerate(edges.candidates)}
        start = np.zeros(n_candidates)
        start[[index[token] for token in best if token in index]] = 1.0
        solver.setSolution(n_candidates, np.arange(n_candidates, dtype=np.int32), start)

    cancelled: list[JobCancelled] = []

    def on_node(event: highspy.highs.HighsCallbackEvent) -> None:
        try:
            elapsed = min(event.data_out.running_time, time_limit)
            job.progress(elapsed, time_limit, "Searching for the best vocabulary")
        except JobCancelled as stop:  # nothing may be raised through the solver's own frames
            cancelled.append(stop)
            event.interrupt()

    if job is not NO_JOB:  # otherwise there is nobody to ask
        solver.cbMipInterrupt += on_node
    solver.run()
    if cancelled:
        raise cancelled[0]
    dual = solver.getInfo().mip_dual_bound
    bound = float(dual) if math.isfinite(dual) else 0.0
    solution = solver.getSolution().col_value
    if not solution:  # stopped before any choice was found: keep the one to start from
        return [token for token in best if token in set(edges.candidates)], bound
    return [edges.candidates[y] for y in range(n_candidates) if solution[y] > 0.5], bound


def _program(words: Mapping[str, int], edges: _Edges, k: int) -> highspy.HighsLp:
    """The integer program, its columns [candidates y | long edges x | single characters s]."""
    import highspy

    counts = np.array(list(words.values()), dtype=np.float64)
    lengths = np.array([len(word) for word in words])
    n_y, n_x, n_s = len(edges.candidates), len(edges.word), int(lengths.sum())
    n_columns = n_y + n_x + n_s
    first_node = np.concatenate(([0], np.cumsum(lengths + 1)))
    n_nodes = int(first_node[-1])
    word, start, end = np.array(edges.word), np.array(edges.start), np.array(edges.end)
    x = n_y + np.arange(n_x)
    s = n_y + n_x + np.arange(n_s)
    # The i-th character of the text (words in a row) leaves node i of its word's chain.
    single = np.arange(n_s) + np.repeat(np.arange(len(lengths)), lengths)
    budget_row = n_nodes + n_x
    triples = [  # (rows, columns, value)
        # Flow: what leaves a node less what enters it.
        (first_node[word] + start, x, 1.0),
        (first_node[word] + end, x, -1.0),
        (single, s, 1.0),
        (single + 1, s, -1.0),
        # A long edge is open only if its token is chosen: x − y ≤ 0.
        (n_nodes + np.arange(n_x), x, 1.0),
        (n_nodes + np.arange(n_x), np.array(edges.candidate), -1.0),
        # At most k tokens: Σ y ≤ k.
        (np.full(n_y, budget_row), np.arange(n_y), 1.0),
    ]
    rows = np.concatenate([r for r, _, _ in triples])
    columns = np.concatenate([c for _, c, _ in triples])
    values = np.concatenate([np.full(len(r), v) for r, _, v in triples])
    order = np.argsort(columns, kind="stable")
    # A path leaves the first node of each chain once and enters the last one once.
    demand = np.zeros(n_nodes)
    demand[first_node[:-1]] += 1
    demand[first_node[1:] - 1] -= 1

    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = n_columns, budget_row + 1
    # A path costs its edges, as often as its word occurs.
    program.col_cost_ = np.concatenate([np.zeros(n_y), counts[word], np.repeat(counts, lengths)])
    program.col_lower_ = np.zeros(n_columns)
    program.col_upper_ = np.ones(n_columns)
    program.row_lower_ = np.concatenate([demand, np.full(n_x + 1, -highspy.kHighsInf)])
    program.row_upper_ = np.concatenate([demand, np.zeros(n_x), [float(k)]])
    matrix = program.a_matrix_
    matrix.format_ = highspy.MatrixFormat.kColwise
    matrix.start_ = np.concatenate(([0], np.cumsum(np.bincount(columns, minlength=n_columns))))
    matrix.index_, matrix.value_ = rows[order], values[order]
    kinds = highspy.HighsVarType
    program.integrality_ = [kinds.kInteger] * n_y + [kinds.kContinuous] * (n_x + n_s)
    return program
