"""A text small enough to count by hand: both directions, in fractions that are exact."""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QLabel, QLineEdit, QVBoxLayout, QWidget

from engine.models.reversed import EDGE, Pair, both_ways, product
from gui import theme
from gui.language_models.totals_table import PlainTable
from gui.widgets.formula import Formula
from gui.widgets.numbers import format_number
from gui.widgets.safe_text import plain_label
from gui.widgets.token_text import isolate

TEXT = "the cat sat / the dog sat / the cat ran / a dog ran"
SENTENCE = "the dog ran"
MOST_WORDS = 2_000


class SmallTableView(QWidget):
    """The bigram of a tiny text by maximum likelihood, left to right and reversed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pairs: tuple[Pair, ...] = ()
        self.formula = Formula(
            r"\prod_t \frac{c(x_{t-1} x_t)}{c(x_{t-1})} = \prod_t \frac{c(x_{t-1} x_t)}{c(x_t)}",
            "the product of the counts of each pair over the count of its left token equals the "
            "product of the same counts over the count of its right token",
        )
        self.text, self.sentence = QLineEdit(TEXT), QLineEdit(SENTENCE)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for caption, field, tip in (
            ("Tin&y text", self.text, "A few sentences with / between them; they are counted."),
            ("S&core", self.sentence, "The sentence whose probability is worked out."),
        ):
            label = QLabel(caption)
            theme.set_text_role(label, "strong")
            label.setBuddy(field)
            field.setAccessibleName(caption.replace("&", ""))
            field.setToolTip(tip)
            field.setMaxLength(20_000)
            field.textChanged.connect(self.count)
            column.addWidget(label)
            column.addWidget(field)
        column.addWidget(self.formula)
        self.table = PlainTable("Pairs of the sentence, counted")
        column.addWidget(self.table)
        self.said = plain_label(wrap=True)
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self.said)
        self.why = plain_label(
            "Why they agree: the edge ▮ stands before and behind every sentence. The numerators "
            "are the same counts in both directions. Below the line, left to right divides by the "
            "count of each pair's left word, reversed by that of its right word; each word of the "
            "sentence is once the left and once the right one, and so is the edge. Same text, same "
            "p(x), other conditionals.",
            wrap=True,
        )
        theme.set_text_role(self.why, "body", "muted")
        column.addWidget(self.why)
        column.addStretch(1)
        self.count()

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """What is shown."""
        return self._pairs

    @Slot()
    def count(self) -> None:
        """Count the text anew and score the sentence."""
        documents = [part.split()[:MOST_WORDS] for part in self.text.text().split("/")]
        documents = [document for document in documents if document]
        words = self.sentence.text().split()[:40]
        if not documents:
            self._pairs = ()
            self.table.fill([], [])
            self.said.setText("Write a few sentences to count, with / between them.")
            return
        self._pairs = both_ways(documents, words)
        rows = []
        for number, pair in enumerate(self._pairs, 1):
            left, right = _word(pair.left), _word(pair.right)
            cells = [
                f"{left} {right}",
                str(pair.together),
                str(pair.left_total),
                str(pair.right_total),
                _divided(pair.together, pair.left_total),
                _divided(pair.together, pair.right_total),
            ]
            rows.append((str(number), f"{left} before {right}", cells))
        heads = ["pair a b", "c(a b)", "c(a)", "c(b)", "p(b | a)", "p(a | b)"]
        self.table.fill(heads, rows)
        self.said.setText(_in_words(self._pairs))


def _in_words(pairs: tuple[Pair, ...]) -> str:
    ahead = product([pair.forward for pair in pairs])
    behind = product([pair.backward for pair in pairs])
    if ahead is None or behind is None:
        new = [p.right for p in pairs if p.right != EDGE and not p.right_total]
        names = ", ".join(f"“{isolate(word)}”" for word in dict.fromkeys(new))
        return f"{names} never occurs in the text: the conditionals behind it are undefined."
    differ = sum(pair.forward != pair.backward for pair in pairs)
    return (
        f"Left to right p(x) = {_fraction(ahead)}; reversed p(x) = {_fraction(behind)}. "
        f"{'The same' if ahead == behind else 'Not the same'}, though {differ} of "
        f"{len(pairs)} conditionals differ."
    )


def _word(word: str) -> str:
    return isolate(word[:24]) if word != EDGE else "▮"


def _divided(n: int, total: int) -> str:
    if not total:
        return "undefined"
    return f"{n}/{total}" if n else "0"


def _fraction(p: Fraction) -> str:
    if p.denominator == 1:
        return str(p.numerator)
    if p.denominator > 10**9:
        return format_number(float(p), 4)
    return f"{p.numerator}/{p.denominator} ≈ {format_number(float(p), 4)}"
