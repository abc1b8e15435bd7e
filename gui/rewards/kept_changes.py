"""What chosen kept runs were set to: one run's settings, or what two differ in."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.runs import RunSummary, differences
from gui import theme
from gui.rewards.setup import CHOICES
from gui.rewards.sheet import Column, Sheet
from gui.widgets.safe_text import plain_label

LABELS = {
    "group": "Group size G",
    "prompts": "Prompts an update",
    "temperature": "Temperature",
    "baseline": "Baseline",
    "weights": "What weighs the same",
    "clip": "Clipping ε",
    "updates_per_batch": "Steps a batch",
    "beta": "KL coefficient β",
    "penalty": "β acts in the",
    "learning_rate": "Learning rate",
    "grad_clip": "Longest gradient",
    "seed": "Seed",
    "reward": "Reward",
    "updates": "Updates",
}


class KeptChanges(QWidget):
    """A heading that says what is in the table, and the table."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = plain_label("", self, wrap=True)
        theme.set_text_role(self.heading, "strong")
        self.table = Sheet("Settings of the chosen runs", self)
        self.table.set_placeholder(
            "Choose a run to see its settings, two to see what they differ in."
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.heading)
        column.addWidget(self.table, 1)

    def show_runs(self, chosen: Sequence[RunSummary]) -> None:
        """Tell of these runs."""
        self.table.setVisible(True)
        if len(chosen) == 1:
            self._show_one(chosen[0])
        elif len(chosen) == 2:
            self._show_two(*chosen)
        else:
            self.heading.setText("" if not chosen else f"{len(chosen)} runs are chosen.")
            self.table.set_table((), ())

    def _show_one(self, run: RunSummary) -> None:
        self.heading.setText(f"How “{run.name}” was set up")
        described = run.description
        settings = {**described.settings, "seed": described.seed}
        columns = (Column("Setting", "What was chosen."), Column("Value", "In this run."))
        names = [name for name in LABELS if name in settings]
        self.table.set_table(columns, [(LABELS[n], _said(n, settings[n])) for n in names])

    def _show_two(self, a: RunSummary, b: RunSummary) -> None:
        found = differences(a.description, b.description, LABELS)
        if not found:
            self.heading.setText("These two runs have the same settings and the same seed.")
            self.table.setVisible(False)  # nothing to put into it
            return
        self.heading.setText("What the two chosen runs differ in")
        columns = (
            Column("Setting", "What is not the same."),
            Column(a.name, "Its value in this run."),
            Column(b.name, "Its value in this run."),
        )
        self.table.set_table(
            columns, [(d.label, _said(d.knob, d.a), _said(d.knob, d.b)) for d in found]
        )


def _said(name: str, value: object) -> str:
    """A setting's value in the words of the field that sets it."""
    if name in CHOICES:
        return dict(CHOICES[name][2]).get(str(value), str(value))
    return str(value)
