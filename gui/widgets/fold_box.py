"""Advanced controls folded away behind one line."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from gui.widgets.look import em


class FoldBox(QWidget):
    """A title that shows and hides what is below it; closed at first.

    Args:
        title: what is inside.
        parent: the widget that owns it.
    """

    toggled = Signal(bool)
    """Whether it is open now."""

    _ready = False

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = QToolButton(self)
        self.button.setText(title.replace("&", "&&"))
        self.button.setCheckable(True)
        self.button.setAutoRaise(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setArrowType(Qt.ArrowType.RightArrow)
        self.button.setAccessibleName(f"{title}, folded away")
        self.button.toggled.connect(self._toggled)
        self._title = title
        self.body = QWidget(self)
        self.body.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)
        layout.addWidget(self.body)
        layout.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self._ready = True

    def set_content(self, content: QWidget | QLayout) -> None:
        """What is folded away; may be called once."""
        if isinstance(content, QLayout):
            self.body.setLayout(content)
        else:
            QVBoxLayout(self.body).addWidget(content)
        self._indent()

    @property
    def is_open(self) -> bool:
        """Whether the content is shown."""
        return self.button.isChecked()

    def set_open(self, is_open: bool) -> None:
        """Show or hide the content."""
        self.button.setChecked(is_open)

    def _toggled(self, is_open: bool) -> None:
        arrow = Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow
        self.button.setArrowType(arrow)
        self.button.setAccessibleName(self._title if is_open else f"{self._title}, folded away")
        self.body.setVisible(is_open)
        self.updateGeometry()
        self.toggled.emit(is_open)

    def _indent(self) -> None:
        layout = self.body.layout()
        if layout is not None:
            unit = round(em(self.font()))
            layout.setContentsMargins(unit, unit // 3, 0, unit // 3)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if self._ready and event.type() == QEvent.Type.FontChange:
            self._indent()
