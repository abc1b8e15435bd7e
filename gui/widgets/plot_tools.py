"""The row of buttons below a plot."""

from __future__ import annotations

from PySide6.QtWidgets import QToolButton, QWidget

from gui import theme
from gui.widgets.exports import ExportButton
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label


class PlotTools(FlowRow):
    """Show all, follow, logarithmic x, export; and what the smoothed line is.

    Args:
        title: the plot's title, for file names.
        parent: the plot.
    """

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.show_all = self._button("Show all", "Show every point (0).")
        self.follow = self._button("Follow", "Keep the newest points in view.", checkable=True)
        self.log_x = self._button("Log x", "Count x in powers of ten.", checkable=True)
        self.export = ExportButton(title, self)
        self._note = plain_label("", self)
        theme.set_text_role(self._note, "caption", "muted")
        for widget in (self.show_all, self.follow, self.log_x, self.export, self._note):
            self.add(widget)

    def _button(self, text: str, tip: str, *, checkable: bool = False) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(text)
        button.setCheckable(checkable)
        return button

    @property
    def note(self) -> str:
        """How the strong line is smoothed; empty if none is."""
        return self._note.text()

    def explain_smoothing(self, weight: float | None) -> None:
        """Say how the strong line is smoothed; None: no line is."""
        text = tip = ""
        if weight is not None:
            text = f"faint: measured; strong: exponential mean, w = {weight:g}"
            tip = "sₜ = Σⱼ wᵗ⁻ʲ·yⱼ ÷ Σⱼ wᵗ⁻ʲ over all values so far"
        if text != self._note.text():
            self._note.setText(text)
            self._note.setToolTip(tip)
            self._note.setVisible(bool(text))
