"""Other factorizations: left to right, reversed, and with hidden states, on the same text."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout

from engine.models import NGramModel
from engine.tokenizers.base import without_surrogates
from gui import theme
from gui.job_handle import Failure, JobHandle
from gui.lab import Lab
from gui.language_models.context import Context
from gui.language_models.diffusion_view import DiffusionView
from gui.language_models.direction_view import DirectionView
from gui.language_models.factors_run import (
    BACKWARDS,
    LONGEST,
    Factored,
    Neighbours,
    ReversedNGram,
    count_backwards,
    factor,
    in_words,
    more_probable,
    neighbours,
    settings_of,
)
from gui.language_models.model_bar import ModelBar
from gui.language_models.models import ModelSet
from gui.language_models.page import Page
from gui.language_models.preset_row import PresetRow
from gui.language_models.presets import TUTORIAL
from gui.language_models.small_table_view import SmallTableView
from gui.language_models.states_view import StatesView
from gui.language_models.totals_table import ROWS, total
from gui.widgets.flow_layout import FlowRow
from gui.widgets.page_switch import PageSpec, PageSwitch
from gui.widgets.prediction_card import PredictionCard, Question
from gui.widgets.safe_text import plain_label
from gui.widgets.titled_table import TitledTable

QUESTION = (
    "The same n-gram, counted on the text read backwards, takes p(x) apart from the end. Which of "
    "the two gives this text the higher probability?"
)
CHOICES = ("left to right", "right to left", "neither: it is the same")


class FactorsPage(Page):
    """The totals of one text under every factorization, and a closer look at each."""

    uses_context = False

    def __init__(self, lab: Lab, models: ModelSet, context: Context) -> None:
        super().__init__(lab, models, context)
        self._made: Factored | None = None
        self._backwards: ReversedNGram | None = None
        self._counting: JobHandle | None = None
        self.model_bar = ModelBar(models)
        caption = QLabel("Tex&t")
        theme.set_text_role(caption, "strong")
        self.field = QLineEdit(TUTORIAL[0])
        self.field.setObjectName("factored_text")
        self.field.setAccessibleName("Text")
        self.field.setPlaceholderText("Any text of yours; it begins and ends here")
        self.field.setMaxLength(20_000)
        caption.setBuddy(self.field)
        self.preset_row = PresetRow(lab)
        row = FlowRow()
        row.add(caption)
        row.add(self.preset_row)
        self.card = PredictionCard()
        self._asked: object = None
        self.totals = TitledTable(
            "p(x), taken apart in several ways", "The text under each factorization"
        )
        self.said = plain_label(wrap=True)
        theme.set_text_role(self.said, "body", "muted")
        self.direction = DirectionView(self)
        self.states = StatesView(self)
        self.small = SmallTableView(self)
        for view in (self.direction, self.states, self.small):
            view.hide()  # until its page is shown; it would lie on what stands at the top
        self.looks = PageSwitch(
            "Closer looks",
            [
                PageSpec(
                    "directions",
                    "Two directions",
                    "Every token given what is before it, and given what is behind it.",
                    self._directions,
                ),
                PageSpec(
                    "states",
                    "Hidden states",
                    "What each state of the HMM emits, and which one wrote which token.",
                    self._states,
                ),
                PageSpec(
                    "small",
                    "On a small table",
                    "A tiny text counted both ways, in exact fractions.",
                    self._small,
                ),
                PageSpec(
                    "diffusion",
                    "Diffusion models",
                    "A note on where they stand.",
                    DiffusionView,
                ),
            ],
            keys=False,
            scrolls=False,  # the page does
        )
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 8, 0)
        self._upper = (self.model_bar, row, self.field, self.totals)
        for part in (self.model_bar, row, self.field, self.card, self.totals, self.said):
            page.addWidget(part)
        page.addWidget(self.looks, 1)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(120)
        self._typing.timeout.connect(self.refresh)
        self.field.textChanged.connect(self._typed)
        self.direction.place_wished.connect(self._look_at)
        self.looks.shown.connect(self._looked)
        self.card.answered.connect(self._answered)
        self.states.fit_wished.connect(self.model_bar.fit.click)
        self.preset_row.chosen.connect(self.field.setText)

    def _directions(self) -> DirectionView:
        return self.direction

    def _states(self) -> StatesView:
        return self.states

    def _small(self) -> SmallTableView:
        return self.small

    @property
    def factored(self) -> Factored | None:
        """What the page shows."""
        return self._made

    # --------------------------------------------------------------------------------- computing
    @Slot()
    def _typed(self) -> None:
        self._typing.start()

    def compute(self) -> None:
        self._typing.stop()
        streams, seat = self.lab.streams, self.models.table.seat("ngram")
        if streams is None or seat is None or not isinstance(seat.model, NGramModel):
            self._say(seat.missing if seat is not None else "The text is being prepared …")
            return
        known = self._backwards
        settings = settings_of(seat.model)
        if known is None or known.streams is not streams or known.settings != settings:
            self._count()
            return
        self.ask(
            "factors",
            factor,
            self.models.table,
            known,
            without_surrogates(self.field.text()),
            with_job=True,
            on_result=self._show,
            on_error=self._failed,
            title="Scoring the text",
        )

    def _count(self) -> None:
        if self._counting is not None:
            self._counting.discard()
        self._counting = self.lab.compute.submit(
            count_backwards,
            self.models.table,
            self.lab.streams,
            title="Counting the text backwards",
            unit="orders",
            urgent=True,
            on_result=self._counted,
            on_error=self._failed,
            on_cancelled=self._stopped,
        )
        self._say("The text is being counted backwards …")

    @Slot(object)
    def _counted(self, backwards: ReversedNGram) -> None:
        self._counting = None
        self._backwards = backwards
        self.refresh()

    @Slot(object)
    def _stopped(self, _: JobHandle) -> None:
        self._counting = None
        self._say("Counting the text backwards was stopped. Change the text or n to go on.")

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._counting = None
        self._say(failure.sentence)

    @Slot(object)
    def _show(self, made: Factored) -> None:
        if made.table is not self.models.table:
            return
        self._made = made
        self._ask_first(made)
        self._show_totals()
        self._say_all()
        self.direction.show_factored(made)
        self.states.show_factored(made)
        self._look_at(self.direction.place)

    def _ask_first(self, made: Factored) -> None:
        """Once for each n-gram and way of smoothing, ask which direction will find the text more
        probable."""
        right, settings = more_probable(made), made.backwards.settings
        if right is None:
            self.card.hide()
        elif settings != self._asked or self.card.open:
            self._asked = settings
            self.card.pose(Question(QUESTION, CHOICES, right, in_words(made)))
            self.card.setVisible(self._about_the_text)

    @Slot()
    def _answered(self) -> None:
        self._show_totals()
        self._say_all()

    @property
    def _covered(self) -> bool:
        """Whether the reversed total is still being asked for."""
        return not self.card.isHidden() and self.card.open

    def _show_totals(self) -> None:
        made = self._made
        if made is None:
            return
        covered = self._covered
        scored = [entry for entry in made.totals if entry.score is not None]
        rows = [("how", "How p(x) is taken apart.", [entry.direction for entry in scored])]
        for number, (title, tip) in enumerate(ROWS):
            cells = [
                "?" if covered and entry.direction == BACKWARDS else total(entry.score, number)
                for entry in scored
                if entry.score is not None
            ]
            rows.append((title, tip, cells))
        self.totals.fill([entry.title for entry in scored], rows)

    def _say_all(self) -> None:
        made = self._made
        if made is None:
            return
        failures = [entry.failure for entry in made.totals if entry.failure]
        told = in_words(made)
        if self._covered or (self.card.isVisibleTo(self) and told in self.card.verdict.text()):
            told = ""  # not yet, or not twice
        words = [told, *failures]
        if made.too_long:
            words.append(f"Only the first {LONGEST} tokens are read here.")
        self._say(" ".join(word for word in words if word))

    @Slot(int)
    def _look_at(self, place: int) -> None:
        if self._made is not None:
            self.ask(
                "neighbours",
                neighbours,
                self._made,
                place,
                with_job=True,
                on_result=self._show_neighbours,
                title="Asking both directions",
            )

    @Slot(object)
    def _show_neighbours(self, found: Neighbours) -> None:
        if found.made is self._made:
            self.direction.show_neighbours(found)

    def _say(self, words: str) -> None:
        self.said.setText(words)
        self.said.setVisible(bool(words) and self._about_the_text)

    @property
    def _about_the_text(self) -> bool:
        return self.looks.current_key in ("directions", "states")

    @Slot(str)
    def _looked(self, _: str) -> None:
        """Leave the room to a look that has a text of its own, or none."""
        for part in self._upper:
            part.setVisible(self._about_the_text)
        self.card.setVisible(self._about_the_text and self.card.state != "idle")
        self._say(self.said.text())
