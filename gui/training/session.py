"""What the training tab drives: one run at a time, with its jobs, its state and its news."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Slot

from engine.errors import LabError
from engine.runs import Catalogue
from engine.workspace import TrainedRun
from gui.driving.session import BUSY, Phase, RunSession
from gui.job_handle import Failure, JobHandle
from gui.lab import Lab
from gui.training.live import LiveRun
from gui.training.news import Ended, News, Order
from gui.training.recording import reopened

__all__ = ["BUSY", "Phase", "TrainingSession"]

RATE_KEY = "training: learning rate"
REOPEN_KEY = "training: a kept run"


class TrainingSession(RunSession):
    """Starts, steers and continues training runs."""

    def __init__(self, lab: Lab, parent: QObject | None = None) -> None:
        super().__init__(lab, parent)
        self._live: LiveRun | None = None
        self._keeping: JobHandle | None = None
        self._run_name: str | None = None
        self._offered: object = None
        self._wished_scale: float | None = None
        self._back_to: tuple[int | None, float | None] | None = None
        self._phase_before = Phase.PAUSED
        self._begun = False
        self.order: Order | None = None
        """What the present run is; None before the first."""
        self.news: News | None = None
        """The newest news of the present run."""
        lab.compute.job_started.connect(self._job_started)

    # ------------------------------------------------------------------------------ what is so
    @property
    def live(self) -> LiveRun | None:
        """The present run, for the compute thread; None before the first."""
        return self._live

    @property
    def run_name(self) -> str | None:
        """The run's name in the lab, once its model is there for the other tabs."""
        return self._run_name

    @property
    def held_out(self) -> bool:
        """Whether the text that the present run is scored on is held out from training."""
        return self.order is not None and self.order.has_held_out

    @property
    def wished_scale(self) -> float:
        """The learning rate's scale that is in force or, in a moment, will be."""
        if self._wished_scale is not None:
            return self._wished_scale
        return 1.0 if self.news is None else self.news.rate_scale

    @property
    def can_steer(self) -> bool:
        """Whether the learning rate can be changed and the run taken back."""
        return self._live is not None and self.news is not None and self._phase is not Phase.FAILED

    # ------------------------------------------------------------------------------ what to do
    def start(self, order: Order, steps: int | None = None) -> bool:
        """Begin a new run; the one before is left as it stands, with its model in the lab.

        Args:
            order: what to train.
            steps: pause after so many steps; None for all the recipe's.
        """
        if not self.can_start:
            return False
        self._live, self.order, self.news = LiveRun(order), order, None
        self._run_name, self._offered, self.problem = None, None, ""
        self._wished_scale, self._begun = None, False
        self.began.emit()
        self._go_on(steps)
        return True

    def refuse(self, sentence: str) -> None:
        """Say why something was not begun; the present run stays as it is."""
        self.problem = sentence
        self.phase_changed.emit()

    def continue_kept(self, catalogue: Catalogue, key: str) -> bool:
        """Go on with a kept run, on its own text and tokens, whatever the lab's are now. False
        if the present run has to be stopped first."""
        if not self.can_start:
            self.refuse("Stop the present run first; then this one can go on.")
            return False
        self._lab.compute.request(
            REOPEN_KEY,
            reopened,
            catalogue,
            key,
            title="Opening the run",
            on_result=self._reopened,
            on_error=self._not_reopened,
        )
        return True

    @Slot(object)
    def _reopened(self, order: Order) -> None:
        spared = tuple(r.folder.parent.name for r in self._lab.runs if r.folder is not None)
        self.start(replace(order, spared=spared))

    @Slot(object)
    def _not_reopened(self, failure: Failure) -> None:
        self.problem = failure.sentence
        self.phase_changed.emit()

    @Slot(str)
    def set_prompt(self, prompt: str) -> None:
        """Let the next samples continue another prompt."""
        if self._live is not None:
            self._live.prompt = prompt

    def set_rate_scale(self, scale: float) -> None:
        """Multiply the recipe's learning rates with ``scale`` from the next step on."""
        if self._live is not None and self.can_steer:
            self._wished_scale = scale
            self._lab.compute.request(
                RATE_KEY,
                self._live.set_rate_scale,
                scale,
                title="Setting the learning rate",
                on_result=self._steered,
                on_error=self._failed_to_steer,
            )

    def go_back(self, step: int | None = None, rate: float | None = None) -> None:
        """Take the run back and pause it there.

        Args:
            step: one of the news's checkpoints; None for the last good state.
            rate: the peak learning rate to go on with; None keeps the one it had.
        """
        if not self.can_steer or self._phase is Phase.STOPPING:
            return
        self._back_to, self._phase_before = (step, rate), self._phase
        if self._job is not None:
            self._job.stop()  # it may be half-way through the held-out text
        else:
            self._go_back()

    # ------------------------------------------------------------------------------- the jobs
    def _has_run(self) -> bool:
        return self._live is not None

    def _one_step_more(self) -> None:
        assert self._live is not None
        self._live.one_step_more()

    def _leave(self) -> None:
        self._keep()

    def _go_on(self, steps: int | None) -> None:
        assert self._live is not None and self.order is not None
        self._submit(
            self._live.train,
            steps,
            self.order.title,
            "steps",
            on_snapshot=self._take,
            on_result=self._ended,
            on_cancelled=self._cancelled,
        )

    @Slot(object)
    def _job_started(self, handle: JobHandle) -> None:
        if handle is self._job:
            self._begun = True

    @Slot(object)
    def _take(self, news: News) -> None:
        self.news = news
        if news.model is not self._offered:
            self._offer(news)
        self.news_changed.emit()

    @Slot(object)
    def _ended(self, ended: Ended) -> None:
        self._job = None
        self.problem = ended.sentence
        self._take(ended.news)
        if ended.reason == "finished":
            self._keep()
        else:
            self._set_phase(Phase.PAUSED if ended.reason == "paused" else Phase.DIVERGED)

    @Slot(object)
    def _cancelled(self, handle: JobHandle) -> None:
        if handle is self._job:
            self._job = None
            if self._back_to is not None:
                self._go_back()
            elif self._begun:
                self._keep()
            else:  # it only waited for its turn: there is nothing to keep, and to wait for
                self._kept(self.news)

    def _go_back(self) -> None:
        assert self._live is not None and self._back_to is not None
        (step, rate), self._back_to = self._back_to, None
        self._set_phase(Phase.STOPPING)
        self._keeping = self._lab.compute.submit(
            self._live.go_back,
            step,
            rate,
            title="Going back",
            urgent=True,
            on_result=self._went_back,
            on_error=self._not_back,
            on_cancelled=self._not_kept,
        )

    @Slot(object)
    def _not_back(self, failure: Failure) -> None:
        """The checkpoint could not be read: the run stands where it stood. One that was at work
        was stopped for it, and can go on."""
        self.problem = failure.sentence
        before = self._phase_before
        self._set_phase(Phase.PAUSED if before in BUSY else before)

    @Slot(object)
    def _went_back(self, news: News) -> None:
        self.problem = ""
        self._take(news)
        self._set_phase(Phase.PAUSED)

    def _keep(self) -> None:
        """Copy the model as it is at the end, and leave the run."""
        assert self._live is not None
        self._set_phase(Phase.STOPPING)
        self._keeping = self._lab.compute.submit(
            self._live.keep,
            title="Keeping the model",
            urgent=True,
            on_result=self._kept,
            on_error=self._failed,
            on_cancelled=self._not_kept,
        )

    @Slot(object)
    def _kept(self, news: News | None) -> None:
        if news is None:  # stopped before it had begun
            self._live = None
            self._set_phase(Phase.EMPTY)
            return
        self._take(news)
        self._set_phase(Phase.FINISHED if news.finished else Phase.STOPPED)

    @Slot(object)
    def _not_kept(self, _: JobHandle) -> None:
        """Even this was stopped; the model of the last evaluation is in the lab."""
        finished = self.news is not None and self.news.finished
        self._set_phase(Phase.FINISHED if finished else Phase.STOPPED)

    @Slot(object)
    def _steered(self, news: News) -> None:
        self._wished_scale = None
        self._take(news)
        self.phase_changed.emit()

    @Slot(object)
    def _failed_to_steer(self, failure: Failure) -> None:
        self._wished_scale = None
        self.problem = failure.sentence
        self.phase_changed.emit()

    # ---------------------------------------------------------------------- for the other tabs
    def _offer(self, news: News) -> None:
        """Put the run's newest model into the lab, in place of its older one."""
        if self.order is None or news.model is None:
            return
        self._offered = news.model
        run = TrainedRun(
            name=self._run_name or self.order.title,
            model=news.model,
            tokenizer=self.order.tokenizer,
            made_from=self.order.streams.made_from,
            facts=_facts(self.order, news),
            folder=news.checkpoint if self._saved(news) else None,
            resumable=self._saved(news),
        )
        try:
            if self._run_name is None:
                self._run_name = self._lab.add_run(run).name
            else:
                self._run_name = self._lab.replace_run(self._run_name, run).name
        except LabError as error:
            self.problem = str(error)
            self.phase_changed.emit()

    @staticmethod
    def _saved(news: News) -> bool:
        """Whether the newest checkpoint is of the very model that the news brings."""
        return bool(news.checkpoints) and news.checkpoints[-1] == news.model_step


def _facts(order: Order, news: News) -> dict[str, str]:
    facts = {"Recipe": order.recipe.name, "Steps": f"{news.model_step:,}"}
    if order.size:
        facts["Size"] = order.size.capitalize()
    scored = news.evaluations
    if len(scored) and int(scored["step"][-1]) == news.model_step and order.has_held_out:
        facts["Held-out loss"] = f"{scored['loss'][-1]:.3f} nats per token"
    return facts
