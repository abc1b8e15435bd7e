"""What every page of this tab is given, and how it asks the compute thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from gui.lab import Lab
from gui.language_models.context import Context
from gui.language_models.models import ModelSet


class Page(QWidget):
    """A page. It works only while it is shown, and catches up when it is shown again."""

    uses_context = True
    """Whether a change of the shared context concerns the page."""

    def __init__(self, lab: Lab, models: ModelSet, context: Context) -> None:
        super().__init__()
        self.lab, self.models, self.context = lab, models, context
        self._stale = True
        models.changed.connect(self.refresh)
        if self.uses_context:
            context.changed.connect(self.refresh)

    @Slot()
    def refresh(self) -> None:
        """Compute anew now, or once the page is shown."""
        self._stale = True
        if self.isVisible():
            self._stale = False
            self.compute()

    def compute(self) -> None:
        """Ask for what the page shows."""
        raise NotImplementedError

    def ask(self, key: str, function: Callable[..., Any], *args: Any, **options: Any) -> None:
        """Ask the compute thread for something short; the latest question of a key wins."""
        self.lab.compute.request(("language_models", key), function, *args, **options)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self.refresh()
