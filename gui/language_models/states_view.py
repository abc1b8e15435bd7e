"""The hidden states of an HMM: what each emits, where each leads, and which wrote this text."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHeaderView,
    QSplitter,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.language_models.factors_run import Factored
from gui.widgets.formula import Formula
from gui.widgets.heatmap import Heatmap
from gui.widgets.notice import EmptyState
from gui.widgets.numbers import format_number
from gui.widgets.safe_text import plain_label, plain_tooltip
from gui.widgets.token_text import Vocabulary, isolate


class StatesView(QWidget):
    """p(x) = Σ_z p(x, z): a state behind every token, never seen, only inferred."""

    fit_wished = Signal()
    """The button was pressed that fits a model."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.formula = Formula(
            r"p_\theta(x) = \sum_z p_\theta(x, z), \quad "
            r"p_\theta(x, z) = \prod_t p(z_t \mid z_{t-1})\, p(x_t \mid z_t)",
            "p of x is the sum over z of p of x and z; p of x and z is the product over t of "
            "p of z t given the state before, times p of x t given its state",
        )
        self.emissions = QTableWidget(0, 2)
        self.emissions.setAccessibleName("What each hidden state emits")
        self.emissions.setHorizontalHeaderLabels(["emits most", "then most likely goes to"])
        self.emissions.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.emissions.setTabKeyNavigation(False)
        self.emissions.setWordWrap(False)
        header = self.emissions.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        header.setHighlightSections(False)
        self.emissions.setMinimumHeight(theme.current().px(120))
        self.said = plain_label(wrap=True)
        self.smoothed = Heatmap(
            "Which state wrote which token", "state", "token", "p(state | text)"
        )
        self.transitions = Heatmap("Where states lead", "from state", "to state", "p(to | from)")
        left, right = QWidget(), QSplitter(Qt.Orientation.Vertical)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.formula)
        column.addWidget(self.said)
        column.addWidget(self.emissions, 1)
        right.setChildrenCollapsible(False)
        for heatmap, caption in (
            (self.smoothed, "Which state wrote which token: p(state | whole text)"),
            (self.transitions, "Where each state leads: p(next state | state)"),
        ):
            part = QWidget()
            inner = QVBoxLayout(part)
            inner.setContentsMargins(0, 0, 0, 0)
            title = plain_label(caption, wrap=True)
            theme.set_text_role(title, "strong")
            inner.addWidget(title)
            inner.addWidget(heatmap, 1)
            right.addWidget(part)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(left)
        self.splitter.addWidget(right)
        self.splitter.setSizes([480, 640])
        self.empty = EmptyState(
            "No hidden Markov model yet",
            "Choose a number of states above, then fit one to the text by expectation "
            "maximisation: a few seconds. What its states come to mean, nobody tells it.",
            "Fit one now",
        )
        self.empty.button.setToolTip("Fit a hidden Markov model with the states chosen above.")
        self.empty.pressed.connect(self.fit_wished)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.splitter)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.addWidget(self.stack)

    def show_factored(self, made: Factored | None) -> None:
        """Show the states of the model at the table, and the text under them."""
        if made is None or made.states is None or made.table.tokenizer is None:
            self.stack.setCurrentWidget(self.empty)
            return
        states = made.states
        vocabulary = Vocabulary.of(made.table.tokenizer.tokenizer)
        k = states.model.n_states
        names = [str(state + 1) for state in range(k)]
        transition = states.model.parameters.transition
        self.emissions.setRowCount(k)
        self.emissions.setVerticalHeaderLabels([f"state {name}" for name in names])
        for state, emits in enumerate(states.emits):
            words = [f"{isolate(vocabulary.text(i, 20))} {p:.2f}" for i, p in emits]
            item = QTableWidgetItem("   ".join(words))
            item.setToolTip(plain_tooltip("\n".join(words)))
            self.emissions.setItem(state, 0, item)
            to = int(np.argmax(transition[state]))
            p = format_number(float(transition[state, to]), 2)
            self.emissions.setItem(state, 1, QTableWidgetItem(f"state {to + 1} ({p})"))
        self.transitions.set_matrix(transition, names, names, low=0.0, high=1.0)
        tokens = [vocabulary.text(i, 12) for i in made.cut.ids.tolist()] + ["(end)"]
        if states.smoothed is None:
            self.said.setText("The model gives this text probability 0: no states could write it.")
            blank = np.full((k, len(tokens)), np.nan)
            self.smoothed.set_matrix(blank, names, tokens, low=0.0, high=1.0)
        else:
            sure = float(np.mean(states.smoothed.max(axis=1)))
            used = len(set(np.argmax(states.smoothed, axis=1).tolist()))
            self.said.setText(
                f"{k} states, of which {used} were most probable somewhere in this text. Knowing "
                f"the whole text, the model's best guess of a token's state has probability "
                f"{sure:.2f} on average."
            )
            self.smoothed.set_matrix(states.smoothed.T, names, tokens, low=0.0, high=1.0)
        self.stack.setCurrentWidget(self.splitter)
