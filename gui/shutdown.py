"""The way out, in stages, at any moment: each stage is logged, bounded and done once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Shutdown:
    """Named stages, run in order. A stage that fails is logged and does not stop the rest."""

    def __init__(self) -> None:
        self._stages: list[tuple[str, Callable[[], object]]] = []
        self._begun = False

    def add(self, name: str, stage: Callable[[], object]) -> None:
        """Add a stage to the end."""
        self._stages.append((name, stage))

    @property
    def begun(self) -> bool:
        """Whether the app is on its way out."""
        return self._begun

    def run(self) -> None:
        """Run what has not been run. Called again, also from within a stage, it does nothing."""
        if self._begun:
            return
        self._begun = True
        while self._stages:
            name, stage = self._stages.pop(0)
            start = time.perf_counter()
            try:
                stage()
            except Exception:
                log.exception("Closing: the stage “%s” failed.", name)
            else:
                log.info("Closing: %s, %.0f ms", name, (time.perf_counter() - start) * 1000)
