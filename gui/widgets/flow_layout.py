"""A layout that fills lines from left to right, as words do."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QSizePolicy, QWidget


class FlowLayout(QLayout):
    """Widgets side by side, on as many lines as the width asks for.

    Controls in it are never cut off in a narrow window or at a large text size.
    """

    def __init__(self, parent: QWidget | None = None, *, margin: int = 0) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(margin, margin, margin, margin)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._place(rect, move=True)

    def sizeHint(self) -> QSize:
        """All on one line."""
        hints = [item.sizeHint() for item in self._items if not item.isEmpty()]
        gaps = max(0, len(hints) - 1) * self._gap()
        width = sum(hint.width() for hint in hints) + gaps
        height = max((hint.height() for hint in hints), default=0)
        return self._with_margins(QSize(width, height))

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return self._with_margins(size)

    def _with_margins(self, size: QSize) -> QSize:
        m = self.contentsMargins()
        return size + QSize(m.left() + m.right(), m.top() + m.bottom())

    def _gap(self) -> int:
        return max(self.spacing(), 4)

    def _place(self, rect: QRect, *, move: bool) -> int:
        """Place the items (or only find out where) and return the height they take."""
        inner = rect.marginsRemoved(self.contentsMargins())
        gap = self._gap()
        x, y, line_height = inner.x(), inner.y(), 0
        line: list[tuple[QLayoutItem, int, QSize]] = []
        for item in [item for item in self._items if not item.isEmpty()]:
            hint = item.sizeHint()
            size = hint.boundedTo(QSize(max(1, inner.width()), 1 << 20))
            size = size.expandedTo(item.minimumSize())
            if size.width() < hint.width() and item.hasHeightForWidth():
                # Such as a row in this row: what a line has no room for needs lines of its own.
                size.setHeight(max(size.height(), item.heightForWidth(size.width())))
            if line and x + size.width() > inner.x() + inner.width():
                if move:
                    self._settle(line, y, line_height)
                x, y = inner.x(), y + line_height + gap
                line, line_height = [], 0
            line.append((item, x, size))
            x += size.width() + gap
            line_height = max(line_height, size.height())
        if move:
            self._settle(line, y, line_height)
        margins = self.contentsMargins()
        return y + line_height - rect.y() + margins.bottom()

    @staticmethod
    def _settle(line: list[tuple[QLayoutItem, int, QSize]], y: int, height: int) -> None:
        for item, x, size in line:
            item.setGeometry(QRect(QPoint(x, y + (height - size.height()) // 2), size))


class FlowRow(QWidget):
    """A widget that lays out what is added to it as FlowLayout does."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._flow = FlowLayout(self)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def add(self, widget: QWidget) -> None:
        """Put a widget behind the others."""
        self._flow.addWidget(widget)
