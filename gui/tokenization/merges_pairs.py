"""The pairs of neighbouring tokens, ranked, with a bar as long as each is frequent."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from engine.tokenizers.merge_walk import PairCount
from gui.tokenization.merges_words import pair_words, times
from gui.widgets.chip_painter import ChipLook, ChipPainter
from gui.widgets.look import colours_of, em, mixed
from gui.widgets.safe_text import plain_tooltip
from gui.widgets.token_text import display_pieces

Index = QModelIndex | QPersistentModelIndex

_CHARACTERS = 16


class PairModel(QAbstractListModel):
    """Pairs, one a row, with or without their counts."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.pairs: tuple[PairCount, ...] = ()
        self.tokens: Sequence[bytes] = ()
        self.hidden = False
        self.next: tuple[int, int] | None = None

    def show(
        self,
        pairs: tuple[PairCount, ...],
        tokens: Sequence[bytes],
        next_pair: tuple[int, int] | None,
        hidden: bool,
    ) -> None:
        """Show these pairs. Hidden, they stand in the order of the text, without counts."""
        self.beginResetModel()
        order = sorted(pairs, key=lambda pair: pair.first) if hidden else pairs
        self.pairs, self.tokens = tuple(order), tokens
        self.hidden, self.next = hidden, next_pair
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.pairs)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not 0 <= index.row() < len(self.pairs):
            return None
        pair = self.pairs[index.row()]
        words = pair_words(self.tokens, pair.left, pair.right)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return words if self.hidden else f"{words}, {times(pair.count)}"
        if role == Qt.ItemDataRole.ToolTipRole:
            told = f"{words}\ntoken numbers {pair.left} and {pair.right}"
            if not self.hidden:
                told = f"{told}\nstands {times(pair.count)}"
            return plain_tooltip(told)
        return None


class _Delegate(QStyledItemDelegate):
    """Paints a row: its place, two chips, the bar, the count."""

    def __init__(self, view: PairList) -> None:
        super().__init__(view)
        self._view = view

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = self._view.pairs_model
        pair = model.pairs[index.row()]
        colours = colours_of(option.palette)
        chips = self._view.chips
        area = QRectF(option.rect)
        unit = em(option.font)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(area, colours.color("accent_soft"))
        is_next = not model.hidden and model.next == (pair.left, pair.right)
        x = area.left() + 0.3 * unit
        top = area.center().y() - chips.height / 2
        most = self._view.chip_room() / 2
        for place, token in enumerate((pair.left, pair.right)):
            data = model.tokens[token]
            face = chips.face(data, display_pieces(data, _CHARACTERS))
            width = min(face.width, most)
            look = ChipLook(fill=place, highlighted=is_next)
            painter.setFont(chips.font)
            chips.paint(painter, QRectF(x, top, width, chips.height), face, look)
            x += width + chips.gap
        if not model.hidden:
            left = area.left() + 0.6 * unit + self._view.chip_room()
            count = f"{pair.count:,}"
            room = area.right() - left - unit * 0.4 - self._view.count_room()
            length = max(2.0, room * pair.count / max(1, model.pairs[0].count))
            fill = colours.color("accent")
            if not is_next:
                fill = mixed(colours.color("surface"), fill, 0.45)
            bar = QRectF(left, area.center().y() - unit * 0.3, length, unit * 0.6)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            painter.drawRoundedRect(bar, unit * 0.1, unit * 0.1)
            painter.setPen(option.palette.color(QPalette.ColorRole.Text))
            painter.setFont(option.font)
            place_of_count = QRectF(bar.right() + unit * 0.3, area.top(), unit * 6, area.height())
            painter.drawText(place_of_count, int(Qt.AlignmentFlag.AlignVCenter), count)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(round(10 * em(self._view.font())), self._view.row_height())


class PairList(QListView):
    """A list of pairs. Pointing at one tells; clicking it, or Enter, chooses it."""

    pointed = Signal(int, int)
    """Left and right id of the pair under the mouse or the keyboard; −1, −1 for none."""
    chosen = Signal(int, int)
    """Left and right id of the pair that was clicked or confirmed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Pairs of neighbouring tokens")
        self.pairs_model = PairModel(self)
        self.chips = ChipPainter(self.font(), self.palette())
        self.setModel(self.pairs_model)
        self.setItemDelegate(_Delegate(self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.entered.connect(self._enter)
        self.activated.connect(self._choose)
        self.clicked.connect(self._choose)

    def show_pairs(
        self,
        pairs: tuple[PairCount, ...],
        tokens: Sequence[bytes],
        next_pair: tuple[int, int] | None,
        *,
        hidden: bool = False,
    ) -> None:
        """See ``PairModel.show``."""
        self.pairs_model.show(pairs, tokens, next_pair, hidden)
        self.scrollToTop()

    def row_height(self) -> int:
        """The height of a row."""
        return self.chips.height + 2 * self.chips.gap + 1

    def chip_room(self) -> float:
        """The room for both chips."""
        return min(self.viewport().width() * 0.5, 9 * em(self.font()))

    def count_room(self) -> float:
        """The room for the largest count."""
        pairs = self.pairs_model.pairs
        return float(self.fontMetrics().horizontalAdvance(f"{pairs[0].count:,}  " if pairs else ""))

    @Slot(QModelIndex)
    def _enter(self, index: QModelIndex | QPersistentModelIndex) -> None:
        pair = self.pairs_model.pairs[index.row()]
        self.pointed.emit(pair.left, pair.right)

    @Slot(QModelIndex)
    def _choose(self, index: QModelIndex) -> None:
        if 0 <= index.row() < len(self.pairs_model.pairs):
            pair = self.pairs_model.pairs[index.row()]
            self.chosen.emit(pair.left, pair.right)

    def currentChanged(
        self,
        current: QModelIndex | QPersistentModelIndex,
        previous: QModelIndex | QPersistentModelIndex,
    ) -> None:
        super().currentChanged(current, previous)
        if current.isValid() and self.hasFocus():
            self._enter(current)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit(-1, -1)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange):
            self.chips.restyle(self.font(), self.palette())
            self.scheduleDelayedItemsLayout()

    def sizeHint(self) -> QSize:
        return QSize(round(18 * em(self.font())), 6 * self.row_height())

    def minimumSizeHint(self) -> QSize:
        return QSize(round(12 * em(self.font())), 5 * self.row_height())
