"""Taking a run out of the lab: its curves as numbers, or all of it as a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from engine.errors import LabError
from engine.training.records import STEP_COLUMNS
from gui.job_handle import Failure
from gui.lab import Lab
from gui.training.news import News
from gui.training.session import BUSY, TrainingSession
from gui.widgets.exports import write_csv
from gui.widgets.notice import Notice

HEADER = (*STEP_COLUMNS, "held_out_loss")
"""The columns of the CSV file. Losses in nats per token; ``seconds`` from the start; the last
column is empty where the held-out text was not scored."""
EXPORT_KEY = "training: export"


def curve_rows(news: News) -> Iterator[tuple[object, ...]]:
    """All steps of a run in the columns HEADER; a row for step 0 if it was scored then."""
    scored = dict(
        zip(news.evaluations["step"].tolist(), news.evaluations["loss"].tolist(), strict=True)
    )
    if 0 in scored:
        yield (0, *[""] * (len(STEP_COLUMNS) - 1), scored[0])
    whole = {"step", "tokens"}
    columns = [news.steps[name].tolist() for name in STEP_COLUMNS]
    for row in zip(*columns, strict=True):
        values = [int(v) if n in whole else v for n, v in zip(STEP_COLUMNS, row, strict=True)]
        yield (*values, scored.get(row[0], ""))


class RunExport(QToolButton):
    """A button with a menu: curves or folder; asks where to, and says in place how it went."""

    def __init__(
        self, lab: Lab, session: TrainingSession, said: Notice, parent: QWidget | None = None
    ) -> None:
        """
        Args:
            lab: whose compute thread writes the folder.
            session: whose run is saved.
            said: where to say how it went.
            parent: the widget that owns it.
        """
        super().__init__(parent)
        self._lab, self._session, self._said = lab, session, said
        self.setText("Export run")
        self.setAccessibleName("Export the run")
        self.setToolTip("Save the run's curves as numbers, or the whole run as a folder.")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        self.curves = menu.addAction("Curves as numbers (.csv) …")
        self.run = menu.addAction("The run as a folder (safetensors and JSON) …")
        menu.triggered.connect(self._chosen)
        self.setMenu(menu)
        session.began.connect(said.clear)
        session.phase_changed.connect(self._gone_on)

    @Slot()
    def _gone_on(self) -> None:
        """Something else is being done: what failed before is no news any more."""
        if self._session.phase in BUSY and self._said.tone == "error":
            self._said.clear()

    @Slot(QAction)
    def _chosen(self, action: QAction) -> None:
        self.ask(action is self.run)

    def ask(self, as_folder: bool) -> QFileDialog:
        """Ask where to save, without blocking the window."""
        self._said.clear()
        order = self._session.order
        stem = "-".join(re.findall(r"\w+", (order.title if order else "run").lower()))
        name = stem if as_folder else f"{stem}.csv"
        dialog = QFileDialog(self.window(), "Export the run", name)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        if as_folder:
            dialog.setLabelText(QFileDialog.DialogLabel.FileName, "New folder:")
            dialog.fileSelected.connect(self.save_folder)
        else:
            dialog.setNameFilter("*.csv")
            dialog.setDefaultSuffix("csv")
            dialog.fileSelected.connect(self.save_curves)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        return dialog

    @Slot(str)
    def save_curves(self, path: str) -> None:
        """Write all steps and evaluations into a CSV file."""
        news = self._session.news
        if news is None:
            self._said.say("There are no curves yet. Start a run first.", "error")
            return
        try:
            write_csv(Path(path), HEADER, curve_rows(news))
        except LabError as error:
            self._said.say(str(error), "error")
        else:
            self._said.say(f"The curves of {news.step:,} steps are in {path}.", "good")

    @Slot(str)
    def save_folder(self, path: str) -> None:
        """Write the whole run into a new folder, between two of its steps."""
        live = self._session.live
        if live is None or self._session.news is None:  # it isn't made yet
            self._said.say("There is no run yet. Start one first.", "error")
            return
        self._lab.compute.request(
            EXPORT_KEY,
            live.export,
            Path(path),
            title="Exporting the run",
            on_result=self._saved,
            on_error=self._failed,
        )

    @Slot(object)
    def _saved(self, folder: Path) -> None:
        self._said.say(f"The run is in the folder {folder}.", "good")

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._said.say(failure.sentence, "error")
