"""BPE beside the best vocabulary: chips, counts, the loss in two parts, both vocabularies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from engine.tokenizers.optimal_gap import Gap
from engine.tokenizers.pretokenize import pretokenize
from gui import theme
from gui.tokenization.numbers.controls import SideBySide
from gui.tokenization.strip_export import written
from gui.widgets.exports import ExportButton, write_csv, write_widget
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import colours_of, em, mixed, readable_on
from gui.widgets.safe_text import plain_label
from gui.widgets.token_strip import TokenStrip
from gui.widgets.token_text import Vocabulary, display_text, isolate


def bound_in_words(gap: Gap) -> str:
    """What is known about the best vocabulary."""
    best = gap.optimum
    if best.proved:
        return f"Proved: no {len(gap.bpe_tokens)} new tokens give fewer than {best.n_tokens:,}."
    return (
        f"The time ran out: best found {best.n_tokens:,}, no fewer than {best.bound:,} possible. "
        "Give it more time, or a smaller text."
    )


def loss_in_words(gap: Gap) -> str:
    """How much BPE loses, and by what."""
    if gap.loss == 0:
        so = "BPE is the best here." if gap.optimum.proved else "Nothing better was found."
        return f"No loss: {so}"
    share = gap.loss / gap.optimum.n_tokens
    least = "" if gap.optimum.proved else "at least "
    plural = "" if gap.loss == 1 else "s"
    return (
        f"BPE needs {least}{gap.loss:,} token{plural} more than the best ({share:.0%}): "
        f"{gap.vocabulary_loss:,} because its vocabulary was chosen greedily, "
        f"{gap.encoding_loss:,} because it replays its merges instead of looking for the fewest "
        "tokens."
    )


class LossBar(QWidget):
    """|f(X)| of BPE as one bar: the best, and the two losses on top of it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.parts: list[tuple[str, int]] = []
        """(name, tokens) of each part, from the left."""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_gap(self, gap: Gap) -> None:
        """Draw a comparison."""
        best = "the best" if gap.optimum.proved else "best found"
        self.parts = [
            (best, gap.optimum.n_tokens),
            ("greedy vocabulary", gap.vocabulary_loss),
            ("merge order", gap.encoding_loss),
        ]
        said = ", ".join(f"{name}: {count:,} tokens" for name, count in self.parts)
        self.setAccessibleName("Where BPE’s tokens go")
        self.setAccessibleDescription(said)
        self.setToolTip(f"BPE’s {gap.bpe:,} tokens are {said}.")
        self.update()

    def sizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 30), round(unit * 3.2))

    def minimumSizeHint(self) -> QSize:
        return QSize(round(em(self.font()) * 12), self.sizeHint().height())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange):
            self.updateGeometry()
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        total = sum(count for _, count in self.parts)
        if not total:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours, unit = colours_of(self.palette()), em(self.font())
        metrics = QFontMetricsF(self.font())
        accent = colours.color("accent")
        fills = (
            mixed(accent, colours.color("window"), 0.55),
            colours.color("warning"),
            colours.color("bad"),
        )
        x, name_from = 0.0, 0.0
        for (name, count), fill in zip(self.parts, fills, strict=True):
            if not count:
                continue
            width = self.width() * count / total
            bar = QRectF(x, 0, max(1.0, width - 2), unit * 1.6)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            painter.drawRoundedRect(bar, 3, 3)
            text = f"{count:,}" if x == 0 else f"+{count:,}"
            if metrics.horizontalAdvance(text) < bar.width():
                painter.setPen(readable_on(fill))
                painter.drawText(bar, Qt.AlignmentFlag.AlignCenter, text)
            # Names stand below, each clear of the one before it.
            wide = metrics.horizontalAdvance(name)
            at = max(name_from, min(x, self.width() - wide))
            painter.setPen(colours.color("text"))
            where = QRectF(at, unit * 1.9, wide + 2, unit * 1.2)
            painter.drawText(where, Qt.AlignmentFlag.AlignLeft, name)
            name_from = at + wide + unit
            x += width


class Side(QWidget):
    """One vocabulary: its count, the text in its tokens, its new tokens."""

    def __init__(self, title: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = plain_label(title, wrap=True)
        self.title.setToolTip(tip)
        theme.set_text_role(self.title, "strong")
        self.count = plain_label()
        theme.set_text_role(self.count, "title", "accent")
        self.text = TokenStrip(name=f"The text in the tokens of {title}")
        self.text.set_visible_lines(2, 7)
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.caption = plain_label(wrap=True)
        theme.set_text_role(self.caption, "caption", "muted")
        self.tokens = TokenStrip(name=f"New tokens of {title}")
        self.tokens.set_visible_lines(1, 4)
        self.tokens.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.title, self.count, self.text, self.caption, self.tokens):
            column.addWidget(widget)
        column.addStretch()

    def show_cut(
        self,
        pieces: Sequence[str],
        cut: Callable[[str], Sequence[str]],
        new_tokens: Sequence[str],
        count: int,
        caption: str,
    ) -> None:
        """Show a text, word by word, and the vocabulary that cuts it."""
        table: dict[str, int] = {}
        ids = [table.setdefault(token, len(table)) for piece in pieces for token in cut(piece)]
        new = [table.setdefault(token, len(table)) for token in new_tokens]
        names = [token.encode() for token in table]
        vocabulary = Vocabulary(names.__getitem__)
        self.text.set_tokens(ids, vocabulary)
        self.tokens.set_tokens(new, vocabulary)
        self.count.setText(f"{count:,} tokens")
        self.caption.setText(caption)


class GapView(QWidget):
    """Everything about one comparison."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._gap: Gap | None = None
        self.bpe = Side(
            "Byte-pair encoding", "Learned on this text, over characters, inside words."
        )
        self.best = Side(
            "The best vocabulary",
            "Found by integer programming; each word is cut into as few tokens as possible.",
        )
        self.bar = LossBar()
        self.loss = plain_label(wrap=True)
        theme.set_text_role(self.loss, "strong")
        self.bound = plain_label(wrap=True)
        self.where = plain_label(wrap=True)
        theme.set_text_role(self.where, "body", "muted")
        self.export = ExportButton("loss of bpe", self)
        self.export.wanted.connect(self.save)
        tools = FlowRow()
        tools.add(self.export)
        both = SideBySide(narrow=44)
        both.add(self.bpe)
        both.add(self.best)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.loss, self.bar, self.bound, both, self.where, tools):
            column.addWidget(widget)

    @Slot(str, str)
    def save(self, ending: str, name: str) -> None:
        """Write the comparison as it is shown as "png" or "svg", or its numbers as "csv".

        Raises:
            LabError: if the file cannot be written.
        """
        path = Path(name)
        if ending != "csv":
            write_widget(ending, path, self, "BPE beside the best vocabulary")
        elif self._gap is not None:
            write_csv(path, ("what", "value"), gap_rows(self._gap))

    def show_gap(self, text: str, gap: Gap) -> None:
        """Show a comparison on a text."""
        self._gap = gap
        pieces = pretokenize(text)
        tokens = len(gap.bpe_tokens)
        added = f"{tokens} new token" + ("" if tokens == 1 else "s")
        stopped = ""
        if tokens < gap.asked:
            stopped = f" It stopped before {gap.asked}: no pair occurs twice any more."
        self.bpe.show_cut(
            pieces,
            gap.bpe_cuts.__getitem__,
            gap.bpe_tokens,
            gap.bpe,
            f"{added}, in the order learned.{stopped}",
        )
        best = gap.optimum
        used = len(best.new_tokens)
        fewer = "" if used == tokens else f" More than {used} would not help."
        self.best.show_cut(
            pieces,
            gap.optimal_cut,
            best.new_tokens,
            best.n_tokens,
            f"{added} allowed, most used first.{fewer}",
        )
        self.best.title.setText(f"The best vocabulary{'' if best.proved else ' found'}")
        self.bar.show_gap(gap)
        self.loss.setText(loss_in_words(gap))
        self.bound.setText(
            f"{bound_in_words(gap)} |Σ₀| = {gap.base_size} characters, "
            f"|Σ| = {gap.vocab_size}, {gap.characters:,} characters of text."
        )
        self.where.setText(order_in_words(gap))
        self.where.setVisible(bool(self.where.text()))


def gap_rows(gap: Gap) -> list[tuple[str, object]]:
    """What was found, a name and a value in each row; lengths are in tokens."""
    best = gap.optimum
    return [
        ("characters of text", gap.characters),
        ("base vocabulary", gap.base_size),
        ("vocabulary", gap.vocab_size),
        ("tokens with BPE", gap.bpe),
        ("tokens with the best vocabulary found", best.n_tokens),
        ("fewest tokens possible (bound)", best.bound),
        ("proved", "yes" if best.proved else "no"),
        ("lost by the greedy vocabulary", gap.vocabulary_loss),
        ("lost by merge order", gap.encoding_loss),
        *((f"new token {i} of BPE", written(t)) for i, t in _encoded(gap.bpe_tokens)),
        *((f"new token {i} of the best", written(t)) for i, t in _encoded(best.new_tokens)),
    ]


def _encoded(tokens: Sequence[str]) -> Iterator[tuple[int, bytes]]:
    return enumerate((token.encode() for token in tokens), 1)


def order_in_words(gap: Gap) -> str:
    """A word that BPE's own tokens could cut shorter, if there is one."""
    for word, _ in gap.words:
        merged, shortest = gap.bpe_cuts[word], gap.shortest_cut(word)
        if len(shortest) < len(merged):
            return (
                f"In merge order {_shown([word])} is {_shown(merged)}; the same tokens could make "
                f"it {_shown(shortest)}."
            )
    return ""


def _shown(tokens: Sequence[str]) -> str:
    return isolate(" + ".join(f"“{display_text(token.encode())}”" for token in tokens))
