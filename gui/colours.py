"""Every colour that carries meaning, in one place, for the light and the dark theme.

Lines follow Okabe and Ito's palette for colour-blind readers (Color Universal Design, 2008),
darkened on light grounds or lightened on dark ones until each has a contrast of at least 3:1
with what it stands on (WCAG 2.2, 1.4.11; text has 4.5:1, 1.4.3; both are tested). Colour never
stands alone: every series also has a line style and a marker of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen


@dataclass(frozen=True)
class Series:
    """What one kind of model looks like wherever it is drawn."""

    key: str
    """The model's ``kind``: "truth", "ngram", "hmm", "transformer", "reference", "policy"."""
    title: str
    """Its name in legends."""
    light: str
    """The colour on light grounds, as #rrggbb."""
    dark: str
    """The colour on dark grounds."""
    line: Qt.PenStyle
    marker: str
    """pyqtgraph's symbol for its points."""


_SOLID, _DASH = Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine
_DOT, _DASH_DOT = Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine

SERIES: dict[str, Series] = {
    series.key: series
    for series in (
        Series("truth", "Truth", "#1d222b", "#f4f6fa", _DASH, "star"),
        Series("ngram", "N-gram", "#b36b00", "#e69f00", _DASH_DOT, "s"),
        Series("hmm", "HMM", "#a64d82", "#d98fb9", _DOT, "t"),
        Series("transformer", "Transformer", "#0072b2", "#56b4e9", _SOLID, "o"),
        Series("reference", "Reference policy", "#00805d", "#2cbf95", _DASH, "d"),
        Series("policy", "Policy", "#c84a00", "#ff7f3f", _SOLID, "h"),
    )
}
"""The one look of each kind of model, in all tabs."""

NEUTRAL = Series("neutral", "Landmark", "#646c7a", "#9aa3b2", _DOT, "x")
"""Landmark lines that belong to no model, such as ln V; and kinds not listed above."""


@dataclass(frozen=True)
class Colours:
    """One theme's colours. ``LIGHT`` and ``DARK`` are all there are."""

    dark: bool
    # The chrome, put into the palette's roles by gui.theme.
    window: str
    surface: str
    """Fields, lists, plots and cards."""
    raised: str
    """Buttons; every second row."""
    text: str
    muted: str
    """Captions and hints; readable on window and surface."""
    disabled: str
    border: str
    """Lines that only divide; what cannot be used."""
    edge: str
    """Edges of fields and cards: 3:1 on window, surface and raised."""
    accent: str
    """Selection, focus, links, the one primary button of a view."""
    accent_text: str
    accent_soft: str
    """A ground that says "this one" without shouting."""
    # What data is drawn with besides SERIES.
    grid: str
    chips: tuple[str, ...]
    """Soft fills of tokens, used in turn; ``text`` stands on them."""
    chip_text: str
    highlight: str
    """The token or pair in question, lit up wherever it stands; ``highlight_text`` on it."""
    highlight_text: str
    unknown: str
    """Fill of ``<unk>`` and of bytes that are no text."""
    good: str
    bad: str
    warning: str
    good_soft: str
    bad_soft: str
    warning_soft: str
    heat: tuple[str, ...]
    """Stops of the one-hue scale from 0 to 1, for attention and counts."""
    diverging: tuple[str, ...]
    """Stops of the scale from −1 over 0 to 1, red over the ground to blue (after ColorBrewer's
    RdBu, which colour-blind readers tell apart), for numbers of either sign."""

    def color(self, name: str) -> QColor:
        """A colour by its field's name, such as ``color("accent")``."""
        return QColor(getattr(self, name))

    def chip(self, index: int) -> QColor:
        """The fill of the index-th token of a text."""
        return QColor(self.chips[index % len(self.chips)])

    def series(self, kind: str) -> QColor:
        """The colour of a kind of model; neutral where the kind is not known."""
        series = SERIES.get(kind, NEUTRAL)
        return QColor(series.dark if self.dark else series.light)

    def pen(self, kind: str, width: float = 2.0) -> QPen:
        """A cosmetic pen in a model's colour and line style; ``width`` in device-independent
        pixels."""
        pen = QPen(self.series(kind), width, SERIES.get(kind, NEUTRAL).line)
        pen.setCosmetic(True)
        return pen

    def heat_color(self, value: float) -> QColor:
        """The colour of a value from 0 to 1 (clipped) on the one-hue scale."""
        return _between(self.heat, value)

    def diverging_color(self, value: float) -> QColor:
        """The colour of a value from −1 to 1 (clipped) on the scale that diverges at 0."""
        return _between(self.diverging, (value + 1.0) / 2.0)


def _between(stops: tuple[str, ...], share: float) -> QColor:
    """The colour at a share (clipped to 0 … 1) of the way along evenly spaced stops."""
    place = min(1.0, max(0.0, share)) * (len(stops) - 1)
    low = min(int(place), len(stops) - 2)
    a, b, t = QColor(stops[low]), QColor(stops[low + 1]), place - low
    return QColor(
        round(a.red() + (b.red() - a.red()) * t),
        round(a.green() + (b.green() - a.green()) * t),
        round(a.blue() + (b.blue() - a.blue()) * t),
    )


LIGHT = Colours(
    dark=False,
    window="#f3f4f7",
    surface="#ffffff",
    raised="#fafbfc",
    text="#1d222b",
    muted="#596273",
    disabled="#9aa2af",
    border="#cdd2da",
    edge="#868d9a",
    accent="#3f51b5",
    accent_text="#ffffff",
    accent_soft="#e4e8fa",
    grid="#dfe3e9",
    chips=("#d9e8f6", "#fbe8c6", "#d5eee4", "#f5dfec"),
    chip_text="#1d222b",
    highlight="#3f51b5",
    highlight_text="#ffffff",
    unknown="#f6cfc0",
    good="#00734f",
    bad="#b3370a",
    warning="#8a5a00",
    good_soft="#d9f0e7",
    bad_soft="#fbe1d6",
    warning_soft="#fbedcf",
    heat=("#ffffff", "#b5d7ea", "#5aa7d0", "#0072b2", "#003f6b"),
    diverging=("#8a1026", "#d3604c", "#f6c4ac", "#ffffff", "#b5d7ea", "#5aa7d0", "#00568a"),
)

DARK = Colours(
    dark=True,
    window="#1b1e24",
    surface="#13161b",
    raised="#272b33",
    text="#eceff4",
    muted="#a7b0be",
    disabled="#69717f",
    border="#3b414c",
    edge="#757d8b",
    accent="#a5b1ff",
    accent_text="#14172a",
    accent_soft="#2c3253",
    grid="#2c313a",
    chips=("#22405c", "#4f3c14", "#17463a", "#4c2b41"),
    chip_text="#f4f6fa",
    highlight="#a5b1ff",
    highlight_text="#14172a",
    unknown="#6b2f1b",
    good="#4fd1a5",
    bad="#ff9b78",
    warning="#f0b94d",
    good_soft="#173a2f",
    bad_soft="#4a2418",
    warning_soft="#43340f",
    heat=("#13161b", "#123d5a", "#1b6c9e", "#56b4e9", "#d3ecfa"),
    diverging=("#ffc4b0", "#d9603f", "#6a2a1f", "#13161b", "#123d5a", "#2b86bf", "#bfe2fa"),
)


def contrast(a: QColor, b: QColor) -> float:
    """The contrast ratio of two opaque colours, 1 to 21 (WCAG 2.2's definition)."""
    low, high = sorted((_luminance(a), _luminance(b)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: QColor) -> float:
    def linear(c: float) -> float:
        return c / 12.92 if c <= 0.04045 else float(((c + 0.055) / 1.055) ** 2.4)

    r, g, b = (linear(c) for c in (colour.redF(), colour.greenF(), colour.blueF()))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
