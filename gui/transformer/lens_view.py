"""The logit lens: what the residual stream says after each layer."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui import theme
from gui.transformer.cell_grid import CellGrid
from gui.transformer.looking import Look
from gui.transformer.values import Cells, token_names
from gui.widgets.distribution_bars import Distribution, DistributionBars
from gui.widgets.formula import Formula
from gui.widgets.safe_text import plain_label
from gui.widgets.token_text import Vocabulary

_TOP = 6


class LensView(QWidget):
    """For each layer its most probable tokens; the chosen layer's bars beside the end's."""

    position_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look: Look | None = None
        self._layer = 0
        self.formula = Formula(
            r"p_l(\cdot \mid x_{1:t}) = \mathrm{softmax}(\mathrm{norm}(x_t^{(l)})\, W^\top)",
            "p of layer l is softmax of the normed residual stream after layer l, unembedded",
            self,
        )
        self.words = plain_label(
            "What would come out if the model ended after this layer: its half-done vector is "
            "sent through the last norm and the unembedding. Only the last row is the model's "
            "answer; earlier layers were never trained to be read this way.",
            self,
            wrap=True,
        )
        self.where = plain_label("", self, wrap=True)
        theme.set_text_role(self.where, "strong")
        self.table = CellGrid(self)
        self.table.setToolTip("Click a row to compare that layer with the model's answer.")
        self.table.chosen.connect(self._cell_chosen)
        self.bars = DistributionBars(self, count=8)
        column = QVBoxLayout(self)
        for each in (self.formula, self.words, self.where, self.table, self.bars):
            column.addWidget(each)
        column.setStretch(4, 1)

    def show_look(self, look: Look) -> None:
        """Show the lens of a look."""
        fresh = self._look is None or len(self._look.lens.log_probs) != len(look.lens.log_probs)
        self._look = look
        tied = look.inside.config.tied
        matrix = r"W^\top" if tied else r"W_{\mathrm{out}}^\top"
        self.formula.set_latex(
            rf"p_l(\cdot \mid x_{{1:t}}) = \mathrm{{softmax}}(\mathrm{{norm}}(x_t^{{(l)}})\, "
            rf"{matrix})",
            "p of layer l is softmax of the normed residual stream after layer l, unembedded",
        )
        logs = look.lens.log_probs  # (L + 1, V)
        if fresh:
            self._layer = max(0, len(logs) - 2)
        top = min(_TOP, logs.shape[1])
        order = np.argsort(-logs, axis=1, kind="stable")[:, :top]  # (L + 1, top)
        vocabulary = Vocabulary.of(look.run.tokenizer.tokenizer)
        names = tuple("embedding" if n == 0 else f"layer {n}" for n in range(len(logs)))
        cells = Cells(
            np.exp(np.take_along_axis(logs, order, axis=1)),
            names,
            tuple(f"{n + 1}." for n in range(top)),
            "after",
            "rank",
            False,
            tuple(tuple(vocabulary.text(int(i), 12) for i in row) for row in order),
        )
        self.where.setText(f"After position {look.position}, {token_names(look)[look.position]}")
        self.table.show_cells(cells, "Logit lens, most probable tokens", (self._layer, 0))
        self._show_bars()

    @Slot(int, int)
    def _cell_chosen(self, row: int, column: int) -> None:
        self._layer = row
        self._show_bars()

    def _show_bars(self) -> None:
        look = self._look
        if look is None:
            return
        logs = look.lens.log_probs
        name = "the embedding" if self._layer == 0 else f"layer {self._layer}"
        shown = [Distribution("The model's answer", "transformer", logs[-1])]
        if self._layer < len(logs) - 1:
            shown.insert(0, Distribution(f"After {name}", "neutral", logs[self._layer]))
        self.bars.set_distributions(shown, Vocabulary.of(look.run.tokenizer.tokenizer))
