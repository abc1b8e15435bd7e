"""Where the app keeps its files: each system's usual folders, or one folder of one's own.

Where a folder cannot be written (a home that is read-only, a full or missing disk), a folder
that lasts as long as the process takes its place, and ``trouble`` says so.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs

APP = "next-token-lab"
HOME_VARIABLE = "NEXT_TOKEN_LAB_HOME"
"""Set to a folder, it holds everything the app writes: for classrooms, sticks and tests."""

_stand_ins: dict[Path, tempfile.TemporaryDirectory[str]] = {}
_troubles: dict[Path, str] = {}


def config_dir() -> Path:
    """Preferences and the window's state. Made if it is missing. It may be one that can only
    be read: a classroom's settings, the same for everyone."""
    return _made("config", Path(platformdirs.user_config_dir(APP, appauthor=False)), writes=False)


def log_dir() -> Path:
    """Log files and crash reports. Made if it is missing."""
    return _made("logs", Path(platformdirs.user_log_dir(APP, appauthor=False)))


def data_dir() -> Path:
    """Runs, checkpoints and workspaces. Made if it is missing."""
    return _made("data", Path(platformdirs.user_data_dir(APP, appauthor=False)))


def trouble() -> str | None:
    """What to tell the person if a folder asked for so far cannot be written; None if all can."""
    if not _troubles:
        return None
    folder, reason = next(iter(_troubles.items()))
    return (
        f"The lab cannot keep anything in {folder} ({reason}). What you do now works, and is "
        f"forgotten when you close it. To keep it, set {HOME_VARIABLE} to a folder you may "
        "write to."
    )


def _made(name: str, usual: Path, writes: bool = True) -> Path:
    own = os.environ.get(HOME_VARIABLE)
    folder = Path(own).expanduser() / name if own else usual
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if writes and not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(None, "it is read-only")
    except OSError as error:
        return _stand_in(folder, error.strerror or str(error))
    _troubles.pop(folder, None)
    return folder


def _stand_in(folder: Path, reason: str) -> Path:
    """A folder for this process alone, the same each time; it goes when the process ends."""
    _troubles[folder] = reason
    if folder not in _stand_ins or not Path(_stand_ins[folder].name).is_dir():
        _stand_ins[folder] = tempfile.TemporaryDirectory(
            prefix=f"{APP}-", ignore_cleanup_errors=True
        )
    return Path(_stand_ins[folder].name)
