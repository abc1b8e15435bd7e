"""Buttons and rows that the parts of the page share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QBoxLayout,
    QButtonGroup,
    QFileDialog,
    QFrame,
    QPushButton,
    QScrollArea,
    QWidget,
)

from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import em
from gui.widgets.page_buttons import PageButton

if TYPE_CHECKING:
    from collections.abc import Sequence


def push_button(
    text: str, tip: str, pressed: Callable[[], object], parent: QWidget | None = None
) -> QPushButton:
    """A button that cannot do without its tooltip."""
    button = QPushButton(text, parent)
    button.setToolTip(tip)
    button.setAutoDefault(False)
    button.clicked.connect(pressed)
    return button


class Segments(FlowRow):
    """A few choices side by side, one of them chosen; arrow keys go from one to the next.

    Args:
        choices: for each (what it says, its tooltip).
    """

    def __init__(
        self, name: str, choices: Sequence[tuple[str, str]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.group = QButtonGroup(self)
        """Sends ``idToggled(index, checked)``."""
        for index, (text, tip) in enumerate(choices):
            button = PageButton(text, tip)
            self.group.addButton(button, index)
            self.add(button)
        self.group.button(0).setChecked(True)

    def chosen(self) -> int:
        """The index of the choice made."""
        return self.group.checkedId()

    def choose(self, index: int) -> None:
        """Make a choice, as if clicked."""
        self.group.button(index).setChecked(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key
        step = {key.Key_Left: -1, key.Key_Up: -1, key.Key_Right: 1, key.Key_Down: 1}.get(
            key(event.key()), 0
        )
        index = self.chosen() + step
        if step and 0 <= index < len(self.group.buttons()):
            self.choose(index)
            self.button(index).setFocus(Qt.FocusReason.TabFocusReason)
        elif not step:
            super().keyPressEvent(event)

    def button(self, index: int) -> QPushButton:
        """The button of a choice."""
        found = self.group.button(index)
        assert isinstance(found, QPushButton)
        return found


class SideBySide(QWidget):
    """Widgets side by side where there is room for it, one above the other where there isn't.

    Args:
        narrow: the width below which they are stacked, in heights of the font.
    """

    def __init__(self, narrow: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._narrow = narrow
        self._widgets: list[QWidget] = []
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)

    def add(self, widget: QWidget, stretch: int = 1) -> None:
        """Add a widget at the end."""
        self._widgets.append(widget)
        self._row.addWidget(widget, stretch)

    def is_stacked(self) -> bool:
        """Whether they are one above the other."""
        return self._row.direction() == QBoxLayout.Direction.TopToBottom

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._arrange()

    def minimumSizeHint(self) -> QSize:
        """As narrow as the widest of them: below that width they are stacked."""
        size = super().minimumSizeHint()
        size.setWidth(max((w.minimumSizeHint().width() for w in self._widgets), default=0))
        return size

    def _arrange(self) -> None:
        stacked = self.width() < self._narrow * em(self.font())
        if stacked != self.is_stacked():
            down, right = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
            self._row.setDirection(down if stacked else right)


class _Scroll(QScrollArea):
    def sizeHint(self) -> QSize:
        """Little: it can do with any height, and where the page itself lies in an area that
        scrolls, one scroll bar is enough."""
        return self.minimumSizeHint()


def scrolled(widget: QWidget) -> QScrollArea:
    """The widget in an area that scrolls where the window is too small for it."""
    area = _Scroll()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
    area.setWidget(widget)
    return area


def ask_for_file(
    parent: QWidget, title: str, name_filter: str, chosen: Callable[[str], object]
) -> QFileDialog:
    """Ask for a file to open, without blocking the window."""
    dialog = QFileDialog(parent.window(), title)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters([name_filter, "All files (*)"])
    dialog.fileSelected.connect(chosen)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog


def bring_into_view(widget: QWidget) -> None:
    """Where the page around a widget scrolls, scroll to it; it may have been shown just now."""
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)
    area = widget.parentWidget()
    while area is not None:
        if isinstance(area, QScrollArea):
            # A line more: text that was just set may not have all its height yet.
            area.ensureWidgetVisible(widget, 0, round(1.5 * widget.fontMetrics().lineSpacing()))
        area = area.parentWidget()
