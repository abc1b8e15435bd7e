"""What policies are post-trained to do."""

from engine.posttraining.tasks.letters import Letters
from engine.posttraining.tasks.sums import Sums
from engine.posttraining.tasks.task import Task, WordTask

__all__ = ["TASKS", "Letters", "Sums", "Task", "WordTask"]

TASKS: tuple[type[Task], ...] = (Sums, Letters)
"""All tasks, in the order of the menu."""
