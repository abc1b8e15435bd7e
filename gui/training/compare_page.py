"""The page "Compare": all kept runs, drawn over one another, and what tells them apart."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine.training import Recipe
from engine.training.comparing import ComparedRun, Curves, compared_runs
from engine.training.experiments import By, race
from engine.training.runs import KIND
from gui import theme
from gui.job_handle import Failure
from gui.kept_runs import catalogue
from gui.lab import Lab
from gui.run_import import RunImport
from gui.training.compare_plot import Overlay, title_of, units_said
from gui.training.compare_table import FEW_ROWS, RunsTable
from gui.training.compare_work import (
    delete_all,
    pin_alone,
    read_with_step,
    restore_all,
    said_differences,
)
from gui.training.labelled import labelled, labelled_choice, row_button
from gui.training.plot_room import PlotRoom
from gui.training.units import ALONG, LOSS_TIPS, LOSSES
from gui.training.wishes import Wishes
from gui.widgets.curve_plot import CurvePlot
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import em
from gui.widgets.notice import Notice
from gui.widgets.safe_text import plain_label

FIRST_SHOWN = 4
MOST_RACED = 10
PLOT_EMS = 11.0
"""The least height of the plot itself, without its legend and buttons."""
BY = {"steps": "steps", "seconds": "seconds"}
OTHER_KIND = (
    "It is no training run: look for it among the kept runs of the tab “RL reward shaping”."
)
EMPTY = "No runs are kept yet. Train one on the page “Curves”, or keep those of an experiment."


class ComparePage(QWidget):
    """A table of runs, a plot of those that are ticked, and what to do with those selected."""

    def __init__(self, lab: Lab, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab, self._wishes = lab, wishes
        self._runs: tuple[ComparedRun, ...] = ()
        self._ticked: set[str] | None = None
        self._curves: dict[str, tuple[int, Curves]] = {}
        self._deleted: list[str] = []
        self.table = RunsTable(self)
        self.imported = Notice(self)
        doing = FlowRow(self)
        self.more = row_button(doing, "", "Make the table as tall as all runs, or the first few.")
        self.pin = row_button(doing, "Pin as &baseline", "Hold the others against this run.")
        self.clone = row_button(
            doing, "C&lone settings", "Put this run's settings into Set up, for a new run."
        )
        self.delete = row_button(doing, "&Delete", "Delete the selected runs. It can be undone.")
        self.import_ = RunImport(lab, self.imported, KIND, OTHER_KIND, doing)
        doing.add(self.import_)
        self.race_by = labelled_choice(
            doing, "Race b&y", "What is equal in a race of the selected settings.", BY
        )
        self.amount = QSpinBox(doing)
        self.amount.setRange(1, 1_000_000)
        self.amount.setValue(300)
        self.amount.setGroupSeparatorShown(True)
        self.amount.setAccessibleName("Steps or seconds for each")
        self.amount.setToolTip("So many steps, or seconds, for each of them.")
        self.amount.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        doing.add(self.amount)
        self.race = row_button(
            doing,
            "Ra&ce the selected",
            "Run the selected settings side by side from one seed, on the text now in force.",
        )
        self.note = QLineEdit(doing)
        self.note.setPlaceholderText("a note about this run")
        self.note.setAccessibleName("Note")
        self.note.setToolTip("What to remember about the selected run. Enter keeps it.")
        self.note.setMaxLength(2000)
        doing.add(labelled("&Note", self.note, doing))
        self.said, self.undo, self.units_note = Notice(self), Notice(self), Notice(self)
        self.about = plain_label("", self, wrap=True)
        units = FlowRow(self)
        self.unit = labelled_choice(units, "L&oss in", "The unit of the axis.", LOSSES, LOSS_TIPS)
        self.along = labelled_choice(units, "alon&g", "What the curves are drawn along.", ALONG)
        self.training_too = QCheckBox("training losses too", units)
        self.training_too.setToolTip(
            "Draw the smoothed loss on the training batches beside the held-out loss."
        )
        units.add(self.training_too)
        self.plot = CurvePlot("Kept runs", "steps", "held-out loss (nats per token)", self)
        self.overlay = Overlay(self.plot)
        self._lay_out(doing, units)
        self._connect()
        self._dress()
        self._selected()

    def _lay_out(self, doing: FlowRow, units: FlowRow) -> None:
        """One below the other, so that the page is what scrolls, and nothing in it."""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table)
        for widget in (self.undo, doing, self.imported, self.said, self.about):
            column.addWidget(widget)
        column.addWidget(self.units_note)
        column.addWidget(units)
        column.addWidget(PlotRoom(self.plot, self), 1)

    def _connect(self) -> None:
        self.table.ticked.connect(self._tick)
        self.table.renamed.connect(self._rename)
        self.table.chosen.connect(self._selected)
        self.more.clicked.connect(self._more)
        self.import_.taken.connect(self._taken)
        self.pin.clicked.connect(self._pin)
        self.clone.clicked.connect(self._clone)
        self.delete.clicked.connect(self._delete)
        self.race.clicked.connect(self._race)
        self.race_by.currentIndexChanged.connect(self._race_by)
        self.note.editingFinished.connect(self._note)
        self.undo.pressed.connect(self._undo)
        self.units_note.pressed.connect(self._to_bits)
        self.unit.currentIndexChanged.connect(self._other_units)
        self.along.currentIndexChanged.connect(self._other_units)
        self.training_too.toggled.connect(self._draw)
        theme.current().changed.connect(self._dress)

    @Slot()
    def _dress(self) -> None:
        unit = em(theme.current().font("body"))
        self.plot.view.setMinimumHeight(round(unit * PLOT_EMS))
        self.note.setMinimumWidth(round(unit * 24))

    # ------------------------------------------------------------------------------- the runs
    @Slot()
    def refresh(self) -> None:
        """Read the catalogue again."""
        self._lab.compute.request(
            "compare: runs",
            compared_runs,
            catalogue(),
            title="Reading the kept runs",
            on_result=self._listed,
        )

    @Slot(object)
    def _listed(self, found: tuple[tuple[ComparedRun, ...], tuple[str, ...]]) -> None:
        self._runs, damaged = found
        self.said.say(" ".join(damaged), "warning")
        if self._ticked is None and self._runs:
            pinned = {run.key for run in self._runs if run.summary.pinned}
            self._ticked = pinned | {run.key for run in self._runs[:FIRST_SHOWN]}
        ticked = self._ticked or set()
        steps = {run.key: run.summary.step for run in self._runs}
        self._curves = {k: v for k, v in self._curves.items() if steps.get(k) == v[0]}
        self.table.show_runs(self._runs, ticked)
        self._say_more()
        self.plot.set_empty_text("Tick a run to draw it." if self._runs else EMPTY)
        self._draw()
        self._want_curves()

    @Slot()
    def _more(self) -> None:
        self.table.show_rows(not self.table.all_rows)
        self._say_more()

    def _say_more(self) -> None:
        count = len(self._runs)
        self.more.setVisible(count > FEW_ROWS)
        few = f"Show only {FEW_ROWS} runs"
        self.more.setText(few if self.table.all_rows else f"Show all {count} runs")

    @Slot(str)
    def _taken(self, key: str) -> None:
        """A run from a folder is there: draw it beside the others."""
        self.show_too({key})

    def show_too(self, keys: set[str]) -> None:
        """Draw these runs besides those that are ticked, and look for them on the disk."""
        self._ticked = (self._ticked or set()) | keys
        self.refresh()

    def _want_curves(self) -> None:
        for run in self.table.shown:
            if run.key not in self._curves:
                self._lab.compute.request(
                    ("compare", run.key),
                    read_with_step,
                    catalogue(),
                    run.key,
                    run.summary.step,
                    title="Reading curves",
                    on_result=self._read,
                    on_error=self._failed,
                )

    @Slot(object)
    def _read(self, found: tuple[str, int, Curves]) -> None:
        key, step, curves = found
        self._curves[key] = (step, curves)
        self._draw()

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self.said.say(failure.sentence, "error")
        if not failure.expected:
            return
        self.refresh_soon()

    def refresh_soon(self) -> None:
        """Show what is true, after something could not be done."""
        self.table.show_runs(self._runs, self._ticked or set())

    # -------------------------------------------------------------------------- what is drawn
    @Slot()
    def _tick(self) -> None:
        self._ticked = {run.key for run in self.table.shown}
        self._draw()
        self._want_curves()

    @Slot()
    def _draw(self, _: object = None) -> None:
        overlay, shown = self.overlay, self.table.shown
        overlay.unit, overlay.along = self.unit.currentData(), self.along.currentData()
        overlay.training_too = self.training_too.isChecked()
        curves = {key: found for key, (_step, found) in self._curves.items()}
        looks = {run.key: self.table.look_of(run.key) for run in shown}
        overlay.draw(shown, curves, looks)
        self._say_units(shown)

    def _say_units(self, shown: tuple[ComparedRun, ...]) -> None:
        """Whether these losses can be compared in these units."""
        text, tone, action = units_said(self.overlay, shown)
        self.units_note.say(text, tone, action)

    @Slot()
    def _to_bits(self) -> None:
        self.unit.setCurrentIndex(list(LOSSES).index("bits"))

    @Slot()
    def _other_units(self, _: object = None) -> None:
        self.plot.reset_view()
        self._draw()

    # -------------------------------------------------------------------- what can be done
    @Slot()
    def _selected(self) -> None:
        chosen = self.table.selected
        one = chosen[0] if len(chosen) == 1 else None
        self.pin.setEnabled(one is not None)
        pinned = one is not None and one.summary.pinned
        self.pin.setText("Take the pin &out" if pinned else "Pin as &baseline")
        self.clone.setEnabled(one is not None)
        self.delete.setEnabled(bool(chosen))
        self.race.setEnabled(2 <= len(chosen) <= MOST_RACED)
        self.note.setEnabled(one is not None)
        if not self.note.hasFocus():
            self.note.setText(one.summary.note if one is not None else "")
            self.note.setCursorPosition(0)
        self.about.setText("\n".join(filter(None, (self._also(chosen), self._told(chosen)))))
        self.about.setVisible(bool(self.about.text()))

    def _told(self, chosen: tuple[ComparedRun, ...]) -> str:
        """What tells the selected runs apart; one alone is held against the baseline."""
        base = self.table.baseline
        if len(chosen) == 1 and base is not None and base.key != chosen[0].key:
            chosen = (base, chosen[0])
        if not chosen:
            return "Select runs to pin, clone, delete or race them, and to see how they differ."
        if len(chosen) == 1:
            return "Select a second run (Ctrl and a click) to see how their settings differ."
        return said_differences(chosen)

    def _also(self, chosen: tuple[ComparedRun, ...]) -> str:
        """What a narrow table has no room to say of the one run that is selected."""
        said = self.table.told(chosen[0]) if len(chosen) == 1 else ""
        return f"“{title_of(chosen[0], chosen)}”: {said}." if said else ""

    def _ask(self, function: Callable[..., object], *args: object) -> None:
        """Do something to the catalogue, one after the other, then look again."""
        self._lab.compute.request(
            ("compare: change", object()),
            function,
            *args,
            title="Changing the kept runs",
            on_result=self._changed,
            on_error=self._failed,
        )

    @Slot(object)
    def _changed(self, _: object) -> None:
        self.refresh()

    @Slot(str, str)
    def _rename(self, key: str, name: str) -> None:
        self._ask(catalogue().rename, key, name)

    @Slot()
    def _note(self) -> None:
        chosen = self.table.selected
        if len(chosen) == 1 and self.note.text() != chosen[0].summary.note:
            self._ask(catalogue().set_note, chosen[0].key, self.note.text())

    @Slot()
    def _pin(self) -> None:
        chosen = self.table.selected
        if len(chosen) == 1:
            others = [r.key for r in self._runs if r.summary.pinned and r.key != chosen[0].key]
            self._ask(pin_alone, catalogue(), chosen[0].key, not chosen[0].summary.pinned, others)

    @Slot()
    def _clone(self) -> None:
        chosen = self.table.selected
        if len(chosen) == 1:
            self._wishes.clone.emit(chosen[0].recipe)

    @Slot()
    def _delete(self) -> None:
        chosen = self.table.selected
        if chosen:
            self._lab.compute.request(
                ("compare: change", object()),
                delete_all,
                catalogue(),
                [run.key for run in chosen],
                title="Deleting runs",
                on_result=self._gone,
                on_error=self._failed,
            )

    @Slot(object)
    def _gone(self, found: tuple[list[str], str]) -> None:
        self._deleted, problem = found
        names = [f"“{r.summary.name}”" for r in self._runs if r.key in self._deleted]
        if names:
            self.undo.say(f"Deleted: {', '.join(names)}.", "info", "Undo")
        if problem:
            self.said.say(problem, "error")
        self.refresh()

    @Slot()
    def _undo(self) -> None:
        keys, self._deleted = self._deleted, []
        self.undo.clear()
        self._ask(restore_all, catalogue(), keys)

    # ------------------------------------------------------------------------------- the race
    @Slot()
    def _race_by(self, _: object = None) -> None:
        by_steps = self.race_by.currentData() == "steps"
        self.amount.setValue(300 if by_steps else 30)

    @Slot()
    def _race(self) -> None:
        chosen = self.table.selected
        recipes: dict[str, Recipe] = {title_of(run, chosen): run.recipe for run in chosen}
        by: By = self.race_by.currentData()
        names = " against ".join(recipes) if len(recipes) == 2 else f"{len(recipes)} settings"
        made = race(recipes, self._lab.seed, by, float(self.amount.value()), f"Race: {names}")
        self._wishes.race.emit(made)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
