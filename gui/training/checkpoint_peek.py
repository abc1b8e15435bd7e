"""A kept checkpoint of the run, put into the lab so that the other tabs can look at it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import QComboBox, QWidget

from engine.errors import LabError
from engine.workspace import TrainedRun
from gui.job_handle import Failure
from gui.lab import Lab
from gui.training.news import Order
from gui.training.session import BUSY, TrainingSession
from gui.widgets.notice import Notice

if TYPE_CHECKING:
    from engine.models.transformer import TransformerModel

PEEK_KEY = "training: a checkpoint's model"
OTHER_TAB = "language_models"
FIRST_LINE = "Look inside at …"


def load_model(folder: Path) -> TransformerModel:
    """The model of a checkpoint.

    Raises:
        LabError: if it is missing or damaged.
    """
    from engine.training.checkpoint import load_checkpoint_model  # loads torch, its thread's own

    return load_checkpoint_model(folder)


class CheckpointPeek(QComboBox):
    """Offers the run's kept checkpoints; the one chosen becomes a run of its own in the lab."""

    def __init__(
        self, lab: Lab, session: TrainingSession, said: Notice, parent: QWidget | None = None
    ) -> None:
        """
        Args:
            lab: which gets the model.
            session: whose run's checkpoints are offered.
            said: where to say how it went, with a button that leads to the other tab.
            parent: the widget that owns it.
        """
        super().__init__(parent)
        self._lab, self._session, self._said = lab, session, said
        self._listed: tuple[int, ...] | None = None
        self._wanted: tuple[Order, int] | None = None
        self._name = ""
        self.setAccessibleName("Look inside a checkpoint")
        self.setToolTip(
            "Put the model as it was at a kept checkpoint into the other tabs: its next-token "
            "bars, its ledger, its attention."
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.activated.connect(self._chosen)
        said.pressed.connect(self._show_there)
        session.news_changed.connect(self.refresh)
        session.began.connect(self.refresh)
        session.began.connect(said.clear)
        session.phase_changed.connect(self._gone_on)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Offer the checkpoints that there are now."""
        news = self._session.news
        steps = () if news is None or news.checkpoint is None else news.checkpoints
        if steps == self._listed:
            return
        self._listed = steps
        with QSignalBlocker(self):
            self.clear()
            self.addItem(FIRST_LINE)
            for step in steps:
                self.addItem(_moment(step), step)
        self.setVisible(bool(steps))

    @Slot()
    def _gone_on(self) -> None:
        """Something else is being done: what failed before is no news any more."""
        if self._session.phase in BUSY and self._said.tone == "error":
            self._said.clear()

    @Slot(int)
    def _chosen(self, index: int) -> None:
        step, news, order = self.itemData(index), self._session.news, self._session.order
        self.setCurrentIndex(0)
        if step is None or news is None or news.checkpoint is None or order is None:
            return
        self._wanted = (order, int(step))
        folder = news.checkpoint.parent / f"step-{int(step):08d}"
        self._lab.compute.request(
            PEEK_KEY,
            load_model,
            folder,
            title="Loading a checkpoint",
            on_result=self._loaded,
            on_error=self._failed,
        )

    @Slot(object)
    def _loaded(self, model: TransformerModel) -> None:
        if self._wanted is None:
            return
        order, step = self._wanted
        name = f"{order.title}, at {_moment(step)}"
        run = TrainedRun(
            name=name,
            model=renamed(model, name),
            tokenizer=order.tokenizer,
            made_from=order.streams.made_from,
            facts={"Recipe": order.recipe.name, "Steps": f"{step:,}"},
        )
        try:
            self._name = self._lab.replace_run(name, run).name
        except LabError as error:
            self._said.say(str(error), "error")
            return
        self._lab.run_wished.emit(self._name)
        self._said.say(
            f"“{self._name}” is now the transformer of “N-gram vs transformer”.",
            "good",
            "Show it there",
        )

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._said.say(failure.sentence, "error")

    @Slot()
    def _show_there(self) -> None:
        self._lab.tab_wished.emit(OTHER_TAB)


def renamed(model: TransformerModel, name: str) -> TransformerModel:
    """The same module under another name."""
    return type(model)(model.module, name, model.off)


def _moment(step: int) -> str:
    return "the start" if step == 0 else f"step {step:,}"
