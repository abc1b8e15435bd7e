"""The buttons that lead to the pages of a tab, under headings where there are many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import (
    QButtonGroup,
    QPushButton,
    QStackedWidget,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QWidget,
)

from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import colours_of, em

_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


@dataclass(frozen=True)
class PageSpec:
    """One page: its lasting name, its title, a sentence, how it is made, and its heading."""

    key: str
    title: str
    tip: str
    factory: Callable[[], QWidget]
    """Called when the page is first shown."""
    group: str = ""
    """The heading the page stands under, a word or two. Give one to all pages or to none: pages
    with the same heading stand together, headings in the order in which they are first met."""


class _RowButton(QPushButton):
    """A button that leaves the arrow keys to the row it stands in."""

    def __init__(self, title: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self.setCheckable(True)
        self.setAutoDefault(False)
        self.setToolTip(tip)
        self.setAccessibleDescription(tip)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # Qt would lead by geometry, to buttons that another heading hides too.
        if event.key() in _ARROWS:
            event.ignore()
        else:
            super().keyPressEvent(event)


class PageButton(_RowButton):
    """A choice; the one in force is underlined in the accent colour, as the tabs are."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.isChecked():
            thick = max(2.0, em(self.font()) * 0.18)
            bar = QRectF(self.rect()).adjusted(thick, self.height() - 1.5 * thick, -thick, 0)
            bar.setHeight(thick)
            QPainter(self).fillRect(bar, self.palette().color(QPalette.ColorRole.Accent))


class HeadingButton(_RowButton):
    """A heading over several pages: words without a frame, filled softly while it is open."""

    def __init__(self, title: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(title, tip, parent)
        self.setAccessibleName(f"{title}: pages")
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        colours = colours_of(self.palette())
        painter = QStylePainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        radius, area = em(self.font()) * 0.25, QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        if self.isChecked() or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colours.color("accent_soft" if self.isChecked() else "raised"))
            painter.drawRoundedRect(area, radius, radius)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(colours.color("accent"))
            painter.drawRoundedRect(area, radius, radius)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonLabel, option)


class PageButtons(FlowRow):
    """One button a page. With headings, only the open heading's pages have theirs on screen; they
    stand beside the headings where there is room for any heading's, else below them, so that
    nothing moves when another heading is opened.

    Left and right lead from page to page, through all of them, and from heading to heading; down
    leads from a heading to its pages, up back. A heading opens the page shown last under it.
    """

    chosen = Signal(str)
    """The key of the page that is to come to the front."""

    def __init__(
        self,
        name: str,
        pages: Sequence[PageSpec],
        tips: Sequence[str],
        heading_tips: Sequence[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        """
        Args:
            name: the accessible name of the row.
            pages: at least one, in order.
            tips: what each page's button says on hover.
            heading_tips: what each heading says on hover, in the order of ``headings_of(pages)``.

        Raises:
            ValueError: if some pages have a heading and some have none.
        """
        super().__init__(parent)
        self.setAccessibleName(name)
        self.headings = headings_of(pages)
        self._pages = tuple(pages)
        self._last: dict[str, int] = {}
        self._buttons, self._heads = QButtonGroup(self), QButtonGroup(self)
        self._stack = QStackedWidget()
        if self.headings:
            row = FlowRow()
            for index, (heading, tip) in enumerate(zip(self.headings, heading_tips, strict=True)):
                head = HeadingButton(heading, tip, row)
                self._heads.addButton(head, index)
                row.add(head)
            self.add(row)
        rows = {heading: FlowRow() for heading in self.headings or ("",)}
        for row in rows.values():
            self._stack.addWidget(row)
        for index, (page, tip) in enumerate(zip(pages, tips, strict=True)):
            button = PageButton(page.title, tip, rows[page.group])
            self._buttons.addButton(button, index)
            rows[page.group].add(button)
            self._last.setdefault(page.group, index)
        self.add(self._stack)
        self._buttons.idToggled.connect(self._toggled)
        self._heads.idClicked.connect(self._opened)

    def button(self, index: int) -> QPushButton:
        """The button of the page at a place in the list of pages."""
        button = self._buttons.button(index)
        assert isinstance(button, QPushButton)
        return button

    def heading(self, name: str) -> QPushButton:
        """A heading's button.

        Raises:
            ValueError: if there is no such heading.
        """
        button = self._heads.button(self.headings.index(name))
        assert isinstance(button, QPushButton)
        return button

    def open_heading(self, number: int) -> None:
        """Open the heading of that number, from 0; if it is open already, its next page."""
        name = self.headings[number]
        places = [index for index, page in enumerate(self._pages) if page.group == name]
        index = self._last[name]
        if self._heads.checkedId() == number:
            index = places[(places.index(index) + 1) % len(places)]
        self.button(index).setChecked(True)

    @Slot(int, bool)
    def _toggled(self, index: int, checked: bool) -> None:
        if not checked:
            return
        page = self._pages[index]
        self._last[page.group] = index
        if self.headings:
            self._stack.setCurrentIndex(self.headings.index(page.group))
            self.heading(page.group).setChecked(True)
        self.chosen.emit(page.key)

    @Slot(int)
    def _opened(self, number: int) -> None:
        self.button(self._last[self.headings[number]]).setChecked(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, focus = Qt.Key(event.key()), self.focusWidget()
        step = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}.get(key)
        current = self._buttons.checkedId()
        target: QPushButton | None = None
        if isinstance(focus, PageButton) and step is not None:
            target = self.button((current + step) % len(self._pages))
        elif isinstance(focus, HeadingButton) and step is not None:
            number = (self._heads.checkedId() + step) % len(self.headings)
            self._opened(number)
            target = self.heading(self.headings[number])
        elif isinstance(focus, HeadingButton) and key is Qt.Key.Key_Down:
            target = self.button(current)
        elif isinstance(focus, PageButton) and key is Qt.Key.Key_Up and self.headings:
            target = self.heading(self._pages[current].group)
        if target is None:
            super().keyPressEvent(event)
            return
        if isinstance(target, PageButton):
            target.setChecked(True)
        target.setFocus(Qt.FocusReason.TabFocusReason)


def headings_of(pages: Sequence[PageSpec]) -> tuple[str, ...]:
    """The headings in the order in which they are first met; none if no page has one.

    Raises:
        ValueError: if some pages have a heading and some have none.
    """
    found = tuple(dict.fromkeys(page.group for page in pages))
    if found == ("",):
        return ()
    if "" in found:
        raise ValueError("either all pages stand under a heading or none does")
    return found
