"""Pages of a tab: a row of buttons, one a page, and the page that was chosen below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPalette, QShortcut
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import em


@dataclass(frozen=True)
class PageSpec:
    """One page: its lasting name, its title, a sentence, and how it is made."""

    key: str
    title: str
    tip: str
    factory: Callable[[], QWidget]
    """Called when the page is first shown."""


class PageButton(QPushButton):
    """A choice; the one in force is underlined in the accent colour, as the tabs are."""

    def __init__(self, title: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self.setCheckable(True)
        self.setAutoDefault(False)
        self.setToolTip(tip)
        self.setAccessibleDescription(tip)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.isChecked():
            thick = max(2.0, em(self.font()) * 0.18)
            bar = QRectF(self.rect()).adjusted(thick, self.height() - 1.5 * thick, -thick, 0)
            bar.setHeight(thick)
            QPainter(self).fillRect(bar, self.palette().color(QPalette.ColorRole.Accent))


class _PageArea(QScrollArea):
    """Where a page scrolls. It asks for little room, and takes what there is."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(12 * unit), round(6 * unit))


class _Plain(QWidget):
    """Holds one page, as large as it needs to be."""

    def setWidget(self, page: QWidget) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(page)


class PageSwitch(QWidget):
    """Pages, of which one is shown; each is made when it is first shown, and scrolls by itself
    where the window is too small for it.

    The arrow keys lead from button to button, Alt and a digit to a page while this is on screen.
    """

    shown = Signal(str)
    """The key of the page that came to the front."""

    def __init__(
        self,
        name: str,
        pages: Sequence[PageSpec],
        first: str = "",
        *,
        keys: bool = True,
        scrolls: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        """
        Args:
            name: the accessible name of the row of buttons.
            pages: at least one, in order.
            first: the key of the page to show first; the first of all without it.
            keys: whether Alt and a digit lead to the pages; not for pages inside a page.
            scrolls: whether each page scrolls by itself; not inside what scrolls already, where
                two scroll bars would stand side by side.
        """
        super().__init__(parent)
        self.pages = tuple(pages)
        self._made: dict[str, QWidget] = {}
        self._row = FlowRow()
        self._row.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self._stack = QStackedWidget()
        self._areas: list[QScrollArea | _Plain] = []
        self._keys: list[QShortcut] = []
        for number, page in enumerate(self.pages, 1):
            tip = f"{page.tip} (Alt+{number})" if keys else page.tip
            button = PageButton(page.title, tip, self._row)
            self._group.addButton(button, number - 1)
            self._row.add(button)
            area = _PageArea() if scrolls else _Plain()
            self._areas.append(area)
            self._stack.addWidget(area)
            if keys:
                self._add_key(number)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._row)
        column.addWidget(self._stack, 1)
        self._group.idToggled.connect(self._toggled)
        self.show_page(first or self.pages[0].key)

    def _add_key(self, number: int) -> None:
        key = QShortcut(QKeySequence(f"Alt+{number}"), self)
        # In all the window; a hidden tab's keys sleep with it.
        key.setContext(Qt.ShortcutContext.WindowShortcut)
        key.activated.connect(self._by_key)
        self._keys.append(key)

    @property
    def current_key(self) -> str:
        """The key of the page that is shown."""
        return self.pages[self._stack.currentIndex()].key

    def page(self, key: str) -> QWidget:
        """A page, made if it was never shown.

        Raises:
            KeyError: if there is no such page.
        """
        if key not in self._made:
            for spec, area in zip(self.pages, self._areas, strict=True):
                if spec.key == key:
                    self._made[key] = spec.factory()
                    area.setWidget(self._made[key])
        return self._made[key]

    def show_page(self, key: str) -> None:
        """Bring a page to the front; keys that no page has change nothing."""
        for index, spec in enumerate(self.pages):
            if spec.key == key:
                self.button(key).setChecked(True)
                if self._stack.currentIndex() != index or key not in self._made:
                    self._show(index)

    def button(self, key: str) -> QPushButton:
        """A page's button.

        Raises:
            KeyError: if there is no such page.
        """
        for index, spec in enumerate(self.pages):
            if spec.key == key:
                button = self._group.button(index)
                assert isinstance(button, QPushButton)
                return button
        raise KeyError(key)

    def _show(self, index: int) -> None:
        spec = self.pages[index]
        self.page(spec.key)
        self._stack.setCurrentIndex(index)
        self.shown.emit(spec.key)

    @Slot(int, bool)
    def _toggled(self, index: int, checked: bool) -> None:
        if checked and (
            self._stack.currentIndex() != index or self.pages[index].key not in self._made
        ):
            self._show(index)

    @Slot()
    def _by_key(self) -> None:
        key = self.sender()
        if isinstance(key, QShortcut) and key in self._keys:
            self.show_page(self.pages[self._keys.index(key)].key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}.get(Qt.Key(event.key()))
        on_button = isinstance(self.focusWidget(), PageButton)
        if step is None or not on_button:
            super().keyPressEvent(event)
            return
        index = (self._group.checkedId() + step) % len(self.pages)
        self.show_page(self.pages[index].key)
        self._group.button(index).setFocus(Qt.FocusReason.TabFocusReason)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._row.updateGeometry()
