"""A row of buttons, one for each sentence to try."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QPushButton, QWidget

from gui.lab import Lab
from gui.language_models.presets import Preset, presets
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_tooltip


class PresetRow(FlowRow):
    """The tutorial's sentences, and some out of the lab's text."""

    chosen = Signal(str, bool)
    """The text of the button that was pressed, and whether the text ends behind it."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._presets: tuple[Preset, ...] = ()
        self.buttons: list[QPushButton] = []
        lab.corpus_changed.connect(self._show)
        self._show()

    @Slot()
    def _show(self) -> None:
        self._presets = presets(self._lab.corpus)
        while len(self.buttons) < len(self._presets):
            button = QPushButton()
            button.setAutoDefault(False)
            button.clicked.connect(self._pressed)
            self.buttons.append(button)
            self.add(button)
        for number, button in enumerate(self.buttons):
            button.setVisible(number < len(self._presets))
            if number < len(self._presets):
                preset = self._presets[number]
                button.setText(preset.title.replace("&", "&&"))
                button.setToolTip(plain_tooltip(f"{preset.tip}\n{preset.text[:300]}"))

    @Slot()
    def _pressed(self) -> None:
        button = self.sender()
        if isinstance(button, QPushButton) and button in self.buttons:
            preset = self._presets[self.buttons.index(button)]
            self.chosen.emit(preset.text, preset.ends)
