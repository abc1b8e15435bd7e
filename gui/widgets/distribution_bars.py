"""Next-token bars of several models on one axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QComboBox, QToolButton, QVBoxLayout, QWidget

from gui.colours import DARK, LIGHT
from gui.widgets.bar_style import paint_bar
from gui.widgets.bars_area import BarsArea
from gui.widgets.distributions import Distribution, Row, Scale, rows_of
from gui.widgets.exports import ExportButton, write_csv, write_png, write_svg
from gui.widgets.flow_layout import FlowRow
from gui.widgets.legend import Legend, LegendEntry
from gui.widgets.look import colours_of, em
from gui.widgets.safe_text import plain_label
from gui.widgets.token_text import Vocabulary

__all__ = ["Distribution", "DistributionBars"]


class DistributionBars(QWidget):
    """The most probable next tokens, for each a bar of every model; entropies below.

    A distribution that is undefined is said in words. Clicking a row selects its token, the
    arrow keys move between rows, hovering tells exact values.
    """

    selected = Signal(int)
    """The id of the token whose row was clicked or moved to."""
    activated = Signal(int)
    """The id of the token whose row was double-clicked, or confirmed with Enter."""
    hovered = Signal(int)
    """The id of the token under the mouse; −1 for none."""

    def __init__(self, parent: QWidget | None = None, *, count: int = 12) -> None:
        """
        Args:
            parent: the widget that owns it.
            count: how many tokens get a row of their own.
        """
        super().__init__(parent)
        self._count = count
        self._models: list[Distribution] = []
        self._vocabulary = Vocabulary(lambda i: b"")
        self._hidden: set[str] = set()
        self._marked: int | None = None

        self.legend = Legend(self)
        self.legend.toggled.connect(self._toggled)
        self.area = BarsArea(self)
        self.area.selected.connect(self.selected)
        self.area.activated.connect(self.activated)
        self.area.hovered.connect(self.hovered)
        self.sort_box = QComboBox(self)
        self.sort_box.setAccessibleName("Sort by")
        self.sort_box.setToolTip("Whose most probable tokens are shown, and in whose order.")
        self.sort_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.sort_box.currentIndexChanged.connect(self._refresh)
        self.log_button = QToolButton(self)
        self.log_button.setText("Log scale")
        self.log_button.setToolTip("Count probability in powers of ten, to see small ones.")
        self.log_button.setCheckable(True)
        self.log_button.toggled.connect(self._refresh)
        self.export_button = ExportButton("Next-token probabilities", self)
        self.export_button.wanted.connect(self.export)
        self.words = plain_label("", self, wrap=True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        tools = FlowRow(self)
        for widget in (self.sort_box, self.log_button, self.export_button):
            tools.add(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.legend)
        layout.addWidget(self.area, 1)
        layout.addWidget(self.words)
        layout.addWidget(tools)

    def set_distributions(self, models: Sequence[Distribution], vocabulary: Vocabulary) -> None:
        """Show these models' distributions, in this order.

        Raises:
            ValueError: if they do not share one vocabulary size.
        """
        rows_of(models, 0)  # the check comes before anything changes
        chosen = self.sort_box.currentText()
        self._models, self._vocabulary = list(models), vocabulary
        names = [model.name for model in self._models]
        self.sort_box.blockSignals(True)
        self.sort_box.clear()
        self.sort_box.addItems([f"Sorted by {name}" for name in names])
        self.sort_box.setCurrentIndex(max(0, self.sort_box.findText(chosen)))
        self.sort_box.blockSignals(False)
        self.sort_box.setVisible(len(names) > 1)
        self._hidden &= set(names)
        self.legend.set_entries([_entry(model) for model in self._models])
        self.words.setText("\n".join(model.words() for model in self._models))
        self._refresh()

    def set_count(self, count: int) -> None:
        """How many tokens get a row of their own."""
        self._count = max(1, count)
        self._refresh()

    def set_marked(self, token_id: int | None) -> None:
        """Highlight a token of interest; it has a row even if it is not among the first."""
        self._marked = token_id
        self._refresh()

    def set_sorted_by(self, name: str) -> None:
        """Sort by the model of this name."""
        self.sort_box.setCurrentIndex([model.name for model in self._models].index(name))

    def set_log(self, log: bool) -> None:
        """Choose the logarithmic or the linear axis."""
        self.log_button.setChecked(log)

    def rows(self) -> list[Row]:
        """The rows shown now; one value for each of ``shown_models``."""
        return rows_of(self.shown_models(), self._count, self._sort(), self._marked)

    def shown_models(self) -> list[Distribution]:
        """The models that have bars: those neither hidden nor undefined."""
        return [m for m in self._models if m.name not in self._hidden and m.defined]

    def _sort(self) -> int:
        """The place of the model to sort by among those shown."""
        names = [model.name for model in self.shown_models()]
        index = self.sort_box.currentIndex()
        name = self._models[index].name if 0 <= index < len(self._models) else ""
        return names.index(name) if name in names else 0

    def _toggled(self, name: str, shown: bool) -> None:
        (self._hidden.discard if shown else self._hidden.add)(name)
        self._refresh()

    def _refresh(self) -> None:
        models, rows = self.shown_models(), self.rows()
        scale = Scale.fitting(rows, log=self.log_button.isChecked())
        self.area.show_rows(models, rows, self._vocabulary, scale, self._marked)

    # Export

    def export(self, ending: str, path: str) -> None:
        """Save as "png", "svg" or "csv" (LabError if it cannot be written)."""
        {"png": self.export_png, "svg": self.export_svg, "csv": self.export_csv}[ending](Path(path))

    def export_csv(self, path: Path) -> None:
        """Save all tokens with their probabilities under each model, whether shown or not."""
        size = len(self._models[0].log_probs) if self._models else 0
        header = ["id", "token", "bytes", *(f"log p, {model.name}" for model in self._models)]
        table = (
            [
                i,
                self._vocabulary.text(i),
                self._vocabulary.bytes_of(i).hex(),
                *(_csv_number(float(model.log_probs[i])) for model in self._models),
            ]
            for i in range(size)
        )
        write_csv(path, header, table)

    def export_png(self, path: Path) -> None:
        """Save a picture of all rows, with the models' names."""
        write_png(path, self._picture_size(), self._ground(), partial(_paint_picture, self))

    def export_svg(self, path: Path) -> None:
        """Save a drawing of all rows, with the models' names."""
        size = self._picture_size()
        paint = partial(_paint_picture, self)
        write_svg(path, size, "Next-token probabilities", self._ground(), paint)

    def _ground(self) -> QColor:
        return colours_of(self.palette()).color("surface")

    def _picture_size(self) -> QSize:
        lines = len(self.shown_models()) + 0.5
        height = self.area.full_height() + lines * em(self.font())
        return QSize(max(320, self.area.viewport().width()), math.ceil(height))


def _paint_picture(bars: DistributionBars, painter: QPainter) -> None:
    unit, colours = em(bars.font()), colours_of(bars.palette())
    metrics = QFontMetricsF(bars.font())
    painter.setFont(bars.font())
    y = 0.0
    for model in bars.shown_models():
        sample = QRectF(unit * 0.4, y + unit * 0.2, unit * 1.6, unit * 0.6)
        paint_bar(painter, sample, model.kind, colours)
        painter.setPen(colours.color("text"))
        room = max(320, bars.area.viewport().width()) - unit * 2.8
        words = metrics.elidedText(model.words(), Qt.TextElideMode.ElideRight, room)
        painter.drawText(QPointF(unit * 2.4, y + metrics.ascent()), words)
        y += unit
    painter.translate(0.0, y + unit * 0.5)
    bars.area.paint_all(painter, float(max(320, bars.area.viewport().width())))


def _entry(model: Distribution) -> LegendEntry:
    return LegendEntry(
        model.name, LIGHT.series(model.kind), DARK.series(model.kind), bar=model.kind
    )


def _csv_number(value: float) -> str:
    return "-inf" if value == -math.inf else repr(value)
