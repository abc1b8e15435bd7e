"""Play, pause, step, back, jump: the buttons that lead through the steps of a walk."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QStyle,
    QStyleOptionSlider,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label

SPEEDS = ((0.5, "slow"), (1.0, "calm"), (3.0, "brisk"), (10.0, "fast"), (40.0, "fastest"))
"""Steps a second."""


class JumpSlider(QSlider):
    """A horizontal slider that goes where it is clicked; Qt's own goes a page that way."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        handle = self.style().subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, self
        )
        at = event.position().toPoint()
        if event.button() == Qt.MouseButton.LeftButton and not handle.contains(at):
            room = self.width() - handle.width()
            place = at.x() - handle.width() // 2
            if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
                place = room - place
            low, high = self.minimum(), self.maximum()
            self.setValue(QStyle.sliderValueFromPosition(low, high, place, max(1, room)))
        super().mousePressEvent(event)  # the handle is under the mouse now, and can be dragged


class Transport(QWidget):
    """Where a walk of so many steps stands, and how to go on.

    The slider takes the arrow keys, Page Up and Down, Home and End.
    """

    moved = Signal(int, bool)
    """The step to show now, and whether it is the next to the one before (so that it may be
    shown as a movement)."""

    def __init__(
        self, noun: str, lead: QWidget | None = None, parent: QWidget | None = None
    ) -> None:
        """
        Args:
            noun: what a step is, such as "merge".
            lead: stands before the buttons, on their line where there is room.
        """
        super().__init__(parent)
        self._noun = noun
        self._step = self._steps = 0
        self.first = _button("|◀", f"Go back to before the first {noun}.", self.go_first)
        self.back = _button("◀ Back", f"Undo the last {noun}.", self.go_back)
        self.step = _button("Step ▶", f"Do the next {noun}.", self.go_on)
        theme.make_primary(self.step)
        self.play = _button("Play", f"Do {noun} after {noun}; press again to pause.", None)
        self.play.setCheckable(True)
        self.last = _button("▶|", f"Go to after the last {noun}.", self.go_last)
        self.speed = QComboBox()
        self.speed.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.speed.setAccessibleName("Speed")
        self.speed.setToolTip("How fast Play goes.")
        for rate, name in SPEEDS:
            self.speed.addItem(name, rate)
        self.speed.setCurrentIndex(1)
        speed_label = QLabel("Spee&d")
        speed_label.setBuddy(self.speed)
        speed = QWidget()  # so that no line ends between the two
        pair = QHBoxLayout(speed)
        pair.setContentsMargins(0, 0, 0, 0)
        pair.addWidget(speed_label)
        pair.addWidget(self.speed)
        self.where = plain_label()
        self.slider = JumpSlider()
        self.slider.setAccessibleName(f"Number of {noun}s done")
        self.slider.setToolTip(f"Jump to any {noun}: click, drag, or use the arrow keys.")
        row = FlowRow()
        if lead is not None:
            row.add(lead)
        for widget in (
            self.first,
            self.back,
            self.step,
            self.play,
            self.last,
            speed,
            self.where,
        ):
            row.add(widget)
        self._row = row
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._lower = QHBoxLayout()
        self._lower.addWidget(self.slider, 1)
        column.addWidget(row)
        column.addLayout(self._lower)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._beat)
        self.play.toggled.connect(self._play_toggled)
        self.speed.currentIndexChanged.connect(self._speed_changed)
        self.slider.valueChanged.connect(self.go_to)
        self.set_steps(0)

    def set_steps(self, steps: int, at: int = 0) -> None:
        """Lead through another walk, of ``steps`` steps, and stand at one without telling."""
        self.stop()
        self._steps, self._step = steps, min(at, steps)
        blocker = QSignalBlocker(self.slider)
        self.slider.setRange(0, steps)
        self.slider.setPageStep(max(1, steps // 10))
        self.slider.setValue(self._step)
        blocker.unblock()
        self._show()

    def add_behind(self, widget: QWidget) -> None:
        """Put a widget behind the buttons."""
        self._row.add(widget)

    def add_beside(self, widget: QWidget) -> None:
        """Put a widget beside the slider."""
        self._lower.addWidget(widget)

    @property
    def at(self) -> int:
        """The step that is shown: 0 … steps."""
        return self._step

    @property
    def playing(self) -> bool:
        """Whether Play is on."""
        return self._timer.isActive()

    @property
    def rate(self) -> float:
        """Steps a second while playing."""
        return float(self.speed.currentData())

    def stop(self) -> None:
        """Pause."""
        self.play.setChecked(False)

    def allow_play(self, allowed: bool) -> None:
        """Let Play be pressed, or not."""
        if not allowed:
            self.stop()
        self.play.setEnabled(allowed and self._steps > 0)

    @Slot(int)
    def go_to(self, step: int) -> None:
        """Jump to a step."""
        step = max(0, min(step, self._steps))
        if step == self._step:
            return
        near = abs(step - self._step) == 1
        self._step = step
        blocker = QSignalBlocker(self.slider)
        self.slider.setValue(step)
        blocker.unblock()
        self._show()
        self.moved.emit(step, near)

    @Slot()
    def go_on(self) -> None:
        """One step on."""
        self.stop()
        self.go_to(self._step + 1)

    @Slot()
    def go_back(self) -> None:
        """One step back."""
        self.stop()
        self.go_to(self._step - 1)

    @Slot()
    def go_first(self) -> None:
        """To the beginning."""
        self.stop()
        self.go_to(0)

    @Slot()
    def go_last(self) -> None:
        """To the end."""
        self.stop()
        self.go_to(self._steps)

    @Slot(bool)
    def _play_toggled(self, on: bool) -> None:
        self.play.setText("Pause" if on else "Play")
        if not on:
            self._timer.stop()
            return
        self._timer.start(round(1000 / self.rate))
        if self._step == self._steps:
            self.go_to(0)
        else:
            self._beat()  # at once, or a slow start looks like none

    @Slot()
    def _speed_changed(self) -> None:
        if self._timer.isActive():
            self._timer.start(round(1000 / self.rate))

    @Slot()
    def _beat(self) -> None:
        self.go_to(self._step + 1)
        if self._step == self._steps or not self.isVisible():
            self.stop()

    def _show(self) -> None:
        self.where.setText(f"{self._noun} {self._step:,} of {self._steps:,}")
        for button in (self.first, self.back):
            button.setEnabled(self._step > 0)
        for button in (self.step, self.last):
            button.setEnabled(self._step < self._steps)
        self.play.setEnabled(self._steps > 0)


def _button(text: str, tip: str, pressed: Callable[[], object] | None) -> QPushButton:
    button = QPushButton(text)
    button.setAutoDefault(False)
    button.setToolTip(tip)
    button.setAccessibleName(tip.rstrip("."))
    if pressed is not None:
        button.clicked.connect(pressed)
    return button
