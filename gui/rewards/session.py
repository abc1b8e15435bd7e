"""What the rewards tab drives: one run at a time, with its jobs, its state and its news."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from engine.errors import LabError
from engine.posttraining.rewards import RewardMix, RewardTerm
from gui.driving.session import Phase, RunSession
from gui.job_handle import Failure, JobHandle
from gui.kept_runs import catalogue
from gui.lab import Lab
from gui.rewards.live import FrozenPolicy, LiveRun
from gui.rewards.news import Comparison, Ended, News, Order
from gui.rewards.policy_run import policy_run

__all__ = ["Phase", "RewardsSession"]

COMPARE_KEY = "rewards: compare"
OFFER_KEY = "rewards: policy"


class RewardsSession(RunSession):
    """Starts, steers and compares post-training runs. One step is one update."""

    compared = Signal(object)
    """A Comparison is there."""
    compare_failed = Signal(str)
    """Why a comparison is impossible, in a sentence."""
    reopened = Signal(object)
    """A kept run was loaded and stands where it was: its News."""
    offered = Signal(str)
    """The policy as it is stands in the lab under this name, for the other tabs."""

    def __init__(self, lab: Lab, parent: QObject | None = None) -> None:
        super().__init__(lab, parent)
        self._live: LiveRun | None = None
        self.catalogue = catalogue()
        """Where runs are kept."""
        self.order: Order | None = None
        """What the present run is; None before the first."""
        self.news: News | None = None
        """The newest news of the present run."""
        self.opening = False
        """A kept run is being loaded: what it is rewarded by is not known yet."""

    @property
    def live(self) -> LiveRun | None:
        """The present run, for work on the compute thread; None before the first."""
        return self._live

    # ------------------------------------------------------------------------------ what to do
    def start(self, order: Order, updates: int | None = None) -> bool:
        """Begin a new run in place of the one before.

        Args:
            order: what to post-train.
            updates: pause after so many; None for all of the order's.
        """
        if not self.can_start:
            return False
        self._begin(LiveRun(order, self.catalogue), order)
        self._go_on(updates)
        return True

    def open_kept(self, order: Order, key: str, offered: tuple[RewardTerm, ...] = ()) -> bool:
        """Put a kept run in place of the one before, paused at its newest checkpoint;
        ``reopened`` follows.

        Args:
            order: what it post-trains, and to how many updates.
            key: its key in the catalogue.
            offered: terms that have been made for its task (see ``LiveRun``).
        """
        if not self.can_start:
            return False
        self._begin(LiveRun(order, self.catalogue, key, offered), order)
        self.opening = True
        self._go_on(0)
        return True

    def _begin(self, live: LiveRun, order: Order) -> None:
        self._live, self.order, self.news = live, order, None
        self.problem = ""
        self.opening = False
        self.began.emit()

    def set_reward(self, reward: RewardMix) -> None:
        """Reward something else from the next update on."""
        if self._live is not None:
            self._live.reward = reward

    def compare(self, prompt: str, target: str) -> None:
        """Ask policy and reference the same; ``compared`` or ``compare_failed`` follows."""
        if self._live is not None:
            self._lab.compute.request(
                COMPARE_KEY,
                self._live.compare,
                prompt,
                target,
                title="Comparing policy and reference",
                with_job=True,
                on_result=self._was_compared,
                on_error=self._not_compared,
            )

    def forget_comparison(self) -> None:
        """The answer to the comparison under way is no longer wanted."""
        self._lab.compute.forget(COMPARE_KEY)

    # ------------------------------------------------------------------------------- the jobs
    def _has_run(self) -> bool:
        return self._live is not None

    def _go_on(self, steps: int | None) -> None:
        assert self._live is not None and self.order is not None
        self._submit(
            self._live.run,
            steps,
            title=f"Rewards: {self.order.task.title}",
            unit="updates",
            on_snapshot=self._take,
            on_result=self._ended,
            on_cancelled=self._cancelled,
        )

    def _one_step_more(self) -> None:
        assert self._live is not None
        self._live.one_update_more()

    def _leave(self) -> None:
        self._set_phase(Phase.STOPPED)

    @Slot(object)
    def _take(self, news: News) -> None:
        self.news, self.order = news, news.order
        self.news_changed.emit()

    @Slot(object)
    def _ended(self, ended: Ended) -> None:
        self._job = None
        self._take(ended.news)
        self._set_phase(Phase.FINISHED if ended.reason == "finished" else Phase.PAUSED)
        self._tell_reopened()
        self._offer()

    @Slot(object)
    def _cancelled(self, handle: JobHandle) -> None:
        if handle is not self._job:
            return
        self._job = None
        assert self._live is not None
        if self._live.latest is not None:
            self._take(self._live.latest)
        self._set_phase(Phase.STOPPED if self.news is not None else Phase.EMPTY)
        self._tell_reopened()
        self._offer()

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self.opening = False
        super()._failed(failure)

    def _tell_reopened(self) -> None:
        if self.opening:
            self.opening = False
            if self.news is not None:
                self.reopened.emit(self.news)

    @Slot(object)
    def _was_compared(self, comparison: Comparison) -> None:
        self.compared.emit(comparison)

    @Slot(object)
    def _not_compared(self, failure: Failure) -> None:
        self.compare_failed.emit(failure.sentence)

    # ---------------------------------------------------------------------- for the other tabs
    def _offer(self) -> None:
        """Copy the policy as it is, to put it into the lab."""
        if self._live is not None and self.news is not None and self.news.update:
            self._lab.compute.request(
                (OFFER_KEY, id(self._live)),
                self._live.frozen,
                title="Keeping the policy",
                on_result=self._copied,
            )

    @Slot(object)
    def _copied(self, found: FrozenPolicy) -> None:
        live = found.live
        run = policy_run(found.model, live.order, found.updates, live.latest)
        try:
            if live.lab_name:
                live.lab_name = self._lab.replace_run(live.lab_name, run).name
            else:
                live.lab_name = self._lab.add_run(run).name
        except LabError as error:
            self.problem = str(error)
            self.phase_changed.emit()
            return
        self.offered.emit(live.lab_name)
