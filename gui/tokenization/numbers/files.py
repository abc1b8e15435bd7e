"""Pictures and sounds of the learner's: read within bounds, and played by the system."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from itertools import count
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QColor, QDesktopServices, QImage, QImageReader, QPainter

from engine.errors import LabError
from engine.signals import Numbers, Sound, read_wav, write_wav

MAX_SIDE = 480
"""Pictures are scaled down to this many pixels, so that the numbers stay few enough to see."""
MAX_PICTURE_BYTES = 50_000_000
MAX_PIXELS = 64_000_000
MAX_DECODED_MIB = 256
MAX_SAMPLES = 480_000
"""Ten seconds at 48,000 samples a second."""

_numbering = count(1)


def read_picture(path: Path) -> Numbers:
    """A picture file (PNG, JPEG, and what else Qt reads) as numbers.

    Transparent parts stand on white, a camera's rotation is applied, and what is larger than
    MAX_SIDE is scaled down.

    Returns:
        Shape (height, width, 3), 0 … 255.

    Raises:
        LabError: if the file is missing, too large, or no picture.
    """
    try:
        size_in_bytes = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise LabError(f"{path.name} cannot be read: {reason}.") from error
    if size_in_bytes > MAX_PICTURE_BYTES:
        raise LabError(f"{path.name} is larger than 50 MB. Choose a smaller picture.")
    QImageReader.setAllocationLimit(MAX_DECODED_MIB)
    reader = QImageReader(str(path))
    reader.setDecideFormatFromContent(True)
    reader.setAutoTransform(True)
    size = reader.size()
    if not reader.canRead() or not size.isValid() or size.isEmpty():
        raise LabError(f"{path.name} is not a picture that can be read. Choose a PNG or JPEG file.")
    if size.width() * size.height() > MAX_PIXELS:
        raise LabError(
            f"{path.name} has {size.width():,} × {size.height():,} pixels, more than can be "
            "opened here. Choose a smaller picture."
        )
    if max(size.width(), size.height()) > MAX_SIDE:
        # Four times too fine, where the format can (JPEG), for the good scaling that follows.
        reader.setScaledSize(_within(size, 4 * MAX_SIDE))
    image = reader.read()
    if image.isNull():
        raise LabError(f"{path.name} is damaged and cannot be shown. Choose another picture.")
    if max(image.width(), image.height()) > MAX_SIDE:
        image = image.scaled(
            _within(image.size(), MAX_SIDE),
            Qt.AspectRatioMode.IgnoreAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
    return _pixels(image)


def read_own_picture(path: Path) -> tuple[Numbers, str]:
    """A picture file as ``read_picture``, and a sentence if it was scaled down.

    Raises:
        LabError: as ``read_picture``.
    """
    pixels = read_picture(path)
    reader = QImageReader(str(path))
    reader.setDecideFormatFromContent(True)
    size = reader.size()
    if max(size.width(), size.height()) <= MAX_SIDE:
        return pixels, ""
    return pixels, (
        f"Scaled down from {size.width():,} × {size.height():,} pixels, so that its numbers are "
        "few enough to look at."
    )


def _within(size: QSize, side: int) -> QSize:
    """The size scaled down, where it must be, so that no side is longer than ``side``."""
    longest = max(size.width(), size.height())
    if longest <= side:
        return size
    return QSize(
        max(1, round(size.width() * side / longest)), max(1, round(size.height() * side / longest))
    )


def _pixels(image: QImage) -> Numbers:
    """The pixels of a picture on white, shape (height, width, 3)."""
    flat = QImage(image.size(), QImage.Format.Format_RGB888)
    flat.fill(QColor("white"))
    painter = QPainter(flat)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
    image.setDevicePixelRatio(1.0)
    painter.drawImage(0, 0, image)
    painter.end()
    width, height, line = flat.width(), flat.height(), flat.bytesPerLine()
    # Lines are padded to a multiple of four bytes.
    data = np.frombuffer(flat.constBits(), dtype=np.uint8)[: line * height]
    pixels = data.reshape(height, line)[:, : 3 * width].reshape(height, width, 3)
    return pixels.astype(np.int64)


def read_sound(path: Path) -> Sound:
    """The first MAX_SAMPLES samples of a WAV file.

    Raises:
        LabError: if the file is missing, too large, or no uncompressed WAV file.
    """
    return read_wav(path, MAX_SAMPLES)


def play(sound: Sound, name: str) -> str:
    """Write a sound to a temporary WAV file and open it in the system's player.

    Args:
        name: what the file is called, without its ending.

    Returns:
        A sentence that says what was done and where the file is.

    Raises:
        LabError: if the file cannot be written.
    """
    path = _folder() / f"{name}_{next(_numbering)}.wav"  # a player may still hold the last one
    write_wav(path, sound)
    if QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
        return f"Your system's player was asked to play {path}."
    return f"No player could be opened. The sound is in {path}; open it with a player of yours."


@cache
def _folder() -> Path:
    """A temporary folder for this run of the app."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="next-token-lab-"))
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise LabError(f"There is no place for temporary files: {reason}.") from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
