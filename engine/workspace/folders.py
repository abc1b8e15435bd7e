"""Files of a workspace's folder: written so that a crash leaves the old state or the new one,
and read with suspicion.

    NAME/
      workspace.json              what is chosen and made, by the names of the parts below
      parts/tokenizer-….json      a tokenizer
      parts/text-….txt            a text of the learner's own
      parts/run-…/                a trained model: safetensors and JSON

A part is written under a name never used before; only then is workspace.json put in place of
the old one, in one rename, and the parts that it no longer names are removed.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.errors import LabError
from engine.files import cannot_write

DESCRIPTION = "workspace.json"
PARTS = "parts"
MAX_DESCRIPTION_BYTES = 4_000_000
MAX_RUN_FILES = 16

_PART_NAME = re.compile(r"(?:tokenizer-[0-9a-f]{16}\.json|text-[0-9a-f]{16}\.txt|run-[0-9a-f]{16})")


def prepare(folder: Path, format_name: str) -> None:
    """Make the folder for a workspace, or accept one that holds a workspace already.

    Raises:
        LabError: if it holds other things, or cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = {entry.name for entry in folder.iterdir()}
        parts = folder / PARTS
        if DESCRIPTION in names:
            present = read_json(folder / DESCRIPTION, MAX_DESCRIPTION_BYTES)
            fits = isinstance(present, dict) and present.get("format") == format_name
        else:
            fits = not names - {PARTS}
        if not fits or parts.is_symlink():
            raise LabError(
                f"“{folder.name}” already holds other files. Choose a new or an empty folder."
            )
        parts.mkdir(exist_ok=True)
    except ValueError as error:  # a NUL in the name
        raise LabError(f"“{folder.name}” is no name for a folder.") from error
    except OSError as error:
        raise cannot_write(folder, error) from error


def new_part(sort: str, ending: str = "") -> str:
    """A part's name that was never used before."""
    return f"{sort}-{secrets.token_hex(8)}{ending}"


def copy_run(source: Path, target: Path) -> None:
    """Copy a run's files, none of which is a link.

    Raises:
        LabError: if they cannot be read or written.
    """
    try:
        target.mkdir()
        for file in run_files(source):
            shutil.copyfile(file, target / file.name)
    except OSError as error:
        raise cannot_write(target, error) from error


def parts_in(folder: Path) -> set[str]:
    """The names of all parts in a workspace's folder. Other files there are none of ours."""
    return {e.name for e in (folder / PARTS).iterdir() if _PART_NAME.fullmatch(e.name)}


def remove_parts(folder: Path, names: Iterable[str]) -> None:
    """Remove parts. One that cannot be removed does no harm and stays."""
    for name in names:
        path = folder / PARTS / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()


def part_path(folder: Path, sort: str, name: str) -> Path:
    """Where a part lies that workspace.json names.

    Raises:
        LabError: if the name is no part's of that sort (it might lead out of the folder).
    """
    if not _PART_NAME.fullmatch(name) or not name.startswith(f"{sort}-"):
        raise LabError(f"The workspace names a part “{name[:80]}”, which no workspace has.")
    return folder / PARTS / name


def read(path: Path, limit: int) -> bytes:
    """The bytes of an ordinary file that is no link, if there are at most ``limit``.

    Raises:
        LabError: if it is missing, unreadable, too large, or something else than a file.
    """
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise LabError(f"In the workspace, {path.name} is not an ordinary file.")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise LabError(f"The workspace has no {path.name}: part of it is missing.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the system gave no reason"
        raise LabError(f"The workspace's {path.name} could not be read: {reason}.") from error
    if len(data) > limit:
        raise LabError(f"The workspace's {path.name} is larger than it can be.")
    return data


def read_json(path: Path, limit: int) -> Any:
    """The JSON value in a file of at most ``limit`` bytes.

    Raises:
        LabError: as ``read``, or if it is no JSON.
    """
    data = read(path, limit)
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise LabError(f"The workspace's {path.name} is damaged: it is no valid JSON.") from None


def run_files(folder: Path) -> list[Path]:
    """The files of a run's folder, in order of name.

    Raises:
        LabError: if it is missing, or holds anything but a few ordinary files.
    """
    try:
        if folder.is_symlink() or not folder.is_dir():
            raise LabError(f"The workspace has no {folder.name}: part of it is missing.")
        files = sorted(folder.iterdir())
        if len(files) > MAX_RUN_FILES or not all(stat.S_ISREG(f.lstat().st_mode) for f in files):
            raise LabError(f"The workspace's {folder.name} holds other things than a model.")
    except OSError as error:
        raise LabError(f"The workspace's {folder.name} could not be read.") from error
    return files


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
