"""The chain rule on a sentence: token by token, under every model."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from engine.jobs import Job
from engine.models.comparison import common_rows
from engine.tokenizers.base import without_surrogates
from gui import theme
from gui.job_handle import Failure
from gui.lab import Lab
from gui.language_models.answers import Answers
from gui.language_models.bar_export import BarExport
from gui.language_models.bars import BarTable, Column
from gui.language_models.column_heads import ColumnHeads
from gui.language_models.context import Context
from gui.language_models.ledger_table import QUANTITIES, RANKS_IN_WORDS, LedgerModel, Quantity
from gui.language_models.model_bar import ModelBar
from gui.language_models.models import ModelSet
from gui.language_models.page import Page
from gui.language_models.preset_row import PresetRow
from gui.language_models.presets import TUTORIAL
from gui.language_models.sentence import LONGEST, Sentence, alternatives, read
from gui.language_models.totals_table import fill_comparison, fill_totals
from gui.widgets.flow_layout import FlowRow
from gui.widgets.page_buttons import PageButton
from gui.widgets.safe_text import plain_label, plain_tooltip
from gui.widgets.table_export import TableExport
from gui.widgets.titled_table import TitledTable
from gui.widgets.token_text import Vocabulary, isolate


class LedgerPage(Page):
    """p(x₁…x_T) = p(x₁) · p(x₂ | x₁) · …, each factor in view."""

    uses_context = False

    def __init__(self, lab: Lab, models: ModelSet, context: Context) -> None:
        super().__init__(lab, models, context)
        self._sentence: Sentence | None = None
        self._place = -1
        self.model_bar = ModelBar(models)
        caption = QLabel("Se&ntence")
        theme.set_text_role(caption, "strong")
        self.field = QLineEdit(TUTORIAL[0])
        self.field.setObjectName("sentence")
        self.field.setAccessibleName("Sentence")
        self.field.setPlaceholderText("Any sentence of yours")
        self.field.setMaxLength(20_000)
        caption.setBuddy(self.field)
        self.closed = QCheckBox("&ends here")
        self.closed.setChecked(True)
        self.closed.setToolTip(
            plain_tooltip(
                "Whether the text ends behind this sentence. If so, end-of-text is its last "
                "token, and the probabilities of all texts together are 1. If not, p(x) is that "
                "of all texts which begin like this."
            )
        )
        self.preset_row = PresetRow(lab)
        self.quantities = QButtonGroup(self)
        self.quantities.setExclusive(True)
        quantity_row = FlowRow()
        for number, (_, title, tip) in enumerate(QUANTITIES):
            button = PageButton(title, tip)
            self.quantities.addButton(button, number)
            quantity_row.add(button)
        self.quantities.button(0).setChecked(True)
        self.rows = LedgerModel(self)
        self.table = QTableView()
        self.table.setModel(self.rows)
        self.table.setAccessibleName("Ledger: a row for each token, a column for each model")
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.table.setTabKeyNavigation(False)
        self.table.setWordWrap(False)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.horizontalHeader().setHighlightSections(False)
        self.export_button = TableExport(self.table, "Sentence ledger")
        self.totals = TitledTable("The whole text", "Totals under each model")
        self.comparison = TitledTable(
            "The same models on other sentences", "Other sentences under each model"
        )
        self.said = plain_label(wrap=True)
        self.legend = plain_label(RANKS_IN_WORDS, wrap=True)
        for label in (self.said, self.legend):
            theme.set_text_role(label, "caption", "muted")
        self.asked = plain_label("Click a token to see what was expected in its place.", wrap=True)
        theme.set_text_role(self.asked, "strong")
        self.bars = BarTable()
        self.bar_export = BarExport("Expected tokens", ("", self.bars))
        self.heads = ColumnHeads(self.bars)
        self._answers: Answers | None = None
        self._sort_by = ""
        self._lay_out(caption, quantity_row)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(120)
        self._typing.timeout.connect(self.refresh)
        self.field.textChanged.connect(self._typed)
        self.closed.toggled.connect(self.refresh)
        self.quantities.idToggled.connect(self._choose_quantity)
        self.table.selectionModel().currentRowChanged.connect(self._row_chosen)
        self.heads.sort_wished.connect(self._sort)
        self.bars.room_changed.connect(self._show_bars)
        self.preset_row.chosen.connect(self._preset)

    def _lay_out(self, caption: QLabel, quantity_row: FlowRow) -> None:
        left, right = QWidget(), QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        quantity_row.add(self.export_button)
        column.addWidget(quantity_row)
        column.addWidget(self.table, 1)
        column.addWidget(self.legend)
        column.addWidget(self.totals)
        self.table.setMinimumHeight(theme.current().px(140))
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.asked)
        column.addWidget(self.heads)
        column.addWidget(self.bars, 1)
        self.bar_export.hide()  # until there are bars
        column.addWidget(self.bar_export, 0, Qt.AlignmentFlag.AlignRight)
        column.addWidget(self.comparison)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("ledger_splitter")
        self.splitter.addWidget(left)
        self.splitter.addWidget(right)
        self.splitter.setChildrenCollapsible(False)
        row = FlowRow()
        row.add(caption)
        row.add(self.preset_row)
        row.add(self.closed)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 8, 0)
        page.addWidget(self.model_bar)
        page.addWidget(row)
        page.addWidget(self.field)
        page.addWidget(self.said)
        page.addWidget(self.splitter, 1)

    @property
    def sentence(self) -> Sentence | None:
        """What the page shows."""
        return self._sentence

    @property
    def answers(self) -> Answers | None:
        """What was expected in the place of the token clicked."""
        return self._answers

    # --------------------------------------------------------------------------------- computing
    @Slot()
    def _typed(self) -> None:
        self._typing.start()

    def compute(self) -> None:
        self._typing.stop()
        if self.models.table.tokenizer is None:
            self._say("The text is being prepared …")
            return
        self.ask(
            "ledger",
            read,
            self.models.table,
            without_surrogates(self.field.text()),
            self.closed.isChecked(),
            TUTORIAL,
            with_job=True,
            on_result=self._show,
            on_error=self._failed,
            title="Scoring the sentence",
        )

    @Slot(object)
    def _show(self, sentence: Sentence) -> None:
        if sentence.table is not self.models.table:
            return
        self._sentence = sentence
        self.rows.set_sentence(sentence)
        fill_totals(self.totals, sentence)
        fill_comparison(self.comparison, sentence)
        words = [e.failure for e in sentence.entries if e.failure]
        if sentence.too_long:
            words.append(f"Only the first {LONGEST:,} tokens are written out.")
        made = sentence.table.tokenizer
        if made is not None and made.tokenizer.unknown_id in sentence.ids:
            words.append(
                "Words that this tokenizer does not know all count as one <unk>, which makes odd "
                "sentences cheap; only bits per byte charge for spelling them."
            )
        self._say(" ".join(words))
        place = min(self._place, len(sentence.ids) - 1)
        if place >= 0:
            self._select(place)
        else:
            self._answers = None
            self.bars.show_rows([], [], Vocabulary(lambda i: b""))
            self.heads.show_columns([], "")

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._say(failure.sentence)

    def _say(self, words: str) -> None:
        self.said.setText(words)
        self.said.setVisible(bool(words))

    @Slot(int, bool)
    def _choose_quantity(self, number: int, checked: bool) -> None:
        if checked:
            quantity: Quantity = QUANTITIES[number][0]
            self.rows.set_quantity(quantity)

    # ------------------------------------------------------------------------------ alternatives
    def _select(self, place: int) -> None:
        flags = (
            QItemSelectionModel.SelectionFlag.ClearAndSelect
            | QItemSelectionModel.SelectionFlag.Rows
        )
        index = self.rows.index(place, 0)
        self.table.selectionModel().setCurrentIndex(index, flags)
        self._look_at(place)

    @Slot(QModelIndex, QModelIndex)
    def _preset(self, text: str, ends: bool) -> None:
        self.closed.setChecked(ends)
        self.field.setText(text)

    @Slot(QModelIndex, QModelIndex)
    def _row_chosen(self, current: QModelIndex, _: QModelIndex) -> None:
        if current.isValid() and current.row() != self._place:
            self._look_at(current.row())

    def _look_at(self, place: int) -> None:
        if self._sentence is None:
            return
        self._place = place
        self.ask(
            "alternatives",
            _with_place,
            self._sentence,
            place,
            with_job=True,
            on_result=self._show_alternatives,
            title="Asking the models",
        )

    @Slot(object)
    def _show_alternatives(self, result: tuple[Answers, int]) -> None:
        if self._sentence is None or result[0].table is not self._sentence.table:
            return
        self._answers, self._place = result
        if self._place < len(self._sentence.ids):
            self._show_bars()

    @Slot()
    def _show_bars(self) -> None:
        answers, sentence = self._answers, self._sentence
        if answers is None or sentence is None or sentence.table.tokenizer is None:
            return
        vocabulary = Vocabulary.of(sentence.table.tokenizer.tokenizer)
        token = sentence.ids[self._place]
        columns = [
            Column(a.seat.kind, a.seat.title, a.seat.name, a.next, a.undefined)
            for a in answers.answers
        ]
        said = [column.kind for column in columns if column.next.defined]
        leader = self._sort_by if self._sort_by in said else (said or [""])[-1]
        index = next((i for i, c in enumerate(columns) if c.kind == leader), 0)
        rows = common_rows([c.next for c in columns], index, self.bars.room(), (token,))
        self.heads.show_columns(columns, leader)
        self.bars.show_rows(rows, columns, vocabulary)
        self.bars.mark(token)
        self.bar_export.show()
        self.heads.place()
        name = isolate(vocabulary.text(token, 40))
        self.asked.setText(f"Token {self._place + 1:,}, “{name}”, and what was expected there")

    @Slot(str)
    def _sort(self, kind: str) -> None:
        self._sort_by = kind
        self._show_bars()


def _with_place(sentence: Sentence, place: int, job: Job) -> tuple[Answers, int]:
    return alternatives(sentence, place, job), place
