"""A text in tokens as a file: its chips as a picture, its tokens with their places as numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from gui.widgets.chip_area import ChipArea
from gui.widgets.exports import ExportButton, write_csv, write_picture
from gui.widgets.look import colours_of

MOST_LINES = 100
"""Lines of chips that a picture shows; a longer one could be opened by few programs."""

HEADER = ("number", "id", "token", "bytes", "first byte", "byte after the last")


def written(token: bytes) -> str:
    """A token as a JSON string, so that spaces and line breaks are seen; what is no UTF-8 in it
    is U+FFFD."""
    return json.dumps(token.decode("utf-8", "replace"), ensure_ascii=False)


def token_rows(strip: ChipArea) -> Iterator[tuple[object, ...]]:
    """A row of HEADER for each token: its number from 1, id, text, bytes in hexadecimal, and
    where it stands in the UTF-8 bytes of the text."""
    for index in range(strip.count()):
        data = strip.bytes_at(index)
        yield (
            index + 1,
            strip.token_id(index),
            written(data),
            data.hex(),
            *strip.byte_span(index),
        )


class StripExport(ExportButton):
    """Saves what a strip shows: all tokens as numbers, the first lines of them as a picture."""

    def __init__(self, strip: ChipArea, title: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self.setToolTip("Save the tokens as a picture or, with their places, as numbers.")
        self._strip, self._title = strip, title
        self.wanted.connect(self.save)

    @Slot(str, str)
    def save(self, ending: str, name: str) -> None:
        """Write the strip as "png", "svg" or "csv".

        Raises:
            LabError: if the file cannot be written.
        """
        strip, path = self._strip, Path(name)
        if ending == "csv":
            write_csv(path, HEADER, token_rows(strip))
            return
        ground = colours_of(strip.palette()).color("surface")
        paint = partial(strip.paint_picture, most_lines=MOST_LINES)
        write_picture(ending, path, strip.picture_size(MOST_LINES), self._title, ground, paint)
