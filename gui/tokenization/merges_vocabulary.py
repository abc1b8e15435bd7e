"""The vocabulary as it grows: each new token, its parents, and how frequent the pair was."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from engine.tokenizers.bpe_train import Merge
from gui.widgets.look import colours_of, em
from gui.widgets.safe_text import plain_tooltip
from gui.widgets.token_text import display_text, hex_bytes, isolate

Index = QModelIndex | QPersistentModelIndex

COLUMNS = (
    ("Rank", "The place of the merge in the history, from 1. Unseen text is merged in this order."),
    ("Token", "The new token."),
    ("Left", "Its left parent."),
    ("Right", "Its right parent."),
    ("Count", "How often the two stood side by side when they were merged."),
)

NONE_YET = (
    "No merge has been made yet. Each one adds a row here: the new token and its two parents."
)


class VocabularyModel(QAbstractTableModel):
    """Merges as rows, the first on top."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.merges: Sequence[Merge] = ()
        self.tokens: Sequence[bytes] = ()

    def show(self, merges: Sequence[Merge], tokens: Sequence[bytes]) -> None:
        """Show these merges; rows that stay are left where they are."""
        before, after = len(self.merges), len(merges)
        same = self.tokens is tokens
        if not same or not (0 < abs(after - before) <= 1):
            self.beginResetModel()
            self.merges, self.tokens = merges, tokens
            self.endResetModel()
        elif after > before:
            self.beginInsertRows(QModelIndex(), before, after - 1)
            self.merges = merges
            self.endInsertRows()
        else:
            self.beginRemoveRows(QModelIndex(), after, before - 1)
            self.merges = merges
            self.endRemoveRows()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.merges)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section][0]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(COLUMNS[section][1])
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not 0 <= index.row() < len(self.merges):
            return None
        merge = self.merges[index.row()]
        ids = {1: merge.id, 2: merge.left, 3: merge.right}
        column = index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            if column in ids:
                return isolate(display_text(self.tokens[ids[column]], 40))
            return f"{index.row() + 1:,}" if column == 0 else f"{merge.count:,}"
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (0, 4):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole and column in ids:
            data = self.tokens[ids[column]]
            shown = isolate(display_text(data, 200))
            return plain_tooltip(
                f"{shown}\ntoken number {ids[column]}\nbytes: {hex_bytes(data)}"
                "\nEnter or a double click goes to this merge."
            )
        return None


class VocabularyTable(QTableView):
    """The merges so far. Choosing a row tells its token; Enter or a double click goes there."""

    token_chosen = Signal(int)
    """The id of the chosen row's token, −1 when none is chosen."""
    merge_wanted = Signal(int)
    """How many merges were done when the row's was."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("New tokens, in the order in which they were made")
        self.vocabulary = VocabularyModel(self)
        self._quiet = False
        self.setModel(self.vocabulary)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setResizeContentsPrecision(40)
        for column in range(len(COLUMNS)):
            narrow = column in (0, 4)
            mode = QHeaderView.ResizeMode
            header.setSectionResizeMode(column, mode.ResizeToContents if narrow else mode.Stretch)
        self.activated.connect(self._go)
        self.selectionModel().currentRowChanged.connect(self._row_changed)
        self.vocabulary.modelReset.connect(self._forget)
        self._dress()

    def show_merges(self, merges: Sequence[Merge], tokens: Sequence[bytes]) -> None:
        """Show these merges, and the last of them in view."""
        self.vocabulary.show(merges, tokens)
        self.scrollToBottom()

    def point_at(self, row: int) -> None:
        """Choose a row, −1 for none, without telling, and scroll to it."""
        self._quiet = True
        if row >= 0:
            self.selectRow(row)
            self.scrollTo(self.currentIndex())
        else:
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())
        self._quiet = False

    @Slot(QModelIndex)
    def _go(self, index: QModelIndex) -> None:
        self.merge_wanted.emit(index.row() + 1)

    @Slot(QModelIndex, QModelIndex)
    def _row_changed(self, current: QModelIndex, _: QModelIndex) -> None:
        if self._quiet:
            return
        chosen = 0 <= current.row() < len(self.vocabulary.merges)
        self.token_chosen.emit(self.vocabulary.merges[current.row()].id if chosen else -1)

    @Slot()
    def _forget(self) -> None:
        self.token_chosen.emit(-1)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._dress()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.vocabulary.merges:
            painter = QPainter(self.viewport())
            painter.setPen(colours_of(self.palette()).color("muted"))
            gap = round(em(self.font()) / 2)
            room = self.viewport().rect().adjusted(gap, gap, -gap, -gap)
            centred = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(room, int(centred), NONE_YET)
            painter.end()

    def _dress(self) -> None:
        self.verticalHeader().setDefaultSectionSize(round(1.4 * em(self.font())))

    def sizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(22 * unit), round(9 * unit))

    def minimumSizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(16 * unit), round(7 * unit))
