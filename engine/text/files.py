"""Reading a text file of the learner's: what may be read, and how much of it."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.text.encodings import decode_text
from engine.tokenizers.base import to_utf8

MAX_TEXT_BYTES = 50_000_000
"""The largest text that is taken in, 50 MB."""

_CHUNK = 1 << 20


@dataclass(frozen=True)
class FileText:
    """What was read from a text file."""

    name: str
    """The file's name, without its folder."""
    text: str
    """The text, newlines as \\n, without a byte-order mark. Holds no lone surrogate."""
    encoding: str
    """Python's name of the codec that read it."""
    n_bytes: int
    """The file's size."""
    notes: tuple[str, ...]
    """What was assumed or mended, a sentence each."""


def read_text_file(path: str | os.PathLike[str], job: Job = NO_JOB) -> FileText:
    """Read a plain text file of at most 50 MB, in whatever encoding it is.

    Raises:
        LabError: if it is missing, unreadable, not a regular file, too large, empty, binary,
            or in no encoding that can be told; the sentence says which and what to do.
    """
    place = Path(path)
    name = quoted_name(place)
    data = _read_bytes(place, name, job)
    if not data:
        raise LabError(f"{name} is empty. Choose a file with some text in it.")
    decoded = decode_text(data, name, job)
    if not decoded.text or decoded.text.isspace():
        raise LabError(
            f"{name} holds nothing but spaces and line ends. Choose a file with some text in it."
        )
    return FileText(
        name=to_utf8(place.name).decode(),
        text=decoded.text,
        encoding=decoded.encoding,
        n_bytes=len(data),
        notes=decoded.notes,
    )


def quoted_name(path: Path) -> str:
    """A file's name in quotes, fit to be shown whatever bytes it is made of."""
    shown = to_utf8(path.name or str(path)).decode()
    shown = "".join(c if c.isprintable() else "\ufffd" for c in shown)
    return f"“{shown if len(shown) <= 80 else shown[:79] + '…'}”"


def too_large(name: str, size: int) -> LabError:
    """The refusal of a text above the limit."""
    return LabError(
        f"{name} has {size / 1e6:,.1f} MB; the largest text that can be taken in has "
        f"{MAX_TEXT_BYTES / 1e6:.0f} MB. Cut it down to a part."
    )


def _read_bytes(path: Path, name: str, job: Job) -> bytes:
    """The bytes of a regular file, refused before reading if there are too many."""
    try:
        # Looked at before opening: opening a pipe may wait for ever, a device may act.
        _check_regular(path.stat(), name)
        # Looked at again once open, without waiting: the path may have changed meanwhile.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            _check_regular(status, name)
            chunks: list[bytes] = []
            total = 0
            while chunk := file.read(_CHUNK):
                chunks.append(chunk)
                total += len(chunk)
                if total > MAX_TEXT_BYTES:  # it grew, or its size was not the truth
                    raise too_large(name, total)
                job.progress(total, max(total, status.st_size), "Reading the file")
            return b"".join(chunks)
    except ValueError:
        raise LabError(f"{name} cannot be the name of a file. Choose another file.") from None
    except OSError as error:
        raise LabError(_os_sentence(error, name)) from error


def _check_regular(status: os.stat_result, name: str) -> None:
    mode = status.st_mode
    if stat.S_ISDIR(mode):
        raise LabError(f"{name} is a folder. Choose one text file inside it.")
    if not stat.S_ISREG(mode):
        raise LabError(
            f"{name} is not an ordinary file but a device, a pipe or a socket. Choose a text file."
        )
    if status.st_size > MAX_TEXT_BYTES:
        raise too_large(name, status.st_size)


def _os_sentence(error: OSError, name: str) -> str:
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return f"{name} is not there. It may have been moved, renamed or deleted."
        case errno.EACCES | errno.EPERM:
            return (
                f"{name} may not be read by this account. "
                "Change its permissions, or copy it to a folder of your own."
            )
        case errno.ENAMETOOLONG:
            return f"{name} is too long a name for a file. Choose another file."
        case errno.ELOOP:
            return f"{name} is a link that leads back to itself. Choose the file it stands for."
        case _:
            reason = error.strerror or "the system gave no reason"
            return f"{name} could not be read: {reason}. Try again, or copy it elsewhere first."
