"""Reading values out of JSON that may come from anyone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.errors import LabError
from engine.tokenizers.base import to_utf8

MAX_STRING = 4_096
"""The longest string in a workspace's description (a path, a title), in characters."""


class Fields:
    """The fields of one JSON object, each read with its type and bounds.

    Raises:
        LabError: from every method, if the value is not there or not of that kind.
    """

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise LabError(f"In the workspace, {where} is not a group of named values.")
        self._values: Mapping[str, Any] = value
        self._where = where

    def _get(self, name: str) -> Any:
        if name not in self._values:
            raise LabError(f"In the workspace, {self._where} has no {name}.")
        return self._values[name]

    def _wrong(self, name: str, expected: str) -> LabError:
        return LabError(f"In the workspace, {name} of {self._where} is not {expected}.")

    def raw(self, name: str) -> Any:
        """The value as it is, to be checked by whoever asked."""
        return self._get(name)

    def path(self, name: str) -> str:
        """A string that may hold surrogates: the names of files sometimes do."""
        value = self._get(name)
        if not isinstance(value, str) or len(value) > MAX_STRING:
            raise self._wrong(name, "a text of reasonable length")
        return value

    def string(self, name: str) -> str:
        """A string fit to be shown."""
        return to_utf8(self.path(name)).decode()

    def optional_path(self, name: str) -> str | None:
        """As ``path``, or None for null."""
        return None if self._get(name) is None else self.path(name)

    def integer(self, name: str, low: int, high: int) -> int:
        value = self._get(name)
        if type(value) is not int or not low <= value <= high:
            raise self._wrong(name, f"a whole number from {low:,} to {high:,}")
        return value

    def number(self, name: str) -> float:
        value = self._get(name)
        if type(value) not in (int, float) or not abs(value) < 1e300:
            raise self._wrong(name, "a finite number")
        return float(value)

    def boolean(self, name: str) -> bool:
        value = self._get(name)
        if type(value) is not bool:
            raise self._wrong(name, "true or false")
        return value

    def items(self, name: str, most: int) -> list[Any]:
        value = self._get(name)
        if not isinstance(value, list) or len(value) > most:
            raise self._wrong(name, f"a list of at most {most:,}")
        return value
