"""Saving what a widget shows: pictures as PNG or SVG, numbers as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPoint, QRect, QSize, Signal, Slot
from PySide6.QtGui import QAction, QColor, QImage, QPainter, QPalette
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QAbstractButton, QFileDialog, QMenu, QToolButton, QWidget

from engine.errors import LabError

Paint = Callable[[QPainter], None]
"""Paints a picture of a given size, from (0, 0)."""

_SHARPNESS = 2.0
"""Pixels of a PNG for each on screen, so that it is sharp in print and on a projector."""


def write_png(path: Path, size: QSize, ground: QColor, paint: Paint) -> None:
    """Paint a picture into a PNG file, twice as fine as on screen.

    Raises:
        LabError: if the file cannot be written.
    """
    image = QImage(size * _SHARPNESS, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(_SHARPNESS)
    image.fill(ground)
    painter = QPainter(image)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    paint(painter)
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    write_bytes(path, bytes(data.data()))


def write_svg(path: Path, size: QSize, title: str, ground: QColor, paint: Paint) -> None:
    """Paint a picture into an SVG file.

    Raises:
        LabError: if the file cannot be written.
    """
    data = QByteArray()
    buffer = QBuffer(data)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(size)
    generator.setViewBox(QRect(0, 0, size.width(), size.height()))
    generator.setTitle(title)
    painter = QPainter(generator)
    painter.fillRect(QRect(0, 0, size.width(), size.height()), ground)
    paint(painter)
    painter.end()
    write_bytes(path, bytes(data.data()))


def write_picture(
    ending: str, path: Path, size: QSize, title: str, ground: QColor, paint: Paint
) -> None:
    """Paint a picture into a file of either kind: "png" or "svg".

    Raises:
        LabError: if the file cannot be written.
    """
    if ending == "svg":
        write_svg(path, size, title, ground, paint)
    else:
        write_png(path, size, ground, paint)


def write_widget(ending: str, path: Path, widget: QWidget, title: str) -> None:
    """Write a widget with all that is in it, but for its buttons, as it is shown, as "png" or
    "svg". It must stand on the window's own ground.

    Raises:
        LabError: if the file cannot be written.
    """
    ground = widget.palette().color(QPalette.ColorRole.Window)

    def paint(painter: QPainter) -> None:
        widget.render(painter, QPoint())
        # Painted over, not clipped away: drawings know no clipping.
        for button in widget.findChildren(QAbstractButton):
            if button.isVisibleTo(widget):
                corner = button.mapTo(widget, QPoint())
                painter.fillRect(QRect(corner, button.size()), ground)

    write_picture(ending, path, widget.size(), title, ground, paint)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows as UTF-8 CSV (RFC 4180); numbers with all their digits.

    Raises:
        LabError: if the file cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode("utf-8", "replace"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file.

    Raises:
        LabError: if it cannot be written, with the system's reason.
    """
    try:
        path.write_bytes(data)
    except OSError as error:
        reason = error.strerror or str(error)
        raise LabError(
            f"{path.name} could not be written: {reason}. Choose another folder."
        ) from error


FORMATS = {"png": "Picture", "svg": "Drawing", "csv": "Numbers"}
"""What can be saved, by file ending."""


class ExportButton(QToolButton):
    """A button with a menu of formats; asks where to save, then says what is wanted.

    Args:
        title: what is saved; the suggested file name is made from it.
        parent: the widget that owns it.
        formats: endings, keys of FORMATS.
    """

    wanted = Signal(str, str)
    """An ending and the path chosen."""

    def __init__(
        self,
        title: str,
        parent: QWidget | None = None,
        formats: Sequence[str] = ("png", "svg", "csv"),
    ) -> None:
        super().__init__(parent)
        self._stem = "-".join(re.findall(r"\w+", title.lower())) or "export"
        self.setText("Export")
        self.setToolTip("Save this as a picture or as numbers.")
        self.setAccessibleName(f"Export {title}")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        for ending in formats:
            menu.addAction(f"{FORMATS[ending]} (.{ending}) …").setData(ending)
        menu.triggered.connect(self._chosen)
        self.setMenu(menu)

    @Slot(QAction)
    def _chosen(self, action: QAction) -> None:
        self.ask(action.data())

    def ask(self, ending: str) -> QFileDialog:
        """Ask where to save in a format, without blocking the window."""
        dialog = QFileDialog(self.window(), "Export", f"{self._stem}.{ending}")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(f"*.{ending}")
        dialog.setDefaultSuffix(ending)
        dialog.setProperty("ending", ending)
        dialog.fileSelected.connect(self._save)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        return dialog

    @Slot(str)
    def _save(self, path: str) -> None:
        self.wanted.emit(self.sender().property("ending"), path)
