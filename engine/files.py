"""Files written so that a crash or a power cut leaves the old state or the new one, and read
with suspicion. Imports no torch.

A rename replaces a file in one go, but it is the folder that remembers the rename: so the data
is synced first, then the name is changed, then the folder is synced (POSIX ``fsync``; on Windows
a folder can't be opened for that, and the file system's journal has to do).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from engine.errors import LabError

MAX_JSON_BYTES = 4_000_000
TEMPORARY = ".new-"
"""What the names of files begin with that are not whole yet."""


def write_bytes(path: Path, data: bytes) -> None:
    """Put a file in place, whole and on the disk, through a temporary one beside it. Its folder
    is made if it is missing.

    Raises:
        LabError: if it can't be written; what was there before is then untouched.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        temporary = None
        sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any, indent: int | None = None) -> None:
    """Write a JSON value likewise. Surrogates (in odd file names) are escaped.

    Raises:
        LabError: if it can't be written.
        ValueError: if a number in it is not finite.
    """
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, allow_nan=False, indent=indent, separators=separators)
    write_bytes(path, text.encode("ascii"))


def read_bytes(path: Path, limit: int) -> bytes:
    """A file's bytes.

    Raises:
        LabError: if it is missing, unreadable, or larger than ``limit`` bytes.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise LabError(f"{path.name} couldn't be read from {path.parent} ({reason}).") from error
    if len(data) > limit:
        raise LabError(f"{path.name} in {path.parent} is larger than such a file can be.")
    return data


def read_json(path: Path, limit: int = MAX_JSON_BYTES) -> dict[str, Any]:
    """A JSON object.

    Raises:
        LabError: if the file is missing, too large, or not a JSON object.
    """
    data = read_bytes(path, limit)
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise LabError(f"{path.name} in {path.parent} is damaged: it isn't valid JSON.") from error
    if not isinstance(value, dict):
        raise LabError(f"{path.name} in {path.parent} doesn't hold what it should.")
    return value


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can be asked to.

    Raises:
        OSError: if the disk reports that it failed.
    """
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_tree(path: Path) -> None:
    """Delete a folder and all in it, as far as that is possible. A link is not followed."""
    if path.is_symlink() or not path.is_dir():
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)


def tree_bytes(folder: Path) -> int:
    """The bytes of all files below a folder, as far as they can be seen."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(parent) / name).lstat().st_size
    return total


def cannot_write(path: Path, error: OSError) -> LabError:
    """What to tell when a file or a folder can't be written."""
    reason = error.strerror or str(error) or type(error).__name__
    return LabError(
        f"“{path.name}” could not be written to {path.parent} ({reason}). "
        "Free some space or choose another folder; what was saved before is untouched."
    )
