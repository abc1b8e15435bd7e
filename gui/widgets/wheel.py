"""The mouse wheel scrolls the page, and turns a value only in the field that has the focus.

Qt gives the wheel to whatever is below the pointer, so that scrolling a page of fields would
change those that pass by; ``Qt.FocusPolicy.StrongFocus`` alone only keeps them from taking the
focus. The style hands every field to the guard as it is polished: a filter on the fields alone,
since one on the whole application would see every event of every widget.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QSlider, QWidget

GUARDED = (QAbstractSpinBox, QComboBox, QSlider)
"""What the wheel would change."""


class WheelGuard(QObject):
    """Keeps the wheel from fields without the focus; it goes on to what scrolls around them."""

    def guard(self, widget: QWidget) -> None:
        """Guard a widget if it is a field; others are left as they are."""
        if isinstance(widget, GUARDED):
            widget.installEventFilter(self)  # twice is once
            if widget.focusPolicy() == Qt.FocusPolicy.WheelFocus:
                widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # or the wheel itself focuses

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.Wheel
            and isinstance(watched, QWidget)
            and not watched.hasFocus()
        ):
            event.ignore()  # so that Qt offers it to the parent
            return True
        return False
