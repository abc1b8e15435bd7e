"""What the page "Compare" has done to the catalogue, and how runs differ, in words. No Qt."""

from __future__ import annotations

from engine.errors import LabError
from engine.runs import Catalogue, differences
from engine.training import Recipe
from engine.training.comparing import ComparedRun, Curves, read_curves
from gui.training.compare_plot import title_of

UNSEEN = ("name", "eval_every", "checkpoint_every", "checkpoint_seconds")
"""Settings that change nothing about what is learned."""
MOST_TOLD = 3
"""Things done by hand that are told of a run."""


def said_differences(chosen: tuple[ComparedRun, ...]) -> str:
    """The settings in which runs differ, each with all values in turn."""
    labels = {name: knob.label for name, knob in Recipe.knobs().items()}
    first = chosen[0].summary.description
    found: dict[str, str] = {}
    for other in chosen[1:]:
        for one in differences(first, other.summary.description, labels, UNSEEN):
            found.setdefault(one.knob, one.label)
    names = ", ".join(f"“{title_of(run, chosen)}”" for run in chosen)
    turned = "".join(_by_hand(run, title_of(run, chosen)) for run in chosen)
    if not found:
        return f"{names}: the same settings and text.{turned}"
    parts = []
    for knob, label in found.items():
        values = [_value(run, knob) for run in chosen]
        parts.append(f"{label}: {' | '.join(values)}")
    return f"{names} differ in: {'; '.join(parts)}.{turned}"


def _by_hand(run: ComparedRun, title: str) -> str:
    """What no setting tells: what somebody did while the run went on."""
    if not run.by_hand:
        return ""
    done = "; ".join(f"{text} at step {step:,}" for step, text in run.by_hand[:MOST_TOLD])
    left = len(run.by_hand) - MOST_TOLD
    more = f"; and {left:,} more" if left > 0 else ""
    return f" Done by hand in “{title}”: {done}{more}."


def _value(run: ComparedRun, knob: str) -> str:
    description = run.summary.description
    if knob in description.sources:
        return description.sources[knob].title
    value = {"seed": description.seed, "device": description.device, **description.settings}[knob]
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def read_with_step(kept: Catalogue, key: str, step: int) -> tuple[str, int, Curves]:
    """A run's curves, with its key and the step that they were asked for at (LabError if they
    can't be read)."""
    return key, step, read_curves(kept, key)


def pin_alone(kept: Catalogue, key: str, pinned: bool, others: list[str]) -> None:
    """Pin a run as the only baseline, or take its pin out (LabError if that can't be written)."""
    for other in others if pinned else []:
        kept.pin(other, False)
    kept.pin(key, pinned)


def delete_all(kept: Catalogue, keys: list[str]) -> tuple[list[str], str]:
    """Delete as many as can be; which those were, and what was wrong with the others."""
    gone, problems = [], []
    for key in keys:
        try:
            kept.delete(key)
        except LabError as error:
            problems.append(str(error))
        else:
            gone.append(key)
    return gone, " ".join(problems)


def restore_all(kept: Catalogue, keys: list[str]) -> None:
    """Bring deleted runs back (LabError if one can't be)."""
    for key in keys:
        kept.restore(key)
