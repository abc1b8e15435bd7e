"""One text as characters, code points and bytes: three rows of chips with their counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from engine.tokenizers.pretokenize import pretokenize
from gui import theme
from gui.tokenization.strip_export import HEADER, token_rows
from gui.tokenization.text_strips import Links, PlaceStrip
from gui.tokenization.text_table import show_units
from gui.tokenization.text_units import CutText
from gui.widgets.exports import ExportButton, write_csv, write_widget
from gui.widgets.safe_text import plain_label, plain_tooltip

UNITS = (
    (
        "characters",
        "Characters",
        "What a person sees as one sign each (Unicode’s extended grapheme clusters).",
    ),
    (
        "codes",
        "Code points",
        "The numbers that Unicode gives to signs, accents and joiners. Python’s len() counts them.",
    ),
    (
        "bytes",
        "Bytes",
        "UTF-8: each code point in one to four bytes. Fainter bytes are parts of a character: "
        "alone they are none.",
    ),
)
WORDS = "words"
WORDS_TIP = (
    "Words as tokenizers count them: a word with the space before it, a number, or a run of signs "
    "(GPT-2’s rule). The end of “Hello world!” is a word of its own."
)


class UnitRows(QWidget):
    """The rows, the number of words, and the place that is lit up, in words.

    Args:
        links: the rows are lit up together with others by these.
    """

    def __init__(self, links: Links, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._links = links
        self.strips: dict[str, PlaceStrip] = {}
        self.counts: dict[str, QLabel] = {}
        self._grid = QWidget()
        rows = QGridLayout(self._grid)
        rows.setContentsMargins(0, 0, 0, 0)
        for line, (key, title, tip) in enumerate(UNITS):
            strip = PlaceStrip(title)
            strip.set_visible_lines(1, 3)
            strip.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            strip.set_placeholder("The text is empty.")
            count = plain_label(f"0 {title.lower()}")
            count.setToolTip(plain_tooltip(tip))
            rows.addWidget(count, line, 0)
            rows.addWidget(strip, line, 1)
            links.add(strip)
            self.strips[key], self.counts[key] = strip, count
        rows.setColumnStretch(1, 1)
        self.words = plain_label()
        self.words.setToolTip(plain_tooltip(WORDS_TIP))
        self.place = plain_label()
        self.place.setAccessibleName("The place that is lit up")
        # As wide as there is room: it must not make the page wider.
        self.place.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        theme.set_text_role(self.place, "body", "muted")
        self.export = ExportButton("characters and bytes", self)
        self.export.setToolTip("Save these rows as a picture or, unit by unit, as numbers.")
        self.export.wanted.connect(self.save)
        under = QHBoxLayout()
        under.addWidget(self.words)
        under.addWidget(self.place, 1)
        under.addWidget(self.export)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._grid)
        column.addLayout(under)

    def parts(self) -> list[str]:
        """What ``show_part`` can show."""
        return [*self.strips, WORDS]

    def show_part(self, key: str, cut: CutText) -> None:
        """Fill one row, or count the words."""
        if key == WORDS:
            self.words.setText(_counted(len(pretokenize(cut.clean)), "words"))
            return
        units = {"characters": cut.characters, "codes": cut.code_points, "bytes": cut.bytes}
        found = units[key]()
        show_units(self.strips[key], found, cut, self._links)
        title = next(title for name, title, _ in UNITS if name == key)
        self.counts[key].setText(_counted(len(found.ids), title.lower()))

    @Slot(str, str)
    def save(self, ending: str, name: str) -> None:
        """Write the rows as they are shown as "png" or "svg", or every unit as "csv".

        Raises:
            LabError: if the file cannot be written.
        """
        if ending == "csv":
            write_csv(Path(name), ("row", *HEADER), self._units())
        else:
            write_widget(ending, Path(name), self._grid, "Characters, code points, bytes")

    def _units(self) -> Iterator[tuple[object, ...]]:
        for key, title, _ in UNITS:
            for unit in token_rows(self.strips[key]):
                yield (title, *unit)


def _counted(count: int, nouns: str) -> str:
    return f"{count:,} {nouns[:-1] if count == 1 else nouns}"
