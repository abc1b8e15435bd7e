"""The row of buttons that chooses a page."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QPushButton, QVBoxLayout, QWidget

from gui.widgets.flow_layout import FlowRow


class PageBar(QWidget):
    """One button a page, of which one is down. Arrow keys move between them."""

    chosen = Signal(int)

    def __init__(self, pages: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        """Args:
        pages: (title, tooltip) of each.
        """
        super().__init__(parent)
        self.setAccessibleName("Pages")
        self._row = FlowRow()
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        for index, (title, tip) in enumerate(pages):
            button = QPushButton(title)
            button.setCheckable(True)
            button.setToolTip(tip)
            button.setAutoDefault(False)
            self._group.addButton(button, index)
            self._row.add(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._row)
        self._group.idToggled.connect(self._toggled)
        self.select(0)

    def select(self, index: int) -> None:
        """Press a page's button."""
        button = self._group.button(index)
        if button is not None:
            button.setChecked(True)

    def button(self, index: int) -> QPushButton:
        """A page's button."""
        button = self._group.button(index)
        assert isinstance(button, QPushButton)
        return button

    @Slot(int, bool)
    def _toggled(self, index: int, checked: bool) -> None:
        if checked:
            self.chosen.emit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        n = len(self._group.buttons())
        index = (self._group.checkedId() + step) % n
        self.select(index)
        self.button(index).setFocus(Qt.FocusReason.TabFocusReason)
