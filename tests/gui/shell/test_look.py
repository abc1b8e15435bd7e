"""Theme, colours and style: contrast, distinctness, and that everything follows live."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QFrame,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui import theme
from gui.colours import DARK, LIGHT, NEUTRAL, SERIES, Colours, contrast
from gui.theme import Theme, set_text_role

BOTH = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])


# ------------------------------------------------------------------------------------- colours


def test_contrast_is_wcags() -> None:
    white, black = QColor("#ffffff"), QColor("#000000")
    assert contrast(white, black) == pytest.approx(21.0)
    assert contrast(black, white) == pytest.approx(21.0)
    assert contrast(white, white) == pytest.approx(1.0)
    # An independent figure: #767676 is the well-known lightest grey with 4.5:1 on white.
    assert contrast(QColor("#767676"), white) == pytest.approx(4.54, abs=0.01)
    assert contrast(QColor("#777777"), white) < 4.5


@BOTH
def test_text_can_be_read_wherever_it_stands(colours: Colours) -> None:
    for ground in ("window", "surface", "raised"):
        for ink in ("text", "muted", "accent", "good", "bad", "warning"):
            pair = colours.color(ink), colours.color(ground)
            assert contrast(*pair) >= 4.5, f"{ink} on {ground}"
    for ink, ground in [
        ("accent_text", "accent"),
        ("highlight_text", "highlight"),
        ("good", "good_soft"),
        ("bad", "bad_soft"),
        ("warning", "warning_soft"),
        ("text", "accent_soft"),
        ("chip_text", "unknown"),
    ]:
        assert contrast(colours.color(ink), colours.color(ground)) >= 4.5, f"{ink} on {ground}"
    for index in range(len(colours.chips)):
        assert contrast(colours.chip(index), colours.color("chip_text")) >= 7.0


@BOTH
def test_lines_can_be_seen_on_what_they_are_drawn_on(colours: Colours) -> None:
    for kind in [*SERIES, NEUTRAL.key]:
        for ground in ("surface", "window"):
            assert contrast(colours.series(kind), colours.color(ground)) >= 3.0, kind


# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def lab(colour: QColor, matrix: Any) -> Any:
    """CIELAB (D65) of a colour as seen through a simulation."""
    rgb = np.array([colour.redF(), colour.greenF(), colour.blueF()])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(matrix @ linear, 0, 1)
    xyz = (
        np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
        @ linear
        / np.array([0.9505, 1.0, 1.089])
    )
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@BOTH
@pytest.mark.parametrize("sight", BLINDNESS)
def test_series_are_told_apart_by_colour_or_by_line_and_marker(
    colours: Colours, sight: str
) -> None:
    for a, b in itertools.combinations(SERIES.values(), 2):
        difference = np.linalg.norm(
            lab(colours.series(a.key), BLINDNESS[sight])
            - lab(colours.series(b.key), BLINDNESS[sight])
        )
        assert a.marker != b.marker
        # 10 in ΔE*ab is seen at a glance, side by side; less must not be all there is.
        assert difference >= 10 or a.line != b.line, (a.key, b.key, difference)
    for a, b in [("ngram", "transformer"), ("truth", "transformer"), ("reference", "policy")]:
        assert np.linalg.norm(
            lab(colours.series(a), BLINDNESS[sight]) - lab(colours.series(b), BLINDNESS[sight])
        ) >= (10)


@BOTH
def test_the_heat_scale_grows_steadily_in_contrast_with_its_ground(colours: Colours) -> None:
    ground = colours.color("surface")
    steps = [contrast(colours.heat_color(x / 50), ground) for x in range(51)]
    assert all(b >= a - 1e-2 for a, b in itertools.pairwise(steps))
    assert colours.heat_color(0.0) == QColor(colours.heat[0]) == colours.heat_color(-1)
    assert colours.heat_color(1.0) == QColor(colours.heat[-1]) == colours.heat_color(7)


def test_a_kind_keeps_its_line_in_both_themes_and_unknown_kinds_are_neutral() -> None:
    for kind, series in SERIES.items():
        pens = LIGHT.pen(kind), DARK.pen(kind)
        assert {p.style() for p in pens} == {series.line}
        assert all(p.isCosmetic() for p in pens)
    assert LIGHT.series("something new") == QColor(NEUTRAL.light)


# --------------------------------------------------------------------------------------- theme


def test_switching_recolours_every_widget_and_says_so(look: Theme, qtbot: Any) -> None:
    label = QLabel("x")
    qtbot.addWidget(label)
    set_text_role(label, "title", "muted")
    assert label.palette().color(QPalette.ColorRole.Window) == LIGHT.color("window")
    with qtbot.waitSignal(look.changed):
        look.set_mode("dark")
    assert look.dark and look.colours is DARK
    assert label.palette().color(QPalette.ColorRole.Window) == DARK.color("window")
    assert label.palette().color(QPalette.ColorRole.WindowText) == DARK.color("muted")


def test_system_follows_the_system_and_unknown_is_light(
    qapp: QApplication, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Theme(qapp, "system")
    assert not look.dark  # offscreen the scheme is unknown

    class Hints:
        scheme = Qt.ColorScheme.Dark

        @classmethod
        def colorScheme(cls) -> Qt.ColorScheme:
            return cls.scheme

    monkeypatch.setattr(theme.QGuiApplication, "styleHints", Hints)
    with qtbot.waitSignal(look.changed):
        look._system_changed()
    assert look.dark
    look.set_mode("light")
    Hints.scheme = Qt.ColorScheme.Dark
    look._system_changed()
    assert not look.dark  # chosen by hand, it stays


def test_a_word_that_is_no_mode_is_refused(look: Theme, qapp: QApplication) -> None:
    with pytest.raises(ValueError, match="system, light, dark"):
        look.set_mode("mauve")
    with pytest.raises(ValueError, match="role"):
        set_text_role(QLabel(), "headline")


def test_text_size_moves_fonts_lengths_and_layout(look: Theme, qtbot: Any) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    title, box, button = QLabel("Title"), QCheckBox("box"), QPushButton("press")
    set_text_role(title, "title")
    for widget in (title, box, button):
        column.addWidget(widget)
    before = [w.font().pointSizeF() for w in (title, box, button)]
    margins = column.contentsMargins().left()
    height = window.sizeHint().height()
    look.set_text_size(200)
    assert [w.font().pointSizeF() for w in (title, box, button)] == pytest.approx(
        [2 * s for s in before]
    )
    assert before[0] == pytest.approx(1.5 * before[1])
    assert column.contentsMargins().left() == 2 * margins == 32
    assert window.sizeHint().height() > 1.7 * height
    assert look.space() == 16 and look.px(10) == 20
    assert look.px(0) == 0 and look.px(0.1) == 1


class Measured(QComboBox):
    """Measured as soon as it is told of another style, as by a layout that listens."""

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.minimumSizeHint()


def test_a_choice_shrinks_again_with_the_text(look: Theme, qtbot: Any) -> None:
    box = Measured()
    box.addItem("a choice of some length")
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    qtbot.addWidget(box)
    box.show()
    look.set_text_size(100)
    small = box.minimumSizeHint()
    look.set_text_size(200)
    assert box.minimumSizeHint().width() > 1.5 * small.width()
    look.set_text_size(100)
    assert box.minimumSizeHint() == small


def test_text_size_stops_at_its_bounds_and_steps(look: Theme) -> None:
    sizes = []
    for _ in range(20):
        look.larger_text()
        sizes.append(look.text_size)
    assert sizes[:3] == [110, 125, 150] and sizes[-1] == 250
    for _ in range(20):
        look.smaller_text()
    assert look.text_size == 75
    look.set_text_size(10_000)
    assert look.text_size == 250
    look.set_text_size(137)
    look.larger_text()
    assert look.text_size == 150
    look.set_text_size(137)
    look.smaller_text()
    assert look.text_size == 125


def test_no_signal_without_a_change(look: Theme, qtbot: Any) -> None:
    with qtbot.assertNotEmitted(look.changed):
        look.set_mode("light")
        look.set_text_size(100)
        look.set_motion(True)


def test_there_is_one_theme(look: Theme) -> None:
    assert theme.current() is look


def test_the_primary_button_is_filled_with_the_accent(look: Theme, qtbot: Any) -> None:
    button = QPushButton("Start")
    qtbot.addWidget(button)
    theme.make_primary(button)
    for mode in ("light", "dark"):
        look.set_mode(mode)
        image = button.grab().toImage()
        edge = image.pixelColor(image.width() // 2, 4)
        assert edge == look.colours.color("accent")
        button.setEnabled(False)
        image = button.grab().toImage()
        assert image.pixelColor(image.width() // 2, 4) != look.colours.color("accent")
        button.setEnabled(True)


def test_plots_made_later_get_the_themes_colours(look: Theme) -> None:
    pyqtgraph = pytest.importorskip("pyqtgraph")
    theme.prepare_pyqtgraph()
    assert pyqtgraph.getConfigOption("background") == LIGHT.surface
    look.set_mode("dark")
    assert pyqtgraph.getConfigOption("background") == DARK.surface
    assert pyqtgraph.getConfigOption("foreground") == DARK.muted


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_check_box_can_be_seen_on_its_ground(mode: str, look: Theme, qtbot: QtBot) -> None:
    """WCAG 2.2, 1.4.11: what marks a control stands out from its ground by 3 : 1."""
    look.set_mode(mode)
    for checked in (False, True):
        box = QCheckBox()
        qtbot.addWidget(box)
        box.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        box.setChecked(checked)
        picture = box.grab().toImage()
        ground = box.palette().color(QPalette.ColorRole.Window)
        middle = picture.height() // 2
        row = [picture.pixelColor(x, middle) for x in range(picture.width())]
        assert max(contrast(colour, ground) for colour in row) >= 3.0, (mode, checked)


def test_arrows_grow_with_the_text(look: Theme, qtbot: QtBot) -> None:
    def arrow_pixels(size: int) -> int:
        look.set_text_size(size)
        box = QComboBox()
        qtbot.addWidget(box)
        box.resize(look.px(120), look.px(32))
        picture = box.grab().toImage()
        start = picture.width() - look.px(24)
        return sum(
            picture.pixelColor(x, y).lightness() < 160
            for x in range(start, picture.width() - look.px(4))
            for y in range(look.px(8), picture.height() - look.px(8))
        )

    assert arrow_pixels(200) > 2 * arrow_pixels(100) > 0


@BOTH
def test_edges_can_be_seen_on_every_ground(colours: Colours) -> None:
    for ground in ("window", "surface", "raised"):
        assert contrast(colours.color("edge"), colours.color(ground)) >= 3.0, ground


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_cards_and_fields_are_drawn_with_edges_that_are_seen(
    mode: str, look: Theme, qtbot: QtBot
) -> None:
    """WCAG 2.2, 1.4.11, measured on what is painted."""
    look.set_mode(mode)
    holder = QWidget()
    column = QVBoxLayout(holder)
    card, field, line = QFrame(), QSpinBox(), QLineEdit()
    card.setFrameShape(QFrame.Shape.StyledPanel)
    card.setMinimumSize(80, 40)
    for widget in (card, field, line):
        widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column.addWidget(widget)
    qtbot.addWidget(holder)
    holder.show()
    image = holder.grab().toImage()
    grounds = [look.colours.color(name) for name in ("window", "surface")]
    for widget in (card, field, line):
        place = widget.geometry()
        down = range(place.top() - 2, place.top() + 4)
        across = range(place.left() - 2, place.left() + 4)
        crossed = (
            [image.pixelColor(place.center().x(), y) for y in down],
            [image.pixelColor(x, place.center().y()) for x in across],
        )
        for pixels in crossed:
            seen = max(min(contrast(pixel, ground) for ground in grounds) for pixel in pixels)
            assert seen >= 3.0, type(widget).__name__


@pytest.mark.parametrize("size", [100, 200])
def test_tabs_that_are_not_chosen_show_their_words_whole(
    size: int, look: Theme, qtbot: QtBot
) -> None:
    look.set_text_size(size)
    tabs = QTabWidget()
    tabs.setDocumentMode(True)
    tabs.resize(800, 200)
    for _ in range(2):
        tabs.addTab(QWidget(), "Training")
    qtbot.addWidget(tabs)
    tabs.show()
    bar = tabs.tabBar()
    image = bar.grab().toImage()
    ground = look.colours.color("window")

    def inked(index: int) -> list[int]:
        area = bar.tabRect(index).adjusted(5, 0, -5, -4 * size // 100)  # less the underline
        return [
            y - area.top()
            for y in range(area.top(), area.bottom() + 1)
            if any(
                contrast(image.pixelColor(x, y), ground) > 2
                for x in range(area.left(), area.right() + 1)
            )
        ]

    assert inked(1) == inked(0)
