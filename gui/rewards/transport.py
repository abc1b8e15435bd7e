"""Start, Pause, Resume, One update, Stop, and where the run stands in words."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QWidget

from gui.driving import transport as driving
from gui.driving.session import Phase
from gui.driving.transport import Tips
from gui.job_status import duration
from gui.rewards.session import RewardsSession

TIPS = Tips(
    start="Begin a new run from the pre-trained policy.",
    pause="Wait where the run stands.",
    resume="Go on where the run stands.",
    step="Sample, score and push once, then pause: look into the group.",
    stop="End the run. Its curves stay.",
    step_text="On&e update",
)


class Transport(driving.Transport):
    """The buttons that drive a post-training run."""

    def __init__(self, session: RewardsSession, parent: QWidget | None = None) -> None:
        super().__init__(session, TIPS, partial(state_in_words, session), parent, beside=True)


_WORDS = {
    Phase.QUEUED: "waiting for another job",
    Phase.PAUSING: "pausing …",
    Phase.PAUSED: "paused",
    Phase.STOPPING: "stopping …",
    Phase.STOPPED: "stopped",
    Phase.FAILED: "ended by an error",
    Phase.FINISHED: "done",
}


def state_in_words(session: RewardsSession) -> str:
    """Where a run stands, such as "Update 24 of 300 · 12 s left · held-out true score 61 %"."""
    phase, news, job = session.phase, session.news, session.job
    if phase is Phase.EMPTY:
        return "Nothing trained yet. Press Start, or One update to go slowly."
    if news is None or not news.scores:
        words = {
            Phase.FAILED: "The run could not begin.",
            Phase.QUEUED: "Waiting for the job before it …",
        }
        return words.get(phase, "Getting ready …")
    parts = [f"Update {news.update:,} of {news.order.updates:,}"]
    if phase is Phase.RUNNING:
        left = None if job is None else job.seconds_left
        if left is not None:
            parts.append(f"{duration(left)} left")
    else:
        parts.append(_WORDS[phase])
    first, last = news.scores[0].value, news.scores[-1].value
    parts.append(f"held-out true score {first:.0%} → {last:.0%}")
    return " · ".join(parts)
