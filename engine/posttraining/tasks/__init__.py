"""What policies are post-trained to do."""

from engine.posttraining.tasks.letters import Letters
from engine.posttraining.tasks.refusals import Refusals
from engine.posttraining.tasks.replies import Replies
from engine.posttraining.tasks.scratchpad import Scratchpad
from engine.posttraining.tasks.stories import Stories
from engine.posttraining.tasks.sums import Sums
from engine.posttraining.tasks.task import Task, WordTask

__all__ = [
    "TASKS",
    "Letters",
    "Refusals",
    "Replies",
    "Scratchpad",
    "Stories",
    "Sums",
    "Task",
    "WordTask",
]

TASKS: tuple[type[Task], ...] = (Sums, Letters, Scratchpad, Replies, Stories, Refusals)
"""All tasks, in the order of the menu."""
