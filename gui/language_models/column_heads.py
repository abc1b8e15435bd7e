"""What stands above each column of bars: the model's name, which sorts, and its entropy."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.language_models.bars import BarTable, Column
from gui.language_models.model_bar import Swatch
from gui.widgets.numbers import format_number
from gui.widgets.safe_text import plain_label, plain_tooltip

ENTROPY = (
    "Entropy: how unsure the model is, in bits. 0 bits is certainty; each bit more is like twice "
    "as many equally likely tokens to choose from."
)


class ColumnHead(QWidget):
    """One model's name as a button, and how unsure it is."""

    sort_wished = Signal(str)
    pointed = Signal(str)
    """The kind of model under the mouse; empty when it leaves."""

    def __init__(self, kind: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = kind
        self._words = self._title = ""
        self.button = QPushButton()
        self.button.setCheckable(True)
        self.button.setAutoDefault(False)
        self.entropy = plain_label()
        self.entropy.setToolTip(plain_tooltip(ENTROPY))
        theme.set_text_role(self.entropy, "caption", "muted")
        self._swatch = Swatch(kind)
        self._row = row = QHBoxLayout()
        row.addWidget(self._swatch)
        row.addWidget(self.button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.entropy)
        self.button.clicked.connect(self._clicked)

    def show_column(self, column: Column, sorts: bool) -> None:
        """Show a model's name and entropy."""
        self._title = f"{column.title} ↓" if sorts else column.title
        self.button.setChecked(sorts)
        self.button.setAccessibleName(f"Sort by {column.title}")
        self.button.setToolTip(plain_tooltip(f"{column.name}\nClick to sort by it."))
        self._words = entropy_in_words(column)
        self.fit(self.width())

    def fit(self, width: int) -> None:
        """Say as much of the name and the entropy as there is room for."""
        metrics = self.button.fontMetrics()
        taken = self.button.sizeHint().width() - metrics.horizontalAdvance(self.button.text())
        taken += self._swatch.width() + self._row.spacing()
        shown = metrics.elidedText(self._title, Qt.TextElideMode.ElideRight, width - taken)
        self.button.setText(shown.replace("&", "&&"))
        room = self.entropy.fontMetrics().horizontalAdvance(self._words)
        self.entropy.setText(self._words if room <= width else self._words.partition(",")[0])

    @Slot()
    def _clicked(self) -> None:
        self.button.setChecked(True)
        self.sort_wished.emit(self.kind)

    def enterEvent(self, event: QEvent) -> None:
        self.pointed.emit(self.kind)

    def leaveEvent(self, event: QEvent) -> None:
        self.pointed.emit("")


def entropy_in_words(column: Column) -> str:
    """Such as "2.3 bits, like 5 equal choices"."""
    if not column.next.defined:
        return "undefined here"
    bits = column.next.entropy_bits
    if bits < 0.005:
        return "0 bits: certain"
    return f"{bits:.2f} bits, like {format_number(2**bits, 2)} equal choices"


class ColumnHeads(QWidget):
    """The heads, each above its column of a BarTable."""

    sort_wished = Signal(str)
    pointed = Signal(str)

    def __init__(self, table: BarTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self._heads: dict[str, ColumnHead] = {}
        self._shown: list[ColumnHead] = []
        table.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The columns move when the table is resized, which may be long after this is."""
        if watched is self._table and event.type() == QEvent.Type.Resize:
            self.place()
        return super().eventFilter(watched, event)

    def show_columns(self, columns: Sequence[Column], sort_by: str) -> None:
        """Show a head for each column."""
        self._shown = []
        for column in columns:
            if column.kind not in self._heads:
                head = ColumnHead(column.kind, self)
                head.sort_wished.connect(self.sort_wished)
                head.pointed.connect(self.pointed)
                self._heads[column.kind] = head
            head = self._heads[column.kind]
            head.show_column(column, column.kind == sort_by)
            head.show()
            self._shown.append(head)
        for head in self._heads.values():
            if head not in self._shown:
                head.hide()
        self.updateGeometry()
        self.place()

    def head(self, kind: str) -> ColumnHead:
        """The head of a kind of model.

        Raises:
            KeyError: if it was never shown.
        """
        return self._heads[kind]

    def place(self) -> None:
        """Put each head above its column."""
        # Heads that come into being ask the page's layout for height, which gives it one turn of
        # the event loop later. They are whole until then, too: a head of no height takes no click.
        height = max(self.height(), self.sizeHint().height())
        for head, (left, width) in zip(self._shown, self._table.columns_at(), strict=False):
            head.setGeometry(round(left), 0, round(width), height)
            head.fit(round(width))

    def sizeHint(self) -> QSize:
        heights = [head.sizeHint().height() for head in self._shown]
        return QSize(0, max(heights, default=0))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def resizeEvent(self, event: QEvent) -> None:
        self.place()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
            self.place()
        return super().event(event)
