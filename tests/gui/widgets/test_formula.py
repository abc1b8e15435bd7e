"""Typeset formulas: crisp, in the text colour, never a crash."""

from __future__ import annotations

import logging

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QFont, QGuiApplication
from pytestqt.qtbot import QtBot

from gui.colours import DARK, LIGHT
from gui.theme import palette
from gui.widgets.formula import Formula
from tests.gui.widgets.helpers import has_colour, picture

CHAIN = r"p_\theta(x)=\prod_{t=1}^{T} p_\theta(x_t \mid x_{1:t-1})"


@pytest.fixture
def formula(qtbot: QtBot) -> Formula:
    made = Formula(CHAIN, "p of x is the product of p of x t given what came before")
    qtbot.addWidget(made)
    made.setPalette(palette(LIGHT))
    made.resize(made.sizeHint())
    return made


@pytest.mark.parametrize(
    "latex",
    [
        CHAIN,
        r"\theta \leftarrow \theta + \eta \nabla_\theta \log p_\theta(\text{text})",
        r"\frac{\exp(q_t^\top k_j)}{\sum_{l \le t} \exp(q_t^\top k_l)}",
        r"\mathrm{FFN}(x) = (\mathrm{Swish}(xW_1) \odot xW_2)W_3",
        r"\mathbb{E}_{p_\theta(y \mid x)}[r(x, y)] - \beta\,\mathrm{KL}[p_\theta \| p_{LM}]",
        r"\min_{\Sigma, f} |f(X)| \quad \text{such that } |\Sigma| = V",
    ],
)
def test_the_tutorials_formulas_are_typeset(qtbot: QtBot, latex: str) -> None:
    formula = Formula(latex)
    qtbot.addWidget(formula)
    assert formula.is_typeset
    hint = formula.sizeHint()
    assert hint.height() >= formula.fontMetrics().height() and hint.width() > hint.height()


def test_it_is_drawn_in_the_text_colour_of_the_theme(formula: Formula) -> None:
    assert has_colour(picture(formula), LIGHT.color("text"), 12)
    formula.setPalette(palette(DARK))
    assert has_colour(picture(formula), DARK.color("text"), 12)


def test_its_size_follows_the_font(formula: Formula) -> None:
    small = formula.sizeHint()
    font = QFont(formula.font())
    font.setPointSizeF(font.pointSizeF() * 2)
    formula.setFont(font)
    large = formula.sizeHint()
    assert large.height() == pytest.approx(2 * small.height(), rel=0.1)
    assert large.width() == pytest.approx(2 * small.width(), rel=0.1)


def test_in_a_narrow_room_it_shrinks_without_distortion(formula: Formula) -> None:
    natural = formula.formula_rect()
    formula.resize(QSize(round(natural.width() * 0.7), formula.height()))
    shrunk = formula.formula_rect()
    assert shrunk.width() <= formula.width()
    assert shrunk.width() / shrunk.height() == pytest.approx(natural.width() / natural.height())


@pytest.mark.parametrize("latex", [r"\frac{1", "x_", "}{", "", "  ", r"\begin{matrix}"])
def test_what_is_no_latex_is_shown_as_plain_text(
    qtbot: QtBot, latex: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "gui.widgets.formula"):
        formula = Formula(latex)
        qtbot.addWidget(formula)
    assert not formula.is_typeset
    assert formula.accessibleName() == latex
    formula.resize(200, 40)
    formula.grab()


def test_it_is_said_and_copied(formula: Formula) -> None:
    assert formula.accessibleName().startswith("p of x is")
    formula.copy()
    assert QGuiApplication.clipboard().text() == CHAIN
