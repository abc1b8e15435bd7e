"""How a computer sees, hears and reads: a picture, a sound and a text beside their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from gui.theme import make_primary, set_text_role
from gui.tokenization.numbers.controls import Segments, push_button, scrolled
from gui.tokenization.numbers.experiment_pane import ExperimentPane
from gui.tokenization.numbers.model import NumbersModel
from gui.tokenization.numbers.picture_pane import PicturePane
from gui.tokenization.numbers.sound_pane import SoundPane
from gui.tokenization.numbers.text_pane import TextPane
from gui.widgets.safe_text import plain_label

if TYPE_CHECKING:
    from gui.lab import Lab

PARTS = (
    (
        "Picture",
        "How a computer sees: a picture and its numbers.",
        "A picture is a grid of numbers: how bright each spot is.",
    ),
    (
        "Sound",
        "How a computer hears: a sound and its numbers.",
        "A sound is a list of numbers: its wave’s height, moment by moment.",
    ),
    (
        "Text",
        "How a computer reads: a text and its numbers.",
        "A text is a list of numbers: each character’s place in Unicode.",
    ),
    (
        "Experiment",
        "Noise and shuffled tables: what do the numbers mean?",
        "Does it matter which number stands for what?",
    ),
)


class NumbersPage(QWidget):
    """Four parts, in the order of the lesson: picture, sound, text, and the experiment.

    Args:
        lab: its seed draws the noise and the shuffled tables; its compute thread opens files.
    """

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = NumbersModel(lab.seed, self)
        lab.seed_changed.connect(self.model.set_seed)
        self.picture = PicturePane(self.model, lab.compute)
        self.sound = SoundPane(self.model, lab.compute)
        self.text = TextPane(self.model)
        self.experiment = ExperimentPane(self.model)
        self.parts = Segments("What to look at", [(title, tip) for title, tip, _ in PARTS])
        self.parts.group.idToggled.connect(self._part_chosen)
        self.onward = push_button("", "Go to the next part.", self._go_on)
        make_primary(self.onward)
        self._stack = QStackedWidget()
        panes = (self.picture, self.sound, self.text, self.experiment)
        for pane, (_, _, sentence) in zip(panes, PARTS, strict=True):
            self._stack.addWidget(scrolled(_introduced(sentence, pane)))
        head = QHBoxLayout()
        head.addWidget(self.parts, 1)
        head.addWidget(self.onward)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(head)
        layout.addWidget(self._stack, 1)
        self._show_part(0)

    @Slot(int, bool)
    def _part_chosen(self, index: int, chosen: bool) -> None:
        if chosen:
            self._show_part(index)

    @Slot()
    def _go_on(self) -> None:
        self.parts.choose(self.parts.chosen() + 1)

    def _show_part(self, index: int) -> None:
        self._stack.setCurrentIndex(index)
        last = index + 1 == len(PARTS)
        self.onward.setVisible(not last)
        if not last:
            self.onward.setText(f"Next: {PARTS[index + 1][0].lower()}")


def _introduced(sentence: str, pane: QWidget) -> QWidget:
    """A pane below a sentence that says what it shows; they scroll together."""
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    intro = plain_label(sentence, wrap=True)
    set_text_role(intro, "subtitle")
    layout.addWidget(intro)
    layout.addWidget(pane, 1)
    return page
