"""Cyclic garbage is collected on the GUI thread only.

Python collects wherever an allocation happens to cross a threshold; on the compute thread that
could destroy widgets there, which Qt forbids. So automatic collection is off, and a timer looks
at the same thresholds from the event loop.
"""

from __future__ import annotations

import gc
import sys

from PySide6.QtCore import QObject, QTimer, Slot

INTERVAL_MS = 1000
MANY_MODULES = 100


class GarbageCollector(QObject):
    """Collects from a timer while it is started."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.check)
        self._modules = self._modules_frozen = 0
        self._was_enabled = False

    def start(self) -> None:
        """Switch automatic collection off and the timer on."""
        if not self._timer.isActive():
            self._was_enabled = gc.isenabled()
            gc.disable()
            self._timer.start()

    def stop(self) -> None:
        """Give collection back to Python. Callable twice."""
        if self._timer.isActive():
            self._timer.stop()
            gc.unfreeze()
            self._modules = self._modules_frozen = 0
            if self._was_enabled:
                gc.enable()

    @Slot()
    def check(self) -> None:
        """Collect the oldest generation whose turn it is."""
        self._set_imports_aside()
        counts, thresholds = gc.get_count(), gc.get_threshold()
        for generation in (2, 1, 0):
            if counts[generation] > thresholds[generation]:
                gc.collect(generation)
                return

    def _set_imports_aside(self) -> None:
        """After a large import has settled, exempt what lives then from collection: torch
        brings some hundred thousand objects that never die, and walking them takes longer
        than a frame."""
        modules = len(sys.modules)
        if modules == self._modules and modules - self._modules_frozen > MANY_MODULES:
            gc.freeze()
            self._modules_frozen = modules
        self._modules = modules
