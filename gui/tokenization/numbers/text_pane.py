"""A text beside its code points."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.theme import set_text_role
from gui.tokenization.numbers.codes import CodeGrid, name_of
from gui.tokenization.numbers.controls import SideBySide, push_button
from gui.tokenization.numbers.model import MAX_TEXT, TEXT, NumbersModel
from gui.widgets.exports import ExportButton, write_csv, write_picture
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import colours_of, em
from gui.widgets.plain_text_input import PlainTextInput
from gui.widgets.safe_text import plain_label

HINT = "Point at a character to see its name. The arrow keys go from character to character."
EXAMPLES = (TEXT, "我喜欢吃苹果", "Ça va? Ελλάδα", "👩\u200d🚀 = 👩 + 🚀")


class TextPane(QWidget):
    """The learner's text and its numbers."""

    def __init__(self, model: NumbersModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.editor = PlainTextInput(name="Your text", placeholder="Type any text.", limit=MAX_TEXT)
        self.editor.setToolTip("Type or paste any text; its numbers follow.")
        self.editor.set_text(model.text)
        self.grid = CodeGrid("The text's numbers")
        self.shape = plain_label(wrap=True)
        set_text_role(self.shape, "strong")
        self.readout = plain_label(HINT, wrap=True)
        set_text_role(self.readout, "body", "muted")
        self.message = plain_label(wrap=True)
        set_text_role(self.message, "body", "warning")
        self.message.hide()
        self._lay_out()
        self.editor.textChanged.connect(self._typed)
        self.editor.too_large.connect(self._too_large)
        self.editor.file_dropped.connect(self._file_dropped)
        self.editor.cursorPositionChanged.connect(self._cursor_moved)
        self.grid.pointed.connect(self._pointed)
        model.text_changed.connect(self._renew)
        self._renew()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._choices())
        layout.addWidget(self.message)
        layout.addWidget(self.shape)
        views = SideBySide(narrow=26)
        views.add(self.editor, 2)
        views.add(self.grid, 3)
        unit = round(em(self.font()))
        self.editor.setMinimumHeight(3 * unit)
        layout.addWidget(views, 1)
        layout.addWidget(self.readout)

    def _choices(self) -> QWidget:
        row = FlowRow()
        row.add(plain_label("Try:"))
        self.examples = [
            push_button(text, "Put this text into the field.", self._example_chosen)
            for text in EXAMPLES
        ]
        self.export = ExportButton("text", row)
        self.export.wanted.connect(self.save)
        for widget in (*self.examples, self.export):
            row.add(widget)
        return row

    # ----------------------------------------------------------------------------------- the text
    @Slot()
    def _typed(self) -> None:
        self._say("")
        self._model.set_text(self.editor.text())

    @Slot(str)
    def _too_large(self, text: str) -> None:
        self.editor.insert_what_fits(text)
        self._say(f"This field takes {MAX_TEXT:,} characters; what is beyond was left out.")

    @Slot(str)
    def _file_dropped(self, _: str) -> None:
        self._say("A text is wanted here, not a file. Paste one.")

    def _say(self, sentence: str) -> None:
        self.message.setText(sentence)
        self.message.setVisible(bool(sentence))

    @Slot()
    def _renew(self) -> None:
        points = self._model.points
        self.grid.set_points(points)
        if len(points):
            low, high = int(points.min()), int(points.max())
            count = f"{len(points):,} character{'s' if len(points) > 1 else ''}"
            many = f"{len(points):,} number{'s' if len(points) > 1 else ''}"
            self.shape.setText(
                f"{count} = {many}, here from {low:,} to {high:,}; Unicode has room for 1,114,112"
            )
        else:
            self.shape.setText("There is no text yet. Type some, or choose an example.")

    @Slot()
    def _example_chosen(self) -> None:
        index = self.examples.index(self.sender())  # type: ignore[arg-type]
        self.editor.set_text(EXAMPLES[index])

    # ---------------------------------------------------------------------- one place, both views
    @Slot(int)
    def _pointed(self, index: int) -> None:
        self.readout.setText(self.grid.describe(index) or HINT)
        if index < 0:
            self.editor.mark(0, 0)
            return
        before = _utf16_length(self._model.text[:index])
        self.editor.mark(before, before + _utf16_length(self._model.text[index]))

    @Slot()
    def _cursor_moved(self) -> None:
        """The character behind the text cursor is the one that was just typed or reached."""
        if self.editor.hasFocus():
            position = self.editor.textCursor().position()
            text = self._model.text
            data = text.encode("utf-16-le", "surrogatepass")[: 2 * position]
            self.grid.point(len(data.decode("utf-16-le", "replace")) - 1)

    # -------------------------------------------------------------------------------------- saving
    @Slot(str, str)
    def save(self, ending: str, name: str) -> None:
        """Write what is shown as "png" or "svg", or all numbers as "csv".

        Raises:
            LabError: if the file cannot be written.
        """
        path = Path(name)
        if ending == "csv":
            self._write_csv(path)
            return
        size, ground = self.grid.viewport().size(), colours_of(self.palette()).color("surface")
        write_picture(ending, path, size, "The text and its numbers", ground, self.grid.paint)

    def _write_csv(self, path: Path) -> None:
        points = self._model.points.tolist()
        rows = ((i + 1, p, name_of(p)) for i, p in enumerate(points))
        write_csv(path, ["character", "number", "name"], rows)


def _utf16_length(text: str) -> int:
    """Qt counts in units of 16 bits; characters beyond 65,535 take two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
