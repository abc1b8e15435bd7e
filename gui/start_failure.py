"""Says why the app could not start: a sentence, then the details, on the terminal and in the log.

Imports nothing but the standard library and ``gui.places``, since Qt itself may be what is
missing.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

from engine.errors import LabError

LOG_FILE = "lab.log"


def tell(error: BaseException) -> int:
    """Write what went wrong to standard error and to the end of the log.

    Returns:
        The process's exit status, 1.
    """
    details = "".join(traceback.format_exception(error))
    message = f"{sentence(error)}\n\n{details}"
    log = _logged(message)
    if log is not None:
        message += f"\nThis is also in {log}.\n"
    # A terminal that is not UTF-8 must not add an error of its own.
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    sys.stderr.write(message.encode(encoding, "backslashreplace").decode(encoding))
    sys.stderr.flush()
    return 1


def sentence(error: BaseException) -> str:
    """What went wrong and what to do, in one or two sentences."""
    if isinstance(error, LabError):
        return f"Next Token Lab could not start. {error}"
    lines = str(error).strip().splitlines()
    what = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    told = f"Next Token Lab could not start: {what}."
    if isinstance(error, ModuleNotFoundError) and error.name and not _ours(error.name):
        return (
            f"{told} A package it needs is not installed for this Python ({sys.executable}): "
            "start it with “make run”, or see “Setting up” in README.md."
        )
    if isinstance(error, ImportError):
        return (
            f"{told} Its files or a package are damaged or incomplete: run “make clean” and “make "
            "run”, or install it again."
        )
    return f"{told} Please report it with the lines below."


def _ours(module: str) -> bool:
    return module.partition(".")[0] in ("engine", "gui")


def _logged(message: str) -> Path | None:
    """Append to the log file; None where that is impossible."""
    try:
        from gui.places import log_dir

        path = log_dir() / LOG_FILE
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(message + "\n")
    except (OSError, ImportError):
        return None
    return path
