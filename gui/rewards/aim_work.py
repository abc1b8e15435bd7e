"""The closed form's work on the compute thread. No Qt; torch is loaded there and not before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.jobs import NO_JOB, Job
from engine.posttraining.rewards import Floats, RewardMix
from engine.posttraining.tasks import Task

if TYPE_CHECKING:
    from engine.posttraining.aiming import Aiming, Target


class AimPreview:
    """The best policy for any β and reward; the reference is read once. Belongs to the compute
    thread."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._reference: Floats | None = None

    def target(self, reward: RewardMix, beta: float, *, job: Job = NO_JOB) -> Target:
        """π_ref, π* and where the usual settings rest.

        Raises:
            LabError: as ``engine.posttraining.aiming.make_target``.
        """
        from engine.posttraining.aiming import make_target
        from engine.posttraining.policies import bundled_policy

        policy = bundled_policy(self._task)
        found = make_target(policy, self._task, reward, beta, self._reference, job)
        self._reference = found.reference
        return found


def make_aiming(task: Task, reward: RewardMix, beta: float, seed: int, job: Job) -> Aiming:
    """Both runs, not begun."""
    from engine.posttraining.aiming import Aiming
    from engine.posttraining.policies import bundled_policy

    return Aiming(bundled_policy(task), task, reward, beta, seed)
