"""A run as a folder of its own, to be given away and taken in: JSON and safetensors.

    NAME/
      run.json state.json card.json     what it is, how it stands, what was said about it
      steps.jsonl …                     its curves (``engine.runs.tables``)
      step-00000240/                    its checkpoints: the best, and the last
      shared/                           the text in tokens and the tokenizer, by fingerprint

A folder that is taken in may come from anyone: only files of these names are looked at, none of
them a link, all of them bounded, and what they hold is checked where it is read.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from engine.errors import LabError
from engine.files import cannot_write, remove_tree, sync_folder, write_json
from engine.jobs import NO_JOB, Job
from engine.runs.catalogue import SHARED, Catalogue
from engine.runs.checkpoints import best, find
from engine.runs.description import RunSummary
from engine.runs.kept import CARD, DESCRIPTION, STATE, read_description, read_state, read_summary
from engine.runs.store import Store
from engine.runs.tables import ENDING, MAX_TABLE_BYTES

MOST_FILES = 64
_TABLE = re.compile(r"[a-z][a-z0-9_-]{0,40}" + re.escape(ENDING))
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,80}")
_MAX_CHECKPOINT_BYTES = 4_000_000_000


def export_run(catalogue: Catalogue, key: str, target: Path, job: Job = NO_JOB) -> Path:
    """Copy a run, with all that it needs, into a new folder. Returns the folder.

    Args:
        catalogue: where it is kept.
        key: which run.
        target: a folder that is not there yet, or empty.
        job: sees progress.

    Raises:
        LabError: if the run is gone, the folder holds something already, or can't be written.
    """
    check_empty(target)
    summary = catalogue.summary(key)
    spared = {c.folder.name for c in (best(summary.checkpoints), *summary.checkpoints[-1:]) if c}
    part = target.parent / f".new-{target.name}"
    try:
        remove_tree(part)
        part.mkdir(parents=True)
        for path in _files(summary.folder):
            job.yield_point()
            folder = path.relative_to(summary.folder).parent.name
            if not folder or folder in spared:
                _copy(path, part / path.relative_to(summary.folder))
        for name in summary.description.attachments.values():
            job.yield_point()
            _copy(catalogue.store.path(name), part / SHARED / name)
        with contextlib.suppress(FileNotFoundError):
            target.rmdir()
        part.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise cannot_write(target, error) from error
    finally:
        remove_tree(part)
    return target


def check_empty(target: Path) -> None:
    """Raises:
    LabError: if there is something at ``target`` other than an empty folder.
    """
    with contextlib.suppress(OSError):
        if target.is_file() or any(target.iterdir()):
            raise LabError(f"{target.name} holds something already. Choose another name.")


def import_run(catalogue: Catalogue, source: Path, job: Job = NO_JOB) -> RunSummary:
    """Take a folder that ``export_run`` wrote into the catalogue, as a run of its own.

    Raises:
        LabError: if it holds no run, is damaged, or can't be copied; nothing is taken in then.
    """
    try:
        description = read_description(source)
    except LabError as error:
        raise LabError(f"{source.name} holds no run that this version can read. {error}") from error
    state = read_state(source)
    store = Store(source / SHARED)
    folder = catalogue.new_folder()
    part = folder.parent / f".new-{folder.name}"
    try:
        part.mkdir(parents=True)
        for path in _files(source):
            job.yield_point()
            _copy(path, part / path.relative_to(source))
        for name in description.attachments.values():
            job.yield_point()
            catalogue.store.put(store.get(name), name.partition(".")[2])
        # whoever ran it there is no process here
        mark = "stopped" if state.mark in ("running", "interrupted") else state.mark
        write_json(part / STATE, {**state.to_dict(), "mark": mark, "process": None})
        read_summary(part)
        part.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        remove_tree(part)
    return read_summary(folder)


def _files(folder: Path) -> Iterator[Path]:
    """The files of a run: its descriptions, tables, and those of its checkpoints.

    Raises:
        LabError: if there are more than a run has.
        OSError: if the folder can't be read.
    """
    found = [
        path
        for path in sorted(folder.iterdir())
        if path.name in (DESCRIPTION, CARD, STATE) or _TABLE.fullmatch(path.name)
    ]
    for checkpoint in find(folder, {}):
        found += [p for p in sorted(checkpoint.folder.iterdir()) if _FILE.fullmatch(p.name)]
    if len(found) > MOST_FILES:
        raise LabError(f"{folder.name} holds more files than a run has.")
    for path in found:
        status = path.lstat()
        limit = MAX_TABLE_BYTES if path.parent == folder else _MAX_CHECKPOINT_BYTES
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit:
            raise LabError(f"{path.name} in {path.parent} is no ordinary file of a run.")
        yield path


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target, follow_symlinks=False)
