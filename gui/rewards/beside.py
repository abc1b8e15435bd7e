"""Two parts of a page side by side, or one below the other where there is no room for that."""

from __future__ import annotations

from collections.abc import Callable
from inspect import ismethod
from weakref import WeakMethod

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

LEAST_SHARE = 0.2
"""Of the width, for either part."""


class Beside(QSplitter):
    """Shares its width by what its parts want, until someone moves the handle.

    Args:
        first: stands left, or above.
        second: stands right, or below.
        wanted: the widths that both want, in pixels.
        parent: the widget that owns it.
        least: of a width, the share below which both stand below one another.
    """

    def __init__(
        self,
        first: QWidget,
        second: QWidget,
        wanted: Callable[[], tuple[int, int]],
        parent: QWidget,
        least: float = 1.0,
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        # Weakly where it is a method of the owner, or each would keep the other.
        self._wanted = WeakMethod(wanted) if ismethod(wanted) else lambda: wanted
        self._least = least
        self._by_hand = False
        self._shared: tuple[int, int, int] | None = None
        self.setChildrenCollapsible(False)
        self.addWidget(first)
        self.addWidget(second)
        self.splitterMoved.connect(self._moved)

    def share(self) -> None:
        """Share the room anew: a part has come to want another width."""
        wanted = self._wanted()
        if wanted is None:
            return
        first, second = wanted()
        now = (first, second, self.width())
        if now == self._shared:
            return
        self._shared = now
        room = self.width() - self.handleWidth()
        fits = room >= (first + second) * self._least
        way = Qt.Orientation.Horizontal if fits else Qt.Orientation.Vertical
        if way is not self.orientation():
            self.setOrientation(way)
            self._by_hand = False
            self.setSizes([1000, 1000])
        if fits and not self._by_hand:
            # Room that neither needs goes to both alike.
            left = first + (room - first - second) // 2
            least = round(room * LEAST_SHARE)
            left = min(max(left, least), room - least)
            self.setSizes([left, room - left])

    @Slot()
    def _moved(self) -> None:
        self._by_hand = True

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.share()
