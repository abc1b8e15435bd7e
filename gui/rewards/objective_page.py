"""What is maximised, typeset, with the numbers of the newest update."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui import theme
from gui.lab import Lab
from gui.rewards.live import News
from gui.widgets.formula import Formula, typeset
from gui.widgets.numbers import format_number
from gui.widgets.safe_text import plain_label

AIM = (
    r"\max_\theta \; \mathbb{E}_{p_\theta(y \mid x)}\left[ r(x, y) \right] - "
    r"\beta \, \mathrm{KL}\left[ p_\theta(y \mid x) \,\|\, p_{\mathrm{LM}}(y \mid x) \right]"
)
STEP = (
    r"\frac{1}{\sum_i |y_i|} \sum_i \sum_k \hat{A}_{i,k} \, \gamma_{i,k}(\theta) \, "
    r"\nabla \log \pi_\theta(y_{i,k} \mid x, y_{i,<k})"
)
SPOKEN_AIM = (
    "Maximise the expected reward under the policy, less beta times the KL divergence of the "
    "policy from the language model it started from."
)
SPOKEN_STEP = (
    "One over the number of tokens, times the sum over answers and tokens of advantage times "
    "gamma times the gradient of the log-probability of the token."
)
KEY = "rewards: typeset"


class ObjectivePage(QWidget):
    """Two formulas, and what each sign in them is now."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self.aim, self.step = Formula("", "", self), Formula("", "", self)
        for formula in (self.aim, self.step):
            theme.set_text_role(formula, "subtitle")
        first = plain_label("What post-training is after", self)
        second = plain_label("GRPO's way there: one update moves θ along", self)
        third = plain_label("With the numbers of the newest update", self)
        for title in (first, second, third):
            theme.set_text_role(title, "strong")
        self.words = plain_label("", self, wrap=True)
        self.numbers = plain_label("No update yet.", self, wrap=True)
        self.words.setText(
            "r is the reward, p_θ = π_θ the policy, p_LM the pre-trained model it started from "
            "(the reference), β the price of moving away from it. Sample a group of answers to "
            "each prompt and make the tokens of those that did well more probable. Â is how much "
            "better an answer did than its group: (r − mean) ÷ (std + 0.0001), or what the "
            "settings choose in its place. γ is the token's "
            "probability now over that when it was sampled, cut to 1 − ε … 1 + ε; with one "
            "step a batch γ = 1 and the cut never acts."
        )
        column = QVBoxLayout(self)
        for widget in (first, self.aim, second, self.step, self.words, third, self.numbers):
            column.addWidget(widget)
        column.addStretch(1)
        theme.current().changed.connect(self._typeset)
        self._typeset()

    def clear(self) -> None:
        """No numbers yet."""
        self.numbers.setText("No update yet.")

    def show_news(self, news: News) -> None:
        """Put the newest update's numbers in."""
        if not news.records:
            return
        record, s = news.records[-1], news.order.settings
        group = record.group
        kl = "no penalty" if s.beta == 0 else f"β·KL = {format_number(s.beta * record.kl, 3)}"
        self.numbers.setText(
            f"Update {record.update:,}: {s.prompts} prompts × G = {s.group} answers, "
            f"Σ|yᵢ| = {record.tokens:,} tokens. Mean reward {format_number(record.reward, 3)}, "
            f"β = {format_number(s.beta, 3)}, KL = {format_number(record.kl, 3)} nats per token "
            f"({kl}). Groups without signal: {record.silent_groups:.0%}. "
            f"Clipped tokens: {record.clipped:.1%}. In the first group, prompt "
            f"{group.prompt.text}, the mean is {format_number(float(group.rewards.mean()), 3)} "
            f"and Â runs from {format_number(float(group.advantages.min()), 3)} to "
            f"{format_number(float(group.advantages.max()), 3)}. "
            f"The gradient's length is {format_number(record.gradient_norm, 3)}."
        )

    @Slot()
    def _typeset(self) -> None:
        """The typesetter needs half a second at first: let it work where nobody waits."""
        colour = self.palette().color(QPalette.ColorRole.WindowText).name()
        self._lab.compute.request(
            KEY,
            _prepare,
            colour,
            title="Typesetting",
            on_result=self._show,
        )

    @Slot(object)
    def _show(self, _: object) -> None:
        self.aim.set_latex(AIM, SPOKEN_AIM)
        self.step.set_latex(STEP, SPOKEN_STEP)


def _prepare(colour: str) -> None:
    """Fill the typesetter's memory with the two formulas."""
    for latex in (AIM, STEP):
        typeset(latex, colour)
