"""Bars to take along: pictures with the models' names above their columns, and the numbers."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QFontMetricsF, QPainter, QPalette
from PySide6.QtWidgets import QWidget

from engine.errors import LabError
from gui.language_models.bars import BarTable
from gui.widgets.exports import ExportButton, write_csv, write_picture
from gui.widgets.look import colours_of, em


class BarExport(ExportButton):
    """Saves tables of bars, one below the other, as they are shown."""

    def __init__(
        self, title: str, *tables: tuple[str, BarTable], parent: QWidget | None = None
    ) -> None:
        """
        Args:
            title: what is saved; the suggested file name is made from it.
            tables: what each table shows (in a column of its own where there are several), and
                the table.
        """
        super().__init__(title, parent)
        self._title, self._tables = title, tables
        self.wanted.connect(self.export)

    @Slot(str, str)
    def export(self, ending: str, path: str) -> None:
        """Save as "png", "svg" or "csv".

        Raises:
            LabError: if the file cannot be written, or there are no bars.
        """
        if not any(bars.rows for _, bars in self._tables):
            raise LabError("There are no bars yet to be exported.")
        if ending == "csv":
            self._write_numbers(Path(path))
            return
        ground = self.palette().color(QPalette.ColorRole.Window)
        heights = [self._names_height(bars) + bars.height() for _, bars in self._tables]
        size = QSize(max(bars.width() for _, bars in self._tables), sum(heights))
        write_picture(ending, Path(path), size, self._title, ground, self._paint)

    def _write_numbers(self, path: Path) -> None:
        several = len(self._tables) > 1
        rows: list[list[object]] = []
        header: list[str] = []
        for name, bars in self._tables:
            columns, vocabulary = bars.columns, bars.vocabulary
            titles = [column.title or "probability" for column in columns]
            header = [*(["shown"] if several else []), "id", "token", *titles]
            for token in bars.rows:
                numbers = [column.next.probability(token) for column in columns]
                own = [token, vocabulary.text(token, 200), *numbers]
                rows.append([name, *own] if several else own)
        write_csv(path, header, rows)

    @staticmethod
    def _names_height(bars: BarTable) -> int:
        return round(em(bars.font()) * 1.8)

    def _paint(self, painter: QPainter) -> None:
        top = 0
        for name, bars in self._tables:
            colours, metrics = colours_of(bars.palette()), QFontMetricsF(bars.font())
            height, unit = self._names_height(bars), em(bars.font())
            painter.setFont(bars.font())
            for column, (left, width) in zip(bars.columns, bars.columns_at(), strict=False):
                square = QRectF(left, top + 0.5 * (height - 0.7 * unit), 0.7 * unit, 0.7 * unit)
                painter.fillRect(square, colours.series(column.kind))
                box = QRectF(left + unit, top, width - unit, height)
                words = metrics.elidedText(
                    column.title or name, Qt.TextElideMode.ElideRight, box.width()
                )
                painter.setPen(colours.color("text"))
                painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), words)
            bars.render(painter, QPoint(0, top + height))
            top += height + bars.height()
