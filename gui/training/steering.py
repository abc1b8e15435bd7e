"""Steering a run: its learning rate while it trains, and back to a checkpoint."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from engine.training.recipe import plain_number
from gui import theme
from gui.training.session import TrainingSession
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import em
from gui.widgets.safe_text import plain_label

LARGEST_SCALE = 1e9


class Steering(FlowRow):
    """Shown once there is a run to steer."""

    def __init__(self, session: TrainingSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        group = QWidget(self)
        line = QHBoxLayout(group)
        line.setContentsMargins(0, 0, 0, 0)
        self.scale = QLineEdit(group)
        self.scale.setAccessibleName("Learning rate, times the recipe's")
        self.scale.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.scale.setToolTip(
            "What the recipe's learning rate is multiplied with, from the next step on. "
            "Press Enter to set it; the plot marks where."
        )
        caption = QLabel("Learning rate ×", group)
        caption.setBuddy(self.scale)
        theme.set_text_role(caption, "body", "muted")
        self.half = QPushButton("÷ 2", group)
        self.half.setToolTip("Halve the learning rate from the next step on.")
        self.double = QPushButton("× 2", group)
        self.double.setToolTip("Double the learning rate from the next step on.")
        for widget in (caption, self.scale, self.half, self.double):
            line.addWidget(widget)
        self.back = QComboBox(self)
        self.back.setAccessibleName("Go back to a checkpoint")
        self.back.setToolTip("Take the run back to one of its checkpoints, and pause it there.")
        self.back.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.back.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.wrong = plain_label("", self)
        theme.set_text_role(self.wrong, "caption", "bad")
        self.wrong.hide()
        self.add(group)
        self.add(self.wrong)
        self.add(self.back)
        self._steps: tuple[int, ...] = ()
        self.scale.editingFinished.connect(self._typed)
        self.scale.textEdited.connect(self._forget_mistake)
        self.half.clicked.connect(self._halve)
        self.double.clicked.connect(self._double)
        self.back.activated.connect(self._go_back)
        session.began.connect(self._forget_mistake)
        for signal in (session.phase_changed, session.news_changed, session.began):
            signal.connect(self.refresh)
        theme.current().changed.connect(self._dress)
        self._dress()
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show the scale in force and the checkpoints there are."""
        news = self._session.news
        self.setVisible(self._session.can_steer)
        if news is None:
            return
        if not self.scale.hasFocus() or not self.scale.isModified():
            self.scale.setText(f"{news.rate_scale:g}")
        if news.checkpoints != self._steps or not self.back.count():
            self._steps = news.checkpoints
            blocker = QSignalBlocker(self.back)
            self.back.clear()
            self.back.addItem("Go back to …")
            for step in self._steps:
                self.back.addItem("the start" if step == 0 else f"step {step:,}", step)
            blocker.unblock()
        self.back.setVisible(bool(self._steps))

    @Slot()
    def _typed(self) -> None:
        """Enter was pressed, or the field was left: take the number, or say why not."""
        if not self.scale.isModified():
            return
        text = self.scale.text().strip()
        try:
            value = float(text.replace(",", "."))
        except ValueError:
            value = -1.0
        self.scale.setModified(False)
        if 0 <= value <= LARGEST_SCALE:
            self._forget_mistake()
            self._session.set_rate_scale(value)
            return
        what = f"“{text}” was not taken." if text else "Nothing was typed."
        self.wrong.setText(f"{what} Write a number from 0 to {plain_number(LARGEST_SCALE)}.")
        self.wrong.show()
        self.scale.setAccessibleDescription(self.wrong.text())
        self.refresh()

    @Slot()
    def _forget_mistake(self) -> None:
        self.wrong.hide()
        self.wrong.setText("")
        self.scale.setAccessibleDescription("")

    @Slot()
    def _halve(self) -> None:
        self._multiply(0.5)

    @Slot()
    def _double(self) -> None:
        self._multiply(2.0)

    def _multiply(self, factor: float) -> None:
        self._forget_mistake()
        self._session.set_rate_scale(min(LARGEST_SCALE, self._session.wished_scale * factor))

    @Slot(int)
    def _go_back(self, index: int) -> None:
        step = self.back.itemData(index)
        self.back.setCurrentIndex(0)
        if step is not None:
            self._session.go_back(int(step))

    @Slot()
    def _dress(self) -> None:
        self.scale.setFixedWidth(round(em(theme.current().font("body")) * 4))
