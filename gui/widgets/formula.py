"""Typeset formulas: LaTeX in, crisp strokes in the text colour out."""

from __future__ import annotations

import logging
import warnings
from functools import lru_cache

from PySide6.QtCore import QByteArray, QEvent, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import (
    QAction,
    QFontInfo,
    QFontMetricsF,
    QGuiApplication,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPalette,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.widgets.look import em

log = logging.getLogger(__name__)

_SIZE = 24.0
"""The size formulas are set in; they are drawn at the font's."""
_SMALLEST = 0.5
"""A formula too wide for its room is drawn smaller, down to this share; then it is cut off."""


@lru_cache(maxsize=512)
def typeset(latex: str, colour: str) -> bytes | None:
    """The formula as SVG, in a colour "#rrggbb"; None (and a log message) where it is no LaTeX.

    A cold call takes some 20 ms, and the first one 400 ms more to load the typesetter.
    """
    try:
        with warnings.catch_warnings():  # it opens its fonts in a way that Python is giving up
            warnings.simplefilter("ignore", DeprecationWarning)
            from ziamath.config import config
            from ziamath.zmath import Latex

        config.svg2 = False  # QtSvg does not draw what SVG 2 shares between glyphs
        svg: str = Latex(latex, size=_SIZE, color=colour).svg()
    except Exception as error:  # the typesetter raises all sorts, AssertionError included
        log.info("a formula is shown as plain text: %r (%s)", latex, error or type(error).__name__)
        return None
    return svg.encode()


class Formula(QWidget):
    """One formula, as high as its font asks for.

    Args:
        latex: the formula, without dollar signs.
        spoken: how to read it aloud; screen readers say it. The LaTeX itself if empty.
        parent: the widget that owns it.
    """

    def __init__(self, latex: str = "", spoken: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._latex = ""
        self._renderer: QSvgRenderer | None = None
        copy = QAction("Copy LaTeX", self)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy)
        self.addAction(copy)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.set_latex(latex, spoken)

    @property
    def latex(self) -> str:
        """The formula shown."""
        return self._latex

    @property
    def is_typeset(self) -> bool:
        """Whether it is typeset; otherwise its LaTeX is shown as plain text."""
        return self._renderer is not None

    def set_latex(self, latex: str, spoken: str = "") -> None:
        """Show another formula."""
        self._latex = latex
        self.setAccessibleName(spoken or latex)
        self._typeset()

    def copy(self) -> None:
        """Put the LaTeX on the clipboard."""
        QGuiApplication.clipboard().setText(self._latex)

    def _typeset(self) -> None:
        colour = self.palette().color(QPalette.ColorRole.WindowText).name()
        svg = typeset(self._latex, colour) if self._latex.strip() else None
        self._renderer = None
        if svg is not None:
            renderer = QSvgRenderer(QByteArray(svg), self)
            renderer.setAspectRatioMode(Qt.AspectRatioMode.KeepAspectRatio)
            self._renderer = renderer if renderer.isValid() else None
        self.updateGeometry()
        self.update()

    def _natural(self) -> QSizeF:
        """The size at the font's own size."""
        if self._renderer is None:
            metrics = QFontMetricsF(self.font())
            return QSizeF(metrics.horizontalAdvance(self._latex), metrics.height())
        # Letters of a formula look as large as the text's at 1.15 of its size.
        scale = QFontInfo(self.font()).pixelSize() * 1.15 / _SIZE
        return QSizeF(self._renderer.viewBoxF().size()) * scale

    def sizeHint(self) -> QSize:
        size = self._natural()
        return QSize(round(size.width()) + 2, max(round(size.height()), round(em(self.font()))) + 2)

    def minimumSizeHint(self) -> QSize:
        hint = self.sizeHint()
        return QSize(round(hint.width() * _SMALLEST), hint.height())

    def formula_rect(self) -> QRectF:
        """Where the formula is: at the left, in the middle of the height, never distorted."""
        size = self._natural()
        if size.width() > self.width():
            size *= max(_SMALLEST, self.width() / size.width())
        return QRectF(0.0, (self.height() - size.height()) / 2, size.width(), size.height())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._typeset()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._renderer is not None:
            self._renderer.render(painter, self.formula_rect())
            return
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        metrics = QFontMetricsF(self.font())
        shown = metrics.elidedText(self._latex, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter.value, shown)
