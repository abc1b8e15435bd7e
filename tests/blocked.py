"""Makes packages impossible to import, as if they were not installed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Blocker(MetaPathFinder):
    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {fullname!r} (blocked)", name=fullname)
        return None


def block(*names: str) -> None:
    """From now on, importing one of these packages raises ModuleNotFoundError.

    Raises:
        RuntimeError: if one of them is imported already, so that blocking would prove nothing.
    """
    already = [name for name in names if name in sys.modules]
    if already:
        raise RuntimeError(f"{', '.join(already)} was imported before it could be blocked")
    sys.meta_path.insert(0, _Blocker(frozenset(names)))
