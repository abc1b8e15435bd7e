"""What the app remembers: preferences, which a person chose, apart from the window's state.

Both are INI files. Anyone may have edited them or cut them short, so every value is checked on
reading, and what makes no sense counts as never set.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

from gui.theme import LARGEST_TEXT, MODES, SMALLEST_TEXT

log = logging.getLogger(__name__)

LARGEST_SEED = 2**31 - 1
LONGEST_TEXT = 10_000


class Preferences(QObject):
    """What a person chose. Setting a value writes it and sends ``changed`` with its name."""

    changed = Signal(str)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file = QSettings(str(folder / "preferences.ini"), QSettings.Format.IniFormat)

    @property
    def theme(self) -> str:
        """ "system", "light" or "dark"."""
        value = self._file.value("look/theme")
        return value if value in MODES else "system"

    @theme.setter
    def theme(self, mode: str) -> None:
        self._write("theme", "look/theme", mode)

    @property
    def text_size(self) -> int:
        """In per cent, 75 to 250."""
        return self._integer("look/text_size", 100, SMALLEST_TEXT, LARGEST_TEXT)

    @text_size.setter
    def text_size(self, per_cent: int) -> None:
        self._write("text_size", "look/text_size", int(per_cent))

    @property
    def motion(self) -> bool:
        """Whether things may move on screen."""
        return str(self._file.value("look/motion", "true")).lower() not in ("false", "0")

    @motion.setter
    def motion(self, motion: bool) -> None:
        self._write("motion", "look/motion", "true" if motion else "false")

    @property
    def seed(self) -> int:
        """The seed shown in the header, 0 to 2³¹ − 1."""
        return self._integer("lab/seed", 0, 0, LARGEST_SEED)

    @seed.setter
    def seed(self, seed: int) -> None:
        self._write("seed", "lab/seed", int(seed))

    @property
    def corpus(self) -> str:
        """The last corpus: its key, or the path of the learner's file. Empty if none."""
        return self._text("lab/corpus")

    @corpus.setter
    def corpus(self, key_or_path: str) -> None:
        self._write("corpus", "lab/corpus", key_or_path)

    @property
    def tokenizer(self) -> dict[str, Any]:
        """The last tokenizer's specification as JSON values. Empty if none."""
        try:
            value = json.loads(self._text("lab/tokenizer") or "{}")
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @tokenizer.setter
    def tokenizer(self, specification: dict[str, Any]) -> None:
        self._write("tokenizer", "lab/tokenizer", json.dumps(specification))

    def sync(self) -> None:
        """Write what has not been written yet."""
        self._file.sync()
        if self._file.status() != QSettings.Status.NoError:
            log.warning("The preferences could not be written to %s.", self._file.fileName())

    def _write(self, name: str, key: str, value: object) -> None:
        if self._file.value(key) != value:
            self._file.setValue(key, value)
            self.changed.emit(name)

    def _text(self, key: str) -> str:
        value = self._file.value(key, "")
        return value if isinstance(value, str) and len(value) <= LONGEST_TEXT else ""

    def _integer(self, key: str, default: int, low: int, high: int) -> int:
        value = self._file.value(key)
        try:
            number = int(str(value))
        except ValueError:
            return default
        return number if low <= number <= high else default


class WindowState:
    """Where things stand in the window: size and place, the tab, the splitters."""

    def __init__(self, folder: Path) -> None:
        self._file = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)

    def bytes(self, name: str) -> QByteArray:
        """What Qt's saveGeometry and saveState gave; empty if it is missing or spoiled."""
        value = self._file.value(name)
        return value if isinstance(value, QByteArray) else QByteArray()

    def set_bytes(self, name: str, value: QByteArray) -> None:
        """Keep what Qt's saveGeometry or saveState gave."""
        self._file.setValue(name, value)

    def text(self, name: str) -> str:
        """A short text; empty if it is missing or spoiled."""
        value = self._file.value(name, "")
        return value if isinstance(value, str) and len(value) <= LONGEST_TEXT else ""

    def set_text(self, name: str, value: str) -> None:
        """Keep a short text."""
        self._file.setValue(name, value)

    def sync(self) -> None:
        """Write what has not been written yet."""
        self._file.sync()
