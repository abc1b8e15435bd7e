"""Where runs are kept."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from gui.places import data_dir


def runs_dir() -> Path:
    """The folder of all runs' folders. It need not be there yet."""
    return data_dir() / "runs"


def new_run_folder() -> Path:
    """A name for a run's folder that no other run has; later runs sort after earlier ones."""
    return runs_dir() / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
