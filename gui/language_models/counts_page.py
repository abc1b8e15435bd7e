"""Counting laid open: what followed a context, where, and what smoothing makes of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QSpinBox,
    QSplitter,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.job_handle import Failure
from gui.lab import Lab
from gui.language_models.context import Context
from gui.language_models.context_box import ContextBox
from gui.language_models.counted import MOST_FOLLOWERS, MOST_PLACES, Counted, look_up
from gui.language_models.model_bar import ModelBar
from gui.language_models.models import HIGHEST_ORDER, ModelSet
from gui.language_models.page import Page
from gui.language_models.rules_bar import labelled
from gui.widgets.numbers import format_probability
from gui.widgets.safe_text import plain_label, plain_tooltip
from gui.widgets.table_export import EXACT, TableExport
from gui.widgets.titled_table import TitledTable
from gui.widgets.token_text import Vocabulary, isolate

RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class CountsPage(Page):
    """The count table of a context, the places it comes from, and each order's share."""

    def __init__(self, lab: Lab, models: ModelSet, context: Context) -> None:
        super().__init__(lab, models, context)
        self._counted: Counted | None = None
        self._asked: int | None = None
        self.model_bar = ModelBar(models)
        self.box = ContextBox(context)
        self.looked_at = QSpinBox()
        self.looked_at.setObjectName("looked_at")
        self.looked_at.setRange(0, HIGHEST_ORDER - 1)
        self.looked_at.setValue(HIGHEST_ORDER - 1)
        self.said = plain_label(wrap=True)
        self.followers = _reading_table("What followed, and how often")
        self.followers.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.followers.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        self.asked = plain_label(wrap=True)
        theme.set_text_role(self.asked, "strong")
        self.export_button = TableExport(self.followers, "Counts")
        self.shares = TitledTable("What it is made of", "What each order adds to the probability")
        self.shares_said = plain_label(wrap=True)
        theme.set_text_role(self.shares_said, "caption", "muted")
        self.places = _reading_table("Where it stands in the text")
        self.places.horizontalHeader().hide()
        self.places.setItemDelegateForColumn(0, _EndKept(self.places))
        self.places_said = plain_label(wrap=True)
        theme.set_text_role(self.places_said, "caption", "muted")
        left, right = QWidget(), QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        head = QHBoxLayout()
        head.addWidget(self.said, 1)
        head.addWidget(self.export_button)
        column.addLayout(head)
        column.addWidget(self.followers, 1)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.asked)
        column.addWidget(self.shares)
        column.addWidget(self.shares_said)
        title = QLabel("Where it stands in the training text")
        theme.set_text_role(title, "strong")
        column.addWidget(title)
        column.addWidget(self.places, 1)
        column.addWidget(self.places_said)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("counts_splitter")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(left)
        self.splitter.addWidget(right)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 8, 0)
        page.addWidget(self.model_bar)
        page.addWidget(self.box)
        page.addWidget(
            labelled(
                "Tokens &looked at",
                self.looked_at,
                "How many of the last tokens are looked up: n − 1 at most, for an n-gram.",
            ),
            0,
            Qt.AlignmentFlag.AlignLeft,
        )
        page.addWidget(self.splitter, 1)
        self.looked_at.valueChanged.connect(self._forget)
        context.changed.connect(self._forget_token)
        self.followers.currentCellChanged.connect(self._chosen)

    @property
    def counted(self) -> Counted | None:
        """What the page shows."""
        return self._counted

    # --------------------------------------------------------------------------------- computing
    def compute(self) -> None:
        seat = self.models.table.seat("ngram")
        if seat is None or seat.model is None:
            self.said.setText(seat.missing if seat else "The n-grams are being counted …")
            return
        self.ask(
            "counts",
            look_up,
            self.models.table,
            self.context.text,
            self.looked_at.value(),
            self._asked,
            with_job=True,
            on_result=self._show,
            on_error=self._failed,
            title="Looking up counts",
        )

    @Slot()
    def _forget_token(self) -> None:
        self._asked = None

    @Slot()
    def _forget(self) -> None:
        self._asked = None
        self.refresh()

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self.said.setText(failure.sentence)

    # ----------------------------------------------------------------------------------- showing
    @Slot(object)
    def _show(self, counted: Counted) -> None:
        if counted.table is not self.models.table or counted.table.tokenizer is None:
            return
        self._counted = counted
        tokenizer = counted.table.tokenizer.tokenizer
        names = Vocabulary.of(tokenizer)
        before = Vocabulary(
            tokenizer.token_bytes,
            unknown_ids=names.unknown_ids,
            names={tokenizer.vocab_size: "begin of text"},
        )
        self.box.show_cut(counted.cut, counted.table)
        n = self.box.strip.count()
        self.box.strip.highlight(range(n - len(counted.history), n))
        with QSignalBlocker(self.looked_at):
            self.looked_at.setMaximum(counted.model.order - 1)
        quote = isolate("".join(before.text(i) for i in counted.history))
        where = f"“{quote}”" if counted.history else "any context (no token is looked at)"
        if counted.times:
            said = (
                f"After {where}, seen {counted.times:,} times in training, "
                f"{counted.distinct:,} different tokens followed."
            )
            if counted.distinct > MOST_FOLLOWERS:
                said += f" The {MOST_FOLLOWERS} most frequent:"
        else:
            said = (
                f"{where} was never seen in training: there is nothing to count. Look at fewer "
                "tokens, or see on the right what smoothing falls back on."
            )
        self.said.setText(said)
        self._show_followers(counted, names)
        self._show_asked(counted, names, before)
        self._show_places(counted, names)

    def _show_followers(self, counted: Counted, names: Vocabulary) -> None:
        rows = [
            (
                isolate(names.text(f.token, 40)),
                f"{f.count:,}",
                format_probability(f.count / counted.times),
                format_probability(f.probability),
            )
            for f in counted.followers
        ]
        titles = ("token", "times", "times ÷ all", counted.model.name.partition(", ")[2])
        with QSignalBlocker(self.followers):
            _fill(self.followers, titles, rows, (LEFT, RIGHT, RIGHT, RIGHT))
            tokens = [f.token for f in counted.followers]
            for row, f in enumerate(counted.followers):
                numbers = (f.count, f.count / counted.times, f.probability)
                for column, number in enumerate(numbers, 1):
                    item = self.followers.item(row, column)
                    assert item is not None
                    item.setData(EXACT, number)
            if counted.asked in tokens:
                self.followers.selectRow(tokens.index(counted.asked))

    def _show_asked(self, counted: Counted, names: Vocabulary, before: Vocabulary) -> None:
        if counted.asked is None:
            self.asked.setText("Choose a token, to see what its probability is made of.")
            self.shares.fill([], [])
            self.shares_said.setText("")
            return
        name = isolate(names.text(counted.asked, 40))
        self.asked.setText(
            f"“{name}” has probability {format_probability(counted.asked_probability)} "
            f"({counted.model.name})"
        )
        rows = []
        history = counted.model.history(counted.cut.ids)
        for share in counted.shares:
            context = history[len(history) + 1 - share.order :] if share.order else ()
            quote = isolate("".join(before.text(i) for i in context[-6:]))
            title = f"after “{quote}”" if share.order > 1 else "any context"
            if share.order == 0:
                title = "all tokens alike"
            cells = [share.weight, share.own, share.contribution]
            rows.append(
                (
                    title,
                    f"Order {share.order}. Mass that reaches this order × the share it keeps for "
                    "the token.",
                    [format_probability(value) for value in cells],
                )
            )
        self.shares.fill(["mass left", "share kept", "adds"], rows)
        self.shares_said.setText(_SAID[counted.model.smoothing])

    def _show_places(self, counted: Counted, names: Vocabulary) -> None:
        rows = [
            (
                _readable(p.before, names),
                _readable(p.hit, names),
                _readable(p.behind, names),
            )
            for p in counted.places
        ]
        _fill(self.places, ("before", "found", "behind"), rows, (RIGHT, LEFT, LEFT))
        header = self.places.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        shown, times = len(rows), counted.asked_count
        if times > shown:
            self.places_said.setText(f"The first {MOST_PLACES} of {times:,} places.")
        else:
            self.places_said.setText("" if times else "Nowhere.")

    @Slot(int, int, int, int)
    def _chosen(self, row: int, *_: int) -> None:
        counted = self._counted
        if counted is not None and 0 <= row < len(counted.followers):
            token = counted.followers[row].token
            if token != counted.asked:
                self._asked = token
                self.refresh()


_SAID = {
    "kneser_ney": "Kneser–Ney takes a discount from every count; the mass that this frees goes on "
    "to the context one token shorter, and so on down. The last column adds up to the "
    "probability.",
    "add_k": "Add k mixes the counts with equal shares for all tokens. The last column adds up to "
    "the probability.",
    "maximum_likelihood": "Maximum likelihood has the counts of the full context and nothing else.",
}


class _EndKept(QStyledItemDelegate):
    """Cuts text off in front: what stands right before the place is what matters."""

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideLeft


def _readable(ids: Sequence[int], names: Vocabulary) -> str:
    """A stretch of text in one line, spaces as they are."""
    return isolate("".join(names.text(i) for i in ids).replace("␣", " "))


def _reading_table(name: str) -> QTableWidget:
    table = QTableWidget()
    table.setAccessibleName(name)
    table.setToolTip(plain_tooltip(name))
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setTabKeyNavigation(False)
    table.setWordWrap(False)
    table.verticalHeader().hide()
    table.horizontalHeader().setHighlightSections(False)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    table.setMinimumHeight(theme.current().px(140))
    return table


def _fill(
    table: QTableWidget,
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    alignments: Sequence[int],
) -> None:
    table.clear()
    table.setColumnCount(len(titles))
    table.setHorizontalHeaderLabels(list(titles))
    table.setRowCount(len(rows))
    for number, cells in enumerate(rows):
        for place, text in enumerate(cells):
            item = QTableWidgetItem(text)
            item.setTextAlignment(Qt.AlignmentFlag(alignments[place]))
            table.setItem(number, place, item)
    table.resizeRowsToContents()
