"""What one page of the tab wants of another."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal


class Wishes(QObject):
    """Pages emit these; the tab brings the right page to the front."""

    compare = Signal(object)
    """A set of kept runs' keys that are to be set beside others."""
    race = Signal(object)
    """An Experiment that is to be run."""
    clone = Signal(object)
    """A Recipe that is to be set up again."""
