"""A pytest plugin that makes Qt impossible to import: ``pytest -p tests.without_qt``."""

from __future__ import annotations

from tests.blocked import block

block("PySide6", "shiboken6", "pyqtgraph", "gui")
