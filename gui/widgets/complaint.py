"""A sentence below a field that says what is wrong, and moves nothing out of its place."""

from __future__ import annotations

from weakref import ref

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QScrollArea, QWidget
from shiboken6 import isValid

from gui import theme
from gui.widgets.look import colours_of

_WATCHED = frozenset({QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide})


class Complaint(QLabel):
    """Lies over what is below its field, as a tooltip would, for as long as it is needed.

    In the field's own layout it made narrow fields wide and moved their neighbours while a number
    was being typed. It scrolls along with the field and goes where the field goes.

    Args:
        field: what it stands below; it owns the complaint.
    """

    def __init__(self, field: QWidget) -> None:
        super().__init__(field)
        # Weakly: the field owns the complaint, and each would keep the other.
        self._field = ref(field)
        self._watched: list[ref[QWidget]] = []
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setMargin(4)
        theme.set_text_role(self, "caption", "bad")
        self.hide()
        field.destroyed.connect(self.deleteLater)  # it may have another parent by then

    def say(self, text: str) -> None:
        """Say what is wrong; nothing for an empty text."""
        self.setText(text)
        for watched in self._watched:
            widget = watched()
            if widget is not None and isValid(widget):
                widget.removeEventFilter(self)
        self._watched = []
        field = self._field()
        if not text or field is None:
            self.hide()
            return
        holder = _page_of(field)
        if self.parentWidget() is not holder:
            self.setParent(holder)
        around: QWidget | None = field
        while around is not None:
            around.installEventFilter(self)
            self._watched.append(ref(around))
            around = None if around is holder else around.parentWidget()
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _WATCHED:
            self._place()
        return False

    def _place(self) -> None:
        holder, field = self.parentWidget(), self._field()
        if holder is None or field is None or not field.isVisible() or not self.text():
            self.hide()
            return
        self.setWordWrap(False)
        size = self.sizeHint()
        if size.width() > holder.width():
            self.setWordWrap(True)
            size = QSize(holder.width(), self.heightForWidth(holder.width()))
        place = field.mapTo(holder, QPoint(0, field.height()))
        place.setX(max(0, min(place.x(), holder.width() - size.width())))
        if place.y() + size.height() > holder.height():
            above = place.y() - field.height() - size.height()
            place.setY(above if above >= 0 else max(0, holder.height() - size.height()))
        self.setGeometry(place.x(), place.y(), size.width(), size.height())
        self.show()
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = colours_of(self.palette())
        painter = QPainter(self)
        painter.setPen(QPen(colours.color("bad"), 1.0))
        painter.setBrush(colours.color("surface"))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()
        super().paintEvent(event)


def _page_of(widget: QWidget) -> QWidget:
    """What a widget scrolls along with: the page inside the nearest scroll area, or the window."""
    page = widget
    while not page.isWindow() and (around := page.parentWidget()) is not None:
        if isinstance(around.parentWidget(), QScrollArea):
            return page
        page = around
    return page
