"""A note on diffusion language models: the factorization that this lab has no model for."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui import theme
from gui.widgets.formula import Formula
from gui.widgets.safe_text import plain_label

_NOTE = (
    "A diffusion language model is a latent variable model, too, with a chain of latents: the "
    "text with more and more of its tokens masked, down to a text of masks only. It learns to undo "
    "one step of masking, and writes by starting from masks and filling places in, several at a "
    "time and in any order.",
    "The sum over all chains cannot be worked out. What such a model reports as its loss is an "
    "upper bound on −log p(x) (a variational bound), so its perplexity is “at most” a number, and "
    "does not stand on the same footing as the exact figures above.",
    "Where they stand: diffusion models of text have come near left-to-right transformers of the "
    "same size in likelihood and on tests, and can write many tokens at once. Most large language "
    "models in use are still trained left to right: every token of a text is a training example "
    "then, p(x) is exact, and what was computed for the tokens before can be kept while writing.",
    "This lab has no diffusion model, and so no figures of one here.",
)


class DiffusionView(QWidget):
    """Formula and four paragraphs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for latex, spoken in (
            (
                r"p_\theta(x) = \sum_{z_1, \ldots, z_S} p(z_S) \prod_{s=1}^{S} "
                r"p_\theta(z_{s-1} \mid z_s), \quad z_0 = x",
                "p of x is the sum over all chains of masked texts z of p of z S times the "
                "product over s of p of z s minus 1 given z s, where z 0 is the text x",
            ),
        ):
            column.addWidget(Formula(latex, spoken))
        for words in _NOTE:
            label = plain_label(words, wrap=True)
            label.setMaximumWidth(theme.current().px(760))
            column.addWidget(label)
        column.addStretch(1)
