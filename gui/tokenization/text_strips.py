"""Rows of chips that show one text, each cut differently, and light up the same place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QWidget

from gui.tokenization.text_entries import CorpusCounts
from gui.tokenization.text_units import Units
from gui.widgets.chip_painter import ChipLook
from gui.widgets.chip_text import TokenInfo
from gui.widgets.numbers import format_number
from gui.widgets.token_strip import TokenStrip

NOWHERE = (-1, -1)


def info_of(known: CorpusCounts | None, token: int) -> TokenInfo | None:
    """How often a token stands in a text, and what share that is; None if it isn't known."""
    if known is None or token >= len(known.counts):
        return None
    count = int(known.counts[token])
    if not count:
        return TokenInfo(count=0)
    share = format_number(100 * count / known.total, 2)
    return TokenInfo(count=count, lines=(f"{share} % of all tokens of “{known.title}”",))


class PlaceStrip(TokenStrip):
    """A strip that tells which of the text's bytes are pointed at or chosen."""

    pointed = Signal(int, int)
    """The bytes start … end − 1 are under the mouse; −1, −1 when none are."""
    chosen = Signal(int, int)
    """The bytes start … end − 1 were selected; −1, −1 when none are."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, name=name)
        self._units: Units | None = None
        self.counts: CorpusCounts | None = None
        """Of the tokens shown in the present corpus, told where the mouse points."""
        self.hovered.connect(self._tell_pointed)
        self.selection_changed.connect(self._tell_chosen)

    def set_units(self, units: Units, source: bytes) -> None:
        """Show a row of units; ``source`` is the text's UTF-8 bytes."""
        self._units = units
        self.set_tokens(units.ids, units.vocabulary, byte_spans=units.byte_spans, source=source)

    def show_place(self, start: int, end: int, *, scroll: bool = False) -> None:
        """Light up what holds any of the bytes start … end − 1, and scroll there if asked."""
        self.highlight_bytes(start, end)
        if scroll and (lit := self.highlighted()):
            self._scroll_to(lit[0])

    def info_text(self, index: int) -> str:
        if self._units is not None and self._units.describe is not None:
            return self._units.describe(index)
        return self._tokens.describe(index, self._info(index))

    def _info(self, index: int) -> TokenInfo | None:
        """How often a chip's token stands in the text that all tabs learn from."""
        return info_of(self.counts, self.token_id(index))

    def _look(self, index: int) -> ChipLook:
        look = super()._look(index)
        fills: npt.NDArray[np.int64] | None = None if self._units is None else self._units.fills
        if fills is None:
            return look
        return replace(look, fill=int(fills[index]) % self._painter.fills)

    @Slot(int)
    def _tell_pointed(self, index: int) -> None:
        self.pointed.emit(*(NOWHERE if index < 0 else self.byte_span(index)))

    @Slot(int, int)
    def _tell_chosen(self, start: int, stop: int) -> None:
        if start == stop:
            self.chosen.emit(*NOWHERE)
        else:
            self.chosen.emit(self.byte_span(start)[0], self.byte_span(stop - 1)[1])

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()


class Links(QObject):
    """Keeps strips of one text lit up at the same place: what is pointed at, else what was
    chosen."""

    moved = Signal(int, int)
    """The bytes start … end − 1 are lit up now; −1, −1 for none."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._strips: list[PlaceStrip] = []
        self._pointed = self._chosen = NOWHERE
        self._told = NOWHERE

    def add(self, strip: PlaceStrip) -> None:
        """Link a strip; it is let go of by ``remove``."""
        self._strips.append(strip)
        strip.pointed.connect(self.point)
        strip.chosen.connect(self.choose)

    def remove(self, strip: PlaceStrip) -> None:
        """Forget a strip."""
        self._strips.remove(strip)
        strip.pointed.disconnect(self.point)
        strip.chosen.disconnect(self.choose)

    @property
    def place(self) -> tuple[int, int]:
        """The bytes that are lit up, (−1, −1) if none are."""
        return self._pointed if self._pointed != NOWHERE else self._chosen

    @Slot(int, int)
    def point(self, start: int, end: int) -> None:
        """The mouse is at these bytes, or left."""
        self._pointed = (start, end)
        self._show(scroll=False)

    @Slot(int, int)
    def choose(self, start: int, end: int) -> None:
        """These bytes were chosen, or none are."""
        self._chosen = (start, end)
        sender = self.sender()
        if start >= 0:
            for strip in self._strips:  # one choice in all rows
                if strip is not sender and strip.current() >= 0:
                    was = strip.blockSignals(True)
                    strip.select(-1)
                    strip.blockSignals(was)
        self._show(scroll=start >= 0)

    def forget(self) -> None:
        """The text changed: no place is lit up."""
        self._pointed = self._chosen = NOWHERE
        self._show(scroll=False)

    def refresh(self, strip: PlaceStrip) -> None:
        """Light up the present place in a strip whose tokens are new."""
        strip.show_place(*self.place)

    def _show(self, *, scroll: bool) -> None:
        place = self.place
        sender = self.sender()
        for strip in self._strips:
            strip.show_place(*place, scroll=scroll and strip is not sender)
        if place != self._told:
            self._told = place
            self.moved.emit(*place)
