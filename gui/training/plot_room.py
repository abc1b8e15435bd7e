"""A plot on a page that scrolls: it needs little height, and takes all that there is.

A plot's view wishes for the height that it happens to have, so that a page which was tall once
would stay so and scroll for ever. Here the page is told what the plot needs instead.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.widgets.curve_plot import CurvePlot


class PlotRoom(QWidget):
    """Holds a plot. The least height of ``plot.view`` counts, not the height it wishes for."""

    def __init__(self, plot: CurvePlot, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plot = plot
        plot.setParent(self)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        plot.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:  # its legend has another height
            self.updateGeometry()
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._plot.setGeometry(self.rect())

    def heightForWidth(self, width: int) -> int:
        """What legend, titles and buttons need at that width, and the view at least."""
        view = self._plot.view
        wished: int = view.sizeHint().expandedTo(view.minimumSizeHint()).height()
        least: int = view.minimumHeight()
        return self._plot.heightForWidth(width) - max(wished, least) + least

    def sizeHint(self) -> QSize:
        width = self._plot.sizeHint().width()
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._plot.minimumSizeHint().width(), self._plot.view.minimumHeight())
