"""One context, and what each model says comes next."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
)

from engine.models.comparison import common_rows
from gui import theme
from gui.job_handle import Failure
from gui.lab import Lab
from gui.language_models.answers import Answers, ask
from gui.language_models.bar_export import BarExport
from gui.language_models.bars import BarTable, Column
from gui.language_models.column_heads import ColumnHeads
from gui.language_models.context import Context
from gui.language_models.context_box import ContextBox
from gui.language_models.guess import Guess, judged, read_guess
from gui.language_models.model_bar import ModelBar
from gui.language_models.models import ModelSet
from gui.language_models.page import Page
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label
from gui.widgets.token_text import Vocabulary


class NextTokenPage(Page):
    """Bars of all models side by side; a guess first, for who wants to be asked."""

    def __init__(self, lab: Lab, models: ModelSet, context: Context) -> None:
        super().__init__(lab, models, context)
        self._answers: Answers | None = None
        self._sort_by = "transformer"
        self._guess: Guess | None = None
        self._hidden = False
        self._asked = ""

        self.guess_first = QCheckBox("&Guess first")
        self.guess_first.setToolTip(
            "Hide the bars until you have said what you would expect yourself."
        )
        self.caption = QLabel("&What comes next?")
        self.caption.setToolTip(
            "A word or a piece of one. Its token is marked in the bars, with each model's "
            "probability and rank."
        )
        self.field = QLineEdit()
        self.field.setObjectName("guess")
        self.field.setAccessibleName("Your guess of what comes next")
        self.field.setPlaceholderText("a word of yours")
        self.field.setMaxLength(200)
        self.caption.setBuddy(self.field)
        self.reveal = QPushButton("Reveal")
        self.reveal.setToolTip("Show what the models say (Enter).")
        theme.make_primary(self.reveal)
        self.verdict = plain_label(wrap=True)
        self.bars = BarTable()
        self.heads = ColumnHeads(self.bars)
        self.covered = plain_label(
            "The bars are covered. Say what you expect, then press Enter.", wrap=True
        )
        self.covered.setAlignment(Qt.AlignmentFlag.AlignCenter)
        theme.set_text_role(self.covered, "subtitle", "muted")

        self.model_bar = ModelBar(models)
        self.box = ContextBox(context)
        row = FlowRow()
        for widget in (self.caption, self.field, self.reveal, self.guess_first):
            row.add(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 8, 0)
        column.addWidget(self.model_bar)
        column.addWidget(self.box)
        column.addWidget(row)
        column.addWidget(self.verdict)
        column.addWidget(self.heads)
        column.addWidget(self.bars, 1)
        column.addWidget(self.covered, 1)
        hint = plain_label(
            "Click a model's name to sort by it; double-click a token to write it on.", wrap=True
        )
        theme.set_text_role(hint, "caption", "muted")
        foot = QHBoxLayout()
        foot.addWidget(hint, 1)
        self.export_button = BarExport("Next token probabilities", ("", self.bars))
        foot.addWidget(self.export_button)
        column.addLayout(foot)

        self.heads.sort_wished.connect(self._sort)
        self.heads.pointed.connect(self.box.see)
        self.bars.hovered.connect(self._light_up)
        self.bars.room_changed.connect(self._show_rows)
        self.bars.taken.connect(self._take)
        self.field.textEdited.connect(self._guessed)
        self.field.returnPressed.connect(self._reveal)
        self.reveal.clicked.connect(self._reveal)
        self.guess_first.toggled.connect(self._cover)
        self._show_covered()

    @property
    def answers(self) -> Answers | None:
        """What the bars show."""
        return self._answers

    @property
    def guess(self) -> Guess | None:
        """The token of interest."""
        return self._guess

    # --------------------------------------------------------------------------------- computing
    def compute(self) -> None:
        if self.guess_first.isChecked() and self.context.text != self._asked:
            self._hidden = True
            self._show_covered()
        self._asked = self.context.text
        if self.models.table.tokenizer is None:
            self._say("The text is being prepared …")
            return
        self.ask(
            "next token",
            ask,
            self.models.table,
            self.context.text,
            () if self._hidden else self._preference(),
            with_job=True,
            on_result=self._show,
            on_error=self._failed,
            title="Asking the models",
        )

    @Slot(object)
    def _show(self, answers: Answers) -> None:
        if answers.table is not self.models.table:
            return  # a newer question is on its way, or will be asked when this is shown
        self._answers = answers
        self.box.show_cut(answers.cut, answers.table)
        self.box.suggest("" if self._hidden else answers.suggestion, answers.suggested_by)
        self._judge()
        self._show_rows()

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._answers = None
        self._say(failure.sentence)

    # ----------------------------------------------------------------------------------- showing
    @Slot()
    def _show_rows(self) -> None:
        answers = self._answers
        if answers is None or answers.table.tokenizer is None:
            return
        columns = [
            Column(a.seat.kind, a.seat.title, a.seat.name, a.next, a.undefined)
            for a in answers.answers
        ]
        sort_by = self._leader(answers)
        also = () if self._guess is None or self._hidden else (self._guess.token,)
        index = next((i for i, c in enumerate(columns) if c.kind == sort_by), 0)
        rows = common_rows([c.next for c in columns], index, self.bars.room(), also)
        self.heads.show_columns(columns, sort_by)
        self.bars.show_rows(rows, columns, Vocabulary.of(answers.table.tokenizer.tokenizer))
        self.bars.mark(-1 if self._guess is None else self._guess.token)
        self.heads.place()

    def _leader(self, answers: Answers) -> str:
        """Whose order the rows have: the model chosen, or another where it says nothing."""
        said = {a.seat.kind for a in answers.answers if a.next.defined}
        return next((kind for kind in self._preference() if kind in said), self._sort_by)

    def _preference(self) -> tuple[str, ...]:
        """Whose order the rows have, and who suggests: the first of these that says anything."""
        return (self._sort_by, "transformer", "ngram", "truth")

    @Slot(str)
    def _sort(self, kind: str) -> None:
        self._sort_by = kind
        self._show_rows()
        self.refresh()  # it suggests now, too

    @Slot(int)
    def _light_up(self, token: int) -> None:
        """The token under the mouse, wherever else it stands."""
        if token >= 0:
            self.box.strip.highlight_id(token)
        else:
            self.box.strip.clear_highlight()

    @Slot(int)
    def _take(self, token: int) -> None:
        """Write a token on, where it is text."""
        tokenizer = self._answers.table.tokenizer if self._answers else None
        if tokenizer is None or token >= tokenizer.tokenizer.vocab_size:
            self._say("End of text ends the document: nothing is written behind it.")
            return
        try:
            text = tokenizer.tokenizer.token_bytes(token).decode("utf-8")
        except UnicodeDecodeError:
            self._say("This token is a part of a character, which a text field cannot hold.")
            return
        self._guess = None
        self.field.clear()
        self.context.append(text)

    # ---------------------------------------------------------------------------------- guessing
    @Slot(str)
    def _guessed(self, text: str) -> None:
        if not self._hidden:
            self._judge()
            self._show_rows()

    def _judge(self) -> None:
        """Find the token that the guess stands for, and what the models give it."""
        answers, text = self._answers, self.field.text()
        self._guess = None
        if answers is not None and text:
            self._guess = read_guess(answers, text)
        if self._hidden:
            return
        self._say("" if self._guess is None else judged(answers, self._guess))

    @Slot()
    def _reveal(self) -> None:
        self._hidden = False
        self._judge()
        self._show_rows()
        self._show_covered()

    @Slot(bool)
    def _cover(self, first: bool) -> None:
        self._hidden = first
        if first:
            self.field.clear()
            self._guess = None
            self.field.setFocus()
        self._judge()
        self._show_rows()
        self._show_covered()

    def _say(self, words: str) -> None:
        self.verdict.setText(words)
        self.verdict.setVisible(bool(words))

    def _show_covered(self) -> None:
        self.bars.setVisible(not self._hidden)
        self.heads.setVisible(not self._hidden)
        self.export_button.setEnabled(not self._hidden)
        self.covered.setVisible(self._hidden)
        self.reveal.setVisible(self._hidden)
        if self._hidden:
            self._say("")
            self.box.suggest("", "")
