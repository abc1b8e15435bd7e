"""The row of models: which n-gram, which transformer, and why a model is missing."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine.models.hmm_training import MAX_STATES, MIN_STATES
from engine.models.ngram import Smoothing
from engine.workspace.choices import NGramSettings
from gui import theme
from gui.language_models.hmm_fit import DEFAULT_STATES
from gui.language_models.models import HIGHEST_ORDER, ModelSet, Seat
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import colours_of, em
from gui.widgets.safe_text import plain_label, plain_tooltip

_SMOOTHINGS: tuple[tuple[Smoothing, str, str], ...] = (
    (
        "kneser_ney",
        "Kneser–Ney",
        "Takes a little from every count and gives it to shorter contexts. The best there is.",
    ),
    ("add_k", "add k", "Adds k to every count, also to those that are 0."),
    (
        "maximum_likelihood",
        "maximum likelihood",
        "Counts and nothing else: times seen ÷ times the context was seen. What was never seen "
        "gets probability 0.",
    ),
)


class Swatch(QWidget):
    """A square in a model's colour."""

    def __init__(self, kind: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind = kind
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.current().changed.connect(self._dress)
        self._dress()

    @Slot()
    def _dress(self) -> None:
        side = round(em(self.font()) * 0.7)
        self.setFixedSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours_of(self.palette()).series(self._kind)))
        painter.drawRoundedRect(self.rect(), 2, 2)


class _Group(QWidget):
    """A swatch, a caption, and controls, kept together when the row wraps."""

    def __init__(self, kind: str, caption: str, *controls: QWidget) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, theme.current().space(2), 0)
        self.caption = QLabel(caption)
        theme.set_text_role(self.caption, "strong")
        row.addWidget(Swatch(kind))
        row.addWidget(self.caption)
        for control in controls:
            row.addWidget(control)


class ModelBar(QWidget):
    """Chooses the models at the table."""

    def __init__(self, models: ModelSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self.order = QSpinBox()
        self.order.setRange(1, HIGHEST_ORDER)
        self.order.setObjectName("order")
        self.order.setAccessibleName("Order n of the n-gram")
        self.order.setToolTip(
            plain_tooltip(
                "n: the token predicted and the n − 1 tokens before it that the model looks at. "
                "(The tutorial counts only those before: its n is one less.)"
            )
        )
        self.smoothing = QComboBox()
        self.smoothing.setObjectName("smoothing")
        self.smoothing.setAccessibleName("Smoothing of the n-gram")
        self.smoothing.setToolTip("What is done about token sequences never seen in training.")
        for key, title, tip in _SMOOTHINGS:
            self.smoothing.addItem(title, key)
            self.smoothing.setItemData(self.smoothing.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.k = QDoubleSpinBox()
        self.k.setObjectName("k")
        self.k.setDecimals(4)
        self.k.setRange(0.0001, 1000)
        self.k.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self.k.setPrefix("k = ")
        self.k.setAccessibleName("k, added to every count")
        self.k.setToolTip("What add-k adds to every count.")
        self.run = QComboBox()
        self.run.setObjectName("run")
        self.run.setAccessibleName("Trained transformer")
        self.run.setPlaceholderText("choose one")
        self.run.setToolTip(
            "Which trained transformer. One that reads other tokens than those chosen above has "
            "the page to itself."
        )
        self.run.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for control in (self.order, self.smoothing, self.k, self.run):
            control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for spin in (self.order, self.k):
            spin.setKeyboardTracking(False)
        row = FlowRow()
        row.add(_Group("ngram", "N-gram, n =", self.order, self.smoothing, self.k))
        self.states = QSpinBox()
        self.states.setObjectName("states")
        self.states.setRange(MIN_STATES, MAX_STATES)
        self.states.setValue(DEFAULT_STATES)
        self._states_shown = DEFAULT_STATES
        self.states.setAccessibleName("Hidden states of the HMM")
        self.states.setToolTip(
            plain_tooltip(
                "How many hidden states the HMM has. Each state prefers some tokens and some "
                "states to follow; which state a token came from is never seen."
            )
        )
        self.states.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.fit = QPushButton("Fit")
        self.fit.setObjectName("fit_hmm")
        row.add(_Group("hmm", "HMM, states", self.states, self.fit))
        self._transformer = _Group("transformer", "Transformer", self.run)
        row.add(self._transformer)
        self._truth = _Group("truth", "Truth")
        self._truth.setToolTip(
            "The story language's own probabilities, known exactly because it made the text."
        )
        row.add(self._truth)
        self._missing = QVBoxLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(row)
        column.addLayout(self._missing)
        self.lines: dict[str, MissingLine] = {}
        """What is said of each missing kind."""
        self.order.valueChanged.connect(self._choose)
        self.smoothing.activated.connect(self._choose)
        self.k.valueChanged.connect(self._choose)
        self.run.activated.connect(self._run_chosen)
        self.fit.clicked.connect(self._fit)
        models.hmm.changed.connect(self._show)
        models.changed.connect(self._show)
        models.lab.runs_changed.connect(self._show)
        self._show()

    @Slot()
    def _choose(self, _: object = None) -> None:
        smoothing: Smoothing = self.smoothing.currentData()
        self.k.setVisible(smoothing == "add_k")
        settings = NGramSettings(self.order.value(), smoothing, self.k.value())
        if settings != self._models.ngram_settings:
            self._models.choose_ngram(settings)

    @Slot()
    def _fit(self) -> None:
        if self._models.hmm.running:
            self._models.hmm.stop()
        else:
            self._models.hmm.start(self.states.value())

    @Slot(int)
    def _run_chosen(self, index: int) -> None:
        self._models.choose_run(self.run.itemData(index) or "")

    @Slot()
    def _show(self) -> None:
        settings, models = self._models.ngram_settings, self._models
        blockers = [QSignalBlocker(w) for w in (self.order, self.smoothing, self.k, self.run)]
        self.order.setValue(settings.order)
        self.smoothing.setCurrentIndex(self.smoothing.findData(settings.smoothing))
        if settings.smoothing == "add_k":
            self.k.setValue(settings.k)
        self.k.setVisible(settings.smoothing == "add_k")
        self.run.clear()
        for run in models.runs:
            fits = models.fits(run) or run is models.lab.bundled
            self.run.addItem(run.name if fits else f"{run.name} (own tokens)", run.name)
            facts = "\n".join(f"{name}: {value}" for name, value in run.facts.items())
            self.run.setItemData(
                self.run.count() - 1, plain_tooltip(facts), Qt.ItemDataRole.ToolTipRole
            )
        if models.run is not None:
            self.run.setCurrentIndex(self.run.findData(models.run.name))
        else:
            self.run.setCurrentIndex(-1)
        for blocker in blockers:
            blocker.unblock()
        self._transformer.setVisible(bool(models.runs))
        truth = models.table.seat("truth")
        self._truth.setVisible(truth is not None and truth.model is not None)
        if models.hmm.states != self._states_shown:  # chosen here or in another page's bar
            self._states_shown = models.hmm.states
            self.states.setValue(models.hmm.states)
        running = models.hmm.running
        self.fit.setText("Stop" if running else "Fit")
        self.fit.setEnabled(running or models.lab.streams is not None)
        self.fit.setToolTip(
            "Stop fitting; what was reached stays."
            if running
            else "Fit a hidden Markov model to the training text by expectation maximisation: "
            "a few seconds."
        )
        self._show_missing()

    def _show_missing(self) -> None:
        """A line for each model that is not there, or that one should know something of."""
        wanted = {seat.kind: seat for seat in self._models.table.seats if seat.missing or seat.note}
        for kind in [kind for kind in self.lines if kind not in wanted]:
            line = self.lines.pop(kind)
            self._missing.removeWidget(line)
            line.hide()
            line.deleteLater()
        for kind, seat in wanted.items():
            if kind not in self.lines:
                self.lines[kind] = MissingLine(kind)
                self.lines[kind].wished.connect(self._models.lab.tab_wished)
                self._missing.addWidget(self.lines[kind])
            self.lines[kind].show_seat(seat)


class MissingLine(QFrame):
    """Why a model is missing, and the way to where it is made."""

    wished = Signal(str)

    def __init__(self, kind: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = plain_label(wrap=True)
        theme.set_text_role(self.words, "body", "muted")
        self.button = QPushButton("Go to Training")
        self.button.setToolTip("Show the Training tab (Ctrl+3).")
        self._tab = ""
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(Swatch(kind))
        row.addWidget(self.words, 1)
        row.addWidget(self.button)
        self.button.clicked.connect(self._wish)

    def show_seat(self, seat: Seat) -> None:
        """Say why."""
        self.words.setText(seat.missing or seat.note)
        self._tab = seat.tab
        self.button.setVisible(bool(seat.tab))

    @Slot()
    def _wish(self) -> None:
        self.wished.emit(self._tab)
