"""Advanced controls folded away behind one line."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtWidgets import QLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from gui.widgets.look import em


class FoldButton(QToolButton):
    """A line that shows and hides something; what that is, whoever owns it decides.

    Args:
        title: what is folded away; "&" stands before the letter of its key.
        parent: the widget that owns it.
    """

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title.replace("&&", "\0").replace("&", "").replace("\0", "&")
        self.setText(title)
        self.setCheckable(True)
        self.setAutoRaise(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.toggled.connect(self._point)
        self._point(False)

    @Slot(bool)
    def _point(self, is_open: bool) -> None:
        self.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self.setAccessibleName(self._title if is_open else f"{self._title}, folded away")


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
        self.button = FoldButton(title.replace("&", "&&"), self)
        self.button.toggled.connect(self._toggled)
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
