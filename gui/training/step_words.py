"""What one step did, in sentences and table rows. No Qt, no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gui.widgets.numbers import format_log_probability, format_number
from gui.widgets.token_text import Vocabulary, isolate

if TYPE_CHECKING:
    from engine.training.one_step import OneStep

Rows = list[tuple[str, str, Sequence[str]]]
"""Title, tooltip and cells of each row."""

PLACE_COLUMNS = ("reads xₜ", "target xₜ₊₁", "p(target) before", "after", "factor")
MATRIX_COLUMNS = ("shape", "size ‖θ‖", "gradient ‖∇‖", "moved ‖Δθ‖", "share moved", "largest |Δθ|")
TOKEN_COLUMNS = ("moved ‖Δ row‖", "read", "target")
MOST_TOKENS_SHOWN = 12
TOKEN_WIDTH = 24

ROWS_QUESTION = (
    "The model reads these lines and takes one step. Which rows of the embedding W move?"
)
ROWS_CHOICES = (
    "Only those of tokens that it read",
    "Only those of the target tokens",
    "Those of all tokens",
    "None of them",
)
FAR_QUESTION = "What becomes of these lines' probability if η is {times} times as large?"
FAR_CHOICES = (
    "It rises about {times} times as much",
    "It rises, but not in proportion",
    "It falls",
)


def places(step: OneStep) -> list[tuple[int, int]]:
    """(line, place) of every predicted token, in reading order."""
    return [(int(b), int(t)) for b, t in np.argwhere(step.batch.predicted)]


def place_rows(step: OneStep, vocabulary: Vocabulary) -> Rows:
    """A row for every prediction of the batch."""
    before, after = step.log_p_before, step.log_p_after
    rows: Rows = []
    for b, t in places(step):
        read, target = int(step.batch.inputs[b, t]), int(step.batch.targets[b, t])
        begin = read == len(step.rows) - 1 and t == 0
        cells = (
            "begin" if begin else isolate(vocabulary.text(read, TOKEN_WIDTH)),
            isolate(vocabulary.text(target, TOKEN_WIDTH)),
            format_log_probability(float(before[b, t])),
            _probability(float(after[b, t])),
            _times(float(after[b, t] - before[b, t])),
        )
        tip = "Select a row to see the whole distribution before and after the step."
        rows.append((f"{b + 1}.{t + 1}", tip, cells))
    return rows


def matrix_rows(step: OneStep) -> Rows:
    """A row for every matrix and vector of the model."""
    rows: Rows = []
    for m in step.matrices:
        shape = " × ".join(f"{n:,}" for n in m.shape)
        share = "from zero" if math.isinf(m.share) else f"{format_number(100 * m.share, 2)} %"
        cells = (
            shape,
            format_number(m.size, 3),
            format_number(m.gradient, 2),
            format_number(m.moved, 2),
            share,
            format_number(m.largest, 2),
        )
        rows.append((m.name, f"{m.changed:,} of its numbers changed.", cells))
    return rows


def token_rows(step: OneStep, vocabulary: Vocabulary) -> Rows:
    """The rows of the embedding W that moved farthest."""
    read, target = step.times_read(), step.times_target()
    moved = np.nan_to_num(step.rows, nan=np.inf)
    order = np.argsort(-moved, kind="stable")[:MOST_TOKENS_SHOWN]
    rows: Rows = []
    for i in order.tolist():
        if not moved[i]:
            break
        end = i == len(step.rows) - 1
        name = "begin/end of text" if end else isolate(vocabulary.text(i, TOKEN_WIDTH))
        cells = (format_number(float(step.rows[i]), 3), f"{read[i]}×", f"{target[i]}×")
        rows.append((name, f"Row {i:,} of W.", cells))
    return rows


def headline(step: OneStep, rule: str) -> str:
    """What the step did to the text's probability, and what the slope had promised."""
    eta = format_number(step.rate, 3)
    if math.isnan(step.gain):
        return (
            f"η = {eta} was so large that the model's numbers are no numbers any more: nothing "
            "can be computed with it."
        )
    before = float(np.nanmean(step.log_p_before))
    after = before + step.gain
    how = "rose" if step.gain > 0 else "fell"
    times = math.exp(min(700.0, abs(step.gain)))
    side = "as probable" if step.gain > 0 else "less probable"
    promise = "η‖∇ log p‖² = " if rule == "plain ascent" else "∇ log p · Δθ = "
    return (
        f"log p(text) {how} from {_signed(before)} to {_signed(after)} nats per token: on average "
        f"each token is now {format_number(times, 3)} times {side}. A straight line along the "
        f"gradient promised {promise}{_signed(step.expected, plus=True)}; the step brought "
        f"{_signed(step.gain, plus=True)}."
    )


def arithmetic(step: OneStep, vocabulary: Vocabulary, plain: bool) -> str:
    """θ ← θ + η ∇ log p for one number, with its numbers."""
    n = step.followed
    end = n.token == len(step.rows) - 1
    name = "begin-of-text" if end else f"“{isolate(vocabulary.text(n.token, TOKEN_WIDTH))}”"
    where = f"One number of θ, in place {n.column + 1} of the row of {name} in W"
    eta, gradient = format_number(step.rate, 3), _signed(n.gradient, 4)
    if not n.gradient:
        return (
            f"{where}, has the gradient 0: what lies between it and the output is still all "
            "zeros, so that it makes no difference yet."
        )
    if plain:
        return f"{where}: {_signed(n.before, 5)} + {eta} · ({gradient}) = {_signed(n.after, 5)}."
    return (
        f"{where}: its gradient is {gradient}, and the optimizer moved it from "
        f"{_signed(n.before, 5)} to {_signed(n.after, 5)}."
    )


def moved_words(step: OneStep) -> str:
    """How much of the model the step reached."""
    still = [m.name for m in step.matrices if not m.moved]
    rows = int((np.nan_to_num(step.rows, nan=1.0) > 0).sum())
    text = (
        f"{len(step.matrices) - len(still)} of {len(step.matrices)} matrices and vectors moved, "
        f"and {rows:,} of the {len(step.rows):,} rows of the embedding W."
    )
    if still:
        text += " The others got no gradient: what comes behind them is still all zeros."
    return text


def right_rows(step: OneStep) -> tuple[tuple[int, ...], str]:
    """Which of ROWS_CHOICES is right, and why."""
    moved = np.nan_to_num(step.rows, nan=1.0) > 0
    read, target = step.times_read() > 0, step.times_target() > 0
    right = tuple(
        i
        for i, rows in enumerate((read, target, np.ones_like(moved), np.zeros_like(moved)))
        if (moved == rows).all()
    )
    count = f"{int(moved.sum()):,} of {len(moved):,} rows moved"
    if 3 in right:
        why = "no gradient reaches W yet, since what lies between it and the output is all zeros"
    elif 2 in right:
        why = (
            "besides being read, rows are pushed in another way: the embedding is also the output "
            "matrix, where every token's score counts, or the optimizer pulls all numbers to zero"
        )
    elif 0 in right:
        why = "a row that was not read had no part in what the model said, so its gradient is 0"
    else:
        why = "some of the rows that were read got a gradient too small to change a number"
    return right, f"{count}: {why}."


def right_far(near: float, far: float, times: float) -> tuple[tuple[int, ...], str]:
    """Which of FAR_CHOICES is right, and why: the gains of the small and the large step."""
    if math.isnan(far):
        return (2,), "The model's numbers have blown up; it gives no probabilities any more."
    words = (
        f"The small step brought {_signed(near, plus=True)} nats per token, the large one "
        f"{_signed(far, plus=True)}."
    )
    why = (
        " The gradient is the slope where one stands; it says nothing of how the land lies far off."
    )
    if far <= 0:
        return (2,), words + why
    if near > 0 and far >= 0.5 * times * near:
        return (0,), words + " Here the land is that even."
    return (1,), words + why


def _probability(log_p: float) -> str:
    return "no number" if math.isnan(log_p) else format_log_probability(log_p)


def _times(difference: float) -> str:
    if math.isnan(difference):
        return "no number"
    if difference > math.log(1e6) or difference < -math.log(1e6):
        power = difference / math.log(10)
        return f"× 10^{power:.0f}".replace("-", "−")
    return f"× {format_number(math.exp(difference), 3)}"


def _signed(value: float, digits: int = 3, plus: bool = False) -> str:
    text = format_number(abs(value), digits)
    sign = "−" if value < 0 else "+" if plus else ""
    return sign + text
