"""A pytest plugin that makes torch impossible to import: ``pytest -p tests.without_torch``."""

from __future__ import annotations

from tests.blocked import block

block("torch")
