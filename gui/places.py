"""Where the app keeps its files: each system's usual folders, or one folder of one's own."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

APP = "next-token-lab"
HOME_VARIABLE = "NEXT_TOKEN_LAB_HOME"
"""Set to a folder, it holds everything the app writes: for classrooms, sticks and tests."""


def config_dir() -> Path:
    """Preferences and the window's state. Made if it is missing."""
    return _made("config", Path(platformdirs.user_config_dir(APP, appauthor=False)))


def log_dir() -> Path:
    """Log files and crash reports. Made if it is missing."""
    return _made("logs", Path(platformdirs.user_log_dir(APP, appauthor=False)))


def data_dir() -> Path:
    """Runs, checkpoints and workspaces. Made if it is missing."""
    return _made("data", Path(platformdirs.user_data_dir(APP, appauthor=False)))


def _made(name: str, usual: Path) -> Path:
    own = os.environ.get(HOME_VARIABLE)
    folder = Path(own).expanduser() / name if own else usual
    folder.mkdir(parents=True, exist_ok=True)
    return folder
