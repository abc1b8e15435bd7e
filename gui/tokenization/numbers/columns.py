"""The experiment's three columns: a thing before and after, its score, its lookup table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from engine.errors import LabError
from engine.signals import Sound
from gui.theme import set_text_role
from gui.tokenization.numbers.codes import CodeGrid
from gui.tokenization.numbers.files import play
from gui.tokenization.numbers.matrix_view import MatrixView
from gui.tokenization.numbers.model import Kind, NumbersModel
from gui.tokenization.numbers.scores import Score, score
from gui.tokenization.numbers.table_view import TableView
from gui.tokenization.numbers.viewport import GridViewport, Span
from gui.tokenization.numbers.wave_view import WaveView
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label

LOUD = 0.05
"""From this mean change on a sound is a hiss that hurts at full volume."""


class Column(QFrame):
    """What all three have in common; each adds its two views and fills them."""

    kind: Kind

    def __init__(self, model: NumbersModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._shuffle_known = False
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName(self.kind.value.capitalize())
        self.verdict = plain_label()
        self.sentence = plain_label(wrap=True)
        self.table = TableView(self.kind)
        self._layout = QVBoxLayout(self)
        self._layout.setSpacing(self._layout.spacing() // 2)
        for widget, stretch in (
            (self._head(), 0),
            (self.sentence, 0),
            (self._views(), 1),
            (self.table, 0),
        ):
            self._layout.addWidget(widget, stretch)
        model.experiment_changed.connect(self.refresh)

    def _head(self) -> QWidget:
        title = plain_label(self.kind.value.capitalize())
        set_text_role(title, "subtitle")
        head = FlowRow()
        head.add(title)
        head.add(self.verdict)
        return head

    def _views(self) -> QWidget:
        """Make the two views."""
        raise NotImplementedError

    def _fill(self) -> None:
        """Put what was written and what was read into the views."""
        raise NotImplementedError

    def _middle(self) -> int:
        """The number around which the table is shown."""
        raise NotImplementedError

    def score(self) -> Score:
        """How the thing came through."""
        model = self._model
        return score(
            self.kind,
            model.things(self.kind),
            model.reading(self.kind).things,
            touched=model.amplitude > 0 or model.shuffled,
        )

    def show_shuffled_table(self, known: bool) -> None:
        """Show or hide the shuffled table."""
        if known != self._shuffle_known:
            self._shuffle_known = known
            self._show_table()

    @Slot()
    def refresh(self) -> None:
        """Show what the experiment makes of the thing now. Does nothing while out of sight."""
        if not self.isVisible():
            return
        self._fill()
        result = self.score()
        set_text_role(self.verdict, "strong", result.tint)
        self.verdict.setText(result.verdict)
        self.sentence.setText(result.sentence)
        self._show_table()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    @Slot()
    def _show_table(self) -> None:
        model, kind = self._model, self.kind
        self.table.set_tables(
            self._middle(),
            model.table(kind, shuffled=False),
            model.table(kind, shuffled=True) if self._shuffle_known else None,
            model.shuffled,
        )


class PictureColumn(Column):
    """The picture before and after, zoomed and moved together."""

    kind = Kind.PICTURE

    def _views(self) -> QWidget:
        self.viewport = GridViewport(self)
        self.before = MatrixView(self.viewport, "The picture before", small=True)
        self.after = MatrixView(self.viewport, "The picture after", small=True)
        self.viewport.pointed.connect(self._show_table)
        pair = QWidget()
        row = QHBoxLayout(pair)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(captioned("Before", self.before))
        row.addWidget(captioned("After", self.after))
        return pair

    def _fill(self) -> None:
        picture, reading = self._model.picture, self._model.reading(Kind.PICTURE)
        if picture.shape[:2] != (self.viewport.rows, self.viewport.columns):
            self.viewport.reset(*picture.shape[:2])
        # Where the ordinary table is in force the numbers are the intensities themselves.
        codes = (reading.written, reading.received) if self._model.shuffled else (None, None)
        self.before.set_picture(picture, codes=codes[0])
        self.after.set_picture(reading.things, codes=codes[1])

    def _middle(self) -> int:
        at = self.viewport.at
        return (
            int(np.ravel(self._model.reading(Kind.PICTURE).received[at])[0]) if at[0] >= 0 else 100
        )


class SoundColumn(Column):
    """The sound before and after, zoomed and moved together."""

    kind = Kind.SOUND

    def _views(self) -> QWidget:
        self.span = Span(self)
        self.before = WaveView(self.span, "The sound before", small=True)
        self.after = WaveView(self.span, "The sound after", small=True)
        self.span.pointed.connect(self._show_table)
        self.message = plain_label(wrap=True)
        set_text_role(self.message, "caption", "muted")
        self.message.hide()
        pair = QWidget()
        column = QVBoxLayout(pair)
        column.setContentsMargins(0, 0, 0, 0)
        self.play_before = play_button("Play the sound as it was", self._play_before)
        self.play_after = play_button("Play what became of the sound", self._play_after)
        column.addWidget(captioned("Before", self.before, self.play_before))
        column.addWidget(captioned("After", self.after, self.play_after))
        column.addWidget(self.message)
        return pair

    def _fill(self) -> None:
        sound, reading = self._model.sound, self._model.reading(Kind.SOUND)
        if self.span.length != len(sound.samples):
            self.span.reset(len(sound.samples))
        codes = (reading.written, reading.received) if self._model.shuffled else (None, None)
        self.before.set_sound(sound, codes[0])
        self.after.set_sound(Sound(reading.things, sound.rate), codes[1])
        loud = self.score().change >= LOUD
        self._say("Turn the volume down before you play it: it is a loud hiss." if loud else "")

    def _middle(self) -> int:
        at = self.span.at
        return int(self._model.reading(Kind.SOUND).received[at]) if at >= 0 else 40_000

    @Slot()
    def _play_before(self) -> None:
        self._play(self.before.sound, "before")

    @Slot()
    def _play_after(self) -> None:
        self._play(self.after.sound, "after")

    def _play(self, sound: Sound, name: str) -> None:
        try:
            self._say(play(sound, name))
        except LabError as error:
            self._say(str(error))

    def _say(self, sentence: str) -> None:
        self.message.setText(sentence)
        self.message.setVisible(bool(sentence))


class TextColumn(Column):
    """The text before and after, pointed at together."""

    kind = Kind.TEXT

    def _views(self) -> QWidget:
        self.before = CodeGrid("The text before", lines=2)
        self.after = CodeGrid("The text after", lines=2)
        self.before.pointed.connect(self.after.point)
        self.after.pointed.connect(self.before.point)
        self.before.pointed.connect(self._show_table)
        pair = QWidget()
        column = QVBoxLayout(pair)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(captioned("Before", self.before))
        column.addWidget(captioned("After", self.after))
        return pair

    def _fill(self) -> None:
        points, reading = self._model.points, self._model.reading(Kind.TEXT)
        self.before.set_points(points, reading.written)
        self.after.set_points(reading.things, reading.received, reading.things == points)

    def _middle(self) -> int:
        received = self._model.reading(Kind.TEXT).received
        if not len(received):
            return ord("a")
        return int(received[max(0, self.before.at)])


def captioned(caption: str, view: QWidget, button: QWidget | None = None) -> QWidget:
    """A view below its caption and, if given, a button beside that."""
    box = QWidget()
    layout = QVBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(2)
    label = plain_label(caption)
    set_text_role(label, "caption", "muted")
    head = QHBoxLayout()
    head.addWidget(label)
    if button is not None:
        head.addWidget(button)
    head.addStretch(1)
    layout.addLayout(head)
    layout.addWidget(view, 1)
    return box


def play_button(what: str, pressed: Callable[[], object]) -> QToolButton:
    """A small button that plays a sound."""
    button = QToolButton()
    button.setText("▶ Play")
    button.setAutoRaise(True)
    set_text_role(button, "caption")
    button.setToolTip(f"{what} in your system's player.")
    button.setAccessibleName(what)
    button.clicked.connect(pressed)
    return button
