"""What the Tokenization tab saves: pictures of what is shown, and the numbers behind it."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from engine.errors import LabError
from engine.tokenizers.base import to_utf8
from engine.tokenizers.optimal_gap import optimality_gap, words_of
from gui.lab import Lab
from gui.theme import Theme
from gui.tokenization.merges_learn import LearnPane
from gui.tokenization.merges_unseen import UnseenPane
from gui.tokenization.optimal_result import GapView
from gui.tokenization.strip_export import MOST_LINES, StripExport
from gui.tokenization.text_cost import forward_operations
from gui.tokenization.text_page import TextPage
from gui.widgets.exports import write_widget
from gui.widgets.token_strip import TokenStrip
from gui.widgets.token_text import Vocabulary
from tests.gui.tokenization.tab_lab import lab_fixture, settle

__all__ = ["lab_fixture"]

SVG = "{http://www.w3.org/2000/svg}"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def colours(path: Path) -> int:
    """How many colours a picture has; an empty one has one."""
    image = QImage(str(path))
    assert not image.isNull()
    across, down = range(0, image.width(), 3), range(0, image.height(), 3)
    return len({image.pixel(x, y) for x in across for y in down})


def drawn(path: Path) -> int:
    """How many shapes and texts a drawing has."""
    root = ElementTree.parse(path).getroot()
    assert root.tag == f"{SVG}svg"
    return len(list(root.iter(f"{SVG}path"))) + len(list(root.iter(f"{SVG}text")))


def show(widget: QWidget, qtbot: QtBot) -> None:
    qtbot.addWidget(widget)
    widget.resize(1200, 900)
    with qtbot.waitExposed(widget):
        widget.show()


@pytest.fixture
def pane(lab: Lab, qtbot: QtBot) -> LearnPane:
    made = LearnPane(lab)
    show(made, qtbot)
    return made


def test_all_pairs_are_saved_with_their_counts(pane: LearnPane, tmp_path: Path) -> None:
    pane.transport.go_to(3)
    pane.export_pairs.wanted.emit("csv", str(tmp_path / "p.csv"))
    rows = table(tmp_path / "p.csv")
    tokens = [pane.walk.tokens[i] for i in pane.state.ids.tolist()]
    assert len(rows) == len(pane.state.pairs)
    for row in rows:
        left, right = json.loads(row["left"]), json.loads(row["right"])
        side_by_side = sum(
            (a, b) == (to_utf8(left), to_utf8(right)) for a, b in itertools.pairwise(tokens)
        )
        assert int(row["count"]) == side_by_side  # no pair of equals stands in this text
    counts = [int(row["count"]) for row in rows]
    assert counts == sorted(counts, reverse=True)


def test_a_file_does_not_tell_what_is_to_be_guessed(pane: LearnPane, tmp_path: Path) -> None:
    pane.predict.setChecked(True)
    pane.export_pairs.wanted.emit("csv", str(tmp_path / "p.csv"))
    rows = table(tmp_path / "p.csv")
    assert rows and not any(row["count"] for row in rows)
    stands_first = sorted(pane.state.pairs, key=lambda pair: pair.first)
    assert [int(row["left id"]) for row in rows] == [pair.left for pair in stands_first]


def test_pairs_beyond_those_in_view_are_in_the_picture(pane: LearnPane, tmp_path: Path) -> None:
    pane.export_pairs.wanted.emit("png", str(tmp_path / "p.png"))
    image = QImage(str(tmp_path / "p.png"))
    in_view = pane.pairs.viewport().height() // pane.pairs.row_height()
    rows = len(pane.state.pairs)
    assert in_view < rows < 40
    pixels = 2 * pane.pairs.row_height()
    assert image.height() >= rows * pixels
    last = image.height() - pixels // 2
    assert len({image.pixel(x, last) for x in range(image.width())}) > 5  # two chips and a bar
    pane.export_pairs.wanted.emit("svg", str(tmp_path / "p.svg"))
    assert drawn(tmp_path / "p.svg") > 3 * rows


def test_merges_are_saved_so_that_they_can_be_replayed(pane: LearnPane, tmp_path: Path) -> None:
    pane.transport.go_last()
    pane.export_merges.wanted.emit("csv", str(tmp_path / "m.csv"))
    rows = table(tmp_path / "m.csv")
    assert [int(row["rank"]) for row in rows] == [*range(1, len(pane.walk) + 1)]
    known = {bytes([b]) for b in to_utf8(pane.settings.text)}
    for row in rows:
        left, right = (to_utf8(json.loads(row[side])) for side in ("left", "right"))
        assert bytes.fromhex(row["bytes"]) == left + right
        assert left in known and right in known
        known.add(left + right)
    assert json.loads(rows[0]["token"]) == "at" and rows[0]["count"] == "6"


def test_the_text_in_tokens_is_saved_at_the_step_shown(pane: LearnPane, tmp_path: Path) -> None:
    for step in (0, 5, 11):
        pane.transport.go_to(step)
        pane.export_text.wanted.emit("csv", str(tmp_path / "t.csv"))
        rows = table(tmp_path / "t.csv")
        assert [int(row["id"]) for row in rows] == pane.walk.ids(step).tolist()
        assert "".join(json.loads(row["token"]) for row in rows) == pane.settings.text
        ends = [int(row["byte after the last"]) for row in rows]
        assert [int(row["first byte"]) for row in rows] == [0, *ends[:-1]]


def test_the_rules_and_the_unseen_text_are_saved(lab: Lab, qtbot: QtBot, tmp_path: Path) -> None:
    learning = LearnPane(lab)
    qtbot.addWidget(learning)
    unseen = UnseenPane(lab)
    show(unseen, qtbot)
    unseen.set_learned(learning.walk, learning.settings)
    unseen.export_rules.wanted.emit("csv", str(tmp_path / "r.csv"))
    assert len(table(tmp_path / "r.csv")) == len(learning.walk)
    unseen.transport.go_last()
    unseen.export_text.wanted.emit("csv", str(tmp_path / "t.csv"))
    rows = table(tmp_path / "t.csv")
    data = to_utf8(unseen.input.text())
    for row in rows:  # an unknown token too tells the bytes that it stands for
        span = data[int(row["first byte"]) : int(row["byte after the last"])]
        assert bytes.fromhex(row["bytes"]) == span


def test_a_strip_is_painted_beyond_what_is_in_view(
    look: Theme, qtbot: QtBot, tmp_path: Path
) -> None:
    strip = TokenStrip()
    qtbot.addWidget(strip)
    strip.resize(300, 60)
    with qtbot.waitExposed(strip):
        strip.show()
    letters = [bytes([b]) for b in range(97, 123)]
    strip.set_tokens([i % 26 for i in range(400)], Vocabulary(letters.__getitem__))
    strip.verticalScrollBar().setValue(strip.verticalScrollBar().maximum())
    export = StripExport(strip, "letters", strip)
    export.wanted.emit("png", str(tmp_path / "s.png"))
    image = QImage(str(tmp_path / "s.png"))
    assert image.height() > 4 * strip.height()
    for share in (0.02, 0.5, 0.97):
        row = round(image.height() * share)
        band = range(max(0, row - 20), min(image.height(), row + 20))
        found = {image.pixel(x, y) for x in range(0, image.width(), 2) for y in band}
        assert len(found) > 5, share
    strip.set_tokens([0] * 100_000, Vocabulary(letters.__getitem__))
    assert strip.picture_size(MOST_LINES).height() < 10_000
    strip.set_tokens([], Vocabulary(letters.__getitem__))
    export.wanted.emit("svg", str(tmp_path / "empty.svg"))
    ElementTree.parse(tmp_path / "empty.svg")


@pytest.fixture
def page(lab: Lab, qtbot: QtBot) -> TextPage:
    made = TextPage(lab)
    show(made, qtbot)
    settle(lab, qtbot)
    qtbot.waitUntil(lambda: made.settled)
    return made


def test_characters_code_points_and_bytes_are_saved(
    page: TextPage, qtbot: QtBot, tmp_path: Path
) -> None:
    text = "é👩\u200d🚀 我\t“,”\r\n"
    page.input.set_text(text)
    qtbot.waitUntil(lambda: page.settled)
    text = page.input.text()
    page.rows.export.wanted.emit("csv", str(tmp_path / "u.csv"))
    rows = table(tmp_path / "u.csv")
    for row, count in (
        ("Characters", page.cut.n_characters),
        ("Code points", len(text)),
        ("Bytes", len(to_utf8(text))),
    ):
        found = [r for r in rows if r["row"] == row]
        assert len(found) == count
        assert b"".join(bytes.fromhex(r["bytes"]) for r in found) == to_utf8(text)
    assert [int(r["id"]) for r in rows if r["row"] == "Bytes"] == list(to_utf8(text))
    for ending, enough in (("png", colours), ("svg", drawn)):
        page.rows.export.wanted.emit(ending, str(tmp_path / f"u.{ending}"))
        assert enough(tmp_path / f"u.{ending}") > 20


def test_the_comparison_is_saved_unrounded(page: TextPage, qtbot: QtBot, tmp_path: Path) -> None:
    text = "The cat saw two dogs."
    page.input.set_text(text)
    page.cost.layers.setValue(3)
    qtbot.waitUntil(lambda: page.settled)
    page.export.wanted.emit("csv", str(tmp_path / "c.csv"))
    rows = table(tmp_path / "c.csv")
    assert len(rows) == len(page.table.names()) > 5
    size = page.cost.size_chosen
    assert size.layers == 3
    for key, row in zip(page.table.names(), rows, strict=True):
        entry = page.table.entry(key)
        assert entry.made is not None and row["tokenizer"] == entry.title
        tokenizer = entry.made.tokenizer
        count = len(tokenizer.encode(text))
        assert (int(row["tokens"]), int(row["vocabulary"])) == (count, tokenizer.vocab_size)
        assert float(row["characters per token"]) == len(text) / count
        cost = row[f"operations (L = 3, d = {size.width})"]
        assert float(cost) == forward_operations(count, tokenizer.vocab_size, size)
    unknown = {row["tokenizer"]: int(row["unknown tokens"]) for row in rows}
    assert unknown["Words, 2,000 tokens"] == 3
    for ending, enough in (("png", colours), ("svg", drawn)):
        page.export.wanted.emit(ending, str(tmp_path / f"c.{ending}"))
        assert enough(tmp_path / f"c.{ending}") > 20


def test_the_loss_of_bpe_is_saved(look: Theme, qtbot: QtBot, tmp_path: Path) -> None:
    view = GapView()
    show(view, qtbot)
    text = "abab baab abba baab abab bab abba bab baab"
    gap = optimality_gap(words_of(text), 3, 10.0)
    view.show_gap(text, gap)
    view.export.wanted.emit("csv", str(tmp_path / "l.csv"))
    found = {row["what"]: row["value"] for row in table(tmp_path / "l.csv")}
    bpe, best = (
        int(found["tokens with BPE"]),
        int(found["tokens with the best vocabulary found"]),
    )
    lost = int(found["lost by the greedy vocabulary"]) + int(found["lost by merge order"])
    assert bpe - best == lost == gap.loss
    assert int(found["characters of text"]) == len(text)
    new = [json.loads(value) for what, value in found.items() if what.endswith(" of BPE")]
    assert new == list(gap.bpe_tokens)
    view.export.wanted.emit("svg", str(tmp_path / "l.svg"))
    assert drawn(tmp_path / "l.svg") > 20


def test_buttons_are_no_part_of_a_picture(look: Theme, qtbot: QtBot, tmp_path: Path) -> None:
    widget = QWidget()
    column = QVBoxLayout(widget)
    label, button = QLabel("something to read"), QPushButton("Press")
    column.addWidget(label)
    column.addWidget(button)
    show(widget, qtbot)
    write_widget("png", tmp_path / "w.png", widget, "A widget")
    image = QImage(str(tmp_path / "w.png"))

    def inside(part: QWidget) -> int:
        area = part.geometry()
        across = range(2 * area.left(), 2 * area.right())
        down = range(2 * area.top(), 2 * area.bottom(), 2)
        return len({image.pixel(x, y) for x in across for y in down})

    assert inside(label) > 5
    assert inside(button) == 1


def test_what_cannot_be_written_is_told(look: Theme, qtbot: QtBot, tmp_path: Path) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.resize(QSize(30, 20))
    for ending in ("png", "svg"):
        with pytest.raises(LabError, match=f"p.{ending} could not be written"):
            write_widget(ending, tmp_path / "gone" / f"p.{ending}", widget, "A widget")
