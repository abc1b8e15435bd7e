"""Fusion, with its lengths following the text size and on the 8-pixel grid."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import (
    QProxyStyle,
    QStyle,
    QStyleFactory,
    QStyleOption,
    QStyleOptionButton,
    QStyleOptionComplex,
    QStyleOptionTab,
    QWidget,
)

from gui.widgets.look import colours_of
from gui.widgets.wheel import WheelGuard

_Metric = QStyle.PixelMetric

LENGTHS: dict[QStyle.PixelMetric, int] = {
    _Metric.PM_LayoutLeftMargin: 16,
    _Metric.PM_LayoutTopMargin: 16,
    _Metric.PM_LayoutRightMargin: 16,
    _Metric.PM_LayoutBottomMargin: 16,
    _Metric.PM_LayoutHorizontalSpacing: 8,
    _Metric.PM_LayoutVerticalSpacing: 8,
    _Metric.PM_IndicatorWidth: 16,
    _Metric.PM_IndicatorHeight: 16,
    _Metric.PM_ExclusiveIndicatorWidth: 16,
    _Metric.PM_ExclusiveIndicatorHeight: 16,
    _Metric.PM_CheckBoxLabelSpacing: 8,
    _Metric.PM_RadioButtonLabelSpacing: 8,
    _Metric.PM_SmallIconSize: 16,
    _Metric.PM_ButtonIconSize: 16,
    _Metric.PM_ListViewIconSize: 16,
    _Metric.PM_TabBarIconSize: 16,
    _Metric.PM_ToolBarIconSize: 20,
    _Metric.PM_ButtonMargin: 12,
    _Metric.PM_TabBarTabHSpace: 32,
    _Metric.PM_TabBarTabVSpace: 16,
    _Metric.PM_TabBarTabShiftVertical: 0,
    _Metric.PM_ScrollBarExtent: 14,
    _Metric.PM_SliderThickness: 20,
    _Metric.PM_SliderControlThickness: 20,
    _Metric.PM_SliderLength: 20,
    _Metric.PM_SplitterWidth: 8,
    _Metric.PM_MenuHMargin: 4,
    _Metric.PM_MenuVMargin: 4,
    _Metric.PM_ToolTipLabelFrameWidth: 6,
}
"""Fusion's lengths that we set ourselves, at 100 %, in device-independent pixels."""


class ScaledFusion(QProxyStyle):
    """Fusion at a text size. Buttons marked ``primary`` are filled with the accent colour."""

    def __init__(self, scale: float) -> None:
        super().__init__(QStyleFactory.create("Fusion"))
        self.scale = scale
        self._lengths = {m: max(min(1, v), round(v * scale)) for m, v in LENGTHS.items()}
        self._wheel = WheelGuard(self)

    def polish(self, what: object) -> None:
        """Qt calls this with every widget before it is first shown, with the palette and with the
        application."""
        super().polish(what)  # type: ignore[call-overload]
        if isinstance(what, QWidget):
            self._wheel.guard(what)

    def pixelMetric(
        self,
        metric: QStyle.PixelMetric,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
    ) -> int:
        length = self._lengths.get(metric)
        return length if length is not None else super().pixelMetric(metric, option, widget)

    def drawPrimitive(
        self,
        element: QStyle.PrimitiveElement,
        option: QStyleOption,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        if element == QStyle.PrimitiveElement.PE_IndicatorCheckBox:
            self._draw_check_box(option, painter)
            return
        super().drawPrimitive(element, option, painter, widget)
        if element == QStyle.PrimitiveElement.PE_Frame:
            self._draw_edge(option, painter, 0.0)
        elif element == QStyle.PrimitiveElement.PE_FrameLineEdit:
            self._draw_edge(option, painter, 2.0)

    def drawComplexControl(
        self,
        control: QStyle.ComplexControl,
        option: QStyleOptionComplex,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        super().drawComplexControl(control, option, painter, widget)
        if control == QStyle.ComplexControl.CC_SpinBox and getattr(option, "frame", True):
            self._draw_edge(option, painter, 2.0)
        # Fusion's own arrows keep their size whatever the text's: ours cover them.
        if self.scale <= 1.0:
            return
        sub = QStyle.SubControl
        parts: tuple[tuple[QStyle.SubControl, bool], ...]
        if control == QStyle.ComplexControl.CC_ComboBox:
            parts = ((sub.SC_ComboBoxArrow, False),)
        elif control == QStyle.ComplexControl.CC_SpinBox:
            parts = ((sub.SC_SpinBoxUp, True), (sub.SC_SpinBoxDown, False))
        else:
            return
        for part, up in parts:
            if option.subControls & part:
                place = self.subControlRect(control, option, part, widget)  # type: ignore[arg-type]
                area = QRectF(place)
                self._draw_arrow(option, painter, area, up)

    def _draw_arrow(self, option: QStyleOption, painter: QPainter, area: QRectF, up: bool) -> None:
        half = min(3.5 * self.scale, area.width() / 3, area.height() / 2)
        tip = half * (-0.5 if up else 0.5)
        centre = area.center()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_faded(option, 0.8))
        painter.drawPolygon(
            QPolygonF(
                [
                    centre + QPointF(-half, -tip),
                    centre + QPointF(half, -tip),
                    centre + QPointF(0.0, tip),
                ]
            )
        )
        painter.restore()

    def _draw_edge(self, option: QStyleOption, painter: QPainter, radius: float) -> None:
        """The edge of a card or a field, seen in every theme (Fusion's is darker than the ground,
        which a dark ground swallows); a focused field keeps Fusion's own, in the accent colour."""
        if option.state & QStyle.StateFlag.State_HasFocus:
            return
        colours = colours_of(option.palette)
        enabled = bool(option.state & QStyle.StateFlag.State_Enabled)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, radius > 0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colours.color("edge" if enabled else "border"), 1.0))
        if radius > 0:
            area = QRectF(option.rect).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.drawRoundedRect(area, radius, radius)
        else:
            painter.drawRect(option.rect.adjusted(0, 0, -1, -1))
        painter.restore()

    def _draw_check_box(self, option: QStyleOption, painter: QPainter) -> None:
        """A box whose edge is seen in every theme (Fusion's is lost on a dark ground)."""
        palette, state = option.palette, option.state
        radius, pen = 3.0 * self.scale, float(max(1, round(self.scale)))
        inset = pen / 2  # the edge covers whole pixels, or it would look washed out
        area = QRectF(option.rect).adjusted(inset, inset, -inset, -inset)
        marked = bool(state & (QStyle.StateFlag.State_On | QStyle.StateFlag.State_NoChange))
        enabled = bool(state & QStyle.StateFlag.State_Enabled)
        accent = palette.color(QPalette.ColorRole.Accent)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fill = accent if marked and enabled else palette.color(QPalette.ColorRole.Base)
        if state & QStyle.StateFlag.State_Sunken:
            fill = fill.darker(115)
        painter.setBrush(fill)
        edge = accent if state & QStyle.StateFlag.State_HasFocus else _faded(option, 0.7)
        painter.setPen(QPen(edge, pen))
        painter.drawRoundedRect(area, radius, radius)
        if marked:
            on_accent = palette.color(QPalette.ColorRole.HighlightedText)
            mark = on_accent if enabled else _faded(option, 0.6)
            painter.setPen(
                QPen(
                    mark,
                    2.0 * self.scale,
                    Qt.PenStyle.SolidLine,
                    Qt.PenCapStyle.RoundCap,
                    Qt.PenJoinStyle.RoundJoin,
                )
            )
            w, h = area.width(), area.height()
            corners = ((0.26, 0.52), (0.44, 0.70), (0.76, 0.32))
            if state & QStyle.StateFlag.State_NoChange:
                corners = ((0.28, 0.5), (0.5, 0.5), (0.72, 0.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(
                QPolygonF([QPointF(area.x() + a * w, area.y() + b * h) for a, b in corners])
            )
        painter.restore()

    def drawControl(
        self,
        element: QStyle.ControlElement,
        option: QStyleOption,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        if element == QStyle.ControlElement.CE_PushButton and _is_primary(option, widget):
            self._draw_primary(option, painter, widget)
        elif element == QStyle.ControlElement.CE_TabBarTabShape and isinstance(
            option, QStyleOptionTab
        ):
            self._draw_tab(option, painter)
        else:
            super().drawControl(element, option, painter, widget)

    def _draw_primary(
        self, option: QStyleOption, painter: QPainter, widget: QWidget | None
    ) -> None:
        """A flat button in the accent colour, darker while pressed, ringed when focused."""
        palette, state = QPalette(option.palette), option.state
        fill = palette.color(QPalette.ColorRole.Accent)
        if state & QStyle.StateFlag.State_Sunken:
            fill = fill.darker(125)
        elif state & QStyle.StateFlag.State_MouseOver:
            fill = fill.lighter(110)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area, radius = QRectF(option.rect).adjusted(0.5, 0.5, -0.5, -0.5), 3.0 * self.scale
        painter.setPen(QPen(fill, 1.0))
        painter.setBrush(fill)
        painter.drawRoundedRect(area, radius, radius)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(palette.color(QPalette.ColorRole.HighlightedText), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            inset = 2.5
            area = area.adjusted(inset, inset, -inset, -inset)
            painter.drawRoundedRect(area, radius, radius)
        painter.restore()
        palette.setColor(
            QPalette.ColorRole.ButtonText, palette.color(QPalette.ColorRole.HighlightedText)
        )
        option.palette = palette
        super().drawControl(QStyle.ControlElement.CE_PushButtonLabel, option, painter, widget)

    def _draw_tab(self, option: QStyleOptionTab, painter: QPainter) -> None:
        """A flat tab; the chosen one is underlined in the accent colour."""
        palette, state, area = option.palette, option.state, QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        accent = palette.color(QPalette.ColorRole.Accent)
        if state & QStyle.StateFlag.State_Selected:
            thick = max(2.0, 3.0 * self.scale)
            painter.setBrush(accent)
            painter.drawRoundedRect(
                QRectF(area.left(), area.bottom() - thick, area.width(), thick),
                thick / 2,
                thick / 2,
            )
        elif state & QStyle.StateFlag.State_MouseOver:
            accent.setAlphaF(0.12)
            painter.setBrush(accent)
            painter.drawRoundedRect(area, 4.0 * self.scale, 4.0 * self.scale)
        painter.restore()

    def styleHint(
        self,
        hint: QStyle.StyleHint,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
        returnData: object = None,
    ) -> int:
        if hint == QStyle.StyleHint.SH_EtchDisabledText:
            return 0
        if hint == QStyle.StyleHint.SH_ToolTip_WakeUpDelay:
            return 400
        if hint == QStyle.StyleHint.SH_TabBar_Alignment:
            return int(Qt.AlignmentFlag.AlignLeft.value)
        return int(super().styleHint(hint, option, widget, returnData))  # type: ignore[arg-type]


def _faded(option: QStyleOption, strength: float) -> QColor:
    """The text's colour, as for something that can or cannot be used, less strong."""
    enabled = bool(option.state & QStyle.StateFlag.State_Enabled)
    group = QPalette.ColorGroup.Active if enabled else QPalette.ColorGroup.Disabled
    colour = QColor(option.palette.color(group, QPalette.ColorRole.ButtonText))
    colour.setAlphaF(strength)
    return colour


def _is_primary(option: QStyleOption, widget: QWidget | None) -> bool:
    return (
        widget is not None
        and bool(widget.property("primary"))
        and widget.isEnabled()
        and isinstance(option, QStyleOptionButton)
    )
