"""Files that several runs share, such as a text in tokens: named by what they hold.

A file's name is the SHA-256 of its bytes and an ending, so the same text is kept once, and a
file that was damaged or swapped is known for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Collection
from pathlib import Path

from engine.errors import LabError
from engine.files import read_bytes, write_bytes

MAX_BYTES = 1_000_000_000
_NAME = re.compile(r"[0-9a-f]{64}\.[a-z]{1,16}")


class Store:
    """A folder of such files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes, ending: str) -> str:
        """Keep some bytes; returns their name.

        Args:
            data: what to keep.
            ending: what the name ends in, such as "json".

        Raises:
            LabError: if they can't be written.
        """
        name = f"{hashlib.sha256(data).hexdigest()}.{ending}"
        path = self.folder / name
        with contextlib.suppress(OSError):
            if path.stat().st_size == len(data):
                return name
        write_bytes(path, data)
        return name

    def get(self, name: str) -> bytes:
        """The bytes of that name.

        Raises:
            LabError: if they are missing, or not what was kept.
        """
        data = read_bytes(self.path(name), MAX_BYTES)
        if hashlib.sha256(data).hexdigest() != name.partition(".")[0]:
            raise LabError(f"{name} in {self.folder} is damaged.")
        return data

    def path(self, name: str) -> Path:
        """Where the file of that name lies.

        Raises:
            LabError: if no store gives such names (it might lead out of the folder).
        """
        if not _NAME.fullmatch(name):
            raise LabError(f"“{name[:80]}” is no name of a kept file.")
        return self.folder / name

    def keep_only(self, names: Collection[str]) -> None:
        """Delete what no run names any more, as far as that is possible."""
        with contextlib.suppress(OSError):
            for path in list(self.folder.iterdir()):
                if path.name not in names:
                    with contextlib.suppress(OSError):
                        path.unlink()
