"""The experiment: does it matter which number stands for what?

Noise on every number leaves picture and sound as they are and ruins the text; after the tables
are shuffled all three come back exactly, but now the same noise ruins all of them.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QCheckBox, QSlider, QVBoxLayout, QWidget

from gui.theme import set_text_role
from gui.tokenization.numbers.columns import Column, PictureColumn, SoundColumn, TextColumn
from gui.tokenization.numbers.controls import SideBySide, bring_into_view, push_button
from gui.tokenization.numbers.model import MAX_AMPLITUDE, NumbersModel
from gui.widgets.exports import ExportButton, write_csv, write_widget
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import em
from gui.widgets.prediction_card import PredictionCard, Question
from gui.widgets.safe_text import plain_label

USUAL_NOISE = 10
_CHOICES = ("All three", "Picture and sound", "Only the text", "None of them")
QUESTIONS = (
    Question(
        f"Every number is about to move up or down at random, by 1 to {USUAL_NOISE}. "
        "What will you still recognise?",
        _CHOICES,
        1,
        "In a picture and a sound near numbers mean near things: intensity 110 looks much like "
        "100. In a text’s table 110 is “n” and 100 is “d”: neighbours have nothing in common.",
        "Next: shuffle the tables",
    ),
    Question(
        "Now the tables are shuffled: every number stands for something else. Each thing is "
        "written with its shuffled table and read with the same one, without noise. "
        "What comes back exactly?",
        _CHOICES,
        0,
        "Any table will do if the reader has the writer’s. Which number stands for what is "
        "arbitrary.",
        "Next: the same noise again",
    ),
    Question(
        "The shuffled tables stay, and the same noise comes back. What will you still recognise?",
        _CHOICES,
        3,
        "In a shuffled table neighbours are strangers, so a small move leads to anything. A "
        "text’s numbers were like that from the start: they are names, not amounts. Now try "
        "noise and tables for yourself.",
    ),
)


class ExperimentPane(QWidget):
    """Three questions, the two controls they unlock, and the three things before and after."""

    def __init__(self, model: NumbersModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._stage = 0
        self._noise = USUAL_NOISE
        self.card = PredictionCard()
        self.columns: tuple[Column, ...] = (
            PictureColumn(model),
            SoundColumn(model),
            TextColumn(model),
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.card)
        layout.addWidget(self._controls())
        self._things = SideBySide(narrow=50)
        for column in self.columns:
            self._things.add(column)
        layout.addWidget(self._things, 1)
        self.card.answered.connect(self._reveal)
        self.card.onward.connect(self._go_on)
        model.experiment_changed.connect(self._follow)
        self._ask(0)

    def _controls(self) -> QWidget:
        row = FlowRow()
        label = plain_label("&Noise")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, MAX_AMPLITUDE)
        self.slider.setPageStep(5)
        self.slider.setAccessibleName("Noise")
        self.slider.setMinimumWidth(round(em(self.font()) * 10))
        self.slider.valueChanged.connect(self._noise_chosen)
        label.setBuddy(self.slider)
        self.amount = plain_label()
        self.shuffle = QCheckBox("&Shuffled tables")
        self.shuffle.toggled.connect(self._table_chosen)
        self.seed = plain_label()
        set_text_role(self.seed, "body", "muted")
        self.seed.setToolTip(
            "Noise and shuffled tables are drawn from this seed: the same seed, the same numbers. "
            "Change it at the top of the window."
        )
        self.reset = push_button(
            "Reset", "No noise, the ordinary tables, and the first question.", self._reset
        )
        self.export = ExportButton("experiment", row)
        self.export.wanted.connect(self.save)
        for widget in (
            label,
            self.slider,
            self.amount,
            self.shuffle,
            self.reset,
            self.export,
            self.seed,
        ):
            row.add(widget)
        return row

    # -------------------------------------------------------------------------------- the lesson
    def _ask(self, stage: int) -> None:
        self._stage = stage
        self.card.pose(QUESTIONS[stage], f"Predict first · {stage + 1} of {len(QUESTIONS)}")
        self._model.set_experiment(0, shuffled=stage == 2)
        self._follow()

    @Slot(int)
    def _reveal(self, _: int) -> None:
        """Do what the question was about."""
        noise = 0 if self._stage == 1 else self._noise
        self._model.set_experiment(noise, shuffled=self._stage > 0)
        self._follow()
        bring_into_view(self.card.verdict)

    @Slot()
    def _go_on(self) -> None:
        if self._stage == 0 and self._model.amplitude > 0:
            self._noise = self._model.amplitude  # "the same noise" is the one last seen
        self._ask(self._stage + 1)

    @Slot()
    def _reset(self) -> None:
        self._noise = USUAL_NOISE
        self.card.reset_score()
        self._ask(0)

    # ------------------------------------------------------------------------------- the controls
    @Slot(int)
    def _noise_chosen(self, amplitude: int) -> None:
        self._model.set_experiment(amplitude, self._model.shuffled)

    @Slot(bool)
    def _table_chosen(self, shuffled: bool) -> None:
        self._model.set_experiment(self._model.amplitude, shuffled)

    @Slot()
    def _follow(self) -> None:
        """Show the model's state in the controls, and unlock those that were asked about."""
        model, seen = self._model, self._stage + (not self.card.open)
        for control, value in ((self.slider, model.amplitude), (self.shuffle, model.shuffled)):
            control.blockSignals(True)
            if isinstance(control, QSlider):
                control.setValue(value)
            else:
                control.setChecked(bool(value))
            control.blockSignals(False)
        self.slider.setEnabled(not self.card.open)
        self.shuffle.setEnabled(not self.card.open and seen >= 2)
        locked = "Answer the question first."
        self.slider.setToolTip(
            "How far every number moves, at most." if self.slider.isEnabled() else locked
        )
        self.shuffle.setToolTip(
            "Write and read with tables in an arbitrary order."
            if self.shuffle.isEnabled()
            else (locked if self.card.open else "This comes with the next question.")
        )
        self.amount.setText(f"±{model.amplitude}" if model.amplitude else "none")
        metrics = self.amount.fontMetrics()
        self.amount.setMinimumWidth(metrics.horizontalAdvance("none "))
        self.seed.setText(f"Seed {model.seed}")
        for column in self.columns:
            column.show_shuffled_table(seen >= 2)

    @Slot(str, str)
    def save(self, ending: str, name: str) -> None:
        """Write the three things as they are shown as "png" or "svg", or as "csv" how each came
        through: ``mean change`` is a share of the range, 0 … 1.

        Raises:
            LabError: if the file cannot be written.
        """
        path = Path(name)
        if ending != "csv":
            write_widget(ending, path, self._things, "Noise and shuffled tables")
            return
        model = self._model
        rows = []
        for column in self.columns:
            found = column.score()
            state = (model.amplitude, "shuffled" if model.shuffled else "ordinary", model.seed)
            counts = (found.different, found.total, found.change)
            rows.append((column.kind.value, *state, found.verdict, *counts))
        header = ("thing", "noise", "table", "seed", "verdict", "different", "numbers")
        write_csv(path, (*header, "mean change"), rows)
