"""A simulated annotator: presets, biases, and how many comparisons to make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QPushButton, QVBoxLayout, QWidget

from engine.errors import LabError
from engine.posttraining.annotators import Annotator, Influence
from engine.posttraining.features import KEYWORDS, TRUE
from engine.posttraining.tasks import TASKS, Task
from gui import theme
from gui.rewards.asking import MOST_SIMULATED
from gui.widgets.flow_layout import FlowRow
from gui.widgets.notice import Notice
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

_MOST_NAMED = 3


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
        self.button.setToolTip("Let the annotator compare so many pairs; then train the model.")
        row.add(self.button)
        rule = plain_label(
            "Prefers A with probability σ(u(A) − u(B)), u = Σ weight × feature.", self, wrap=True
        )
        theme.set_text_role(rule, "caption", "muted")
        self.problem = Notice(self)
        self.hint = Notice(self)
        self._spreads: tuple[Influence, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.presets, row, self.problem, self.hint, rule):
            column.addWidget(widget)
        self.presets.currentIndexChanged.connect(self._preset)
        for field in self.fields.values():
            field.value_changed.connect(self._weigh)
        for field in (*self.fields.values(), self.number):
            field.validity_changed.connect(self._mended)
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
        self._spreads = ()
        self.problem.clear()
        self.fields["keywords"].setVisible(bool(task.keywords))
        if not task.keywords:
            self.fields["keywords"].set_value(0)
        self._weigh()

    def set_spreads(self, spreads: tuple[Influence, ...]) -> None:
        """Take how much each feature differs between the two answers of a pair, to say which of
        the annotator's weights can't show."""
        self._spreads = spreads
        self._weigh()

    @Slot()
    def _preset(self) -> None:
        annotator = PRESETS[self.presets.currentIndex()][1]
        for key, field in self.fields.items():
            if not (key == "keywords" and field.isHidden()):
                field.set_value(getattr(annotator, key))
        self._weigh()

    @Slot()
    def _weigh(self) -> None:
        """Say before anything is predicted what will not be seen."""
        try:
            annotator = self.annotator(focus=False)
        except LabError:
            return  # the field itself says what is wrong
        told = ""
        preset = PRESETS[self.presets.currentIndex()][1]
        if preset.keywords and self.fields["keywords"].isHidden():
            told = f"This task has no kind words to fall for. {_elsewhere(preset, KEYWORDS)}"
        else:
            told = blind_words(annotator, self._spreads)
        if told != self.hint.text:
            self.hint.say(told, "warning")

    @Slot(bool)
    def _mended(self, valid: bool) -> None:
        if valid:
            self.problem.clear()

    def annotator(self, focus: bool = True) -> Annotator:
        """Who is set up.

        Args:
            focus: whether a field that does not make sense gets the focus.

        Raises:
            LabError: if a field does not hold a number that makes sense.
        """
        for field in (*self.fields.values(), self.number):
            if not field.is_valid():
                if focus:
                    field.box.setFocus()
                raise LabError(f"“{field.name_label.text()}” doesn't hold a number that fits.")
        return Annotator(**{key: field.value() for key, field in self.fields.items()})


def blind_words(annotator: Annotator, spreads: Sequence[Influence]) -> str:
    """What an annotator looks at that can't be told from their clicks on these answers, and in
    which tasks it can; empty if all of it can."""
    looked = [replace(one, weight=w) for one in spreads if (w := annotator.weight_of(one.key))]
    if not looked:
        return ""
    hidden = [one for one in looked if not one.shows and one.key != TRUE]
    if not hidden and any(one.shows for one in looked):
        return ""
    if not hidden:
        return "This annotator weighs the truth so little that the clicks are close to chance."
    one = max(hidden, key=lambda x: abs(x.weight))
    how = "never differs" if one.differing == 0 else f"differs in only {one.differing:.0%} of pairs"
    if one.differing > 0.25:
        how = "differs by little"
    return (
        f"In these answers {one.title.lower()} {how}, so a weight of {one.weight:g} on it can "
        f"hardly show. {_elsewhere(annotator, one.key)}"
    )


def _elsewhere(annotator: Annotator, key: str) -> str:
    titles = {kind.key: kind.title for kind in TASKS}
    names = [titles[task] for task in annotator.shows_in(key)]
    if not names:
        return "In no task do the reference's answers differ enough in it."
    return f"It shows in: {', '.join(names[:_MOST_NAMED])}."
