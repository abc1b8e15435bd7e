"""One measured figure, beside its reference and its budget."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A line of the benchmark table. Compare ratios, not seconds: machines differ."""

    name: str
    """Short key, such as "bpe-no-pretokenization"."""
    measured: str
    """What was measured, in words."""
    value: float
    """Our figure."""
    unit: str
    """Its unit, such as "s", "nats/character", "MB", "×"."""
    reference: float | None
    """The reference's figure, from the same run, in the same unit."""
    reference_name: str
    """What the reference is."""
    ratio: float | None
    """value ÷ reference, where that is meaningful."""
    budget: str
    """What was promised, in words."""
    passed: bool | None
    """Whether the budget is kept; None where there is none."""
    note: str = ""
    """How it was measured, where that needs saying."""
