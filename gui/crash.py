"""Crash reports: written by faulthandler as the process dies, offered at the next start."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import re
from pathlib import Path
from typing import TextIO

import psutil

_NAME = re.compile(r"crash-(\d+)-(\d+)\.txt")
LARGEST_REPORT = 200_000


class CrashFile:
    """This process's crash file: open while it lives, deleted when it ends well."""

    def __init__(self, folder: Path) -> None:
        pid = os.getpid()
        self.path = folder / f"crash-{pid}-{_started(pid)}.txt"
        self._file: TextIO | None = None

    def enable(self) -> None:
        """Have fatal signals write every thread's stack here. A folder that cannot be written
        leaves it at standard error."""
        with contextlib.suppress(OSError):
            self._file = self.path.open("w", encoding="utf-8")
            faulthandler.enable(self._file, all_threads=True)

    def disable(self) -> None:
        """This process ends well: nothing to offer. Callable twice."""
        if self._file is not None:
            faulthandler.disable()
            self._file.close()
            self._file = None
            with contextlib.suppress(OSError):
                self.path.unlink()


def last_crash(folder: Path) -> Path | None:
    """The newest report left by a process that is no more. Empty files, left by a kill or a
    power cut, are cleared away; those of running processes are theirs."""
    reports: list[Path] = []
    for path in folder.glob("crash-*.txt"):
        match = _NAME.fullmatch(path.name)
        with contextlib.suppress(OSError):
            if match is None or _started(int(match[1])) == int(match[2]):
                continue
            if path.stat().st_size == 0:
                path.unlink()
            else:
                reports.append(path)
    return max(reports, key=lambda path: path.stat().st_mtime, default=None)


def read_report(path: Path) -> str:
    """The report's text, at most LARGEST_REPORT characters."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(LARGEST_REPORT)
    except OSError as error:
        return f"The report could not be read: {error}"


def delete_reports(folder: Path) -> None:
    """Delete the reports of all processes that are no more."""
    while (path := last_crash(folder)) is not None:
        try:
            path.unlink()
        except OSError:
            return


def _started(pid: int) -> int:
    """When the process with this id was started, in seconds since 1970; −1 if there is none.
    With the id it names a process for good: ids are used again."""
    try:
        return int(psutil.Process(pid).create_time())
    except psutil.Error:
        return -1
