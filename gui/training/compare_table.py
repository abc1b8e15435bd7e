"""The table of kept runs: which are drawn, what they are called, how they did."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from engine.training.comparing import ComparedRun, in_short
from gui import theme
from gui.training.arm_looks import arm_look
from gui.widgets.look import em, mixed
from gui.widgets.safe_text import plain_tooltip

KEY, VALUE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
NAME = 0
BASELINE = "baseline"
FEW_ROWS = 6
"""So many runs, or fewer, are all in view; of more of them the first, until all are asked for."""
LEAVING = ("Device", "Settings", "Date", "Seconds", "Bits per byte", "State", "− baseline", "Steps")
"""The order in which columns leave a table that is too narrow for all."""
LONGEST_TIP = 1000
HUGE = 1e6
"""Numbers from here on are told by their first digits; a file from others may hold any."""
NAME_EMS = 11.0
"""The least width of the column of names."""
COLUMNS = {
    "Run": "Tick what is to be drawn. Double click, or F2, to rename.",
    "State": "How it stands.",
    "Settings": "Layers × width, context, FFN, optimizer with its learning rate, batch size.",
    "Steps": "Steps taken, of those planned.",
    "Held-out loss": "The newest, in nats per token: fair between runs with the same tokens.",
    "− baseline": "Held-out loss less that of the baseline; below 0 is better. In bits per byte "
    "where the tokens are others.",
    "Bits per byte": "The same loss per byte of text: fair between different tokens too.",
    "Seconds": "Spent in training steps.",
    "Date": "When it was begun.",
    "Device": "What computed it.",
}
_LEFT = ("Run", "State", "Settings", "Date", "Device")


class _Cell(QTableWidgetItem):
    """Sorts by its value, where it has one, else by its text; what is not known comes last."""

    def __lt__(self, other: QTableWidgetItem) -> bool:
        a, b = self.data(VALUE), other.data(VALUE)
        if isinstance(a, float) or isinstance(b, float):
            return (a if isinstance(a, float) else 1e300) < (b if isinstance(b, float) else 1e300)
        return self.text().casefold() < other.text().casefold()


class RunsTable(QTableWidget):
    """A row for each kept run."""

    ticked = Signal()
    """Other runs are to be drawn."""
    renamed = Signal(str, str)
    """A run's key, and its new name."""
    chosen = Signal()
    """Other runs are selected."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(COLUMNS), parent)
        self.setAccessibleName("Kept runs")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setTabKeyNavigation(False)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # the page scrolls
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        for index, (title, tip) in enumerate(COLUMNS.items()):
            head = QTableWidgetItem(title)
            head.setToolTip(plain_tooltip(tip))
            self.setHorizontalHeaderItem(index, head)
        newest_first = Qt.SortOrder.DescendingOrder
        self.horizontalHeader().setSortIndicator(list(COLUMNS).index("Date"), newest_first)
        self.runs: tuple[ComparedRun, ...] = ()
        self.all_rows = False
        """Whether more than the first few rows are in view."""
        self._looks: dict[str, int] = {}
        self._widths: list[int] = []
        self._shown: list[int] = []
        self.itemChanged.connect(self._changed)
        self.itemSelectionChanged.connect(self.chosen)
        theme.current().changed.connect(self._dress)
        self._dress()

    # ----------------------------------------------------------------------------- what is so
    @property
    def baseline(self) -> ComparedRun | None:
        """The pinned run that the others are held against; the newest of several."""
        return next((run for run in self.runs if run.summary.pinned), None)

    @property
    def shown(self) -> tuple[ComparedRun, ...]:
        """The runs that are ticked, newest first."""
        keys = {item.data(KEY) for item in self._names() if _is_ticked(item)}
        return tuple(run for run in self.runs if run.key in keys)

    @property
    def selected(self) -> tuple[ComparedRun, ...]:
        """The runs of the selected rows, newest first."""
        rows = {index.row() for index in self.selectionModel().selectedRows()}
        keys = {item.data(KEY) for item in self._names() if item.row() in rows}
        return tuple(run for run in self.runs if run.key in keys)

    def look_of(self, key: str) -> int:
        """The number of a run's look; it keeps it as long as it is in the table."""
        return self._looks[key]

    # ------------------------------------------------------------------------------- showing
    def show_runs(self, runs: Sequence[ComparedRun], ticked: Collection[str]) -> None:
        """Show these runs; the selection stays as far as its runs do."""
        selected = {run.key for run in self.selected}
        self._give_looks(runs)
        self.runs = tuple(runs)
        blocker = QSignalBlocker(self)
        self.setSortingEnabled(False)
        self.setRowCount(len(runs))
        for row, run in enumerate(runs):
            for column, (title, (text, value)) in enumerate(self._cells(run).items()):
                item = _Cell(text)
                if value is not None:
                    item.setData(VALUE, value)
                side = Qt.AlignmentFlag.AlignLeft if title in _LEFT else Qt.AlignmentFlag.AlignRight
                item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
                flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
                if column == NAME:
                    item.setData(KEY, run.key)
                    flags |= Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEditable
                    on = run.key in ticked
                    item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
                    told = "\n".join(filter(None, (text, run.summary.note)))
                    item.setToolTip(plain_tooltip(told[:LONGEST_TIP]))
                item.setFlags(flags)
                self.setItem(row, column, item)
        self._colour()
        self.setSortingEnabled(True)
        self._select(selected)
        blocker.unblock()
        self.show_rows(self.all_rows)
        self.chosen.emit()

    def show_rows(self, all_rows: bool) -> None:
        """Bring all rows into view, or the first few."""
        self.all_rows = all_rows
        for row in range(self.rowCount()):
            self.setRowHidden(row, not all_rows and row >= FEW_ROWS)
        self._measure()
        self.updateGeometry()

    @property
    def left_out(self) -> tuple[str, ...]:
        """The columns that there is no room for."""
        return tuple(t for i, t in enumerate(COLUMNS) if self.isColumnHidden(i))

    def told(self, run: ComparedRun) -> str:
        """What the columns that there is no room for say of a run, such as "Device: cpu"."""
        cells = self._cells(run)
        return "; ".join(f"{title}: {cells[title][0]}" for title in self.left_out)

    def _give_looks(self, runs: Sequence[ComparedRun]) -> None:
        keys = [run.key for run in runs]
        self._looks = {key: look for key, look in self._looks.items() if key in keys}
        for key in reversed(keys):
            free = (n for n in range(len(keys) + 1) if n not in self._looks.values())
            if key not in self._looks:
                self._looks[key] = next(free)

    def _select(self, keys: Collection[str]) -> None:
        self.clearSelection()
        mode = self.selectionMode()
        self.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
        for item in self._names():
            if item.data(KEY) in keys:
                self.selectRow(item.row())
        self.setSelectionMode(mode)

    def _cells(self, run: ComparedRun) -> dict[str, tuple[str, float | None]]:
        summary, figures = run.summary, run.summary.figures
        seconds, bits = figures.get("seconds"), run.bits_per_byte
        created = summary.description.created
        texts: dict[str, tuple[str, float | None]] = {
            "Run": (summary.name, None),
            "State": (f"{summary.mark}, {BASELINE}" if summary.pinned else summary.mark, None),
            "Settings": (in_short(run.recipe), None),
            "Steps": (f"{summary.step:,} of {run.recipe.steps:,}", float(summary.step)),
            "Held-out loss": _said(run.held_out, "{:.3f}"),
            "− baseline": self._less(run),
            "Bits per byte": _said(bits, "{:.3f}"),
            "Seconds": _said(seconds, "{:.1f}"),
            "Date": (time.strftime("%Y-%m-%d %H:%M", time.localtime(created)), created),
            "Device": (summary.description.device, None),
        }
        return texts

    def _less(self, run: ComparedRun) -> tuple[str, float | None]:
        """How far a run lies from the baseline, in a unit in which that is fair."""
        base = self.baseline
        if base is None or base.key == run.key:
            return "", None
        same = run.tokens is not None and run.tokens == base.tokens
        a, b = (run.held_out, base.held_out) if same else (run.bits_per_byte, base.bits_per_byte)
        if a is None or b is None:
            return "–", None
        unit = "" if same else " bits"
        return f"{a - b:+.3f}{unit}".replace("-", "−"), a - b

    @Slot(QTableWidgetItem)
    def _changed(self, item: QTableWidgetItem) -> None:
        if item.column() != NAME:
            return
        run = next((r for r in self.runs if r.key == item.data(KEY)), None)
        if run is not None and item.text() != run.summary.name:
            self.renamed.emit(run.key, item.text())
        else:
            self._colour()
            self.ticked.emit()

    def _names(self) -> list[QTableWidgetItem]:
        items = [self.item(row, NAME) for row in range(self.rowCount())]
        return [item for item in items if item is not None]

    # ----------------------------------------------------------------------------------- look
    def _colour(self) -> None:
        """Give each drawn run a sample of its colour."""
        dark, unit = theme.current().colours.dark, em(self.font())
        blocker = QSignalBlocker(self)
        for item in self._names():
            pixmap = QPixmap(QSize(round(unit * 0.8), round(unit * 0.8)))
            colour = QColor(arm_look(self._looks[item.data(KEY)]).colour)
            colour = mixed(colour, QColor("white"), 0.35) if dark else colour
            # The rim is seen where the row is chosen, on the selection's own blue.
            pixmap.fill(Qt.GlobalColor.white if _is_ticked(item) else Qt.GlobalColor.transparent)
            if _is_ticked(item):
                rim = max(1, round(unit / 12))
                painter = QPainter(pixmap)
                painter.fillRect(pixmap.rect().adjusted(rim, rim, -rim, -rim), colour)
                painter.end()
            item.setIcon(QIcon(pixmap))
        blocker.unblock()
        self.viewport().update()

    @Slot()
    def _dress(self) -> None:
        look = theme.current()
        self.setFont(look.font("body"))
        self.verticalHeader().setDefaultSectionSize(round(em(look.font("body")) * 1.7))
        if self.runs:
            self._colour()
        self._measure()

    def _measure(self) -> None:
        """Take the width of each column anew, and fit them in."""
        head = self.horizontalHeader()
        for index in range(len(COLUMNS)):
            self.setColumnHidden(index, False)  # a hidden column says that it needs nothing
        self._widths = [
            max(self.sizeHintForColumn(index), head.sectionSizeHint(index)) + 1
            for index in range(len(COLUMNS))
        ]
        self._widths[NAME] = min(self._widths[NAME], round(em(self.font()) * NAME_EMS))
        self._fit()

    def _fit(self) -> None:
        """Leave out what there is no room for, so that nothing is cut off; the names have what is
        left."""
        room = self.viewport().width()
        left = list(COLUMNS)
        for title in LEAVING:
            if sum(self._widths[list(COLUMNS).index(t)] for t in left) <= room:
                break
            left.remove(title)
        shown, before = [list(COLUMNS).index(title) for title in left], self._shown
        for index in range(len(COLUMNS)):
            self.setColumnHidden(index, index not in shown)
            if index != NAME:
                self.setColumnWidth(index, self._widths[index])
        others = sum(self._widths[index] for index in shown if index != NAME)
        self.setColumnWidth(NAME, max(self._widths[NAME], room - others))
        self._shown = shown
        self.updateGeometry()  # even the last columns may need a bar below them, and that a place
        if shown != before:
            self.chosen.emit()  # what is told of the selected run, besides, is something else

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()  # before Qt looks whether the columns need a bar
        super().resizeEvent(event)

    def minimumSizeHint(self) -> QSize:
        unit = em(self.font())
        rows = self.rowCount() if self.all_rows else min(self.rowCount(), FEW_ROWS)
        height = self.horizontalHeader().sizeHint().height() + 2 * self.frameWidth()
        bar = self.horizontalScrollBar()
        if bar.maximum() > 0:
            height += bar.sizeHint().height()
        return QSize(round(unit * 16), height + max(1, rows) * self._row_height)

    @property
    def _row_height(self) -> int:
        return self.verticalHeader().defaultSectionSize()

    def sizeHint(self) -> QSize:
        return QSize(round(em(self.font()) * 40), self.minimumSizeHint().height())


def _is_ticked(item: QTableWidgetItem) -> bool:
    return item.checkState() == Qt.CheckState.Checked


def _said(value: float | None, form: str) -> tuple[str, float | None]:
    write: Callable[[float], str] = (form if abs(value or 0.0) < HUGE else "{:.3g}").format
    return ("–", None) if value is None else (write(value), value)
