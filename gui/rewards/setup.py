"""Above the pages: the task, what is rewarded and how much, and the knobs, folded away."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.errors import LabError
from engine.posttraining.rewards import RewardMix
from engine.posttraining.settings import GRPOSettings
from engine.posttraining.tasks import TASKS
from gui import theme
from gui.lab import Lab
from gui.rewards.live import make_task, ready_task
from gui.rewards.news import MOST_UPDATES, Order
from gui.rewards.reward_panel import RewardPanel
from gui.widgets.flow_layout import FlowRow
from gui.widgets.fold_box import FoldBox
from gui.widgets.number_field import NumberField
from gui.widgets.safe_text import plain_label

UPDATES = 300
ABOUT = (
    "What the policy is asked to do: a small bundled model of about 150,000 parameters, which can "
    "do it now and then. It is post-trained with GRPO on this computer, on the reward that you mix."
)
READY_KEY = "rewards: tasks"
CHOICES: dict[str, tuple[str, str, tuple[tuple[str, str], ...]]] = {
    "baseline": (
        "Baseline",
        "What a reward is compared with to make the advantage Â.",
        (
            ("mean_std", "group mean, divided by std (GRPO)"),
            ("mean", "group mean"),
            ("none", "none (REINFORCE)"),
        ),
    ),
    "weights": (
        "Every … weighs the same",
        "Token: the sum is divided by all tokens of the batch, 1/Σ|yᵢ|, so that long answers "
        "weigh more. Answer: it is divided by the number of answers.",
        (("tokens", "token"), ("sequences", "answer")),
    ),
    "penalty": (
        "β acts",
        "Where the price of moving away from the reference is paid: as the k3 estimate in the "
        "loss, or taken off the reward, r − β log π/π_ref.",
        (("loss", "in the loss (k3)"), ("reward", "in the reward")),
    ),
}
_NUMBERS: dict[str, dict[str, Any]] = {
    "updates": {
        "name": "Updates",
        "low": 1,
        "high": MOST_UPDATES,
        "whole": True,
        "step": 50,
        "explanation": "How many updates a run has.",
    },
    "prompts": {
        "name": "Prompts an update",
        "low": 1,
        "high": 512,
        "whole": True,
        "step": 8,
        "explanation": "How many questions each update asks.",
    },
    "group": {
        "name": "Group size G",
        "low": 1,
        "high": 256,
        "whole": True,
        "step": 4,
        "explanation": "Answers to each question, compared with one another.",
    },
    "temperature": {
        "name": "Temperature",
        "low": 0.05,
        "high": 10,
        "step": 0.1,
        "explanation": "Of the sampling: higher tries out more. It belongs to the policy that is "
        "improved.",
    },
    "learning_rate": {
        "name": "Learning rate",
        "low": 1e-6,
        "high": 10,
        "geometric": True,
        "explanation": "How far each update moves the weights.",
    },
    "beta": {
        "name": "KL coefficient β",
        "low": 0,
        "high": 100,
        "step": 0.01,
        "explanation": "The price of moving away from the model that training started from.",
    },
    "updates_per_batch": {
        "name": "Steps a batch",
        "low": 1,
        "high": 16,
        "whole": True,
        "explanation": "Gradient steps on the same answers. With one, γ = 1 throughout and the "
        "clipping never acts.",
    },
    "clip": {
        "name": "Clipping ε",
        "low": 0.01,
        "high": 1,
        "step": 0.05,
        "explanation": "How far a token's probability may move on one batch: γ is cut to "
        "1 − ε … 1 + ε. Acts only with two steps a batch or more.",
    },
}


class SetupPanel(QWidget):
    """What the next run will be; rewards also reach the run at work."""

    reward_changed = Signal(object)
    """The RewardMix as it stands now."""
    task_changed = Signal()

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._waiting = [kind.key for kind in TASKS]
        self.tasks = QComboBox(self)
        for kind in TASKS:
            self.tasks.addItem(kind.title, kind.key)
        self.tasks.setAccessibleName("Task")
        self.tasks.setToolTip(ABOUT)
        self.tasks.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        name = QLabel("&Task")
        # Qt measures "Ta" with kerning, and paints it without where the T is underlined.
        name.setContentsMargins(0, 0, 6, 0)
        name.setBuddy(self.tasks)
        self.about = plain_label("", self, wrap=True)
        theme.set_text_role(self.about, "body", "muted")
        task = QWidget(self)
        above = QHBoxLayout(task)
        above.setContentsMargins(0, 0, 0, 0)
        above.addWidget(name)
        above.addWidget(self.tasks)
        above.addWidget(self.about, 1)
        self.task = make_task(self.tasks.currentData())
        """What the next run is for."""
        self.panel = RewardPanel(self.task, self)
        self.fold = FoldBox("Settings of the next run", self)
        self.numbers: dict[str, NumberField] = {}
        self.choices: dict[str, QComboBox] = {}
        self.fold.set_content(self._knobs())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (task, self.panel, self.fold):
            column.addWidget(widget)
        self.panel.changed.connect(self._weight_changed)
        self.tasks.currentIndexChanged.connect(self._task_changed)
        self._describe()

    def _knobs(self) -> QWidget:
        defaults = GRPOSettings()
        row = FlowRow(self)
        for key, about in _NUMBERS.items():
            value = UPDATES if key == "updates" else getattr(defaults, key)
            self.numbers[key] = field = NumberField(value=value, **about)
            row.add(field)
        for key, (title, tip, options) in CHOICES.items():
            cell = QWidget(row)
            box = QComboBox(cell)
            for value, words in options:
                box.addItem(words, value)
            box.setAccessibleName(title)
            box.setToolTip(tip)
            box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            label = plain_label(title, cell)
            label.setBuddy(box)
            column = QVBoxLayout(cell)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(2)
            column.addWidget(label)
            column.addWidget(box)
            self.choices[key] = box
            row.add(cell)
        return row

    @Slot(str)
    def get_tasks_ready(self, done: str = "") -> None:
        """Let the compute thread make the tasks, one after another, before they are chosen:
        the larger ones take a second, which the window must not stand still for."""
        if not self._waiting:
            return
        self._lab.compute.request(
            READY_KEY,
            ready_task,
            self._waiting.pop(0),
            title="Getting the tasks ready",
            on_result=self.get_tasks_ready,
        )

    @property
    def reward(self) -> RewardMix:
        """The terms with their weights as they stand; a field that holds no number keeps its
        last good one."""
        return self.panel.mix

    @property
    def weights(self) -> dict[str, NumberField]:
        """The field of each term of the reward, by the term's key."""
        return self.panel.weights

    def order(self) -> Order:
        """What a run started now would be.

        Raises:
            LabError: if a field does not hold a number that makes sense.
        """
        fields = {**self.weights, **self.numbers}
        wrong = [f for f in fields.values() if not f.is_valid()]
        if wrong:
            hidden = self.fold.button if wrong[0] in self.numbers.values() else self.panel.fold
            hidden.setChecked(True)
            wrong[0].box.setFocus()
            raise LabError(f"“{wrong[0].name_label.text()}” doesn't hold a number that fits.")
        numbers: dict[str, Any] = {
            key: int(field.value()) if _NUMBERS[key].get("whole") else field.value()
            for key, field in self.numbers.items()
        }
        updates = int(numbers.pop("updates"))
        words: dict[str, Any] = {key: box.currentData() for key, box in self.choices.items()}
        settings = GRPOSettings(**numbers, **words, seed=self._lab.seed)
        return Order(self.task, settings, self.reward, updates)

    @Slot()
    def _weight_changed(self) -> None:
        self.reward_changed.emit(self.reward)

    @Slot()
    def _task_changed(self) -> None:
        self._describe()
        self.task = make_task(self.tasks.currentData())
        self.panel.set_task(self.task)
        self.task_changed.emit()

    def _describe(self) -> None:
        kind = TASKS[self.tasks.currentIndex()]
        self.about.setText(kind.description)
