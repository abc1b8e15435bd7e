"""Pair counts and merges as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem, QWidget

from engine.tokenizers.bpe_train import Merge
from gui.tokenization.merges_pairs import PairList
from gui.tokenization.merges_vocabulary import VocabularyTable
from gui.tokenization.strip_export import written
from gui.widgets.exports import ExportButton, write_csv, write_picture
from gui.widgets.look import colours_of, em

MOST_PAIRS = 40
"""Pairs that a picture shows, the most frequent ones."""


class PairExport(ExportButton):
    """Saves the pair counts: all as numbers, the most frequent ones as bars."""

    def __init__(self, pairs: PairList, parent: QWidget | None = None) -> None:
        super().__init__("pair counts", parent)
        self.setToolTip("Save the pairs and their counts as a picture or as numbers.")
        self._pairs = pairs
        self.wanted.connect(self.save)

    @Slot(str, str)
    def save(self, ending: str, name: str) -> None:
        """Write the pairs as "png", "svg" or "csv"; while a guess is awaited, without counts.

        Raises:
            LabError: if the file cannot be written.
        """
        path = Path(name)
        if ending == "csv":
            self._write_csv(path)
            return
        ground = colours_of(self._pairs.palette()).color("surface")
        write_picture(ending, path, self._size(), "Pairs of neighbours", ground, self._paint)

    def _write_csv(self, path: Path) -> None:
        model = self._pairs.pairs_model
        rows = []
        for pair in model.pairs:
            left, right = model.tokens[pair.left], model.tokens[pair.right]
            count = "" if model.hidden else pair.count
            rows.append((pair.left, written(left), pair.right, written(right), count))
        write_csv(path, ("left id", "left", "right id", "right", "count"), rows)

    def _title(self) -> str:
        model = self._pairs.pairs_model
        left_out = len(model.pairs) - MOST_PAIRS
        beyond = f" (the first {MOST_PAIRS} of {len(model.pairs):,})" if left_out > 0 else ""
        if model.hidden:
            return f"Pairs, in the order of the text{beyond}"
        return f"How often each pair stands in the text{beyond}"

    def _head(self) -> float:
        return QFontMetricsF(self._pairs.font()).height() * 1.6

    def _size(self) -> QSize:
        pairs = self._pairs
        rows = min(MOST_PAIRS, len(pairs.pairs_model.pairs))
        title = QFontMetricsF(pairs.font()).horizontalAdvance(self._title())
        width = max(pairs.viewport().width(), round(title + em(pairs.font())))
        return QSize(width, round(self._head()) + max(1, rows) * pairs.row_height())

    def _paint(self, painter: QPainter) -> None:
        pairs, head = self._pairs, self._head()
        painter.setFont(pairs.font())
        painter.setPen(colours_of(pairs.palette()).color("text"))
        place = QRectF(em(pairs.font()) * 0.3, 0.0, self._size().width(), head)
        painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), self._title())
        option = QStyleOptionViewItem()
        pairs.initViewItemOption(option)
        option.state &= ~(QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver)
        height = pairs.row_height()
        for row in range(min(MOST_PAIRS, len(pairs.pairs_model.pairs))):
            top = round(head) + row * height
            option.rect = QRect(0, top, pairs.viewport().width(), height)
            index = pairs.pairs_model.index(row, 0)
            pairs.itemDelegate().paint(painter, option, index)


class MergesExport(ExportButton):
    """Saves the merges of a table as CSV: the new tokens, their parents and their counts."""

    HEADER = ("rank", "id", "token", "bytes", "left id", "left", "right id", "right", "count")

    def __init__(self, table: VocabularyTable, parent: QWidget | None = None) -> None:
        super().__init__("merges", parent, formats=("csv",))
        self.setToolTip("Save these merges, their parents and counts as numbers.")
        self._table = table
        self.wanted.connect(self.save)

    @Slot(str, str)
    def save(self, _: str, name: str) -> None:
        """Write the merges as CSV.

        Raises:
            LabError: if the file cannot be written.
        """
        model = self._table.vocabulary
        write_csv(Path(name), self.HEADER, merge_rows(model.merges, model.tokens))


def merge_rows(merges: Sequence[Merge], tokens: Sequence[bytes]) -> list[tuple[object, ...]]:
    """A row for each merge, in order: rank from 1; id, text and bytes (hexadecimal) of the new
    token; id and text of its parents; how often they stood side by side (empty if unknown)."""
    return [
        (
            rank,
            merge.id,
            written(tokens[merge.id]),
            tokens[merge.id].hex(),
            merge.left,
            written(tokens[merge.left]),
            merge.right,
            written(tokens[merge.right]),
            merge.count or "",
        )
        for rank, merge in enumerate(merges, 1)
    ]
