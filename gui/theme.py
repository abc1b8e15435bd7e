"""The window's look: Fusion with a light and a dark palette of our own, and one text size.

``Theme`` is one object per application, ``current()`` finds it. Palette roles colour the
chrome by themselves; whoever paints by hand listens to ``changed`` and takes its colours from
``colours`` and its lengths from ``px`` and ``space``. Labels get their place in the type scale
from ``set_text_role`` and follow every later change.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QFont, QFontDatabase, QFontInfo, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from gui.colours import DARK, LIGHT, Colours
from gui.style import ScaledFusion

MODES = ("system", "light", "dark")
SMALLEST_TEXT, LARGEST_TEXT = 75, 250
"""Bounds of the text size, in per cent of the system's."""
TEXT_SIZES = (75, 90, 100, 110, 125, 150, 175, 200, 225, 250)
"""Where Ctrl + and Ctrl − stop."""
GRID = 8
"""The spacing grid at 100 %, in device-independent pixels."""

ROLES: dict[str, tuple[float, int]] = {
    "caption": (0.88, QFont.Weight.Normal),
    "body": (1.0, QFont.Weight.Normal),
    "strong": (1.0, QFont.Weight.DemiBold),
    "subtitle": (1.2, QFont.Weight.DemiBold),
    "title": (1.5, QFont.Weight.DemiBold),
    "display": (2.1, QFont.Weight.Light),
    "mono": (1.0, QFont.Weight.Normal),
}
"""The type scale: size relative to the body, and weight."""

_ROLE_PROPERTY = "textRole"
_TINT_PROPERTY = "textTint"
_TINTED_PROPERTY = "textIsTinted"
"""Whether the tint was ours, and is to be taken away with it."""


class Theme(QObject):
    """The look in force. Changing it changes every widget on screen."""

    changed = Signal()
    """Colours or text size are different now; palette and fonts are already set."""

    def __init__(self, app: QApplication, mode: str = "system", text_size: int = 100) -> None:
        super().__init__(app)
        self.setObjectName("theme")
        self._app = app
        self._mode = mode if mode in MODES else "system"
        self._text_size = _bounded(text_size)
        self._base = _system_font()
        self._mono_families = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        self._dark = self._wants_dark()
        self.motion = True
        """Whether widgets may animate."""
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)
        self._apply()

    # ------------------------------------------------------------------------ what is in force
    @property
    def mode(self) -> str:
        """What was chosen: "system", "light" or "dark"."""
        return self._mode

    @property
    def dark(self) -> bool:
        """Whether the palette in force is the dark one."""
        return self._dark

    @property
    def colours(self) -> Colours:
        """The colours in force."""
        return DARK if self._dark else LIGHT

    @property
    def text_size(self) -> int:
        """In per cent, 75 to 250."""
        return self._text_size

    @property
    def scale(self) -> float:
        """text_size ÷ 100."""
        return self._text_size / 100

    def px(self, length: float) -> int:
        """A length meant for 100 %, in device-independent pixels, at the present text size."""
        return max(1, round(length * self.scale)) if length > 0 else 0

    def space(self, steps: float = 1.0) -> int:
        """So many steps of the 8-pixel grid, at the present text size."""
        return self.px(steps * GRID)

    def font(self, role: str = "body") -> QFont:
        """The font of a role of the type scale (a key of ROLES)."""
        size, weight = ROLES[role]
        font = QFont(self._mono_families if role == "mono" else self._base)
        font.setPointSizeF(self._base.pointSizeF() * self.scale * size)
        font.setWeight(QFont.Weight(weight))
        return font

    # ------------------------------------------------------------------------------ changing it
    def set_mode(self, mode: str) -> None:
        """Choose "system", "light" or "dark".

        Raises:
            ValueError: for any other word.
        """
        if mode not in MODES:
            raise ValueError(f"a theme is one of {', '.join(MODES)}, not {mode!r}")
        if mode != self._mode:
            self._mode = mode
            self._dark = self._wants_dark()
            self._apply()
            self.changed.emit()

    def set_text_size(self, per_cent: int) -> None:
        """Set the text size; values outside 75 … 250 are drawn to the nearer bound."""
        size = _bounded(per_cent)
        if size != self._text_size:
            self._text_size = size
            self._apply()
            self.changed.emit()

    def larger_text(self) -> None:
        """The next larger of TEXT_SIZES."""
        self.set_text_size(next((s for s in TEXT_SIZES if s > self._text_size), LARGEST_TEXT))

    def smaller_text(self) -> None:
        """The next smaller of TEXT_SIZES."""
        smaller = [s for s in TEXT_SIZES if s < self._text_size]
        self.set_text_size(smaller[-1] if smaller else SMALLEST_TEXT)

    def set_motion(self, motion: bool) -> None:
        """Allow or forbid animations."""
        if motion != self.motion:
            self.motion = motion
            self.changed.emit()

    # --------------------------------------------------------------------------------- the work
    def _wants_dark(self) -> bool:
        if self._mode == "system":
            # Unknown, as without a desktop, counts as light.
            return QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
        return self._mode == "dark"

    @Slot()
    def _system_changed(self) -> None:
        self._follow()

    def _follow(self) -> None:
        dark = self._wants_dark()
        if dark != self._dark:
            self._dark = dark
            self._apply()
            self.changed.emit()

    def _apply(self) -> None:
        app = self._app
        app.setPalette(palette(self.colours))
        app.setFont(self.font("body"))
        # Qt puts the widgets off to the next turn of the event loop. They must have changed when
        # ``changed`` is sent: whoever listens measures with them.
        for kind in (QEvent.Type.ApplicationPaletteChange, QEvent.Type.ApplicationFontChange):
            app.sendPostedEvents(None, kind.value)
        # After the fonts: a QComboBox forgets its least size with another style, but not with
        # another font, and would stay as wide as it was at a larger text.
        style = app.style()
        if not isinstance(style, ScaledFusion) or style.scale != self.scale:
            app.setStyle(ScaledFusion(self.scale))
        self._colour_plots()
        for widget in app.allWidgets():
            if widget.property(_ROLE_PROPERTY) or widget.property(_TINT_PROPERTY):
                self.dress(widget)

    def _colour_plots(self) -> None:
        """pyqtgraph's defaults, for plots made from now on; plots on screen listen to
        ``changed``. Does nothing before pyqtgraph is imported."""
        pyqtgraph = sys.modules.get("pyqtgraph")
        if pyqtgraph is not None and hasattr(pyqtgraph, "setConfigOptions"):
            pyqtgraph.setConfigOptions(
                background=self.colours.surface, foreground=self.colours.muted
            )

    def dress(self, widget: QWidget) -> None:
        """Set a widget's font and text colour from its role and tint."""
        role, tint = widget.property(_ROLE_PROPERTY), widget.property(_TINT_PROPERTY)
        if role:
            widget.setFont(self.font(role))
        if tint:
            own = QPalette()
            own.setColor(QPalette.ColorRole.WindowText, self.colours.color(tint))
            own.setColor(QPalette.ColorRole.Text, self.colours.color(tint))
            widget.setPalette(own)
            widget.setProperty(_TINTED_PROPERTY, True)
        elif widget.property(_TINTED_PROPERTY):
            widget.setPalette(QPalette())  # the application's again
            widget.setProperty(_TINTED_PROPERTY, None)


def current() -> Theme:
    """The application's theme; made with its defaults if there is none yet.

    Raises:
        RuntimeError: if there is no QApplication.
    """
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        raise RuntimeError("the theme needs a QApplication")
    found = app.findChild(Theme, "theme", Qt.FindChildOption.FindDirectChildrenOnly)
    return found if found is not None else Theme(app)


def set_text_role(widget: QWidget, role: str, tint: str | None = None) -> None:
    """Give a widget its place in the type scale and, by the name of a field of Colours such as
    "muted" or "bad", a text colour. It follows theme and text size from then on."""
    if role not in ROLES:
        raise ValueError(f"no text role {role!r}")
    widget.setProperty(_ROLE_PROPERTY, role)
    widget.setProperty(_TINT_PROPERTY, tint)
    current().dress(widget)


def make_primary(button: QWidget) -> None:
    """Mark the one button of a view that is to be pressed first; it is filled with the accent."""
    button.setProperty("primary", True)
    button.update()


def prepare_pyqtgraph() -> None:
    """Call after the first ``import pyqtgraph``: gives it the theme's colours."""
    current()._colour_plots()


def palette(c: Colours) -> QPalette:
    """Qt's roles filled from our colours."""
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    made = QPalette()
    for key, name in {
        role.Window: "window",
        role.WindowText: "text",
        role.Base: "surface",
        role.AlternateBase: "raised",
        role.Text: "text",
        role.Button: "raised",
        role.ButtonText: "text",
        role.BrightText: "bad",
        role.ToolTipBase: "raised",
        role.ToolTipText: "text",
        role.PlaceholderText: "muted",
        role.Highlight: "accent",
        role.HighlightedText: "accent_text",
        role.Accent: "accent",
        role.Link: "accent",
        role.LinkVisited: "accent",
        role.Light: "surface",
        role.Midlight: "raised",
        role.Mid: "border",
        role.Dark: "border",
    }.items():
        made.setColor(key, c.color(name))
    shadow = c.color("text") if not c.dark else c.color("surface").darker(150)
    made.setColor(role.Shadow, shadow)
    for key in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText):
        made.setColor(group.Disabled, key, c.color("disabled"))
    made.setColor(group.Disabled, role.Highlight, c.color("border"))
    made.setColor(group.Disabled, role.HighlightedText, c.color("disabled"))
    made.setColor(group.Disabled, role.Base, c.color("window"))
    return made


def _bounded(per_cent: int) -> int:
    return min(LARGEST_TEXT, max(SMALLEST_TEXT, int(per_cent)))


def _system_font() -> QFont:
    """The system's font for text; never smaller than 10 points, which bare Linux gives 9 of."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    size = font.pointSizeF() if font.pointSizeF() > 0 else QFontInfo(font).pointSizeF()
    font.setPointSizeF(max(10.0, size))
    return font
