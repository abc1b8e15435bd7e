"""What the experiment did to each of the three, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass

from engine.signals import Numbers, count_different, mean_change
from gui.tokenization.numbers.model import Kind, table_size
from gui.widgets.numbers import format_number

HARDLY = 0.05
"""A picture or sound whose numbers changed by less than this share of the range, on average,
counts as hardly changed: it is what a noisy camera or an old record does."""
RUINED = 0.15
"""From this share on it counts as ruined. Two unrelated pictures differ by about a third."""
READABLE = 0.8
"""A text with at least this share of its characters right can still be guessed."""


@dataclass(frozen=True)
class Score:
    """How a thing came through."""

    verdict: str
    """One or two words."""
    tint: str
    """The field of Colours that goes with them: "good", "warning", "bad" or "muted"."""
    sentence: str
    different: int
    """In how many places what was read differs from what was written."""
    total: int
    change: float
    """The mean change as a share of the range, 0 … 1."""


def score(kind: Kind, things: Numbers, read: Numbers, *, touched: bool) -> Score:
    """Compare what was written with what was read.

    Args:
        things: numbers of the ordinary table, any shape.
        read: the same after the experiment.
        touched: whether there was noise or a shuffled table at all.
    """
    total = int(things.size)
    different = count_different(things, read)
    change = mean_change(things, read, table_size(kind))
    what = "characters" if kind is Kind.TEXT else "numbers"
    if total == 0:
        return Score("Empty", "muted", f"There are no {what} in it.", 0, 0, 0.0)
    if different == 0:
        verdict = "Exactly the same" if touched else "Untouched"
        sentence = f"0 of {total:,} {what} differ."
        return Score(verdict, "good" if touched else "muted", sentence, 0, total, 0.0)
    mean = f"Mean change {format_percentage(change)} of the range"
    if kind is Kind.TEXT:
        right = total - different
        verdict, tint = ("Readable", "warning") if right >= READABLE * total else ("Garbage", "bad")
        sentence = f"{mean}, {right:,} of {total:,} characters right."
    else:
        verdict, tint = (
            ("Hardly changed", "good")
            if change < HARDLY
            else ("Disturbed", "warning")
            if change < RUINED
            else ("Ruined", "bad")
        )
        sentence = f"{mean}, {different:,} of {total:,} differ."
    return Score(verdict, tint, sentence, different, total, change)


def format_percentage(share: float) -> str:
    """A share 0 … 1 in per cent, with two significant digits."""
    return f"{format_number(100 * share, 2)} %"
