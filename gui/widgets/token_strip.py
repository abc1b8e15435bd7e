"""Tokens as chips that flow over lines like words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QAction,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from engine.tokenizers.base import Ids
from gui.widgets.chip_area import ChipArea
from gui.widgets.chip_keys import key_target
from gui.widgets.chip_painter import ChipLook
from gui.widgets.token_text import Vocabulary


class TokenStrip(ChipArea):
    """Tokens as rounded chips, with hover, selection, keyboard and highlighting.

    Only the chips in view are painted, so a strip may hold any number of them. The arrow keys
    move between chips, Shift extends the selection, Enter activates, Ctrl+C copies the text.
    """

    selected = Signal(int)
    """The chip that was clicked or moved to with the keyboard, −1 when none is."""
    activated = Signal(int)
    """The chip that was double-clicked, or confirmed with Enter."""
    selection_changed = Signal(int, int)
    """The selected chips, from the first up to but without the second number."""

    def __init__(self, parent: QWidget | None = None, *, name: str = "Tokens") -> None:
        super().__init__(parent, name=name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._current = self._anchor = -1
        copy = QAction("Copy text", self)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy)
        copy_ids = QAction("Copy token ids", self)
        copy_ids.triggered.connect(self.copy_ids)
        self.addActions([copy, copy_ids])
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def set_tokens(
        self,
        ids: Ids | Sequence[int],
        vocabulary: Vocabulary,
        *,
        byte_spans: Sequence[tuple[int, int]] | npt.NDArray[np.int64] | None = None,
        source: bytes = b"",
    ) -> None:
        had_selection = self._current >= 0
        self._current = self._anchor = -1
        super().set_tokens(ids, vocabulary, byte_spans=byte_spans, source=source)
        if had_selection:
            self.selected.emit(-1)
            self.selection_changed.emit(0, 0)

    def current(self) -> int:
        """The chip that the keyboard is on, −1 if none."""
        return self._current

    def selection(self) -> range:
        """The selected chips."""
        if self._current < 0:
            return range(0)
        first, last = sorted((self._current, self._anchor))
        return range(first, last + 1)

    def selected_text(self) -> str:
        """The text of the selected tokens; bytes that are no text become U+FFFD."""
        chips = self.selection()
        return self._tokens.text(chips.start, chips.stop)

    def select(self, index: int, *, extend: bool = False) -> None:
        """Move to a chip (−1: to none) and scroll to it; ``extend`` keeps the other end."""
        index = max(-1, min(index, len(self._tokens) - 1))
        if index == self._current and (extend or index == self._anchor):
            return
        moved = index != self._current
        self._current = index
        if not extend or self._anchor < 0 or index < 0:
            self._anchor = index
        if index >= 0:
            self._scroll_to(index)
            self.setAccessibleDescription(self.info_text(index))
            event = QAccessibleEvent(self, QAccessible.Event.DescriptionChanged)
            QAccessible.updateAccessibility(event)
        self.viewport().update()
        if moved:
            self.selected.emit(index)
        chips = self.selection()
        self.selection_changed.emit(chips.start, chips.stop)

    def select_all(self) -> None:
        """Select every chip."""
        if len(self._tokens):
            self.select(0)
            self.select(len(self._tokens) - 1, extend=True)

    def copy(self) -> None:
        """Put the selected text (or all of it, if none is selected) on the clipboard."""
        chips = self.selection() or range(len(self._tokens))
        QGuiApplication.clipboard().setText(self._tokens.text(chips.start, chips.stop))

    def copy_ids(self) -> None:
        """Put the selected token ids (or all, if none is selected) on the clipboard."""
        chips = self.selection() or range(len(self._tokens))
        ids = self._tokens.ids[chips.start : chips.stop].tolist()
        QGuiApplication.clipboard().setText(", ".join(map(str, ids)))

    def _look(self, index: int) -> ChipLook:
        look = super()._look(index)
        current = index == self._current and self.hasFocus()
        return replace(look, selected=index in self.selection(), current=current)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index = self.chip_at(event.position().toPoint())
        self._hover(index)
        if event.buttons() & Qt.MouseButton.LeftButton and index >= 0:
            self.select(index, extend=True)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        index = self.chip_at(event.position().toPoint())
        self.select(index, extend=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self.chip_at(event.position().toPoint())
        if index >= 0:
            self.activated.emit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.SelectAll):
            self.select_all()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._current >= 0:
            self.activated.emit(self._current)
        elif event.key() == Qt.Key.Key_Escape and self._current >= 0:
            self.select(-1)
            QToolTip.hideText()
        elif (target := self._target(event)) is not None:
            extend = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.select(target, extend=extend)
            spot = self.chip_rect(target).bottomLeft().toPoint()
            self._tell(target, self.viewport().mapToGlobal(spot))
        else:
            super().keyPressEvent(event)

    def _target(self, event: QKeyEvent) -> int | None:
        """The chip that a key moves to, None for another key."""
        whole = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        page = max(1, self.viewport().height() // self._pitch() - 1)
        return key_target(self._layout, self._current, event.key(), whole=whole, page=page)
