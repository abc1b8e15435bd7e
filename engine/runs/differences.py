"""What tells two runs apart: settings, seed, device, and what they were made from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from engine.runs.description import RunDescription, Setting, Source


@dataclass(frozen=True)
class Difference:
    """One thing in which two runs differ."""

    knob: str
    """The setting's name in the program, or the source's name, such as "Text"."""
    label: str
    """What the learner reads."""
    a: Setting
    """The first run's value; None if it has no such setting."""
    b: Setting


def differences(
    a: RunDescription,
    b: RunDescription,
    labels: Mapping[str, str] | None = None,
    leave_out: Collection[str] = ("name",),
) -> tuple[Difference, ...]:
    """All in which two runs differ: sources first, then settings in the first run's order.

    Args:
        a: one run.
        b: another.
        labels: what the learner reads for each setting; its name where there is none.
        leave_out: settings that change nothing about a run.
    """
    found = []
    for name in {**a.sources, **b.sources}:
        left, right = a.sources.get(name), b.sources.get(name)
        if _fingerprint(left) != _fingerprint(right):
            titles = [None if source is None else source.title for source in (left, right)]
            found.append(Difference(name, name, titles[0], titles[1]))
    one = {"seed": a.seed, "device": a.device, **a.settings}
    other = {"seed": b.seed, "device": b.device, **b.settings}
    for name in {**one, **other}:
        if name not in leave_out and not _same(one.get(name), other.get(name)):
            label = (labels or {}).get(name, name)
            found.append(Difference(name, label, one.get(name), other.get(name)))
    return tuple(found)


def _same(a: Setting, b: Setting) -> bool:
    """Equality that tells True from 1, and takes NaN as equal to itself."""
    return (a == b or (a != a and b != b)) and isinstance(a, bool) is isinstance(b, bool)


def _fingerprint(source: Source | None) -> str | None:
    return None if source is None else source.fingerprint
