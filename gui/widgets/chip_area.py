"""Token chips in a scrolling area: laid out, painted, found under the mouse, lit up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QSizePolicy, QToolTip, QWidget

from engine.tokenizers.base import Ids, Tokenizer, to_utf8
from gui.widgets.chip_layout import ChipLayout, flow
from gui.widgets.chip_painter import MOST_CHARACTERS, ChipFace, ChipLook, ChipPainter
from gui.widgets.chip_text import ChipText, TokenInfo
from gui.widgets.look import em
from gui.widgets.safe_text import plain_tooltip
from gui.widgets.token_text import Vocabulary

_NOTHING = ChipText(np.empty(0, np.int32), Vocabulary(lambda i: b""))


class ChipArea(QAbstractScrollArea):
    """Tokens as rounded chips that tell about themselves when the mouse is over them.

    Only the chips in view are painted, so an area may hold any number of them.
    """

    hovered = Signal(int)
    """The chip under the mouse, −1 when it leaves."""

    def __init__(self, parent: QWidget | None = None, *, name: str = "Tokens") -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self.viewport().installEventFilter(self)
        self._painter = ChipPainter(self.font(), self.palette())
        self._tokens = _NOTHING
        self._faces: list[ChipFace] = []
        self._widths = np.empty(0)
        self._layout: ChipLayout = flow(self._widths, np.empty(0, np.bool_), 1.0, 0.0)
        self._details: Callable[[int], TokenInfo | None] | None = None
        self._values: npt.NDArray[np.float64] | None = None
        self._lit: npt.NDArray[np.bool_] = np.empty(0, np.bool_)
        self._hovered = -1
        self._least_lines, self._most_lines = 2, 0
        self._placeholder = ""

    # What it shows

    def set_tokens(
        self,
        ids: Ids | Sequence[int],
        vocabulary: Vocabulary,
        *,
        byte_spans: Sequence[tuple[int, int]] | npt.NDArray[np.int64] | None = None,
        source: bytes = b"",
    ) -> None:
        """Show these tokens; highlights are cleared.

        Args:
            ids: (T,) token ids.
            vocabulary: what they look like.
            byte_spans: (T, 2) where each stands in the text's UTF-8 bytes; without it, each
                token is taken to stand for its own bytes, one behind the other.
            source: the text's UTF-8 bytes. With it an unknown token shows what it replaced.
        """
        spans = None if byte_spans is None else np.asarray(byte_spans, np.int64).reshape(-1, 2)
        self._tokens = ChipText(np.asarray(ids, np.int32).reshape(-1), vocabulary, spans, source)
        self._values = None
        self._lit = np.zeros(len(self._tokens), np.bool_)
        self._hovered = -1
        self._measure()

    def show_text(self, text: str, tokenizer: Tokenizer) -> None:
        """Show a text cut by a tokenizer; unknown tokens show the text they stand for."""
        vocabulary = Vocabulary.of(tokenizer)
        ids = tokenizer.encode_array(text)
        spans = None if tokenizer.lossless else tokenizer.byte_spans(text)
        self.set_tokens(ids, vocabulary, byte_spans=spans, source=to_utf8(text))

    def set_details(self, provider: Callable[[int], TokenInfo | None] | None) -> None:
        """Ask ``provider(index)`` for what hovering over a chip tells beside id and bytes."""
        self._details = provider

    def set_values(self, values: Sequence[float] | npt.NDArray[np.float64] | None) -> None:
        """Fill chips by value, 0 … 1 each (T,), NaN for an ordinary fill; None for none."""
        filled = None if values is None else np.asarray(values, np.float64)
        if filled is not None and filled.shape != (len(self._tokens),):
            raise ValueError("set_values needs one value for each token")
        self._values = filled
        self.viewport().update()

    def set_placeholder(self, text: str) -> None:
        """What to say where there are no tokens."""
        self._placeholder = text
        self.viewport().update()

    def set_visible_lines(self, least: int, most: int = 0) -> None:
        """Ask for room for ``least`` lines; with ``most`` grow with the text up to that many."""
        self._least_lines, self._most_lines = max(1, least), most
        self.updateGeometry()

    def highlight(self, indexes: Iterable[int]) -> None:
        """Light up these chips and no others."""
        lit = np.zeros(len(self._tokens), np.bool_)
        wanted = np.fromiter(indexes, np.int64)
        lit[wanted[(wanted >= 0) & (wanted < len(lit))]] = True
        self._set_lit(lit)

    def highlight_bytes(self, start: int, end: int) -> None:
        """Light up the chips that hold any of the text's bytes start … end − 1."""
        spans = self._tokens.byte_spans  # (T, 2)
        self._set_lit((spans[:, 0] < end) & (spans[:, 1] > start))

    def highlight_id(self, token_id: int) -> None:
        """Light up every chip of this token."""
        self._set_lit(self._tokens.ids == token_id)

    def clear_highlight(self) -> None:
        """Light up no chip."""
        self._set_lit(np.zeros(len(self._tokens), np.bool_))

    def highlighted(self) -> list[int]:
        """The chips that are lit up."""
        lit: list[int] = np.flatnonzero(self._lit).tolist()
        return lit

    def _set_lit(self, lit: npt.NDArray[np.bool_]) -> None:
        if not np.array_equal(lit, self._lit):
            self._lit = lit
            self.viewport().update()

    # What it tells

    def count(self) -> int:
        """T, the number of tokens shown."""
        return len(self._tokens)

    def token_id(self, index: int) -> int:
        """The id of a chip's token."""
        return int(self._tokens.ids[index])

    def byte_span(self, index: int) -> tuple[int, int]:
        """Where a chip's token stands in the text's UTF-8 bytes."""
        start, end = self._tokens.byte_spans[index].tolist()
        return start, end

    def chip_text(self, index: int) -> str:
        """What is written on a chip."""
        return self._faces[index].text

    def chip_rect(self, index: int) -> QRectF:
        """Where a chip stands in the viewport now (perhaps outside it)."""
        layout, margin = self._layout, self._margin()
        y = margin + int(layout.line[index]) * self._pitch() - self.verticalScrollBar().value()
        return QRectF(
            margin + float(layout.left[index]), y, float(layout.width[index]), self._painter.height
        )

    def chip_at(self, position: QPoint) -> int:
        """The chip at a point of the viewport, −1 where there is none."""
        y = position.y() + self.verticalScrollBar().value() - self._margin()
        line, inside = divmod(y, self._pitch())
        if not 0 <= line < self._layout.lines or inside > self._painter.height:
            return -1
        found = self._layout.at(position.x() - self._margin(), int(line))
        return -1 if found is None else found

    def info_text(self, index: int) -> str:
        """What hovering over a chip tells, as plain text."""
        details = self._details(index) if self._details is not None else None
        return self._tokens.describe(index, details)

    # Layout

    def _margin(self) -> int:
        return self._painter.gap * 3

    def _pitch(self) -> int:
        return self._painter.height + self._painter.gap * 2

    def _measure(self) -> None:
        """Measure every chip (what was measured before is remembered), then lay out."""
        self._faces = self._tokens.faces(self._painter, MOST_CHARACTERS)
        self._widths = np.fromiter((f.width for f in self._faces), np.float64, len(self._faces))
        self._lay_out()

    def _lay_out(self) -> None:
        room = self.viewport().width() - 2 * self._margin()
        lines_before = self._layout.lines
        self._layout = flow(self._widths, self._tokens.ends_line, room, self._painter.gap)
        height = self._layout.lines * self._pitch() + 2 * self._margin()
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, height - self.viewport().height()))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(self._pitch())
        if self._most_lines and lines_before != self._layout.lines:
            self.updateGeometry()
        self.viewport().update()

    def _scroll_to(self, index: int) -> None:
        rect = self.chip_rect(index)
        bar, margin = self.verticalScrollBar(), self._margin()
        if rect.top() < margin:
            bar.setValue(round(bar.value() + rect.top() - margin))
        elif rect.bottom() > self.viewport().height() - margin:
            bar.setValue(round(bar.value() + rect.bottom() - self.viewport().height() + margin))

    def sizeHint(self) -> QSize:
        lines = self._least_lines
        if self._most_lines:
            lines = min(max(lines, self._layout.lines), self._most_lines)
        return QSize(round(em(self.font()) * 20), self._height_of(lines))

    def minimumSizeHint(self) -> QSize:
        return QSize(round(em(self.font()) * 8), self._height_of(self._least_lines))

    def _height_of(self, lines: int) -> int:
        return lines * self._pitch() + 2 * self._margin() + 2 * self.frameWidth()

    # Events

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (
            QEvent.Type.FontChange,
            QEvent.Type.PaletteChange,
            QEvent.Type.StyleChange,
        ):
            self._painter.restyle(self.font(), self.palette())
            self._measure()
            self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._painter.font)
        # One direction for all: right-to-left text is ordered inside its chip, never across.
        painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        if not len(self._tokens):
            self._paint_placeholder(painter)
            return
        offset = self.verticalScrollBar().value() - self._margin()
        pitch = self._pitch()
        first = (event.rect().top() + offset) // pitch
        last = (event.rect().bottom() + offset) // pitch
        chips = self._layout.on_lines(first, last + 1)
        left, width, line = (
            a[chips.start : chips.stop].tolist()
            for a in (self._layout.left, self._layout.width, self._layout.line)
        )
        margin, height = self._margin(), self._painter.height
        for index, x, w, n in zip(chips, left, width, line, strict=True):
            rect = QRectF(margin + x, n * pitch - offset, w, height)
            self._painter.paint(painter, rect, self._faces[index], self._look(index))

    def picture_size(self, most_lines: int) -> QSize:
        """The size of a picture of the first lines, whether they are in view or not."""
        lines = max(1, min(self._layout.lines, most_lines))
        return QSize(self.viewport().width(), lines * self._pitch() + 2 * self._margin())

    def paint_picture(self, painter: QPainter, most_lines: int) -> None:
        """Paint the first lines from (0, 0), as they are laid out and lit up."""
        painter.setFont(self._painter.font)
        painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        scrolled = self.verticalScrollBar().value()
        for index in self._layout.on_lines(0, most_lines):
            rect = self.chip_rect(index).translated(0.0, scrolled)
            self._painter.paint(painter, rect, self._faces[index], self._look(index))

    def bytes_at(self, index: int) -> bytes:
        """The bytes of a chip's token; those of the text where the token is unknown."""
        return self._tokens.bytes_at(index)

    def _look(self, index: int) -> ChipLook:
        """How a chip stands out."""
        value = None
        if self._values is not None and not np.isnan(self._values[index]):
            value = float(self._values[index])
        return ChipLook(
            fill=index % self._painter.fills,
            highlighted=bool(self._lit[index]),
            hovered=index == self._hovered,
            unknown=self._tokens.is_unknown(index),
            value=value,
        )

    def _paint_placeholder(self, painter: QPainter) -> None:
        if self._placeholder:
            painter.setPen(self.palette().placeholderText().color())
            margin = self._margin()
            area = self.viewport().rect().adjusted(margin, margin, -margin, -margin)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(area, int(flags), self._placeholder)

    # Not viewportEvent: PySide crashes when painting raises inside an override that calls super.
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._hover(-1)
        elif event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._tell(self.chip_at(event.pos()), event.globalPos())
            return True
        return False

    def _tell(self, index: int, position: QPoint) -> None:
        if index < 0:
            QToolTip.hideText()
            return
        rect = self.chip_rect(index).toAlignedRect()
        QToolTip.showText(position, plain_tooltip(self.info_text(index)), self.viewport(), rect)

    def _hover(self, index: int) -> None:
        if index != self._hovered:
            self._hovered = index
            self.viewport().update()
            self.hovered.emit(index)
