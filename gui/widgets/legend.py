"""Legends: what each colour, line and marker stands for; a click hides or shows."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from gui.colours import DARK, LIGHT
from gui.widgets.bar_style import paint_bar
from gui.widgets.flow_layout import FlowLayout
from gui.widgets.look import colours_of, em
from gui.widgets.safe_text import plain_tooltip

_LONGEST_NAME = 24  # in em


@dataclass(frozen=True)
class LegendEntry:
    """One name in a legend. ``bar``: a kind of model, shown as its bar instead of a line."""

    name: str
    light: QColor
    dark: QColor
    line: Qt.PenStyle = Qt.PenStyle.SolidLine
    bar: str = ""


def paint_sample(painter: QPainter, rect: QRectF, entry: LegendEntry, colour: QColor) -> None:
    """A short stretch of the entry's line (or bar) in the middle of ``rect``."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if entry.bar:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setOpacity(colour.alphaF())
        paint_bar(painter, rect, entry.bar, DARK if colour.rgb() == entry.dark.rgb() else LIGHT)
    else:
        pen = QPen(colour, max(2.0, rect.height() / 8), entry.line, Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        middle = rect.center().y()
        painter.drawLine(QPointF(rect.left(), middle), QPointF(rect.right(), middle))
    painter.restore()


class Legend(QWidget):
    """Names with their line samples, each a button that hides and shows its series."""

    toggled = Signal(str, bool)
    """A name, and whether it is to be shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = FlowLayout(self)
        self._entries: dict[str, LegendEntry] = {}
        self._buttons: dict[str, QToolButton] = {}
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_entries(self, entries: list[LegendEntry]) -> None:
        """Show these names; those that stay keep whether they are shown."""
        wanted = {entry.name: entry for entry in entries}
        if list(wanted.items()) == list(self._entries.items()):
            return
        hidden = {name for name, button in self._buttons.items() if not button.isChecked()}
        while self._row.count():
            item = self._row.takeAt(0)
            if item is not None and (old := item.widget()) is not None:
                old.setParent(None)
                old.deleteLater()
        self._entries, self._buttons = wanted, {}
        for name in wanted:
            button = QToolButton(self)
            button.setCheckable(True)
            button.setChecked(name not in hidden)
            button.setAutoRaise(True)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setAccessibleName(f"Show {name}")
            button.setToolTip(plain_tooltip(f"{name}\nClick to hide or show it."))
            button.setProperty("entry", name)
            button.toggled.connect(self._button_toggled)
            self._row.addWidget(button)
            button.show()
            self._buttons[name] = button
        self._dress()

    def entries(self) -> list[LegendEntry]:
        """What is listed, in order."""
        return list(self._entries.values())

    def button(self, name: str) -> QToolButton:
        """The button of a name."""
        return self._buttons[name]

    def set_checked(self, name: str, shown: bool) -> None:
        """Mark a name as shown or hidden."""
        self._buttons[name].setChecked(shown)

    def _button_toggled(self, shown: bool) -> None:
        self.toggled.emit(self.sender().property("entry"), shown)
        self._dress()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._dress()

    def _dress(self) -> None:
        unit = em(self.font())
        metrics = QFontMetricsF(self.font())
        dark = colours_of(self.palette()).dark
        size = QSize(round(unit * 1.9), round(unit * 0.8))
        for name, button in self._buttons.items():
            entry = self._entries[name]
            ratio = self.devicePixelRatioF()
            pixmap = QPixmap(size * ratio)
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            colour = QColor(entry.dark if dark else entry.light)
            if not button.isChecked():
                colour.setAlphaF(0.3)
            sample = QRectF(0.0, 0.0, unit * 1.6, size.height())  # the rest keeps the text off
            paint_sample(painter, sample, entry, colour)
            painter.end()
            button.setIconSize(size)
            button.setIcon(QIcon(pixmap))
            room = unit * _LONGEST_NAME
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, room)
            button.setText(shown.replace("&", "&&"))
        self._row.invalidate()
        self.updateGeometry()
