"""Each model writes on from the context, side by side."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from engine.generation import GeneratedToken
from gui import theme
from gui.job_handle import Failure, JobHandle
from gui.lab import Lab
from gui.language_models.answers import Cut, cut_for
from gui.language_models.context import Context
from gui.language_models.context_box import ContextBox
from gui.language_models.model_bar import ModelBar, Swatch
from gui.language_models.models import ModelSet, Seat, Table
from gui.language_models.page import Page
from gui.language_models.rules_bar import RulesBar, labelled
from gui.language_models.writing import Text, as_text, write
from gui.settings import LARGEST_SEED
from gui.widgets.chip_text import TokenInfo
from gui.widgets.safe_text import plain_label
from gui.widgets.token_strip import TokenStrip
from gui.widgets.token_text import Vocabulary


class Panel(QWidget):
    """What one model wrote, as text or as chips."""

    def __init__(self, kind: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tokens: tuple[GeneratedToken, ...] = ()
        self.title = plain_label()
        theme.set_text_role(self.title, "strong")
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.strip = TokenStrip(name="Tokens written")
        self.strip.set_details(self._details)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.text)
        self._stack.addWidget(self.strip)
        self.ended = plain_label(wrap=True)
        theme.set_text_role(self.ended, "caption", "muted")
        head = QHBoxLayout()
        head.addWidget(Swatch(kind))
        head.addWidget(self.title)
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(head)
        column.addWidget(self._stack, 1)
        column.addWidget(self.ended)

    def show_seat(self, seat: Seat) -> None:
        """Whose panel it is."""
        self.title.setText(seat.title)
        self.title.setToolTip(seat.name)
        self.text.setAccessibleName(f"Written by {seat.title}")
        self.text.setPlaceholderText(
            f"What the {seat.title} writes on will stand here. Press Generate."
        )

    def show_tokens(self, chips: bool) -> None:
        """As chips, or as text."""
        self._stack.setCurrentIndex(int(chips))

    def show_text(self, text: Text | None, table: Table | None) -> None:
        """Show what was written so far; None for nothing."""
        if text is None or table is None or table.tokenizer is None:
            self._tokens = ()
            self.text.setPlainText("")
            self.strip.set_tokens([], Vocabulary(lambda i: b""))
            self.ended.setText("")
            return
        tokenizer = table.tokenizer.tokenizer
        self._tokens = text.tokens
        ids = text.ids
        self.text.setPlainText(as_text(ids, tokenizer, bool(text.ended)))
        self.text.moveCursor(self.text.textCursor().MoveOperation.End)
        if text.closing is not None:
            ids, self._tokens = [*ids, text.closing.id], (*self._tokens, text.closing)
        self.strip.set_tokens(ids, Vocabulary.of(tokenizer))
        bar = self.strip.verticalScrollBar()
        bar.setValue(bar.maximum())
        self.ended.setText(text.ended)

    def _details(self, index: int) -> TokenInfo | None:
        if not 0 <= index < len(self._tokens):
            return None
        token = self._tokens[index]
        return TokenInfo(
            probability=token.model_probability,
            rank=token.rank,
            lines=(
                f"drawn with {token.probability:.3g} among {token.n_kept:,} tokens "
                f"(u = {token.u:.4f})",
            ),
        )


class GeneratePage(Page):
    """Sampling rules, a seed, and a panel for each model."""

    def __init__(self, lab: Lab, models: ModelSet, context: Context) -> None:
        super().__init__(lab, models, context)
        self._job: JobHandle | None = None
        self._table: Table | None = None
        self._panels: dict[str, Panel] = {}
        self.rules = RulesBar()
        self.length = QSpinBox()
        self.length.setObjectName("length")
        self.length.setRange(1, 2_000)
        self.length.setValue(100)
        self.rules.row.add(
            labelled("&Length", self.length, "So many tokens are written at the most.")
        )
        self.seed = QSpinBox()
        self.seed.setObjectName("generation_seed")
        self.seed.setRange(0, LARGEST_SEED)
        self.seed.setValue(lab.seed)
        self.seed.setKeyboardTracking(False)
        self.rules.row.add(
            labelled(
                "See&d",
                self.seed,
                "The dice. The same seed and rules give the same texts again; every model "
                "throws dice of its own from this seed.",
            )
        )
        self.start = QPushButton("&Generate")
        self.start.setToolTip("Let every model write on from the text above (Ctrl+Return).")
        self.start.setShortcut("Ctrl+Return")
        theme.make_primary(self.start)
        self.stop = QPushButton("St&op")
        self.stop.setToolTip("Stop writing; what is written stays.")
        self.again = QPushButton("&Next seed")
        self.again.setToolTip("Throw other dice.")
        self.as_tokens = QCheckBox("Sho&w tokens")
        self.as_tokens.setToolTip(
            "As chips: hover over one for its probability, its rank and how it was drawn."
        )
        for widget in (self.start, self.stop, self.again, self.as_tokens):
            self.rules.row.add(widget)
        self.said = plain_label(wrap=True)
        theme.set_text_role(self.said, "body", "muted")
        self._row = QHBoxLayout()
        self.model_bar = ModelBar(models)
        self.box = ContextBox(context)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 8, 0)
        column.addWidget(self.model_bar)
        column.addWidget(self.box)
        column.addWidget(self.rules)
        column.addWidget(self.said)
        column.addLayout(self._row, 1)
        self.start.clicked.connect(self.generate)
        self.stop.clicked.connect(self._stop)
        self.again.clicked.connect(self._next_seed)
        self.as_tokens.toggled.connect(self._show_tokens)
        lab.seed_changed.connect(self._seed_changed)
        self._show_running()

    @property
    def panels(self) -> dict[str, Panel]:
        """The panel of each kind of model."""
        return dict(self._panels)

    # --------------------------------------------------------------------------------- computing
    def compute(self) -> None:
        """The table or the context changed: say whose texts these are, and show the tokens."""
        table = self.models.table
        if table.tokenizer is None:
            self.said.setText("The text is being prepared …")
            return
        if self._job is None:
            same = self._table is not None and [s.model for s in self._table.present] == [
                s.model for s in table.present
            ]
            if not same:
                self._clear(table)
        self.ask(
            "cut",
            _with_table,
            table,
            self.context.text,
            on_result=self._show_cut,
            title="Cutting the text",
        )

    @Slot(object)
    def _show_cut(self, result: tuple[Cut, Table]) -> None:
        if result[1] is self.models.table:
            self.box.show_cut(*result)

    def _clear(self, table: Table) -> None:
        self._table = table
        self._set_panels(table)
        for panel in self._panels.values():
            panel.show_text(None, None)
        if not table.present:
            self.said.setText("No model is ready yet.")
        else:
            self.said.setText("Press Generate: every model writes on from the text above.")

    @Slot()
    def generate(self) -> None:
        """Start writing anew."""
        table = self.models.table
        if self._job is not None:
            self._job.discard()
        self._clear(table)
        if not table.present:
            return
        self.said.setText("")
        self._job = self.lab.compute.submit(
            write,
            table,
            self.context.text,
            self.rules.rules,
            self.seed.value(),
            self.length.value(),
            title="Generating text",
            unit="tokens",
            urgent=True,
            on_snapshot=self._show,
            on_result=self._finished,
            on_error=self._failed,
            on_cancelled=self._cancelled,
        )
        self._show_running()

    @Slot()
    def _stop(self) -> None:
        if self._job is not None:
            self._job.stop()

    # ----------------------------------------------------------------------------------- showing
    @Slot(object)
    def _show(self, texts: tuple[Text, ...]) -> None:
        for text in texts:
            panel = self._panels.get(text.seat.kind)
            if panel is not None:
                panel.show_text(text, self._table)

    @Slot(object)
    def _finished(self, texts: tuple[Text, ...]) -> None:
        self._job = None
        self._show(texts)
        self._show_running()
        self._catch_up()

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._job = None
        self.said.setText(failure.sentence)
        self._show_running()

    @Slot(object)
    def _cancelled(self, _: JobHandle) -> None:
        self._job = None
        self.said.setText("Stopped.")
        self._show_running()
        self._catch_up()

    def _catch_up(self) -> None:
        """The table changed while the models of the old one were writing."""
        if self._table is not None and self._table is not self.models.table:
            table = self.models.table
            if [s.model for s in self._table.present] != [s.model for s in table.present]:
                self.said.setText(
                    "These texts come from the models as they were; press Generate for the "
                    "present ones."
                )

    def _show_running(self) -> None:
        self.stop.setEnabled(self._job is not None)

    def _set_panels(self, table: Table) -> None:
        kinds = [seat.kind for seat in table.present]
        for kind in [kind for kind in self._panels if kind not in kinds]:
            panel = self._panels.pop(kind)
            self._row.removeWidget(panel)
            panel.hide()
            panel.deleteLater()
        for place, seat in enumerate(table.present):
            if seat.kind not in self._panels:
                self._panels[seat.kind] = Panel(seat.kind)
                self._row.insertWidget(place, self._panels[seat.kind], 1)
            self._panels[seat.kind].show_seat(seat)
            self._panels[seat.kind].show_tokens(self.as_tokens.isChecked())

    @Slot(bool)
    def _show_tokens(self, chips: bool) -> None:
        for panel in self._panels.values():
            panel.show_tokens(chips)

    @Slot()
    def _next_seed(self) -> None:
        self.seed.setValue((self.seed.value() + 1) % (LARGEST_SEED + 1))
        self.generate()

    @Slot(int)
    def _seed_changed(self, seed: int) -> None:
        with QSignalBlocker(self.seed):
            self.seed.setValue(seed)


def _with_table(table: Table, text: str) -> tuple[Cut, Table]:
    return cut_for(table, text), table
