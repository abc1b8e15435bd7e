"""Five curves over the vocabulary size, each with its value at the size chosen."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from engine.tokenizers.sweep import FEW, VocabularySweep, embedding_parameters
from engine.tokenizers.sweep_bits import ORDER, SweepResult
from gui import theme
from gui.colours import LIGHT
from gui.widgets.curve_plot import CurvePlot, Mark
from gui.widgets.look import em
from gui.widgets.numbers import format_number
from gui.widgets.safe_text import plain_label, plain_tooltip

WIDTH = 768
"""d, numbers in a token's vector: GPT-2 small's."""

_MOST_POINTS = 800  # points of a curve handed to a plot: denser than its pixels
_TRAIN, _HELD_OUT = "#b36b00", "#0072b2"


@dataclass(frozen=True)
class PlotSpec:
    """One plot: what it shows and how it is explained."""

    key: str
    title: str
    y_label: str
    why: str
    value: Callable[[SweepResult, int], str]
    """The exact values at a size, in words."""


def _length(result: SweepResult, size: int) -> str:
    sweep, i = result.sweep, result.sweep.index(size)
    said = f"{sweep.train_tokens[i]:,} tokens to train on"
    if sweep.n_held_out_bytes:
        said += f", {sweep.held_out_tokens[i]:,} held out"
    if sweep.train_tokens[i]:
        said += f"; {sweep.n_train_bytes / sweep.train_tokens[i]:.2f} bytes per token"
    return said


def _unknown(result: SweepResult, size: int) -> str:
    sweep = result.sweep
    share = sweep.unknown_share[sweep.index(size)]
    if math.isnan(share):
        return "Nothing is held out of this text."
    said = f"{share:.2%} of held-out words are <unk> with {size:,} words"
    if size > sweep.n_words:
        said += f" (the text has only {sweep.n_words:,})"
    return said + "; with BPE none ever is"


def _embedding(result: SweepResult, size: int) -> str:
    return f"{size:,} × {WIDTH} = {embedding_parameters(size, WIDTH):,} numbers"


def _few(result: SweepResult, size: int) -> str:
    few = int(result.sweep.few[result.sweep.index(size)])
    return f"{few:,} of {size:,} tokens ({few / size:.0%})"


def _bits(result: SweepResult, size: int) -> str:
    if not len(result.bit_sizes) or np.isnan(result.bits_per_byte).all():
        nothing = result.sweep.n_held_out_bytes == 0
        return "Nothing is held out of this text." if nothing else "Being measured …"
    nearest = int(np.argmin(np.abs(np.log(result.bit_sizes / size))))
    best = int(np.nanargmin(result.bits_per_byte))
    at, value = int(result.bit_sizes[nearest]), result.bits_per_byte[nearest]
    said = f"{value:.3f} bits per byte at {at:,} tokens"
    lowest = f"lowest: {result.bits_per_byte[best]:.3f} at {int(result.bit_sizes[best]):,}"
    return f"{said}; {lowest}{'' if result.complete else ' so far'}"


PLOTS = (
    PlotSpec(
        "length",
        "Length of the text",
        "tokens per 100 bytes",
        "Each doubling of the vocabulary shortens the text by less: frequent strings come first.",
        _length,
    ),
    PlotSpec(
        "unknown",
        "Unknown words, if tokens were words",
        "unknown held-out words (%)",
        "A word-level vocabulary of the same size leaves rare words out, and new ones always.",
        _unknown,
    ),
    PlotSpec(
        "embedding",
        "Numbers in the embedding matrix",
        "V · d (millions)",
        f"One row of d = {WIDTH} numbers (GPT-2 small’s d) for each token, whether it is rare or "
        "not.",
        _embedding,
    ),
    PlotSpec(
        "few",
        "Rare tokens",
        f"tokens seen fewer than {FEW} times (%)",
        "What occurs a few times only can hardly be learned; and a merge may use up its parts.",
        _few,
    ),
    PlotSpec(
        "bits",
        f"Held-out loss of a {ORDER}-gram",
        "bits per byte",
        "Per byte, so that sizes compare. Longer tokens carry more context, until each is too "
        "rare to count.",
        _bits,
    ),
)


class SizePlot(QWidget):
    """A plot with its value in words above and a sentence below."""

    def __init__(self, spec: PlotSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec = spec
        title = plain_label(spec.title, wrap=True)
        theme.set_text_role(title, "strong")
        self.value = plain_label(wrap=True)
        self.value.setAccessibleName(f"{spec.title} at this size")
        theme.set_text_role(self.value, "body", "accent")
        self.plot = CurvePlot(spec.title, "vocabulary size (tokens)", spec.y_label)
        self.plot.set_log_x(True)
        self.plot.tools.follow.hide()
        self.plot.tools.log_x.hide()
        if spec.key != "length":
            self.plot.legend.hide()  # one curve, named by the title
        why = plain_label(spec.why, wrap=True)
        theme.set_text_role(why, "caption", "muted")
        self.setToolTip(plain_tooltip(spec.why))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (title, self.value, why):
            column.addWidget(widget)
        column.addWidget(self.plot, 1)
        theme.current().changed.connect(self._dress)
        self._dress()

    @Slot()
    def _dress(self) -> None:
        self.plot.setMinimumHeight(round(em(self.font()) * 13))

    def show_result(self, result: SweepResult) -> None:
        """Draw the curves of a result."""
        sweep = result.sweep
        at = thinned(sweep)
        x = sweep.sizes[at]
        if self.spec.key == "length":
            for name, tokens, n_bytes, colour in (
                ("training text", sweep.train_tokens, sweep.n_train_bytes, _TRAIN),
                ("held-out text", sweep.held_out_tokens, sweep.n_held_out_bytes, _HELD_OUT),
            ):
                if n_bytes:
                    y = 100 * tokens[at] / n_bytes
                    self.plot.set_series(name, x, y, kind=colour)
        elif self.spec.key == "unknown":
            y = 100 * sweep.unknown_share[at]
            self.plot.set_series("word level", x, y, kind=_HELD_OUT)
        elif self.spec.key == "embedding":
            self.plot.set_series("V · d", x, x * WIDTH / 1e6, kind=_TRAIN)
        elif self.spec.key == "few":
            self.plot.set_series("rare tokens", x, 100 * sweep.few[at] / x, kind=_TRAIN)
        else:
            x, y = result.bit_sizes, result.bits_per_byte
            self.plot.set_series(f"{ORDER}-gram", x, y, kind="ngram")

    def show_size(self, result: SweepResult, size: int) -> None:
        """Mark a size, and tell its values."""
        self.value.setText(self.spec.value(result, size))
        marks = [Mark(256.0, "256 bytes", "the base vocabulary")]
        if result.sweep.largest >= 32_000:
            marks.append(Mark(32_768.0, "32K", "today’s vocabularies begin here"))
        marks.append(Mark(float(size), "chosen size", format_number(size), kind=LIGHT.accent))
        self.plot.set_marks(marks)


def thinned(sweep: VocabularySweep) -> np.ndarray:
    """Indices of at most a few hundred sizes, evenly spread in their logarithm."""
    count = len(sweep.sizes)
    if count <= _MOST_POINTS:
        return np.arange(count)
    spread = np.geomspace(sweep.smallest, sweep.largest, _MOST_POINTS)
    return np.unique(np.rint(spread).astype(np.int64)) - sweep.smallest


class Reflow(QWidget):
    """Widgets in as many columns as have room, each so many heights of the font wide."""

    def __init__(self, wide: float = 20.0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wide = wide
        self._widgets: list[QWidget] = []
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def add(self, widget: QWidget) -> None:
        """Put a widget behind the others."""
        self._widgets.append(widget)
        self._columns = 0
        self._arrange()

    def _arrange(self) -> None:
        room = max(1, int(self.width() / (self._wide * em(self.font()))))
        columns = min(3, room, max(1, len(self._widgets)))
        if columns == self._columns:
            return
        for column in range(3):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
        for index, widget in enumerate(self._widgets):
            self._grid.addWidget(widget, index // columns, index % columns)
        self._columns = columns
        self._grid.setSpacing(theme.current().space(2))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._columns = 0
            self._arrange()
