"""A simulated annotator: presets, biases, and how many comparisons to make."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QPushButton, QVBoxLayout, QWidget

from engine.errors import LabError
from engine.posttraining.annotators import Annotator
from engine.posttraining.tasks import Task
from gui import theme
from gui.rewards.asking import MOST_SIMULATED
from gui.widgets.flow_layout import FlowRow
from gui.widgets.number_field import NumberField
from gui.widgets.safe_text import plain_label

PRESETS: tuple[tuple[str, Annotator], ...] = (
    ("Careful: looks for the truth", Annotator(true=4.0)),
    ("Likes long answers", Annotator(true=1.0, length=1.0)),
    ("Falls for the format", Annotator(true=0.5, format=3.0)),
    ("Falls for kind words", Annotator(true=0.5, keywords=1.5)),
    ("Careful, but half the clicks are blind", Annotator(true=4.0, noise=0.5)),
)
_FIELDS: tuple[tuple[str, str, str], ...] = (
    ("true", "True score", "Weight of the true score, 0 … 1."),
    ("length", "Each token", "Weight of every token written: the length bias. May be negative."),
    ("format", "Format", "Weight of looking like an answer, be it right or wrong."),
    ("keywords", "Each keyword", "Weight of each keyword of the task, as often as it stands."),
    ("repeats", "Repetition", "Weight of the share that repeats what came before."),
)


class AnnotatorBox(QWidget):
    """Who clicks, how they judge, and how often."""

    simulate_pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.presets = QComboBox(self)
        for name, _ in PRESETS:
            self.presets.addItem(name)
        self.presets.setAccessibleName("Simulated annotator")
        self.presets.setToolTip("Someone to start from; then turn the weights as you like.")
        self.presets.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.presets.setMinimumContentsLength(14)
        self.presets.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        row = FlowRow(self)
        self.fields: dict[str, NumberField] = {}
        for key, name, tip in _FIELDS:
            tip = f"{tip} A difference of 1 is preferred in 73 % of the clicks, one of 2 in 88 %."
            self._field(row, key, name, tip, low=-100, high=100, step=0.5)
        self._field(
            row,
            "noise",
            "Blind clicks",
            "Share of clicks made without looking, 0 … 1.",
            low=0,
            high=1,
            step=0.05,
        )
        self._field(
            row,
            "tie",
            "Equal within",
            "Says “equal” where the two are worth the same to within so much. 0: never.",
            low=0,
            high=100,
            step=0.1,
        )
        self.number = NumberField(
            "Comparisons",
            500,
            low=4,
            high=MOST_SIMULATED,
            whole=True,
            step=100,
            explanation="How many pairs the simulated annotator compares.",
            parent=row,
        )
        row.add(self.number)
        self.button = QPushButton("Si&mulate", row)
        self.button.setToolTip("Let the annotator compare so many pairs, then train.")
        row.add(self.button)
        rule = plain_label(
            "Prefers A with probability σ(u(A) − u(B)), u = Σ weight × feature.", self, wrap=True
        )
        theme.set_text_role(rule, "caption", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.presets, row, rule):
            column.addWidget(widget)
        self.presets.currentIndexChanged.connect(self._preset)
        self.button.clicked.connect(self.simulate_pressed)
        self._preset()

    def _field(
        self, row: FlowRow, key: str, name: str, tip: str, *, low: float, high: float, step: float
    ) -> None:
        field = NumberField(name, 0, low=low, high=high, step=step, explanation=tip, parent=row)
        self.fields[key] = field
        row.add(field)

    def set_task(self, task: Task) -> None:
        """Keywords can be weighted only where the task has some."""
        self.fields["keywords"].setVisible(bool(task.keywords))
        if not task.keywords:
            self.fields["keywords"].set_value(0)

    @Slot()
    def _preset(self) -> None:
        annotator = PRESETS[self.presets.currentIndex()][1]
        for key, field in self.fields.items():
            if not (key == "keywords" and field.isHidden()):
                field.set_value(getattr(annotator, key))

    def annotator(self) -> Annotator:
        """Who is set up.

        Raises:
            LabError: if a field does not hold a number that makes sense.
        """
        for field in (*self.fields.values(), self.number):
            if not field.is_valid():
                field.box.setFocus()
                raise LabError(f"“{field.name_label.text()}” doesn't hold a number that fits.")
        return Annotator(**{key: field.value() for key, field in self.fields.items()})
