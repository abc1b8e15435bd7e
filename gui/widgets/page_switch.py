"""Pages of a tab: a row of buttons, one a page, and the page that was chosen below it.

Up to about six pages need no more than that. More of them are given headings by ``PageSpec.group``
("Predict", "Score", …): then only the headings and the open heading's pages have buttons.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gui.widgets.look import em
from gui.widgets.page_buttons import PageButton, PageButtons, PageSpec, headings_of

__all__ = ["PageButton", "PageSpec", "PageSwitch"]

_DIGITS = 9
_LEAST_EMS = 14.0
"""Lines of text that a page needs to be worth scrolling by itself."""


class _PageArea(QScrollArea):
    """Where a page scrolls. It asks for little room, and takes what there is.

    A ``whole`` one asks for all that its page needs: where hardly any room is left, what is
    around it scrolls instead, and two scroll bars never stand side by side.
    """

    def __init__(self) -> None:
        super().__init__()
        self._whole = False
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def set_whole(self, whole: bool) -> None:
        """Whether to ask for all that the page needs."""
        if whole != self._whole:
            self._whole = whole
            # A bar would make the page narrower, hence higher, and so keep itself there.
            policies = Qt.ScrollBarPolicy
            bar = policies.ScrollBarAlwaysOff if whole else policies.ScrollBarAsNeeded
            self.setVerticalScrollBarPolicy(bar)
            self.updateGeometry()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._whole and event.oldSize().width() != event.size().width():
            self.updateGeometry()  # lines break elsewhere

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._whole and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()  # the page needs more than before, or less
        return super().eventFilter(watched, event)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        if self.isHidden():
            return QSize(0, 0)
        unit = em(self.font())
        height = round(6 * unit)
        page = self.widget()
        if self._whole and page is not None:
            # As high as QScrollArea makes it at the width that it has without a scroll bar.
            height = max(height, page.minimumSizeHint().height(), page.heightForWidth(self.width()))
        return QSize(round(12 * unit), height)


class _Plain(QWidget):
    """Holds one page, as large as it needs to be; while another is shown it needs no room."""

    def sizeHint(self) -> QSize:
        return QSize(0, 0) if self.isHidden() else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        return QSize(0, 0) if self.isHidden() else super().minimumSizeHint()

    def heightForWidth(self, width: int) -> int:
        return 0 if self.isHidden() else super().heightForWidth(width)

    def setWidget(self, page: QWidget) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(page)


class PageSwitch(QWidget):
    """Pages, of which one is shown; each is made when it is first shown, and scrolls by itself
    where the window is too small for it.

    The arrow keys lead from button to button. While this is on screen, Alt and a digit lead to the
    page of that number, or, where pages stand under headings, to the heading of that number; once
    more, to the next page under it.
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

        Raises:
            ValueError: if some pages have a heading and some have none.
        """
        super().__init__(parent)
        self.pages = tuple(pages)
        self._made: dict[str, QWidget] = {}
        headings = headings_of(pages)
        digits = headings or [page.key for page in pages]
        tips = [page.tip for page in pages]
        heading_tips = [
            "; ".join(page.title for page in pages if page.group == heading) for heading in headings
        ]
        if keys:
            told = heading_tips if headings else tips
            told[:_DIGITS] = [f"{tip} (Alt+{n})" for n, tip in enumerate(told[:_DIGITS], 1)]
        self._row = PageButtons(name, pages, tips, heading_tips)
        self._stack = QStackedWidget()
        self._areas: list[QScrollArea | _Plain] = []
        for _ in pages:
            area = _PageArea() if scrolls else _Plain()
            self._areas.append(area)
            self._stack.addWidget(area)
        self._keys: list[QShortcut] = []
        for number in range(1, 1 + min(_DIGITS, len(digits)) if keys else 1):
            self._add_key(number)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._row)
        column.addWidget(self._stack, 1)
        self._row.chosen.connect(self._chosen)
        self._around: QWidget | None = None
        self._stack.installEventFilter(self)
        self.show_page(first or self.pages[0].key)

    def _add_key(self, number: int) -> None:
        key = QShortcut(QKeySequence(f"Alt+{number}"), self)
        # In all the window; a hidden tab's keys sleep with it.
        key.setContext(Qt.ShortcutContext.WindowShortcut)
        key.activated.connect(self._by_key)
        self._keys.append(key)

    def put_above_pages(self, widget: QWidget) -> None:
        """Place a widget between the buttons and the page: what several pages share. Widgets put
        there later stand below it."""
        column = self.layout()
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(column.count() - 1, widget)

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
                    self._made[key].show()  # it may have been kept hidden until it had a place
        return self._made[key]

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings over the pages, in order; none where pages have none."""
        return self._row.headings

    def show_page(self, key: str) -> None:
        """Bring a page to the front; keys that no page has change nothing."""
        for index, spec in enumerate(self.pages):
            if spec.key == key:
                self._row.button(index).setChecked(True)
                self._chosen(key)

    def button(self, key: str) -> QPushButton:
        """A page's button. Where pages have headings it is on screen while its own is open.

        Raises:
            KeyError: if there is no such page.
        """
        for index, spec in enumerate(self.pages):
            if spec.key == key:
                return self._row.button(index)
        raise KeyError(key)

    def heading(self, name: str) -> QPushButton:
        """A heading's button.

        Raises:
            ValueError: if there is no such heading.
        """
        return self._row.heading(name)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show):
            self._share_room()
        return super().eventFilter(watched, event)

    def _share_room(self) -> None:
        """Let pages scroll by themselves where there is room for that, else what is around."""
        around = _scrolling_around(self)
        viewport = around[-1].viewport() if around else None
        if viewport is not self._around:
            if self._around is not None:
                self._around.removeEventFilter(self)
            if viewport is not None:
                viewport.installEventFilter(self)
            self._around = viewport
        if viewport is None:
            return
        scrolled = sum(area.verticalScrollBar().value() for area in around)
        above = self.mapTo(viewport, self._stack.pos()).y() + scrolled
        tight = viewport.height() - above < _LEAST_EMS * em(self.font())
        for area in self._areas:
            if isinstance(area, _PageArea):
                area.set_whole(tight)

    @Slot(str)
    def _chosen(self, key: str) -> None:
        index = next(i for i, spec in enumerate(self.pages) if spec.key == key)
        if self._stack.currentIndex() == index and key in self._made:
            return
        self.page(key)
        self._stack.setCurrentIndex(index)
        self.shown.emit(key)

    @Slot()
    def _by_key(self) -> None:
        key = self.sender()
        if isinstance(key, QShortcut) and key in self._keys:
            number = self._keys.index(key)
            if self.headings:
                self._row.open_heading(number)
            else:
                self.show_page(self.pages[number].key)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._row.updateGeometry()


def _scrolling_around(widget: QWidget) -> list[QScrollArea]:
    """The scroll areas that a widget is in, the nearest first."""
    areas: list[QScrollArea] = []
    around = widget.parentWidget()
    while around is not None:
        if isinstance(around, QScrollArea):
            areas.append(around)
        around = around.parentWidget()
    return areas
