"""Text and tokens: rows that light up together, tokenizers side by side, texts of any kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from engine.tokenizers import BPETokenizer
from engine.tokenizers.base import to_utf8
from engine.tokenizers.exchange import tokenizer_json
from engine.workspace.choices import CorpusChoice, TokenizerSpec
from gui.lab import Lab
from gui.tokenization.text_page import TextPage
from gui.tokenization.text_presets import LONGEST_TEXT, PRESETS
from gui.tokenization.text_strips import PlaceStrip
from gui.tokenization.text_tokenizers import SPECS
from tests.gui.tokenization.tab_lab import BPE, TEXT, lab_fixture, settle

__all__ = ["lab_fixture"]


@pytest.fixture
def page(lab: Lab, qtbot: QtBot) -> TextPage:
    made = TextPage(lab)
    qtbot.addWidget(made)
    made.resize(1200, 900)
    with qtbot.waitExposed(made):
        made.show()
    settle(lab, qtbot)
    qtbot.waitUntil(lambda: made.settled)
    return made


def put(page: TextPage, text: str, qtbot: QtBot) -> None:
    page.input.set_text(text)
    qtbot.waitUntil(lambda: page.settled)


def middle(strip: PlaceStrip, index: int) -> QPoint:
    return strip.chip_rect(index).center().toPoint()


def lit(page: TextPage) -> dict[str, str]:
    """What is lit up in each row, as text."""
    strips = {**page.rows.strips, **{key: page.table.strip_of(key) for key in page.table.names()}}
    return {
        name: "".join(strip._tokens.text(i, i + 1) for i in strip.highlighted())
        for name, strip in strips.items()
    }


def test_the_first_second_shows_the_tutorials_two_words(page: TextPage) -> None:
    assert page.input.text() == "Hello world!"
    counts = [label.text() for label in page.rows.counts.values()]
    assert counts == ["12 characters", "12 code points", "12 bytes"]
    assert page.rows.words.text() == "3 words"
    assert [strip.count() for strip in page.rows.strips.values()] == [12, 12, 12]
    assert page.table.figures("UTF-8 bytes")[:4] == ["12", "1", "256", "never"]


def test_every_tokenizer_of_the_corpus_stands_there(page: TextPage, lab: Lab) -> None:
    assert page.table.names() == [spec.label for spec in SPECS]
    entries = [page.table.entry(key) for key in page.table.names()]
    assert all(entry.made is not None for entry in entries)
    assert [entry.key for entry in entries if entry.shared] == [BPE.label]
    for entry in entries:
        assert entry.made is not None and lab.corpus is not None
        assert entry.made.made_from.corpus == lab.corpus.fingerprint
        ids = entry.made.tokenizer.encode(page.input.text())
        assert page.table.figures(entry.key)[0] == f"{len(ids)}"


def test_unknown_words_are_counted_and_shown_where_they_occur(page: TextPage, qtbot: QtBot) -> None:
    put(page, "The cat saw two dogs.", qtbot)
    key = "Words, 2,000 tokens"
    assert page.table.figures(key)[3] == "3"
    strip = page.table.strip_of(key)
    unknown = [strip.chip_text(i) for i in range(strip.count()) if strip._tokens.is_unknown(i)]
    assert unknown == ["␣saw", "␣two", "␣dogs"]


def test_hovering_lights_up_the_same_place_in_every_row(page: TextPage, qtbot: QtBot) -> None:
    put(page, "a é b", qtbot)
    bytes_row = page.rows.strips["bytes"]
    qtbot.mouseMove(bytes_row.viewport(), middle(bytes_row, 3))  # the second byte of é
    assert bytes_row.highlighted() == [3]
    found = lit(page)
    assert found["characters"] == found["codes"] == "é"
    assert found["Characters"] == "é"
    assert "A9" in page.rows.place.text() and "part of U+00E9" in page.rows.place.text()
    marked = page.input.extraSelections()
    assert [mark.cursor.selectedText() for mark in marked] == ["é"]  # type: ignore[attr-defined]
    qtbot.mouseMove(bytes_row.viewport(), QPoint(bytes_row.viewport().width() - 2, 2))
    assert not any(lit(page).values()) and not page.input.extraSelections()


def test_a_choice_stays_lit_and_there_is_one_at_a_time(page: TextPage, qtbot: QtBot) -> None:
    characters, words = page.rows.strips["characters"], page.table.strip_of("Words, 2,000 tokens")
    qtbot.mouseClick(words.viewport(), Qt.MouseButton.LeftButton, pos=middle(words, 1))
    assert lit(page)["characters"] == " world"
    qtbot.mouseMove(characters.viewport(), middle(characters, 0))
    assert lit(page)["Words, 2,000 tokens"] == "Hello"
    qtbot.mouseMove(characters.viewport(), QPoint(characters.viewport().width() - 2, 2))
    assert lit(page)["characters"] == " world", "what was chosen comes back"
    characters.setFocus()
    qtbot.keyClick(characters, Qt.Key.Key_Right)
    assert lit(page)["bytes"] == "H" and words.current() == -1
    qtbot.keyClick(characters, Qt.Key.Key_Escape)
    assert not any(lit(page).values())


def test_a_selection_in_the_field_lights_up_in_the_rows(page: TextPage, qtbot: QtBot) -> None:
    put(page, "👍 né!", qtbot)
    page.input.setFocus()
    for _ in range(4):
        qtbot.keyClick(page.input, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert lit(page)["characters"] == "👍 né"
    qtbot.keyClick(page.input, Qt.Key.Key_Home)
    assert not any(lit(page).values())


def test_typing_cuts_the_text_anew(page: TextPage, qtbot: QtBot) -> None:
    page.input.setFocus()
    page.input.selectAll()
    qtbot.keyClicks(page.input, "cat cat")
    qtbot.waitUntil(lambda: page.settled)
    assert page.table.figures("Words, 2,000 tokens")[0] == "2"
    assert page.examples.currentIndex() == -1 and not page.hint.text()


def test_every_example_is_shown_as_it_is(page: TextPage, qtbot: QtBot) -> None:
    for index, preset in enumerate(PRESETS):
        page.examples.setFocus()
        page.examples.setCurrentIndex(index)
        page.examples.activated.emit(index)
        qtbot.waitUntil(lambda: page.settled)
        assert page.input.text() == preset.text
        assert page.hint.text() == preset.hint
        assert page.examples.currentText() == preset.title


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "👩‍👩‍👧‍👦🇺🇳",
        "\u0301\u0301",
        "a\0b",
        "\ud83d",
        "\u202eabc\u2066",
        "<b>&amp;</b>",
        "أحب",
        "\u00a0 ",
    ],
)
def test_hostile_texts_are_shown_in_every_row(page: TextPage, qtbot: QtBot, text: str) -> None:
    put(page, text, qtbot)
    shown = page.input.text()
    assert to_utf8(shown) == to_utf8(text)
    assert page.rows.strips["bytes"].count() == len(to_utf8(text))
    for key in page.table.names():
        made = page.table.entry(key).made
        assert made is not None
        assert page.table.strip_of(key).count() == len(made.tokenizer.encode(text))
    page.grab()


def test_a_pasted_long_line_is_turned_away_and_can_become_the_corpus(
    page: TextPage, lab: Lab, qtbot: QtBot
) -> None:
    line = "the cat " * 4_000
    assert len(line) > LONGEST_TEXT
    QGuiApplication.clipboard().setText(line)
    page.input.setFocus()
    page.input.paste()
    assert page.input.text() == "Hello world!"
    assert page.notice.isVisible() and "32,000 characters" in page.notice.label.text()
    qtbot.mouseClick(page.notice.button, Qt.MouseButton.LeftButton)
    assert not page.notice.isVisible()
    settle(lab, qtbot)
    assert lab.corpus is not None and lab.corpus.text.strip().startswith("the cat the cat")
    assert lab.corpus.text != TEXT


def test_a_dropped_file_can_become_the_corpus(
    page: TextPage, lab: Lab, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "my <b>notes.txt"
    path.write_text("One fine day, one fine cat. " * 200, encoding="utf-8")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    page.input.insertFromMimeData(data)
    assert page.input.text() == "Hello world!"
    assert path.name in page.notice.label.text()
    qtbot.mouseClick(page.notice.button, Qt.MouseButton.LeftButton)
    settle(lab, qtbot)
    assert lab.corpus is not None and lab.corpus.text.startswith("One fine day")


def test_ten_megabytes_pasted_are_turned_away(page: TextPage) -> None:
    data = QMimeData()
    data.setText("x" * 10_000_000)
    page.input.insertFromMimeData(data)
    assert page.input.text() == "Hello world!"
    assert "10,000,000 characters" in page.notice.label.text()


def test_a_button_makes_a_tokenizer_that_of_all_tabs(
    page: TextPage, lab: Lab, qtbot: QtBot
) -> None:
    key = "Words, 2,000 tokens"
    made = page.table.entry(key).made
    assert made is not None
    qtbot.mouseClick(page.table.use_button(key), Qt.MouseButton.LeftButton)
    settle(lab, qtbot)
    assert lab.tokenizer is not None and lab.tokenizer.fingerprint == made.fingerprint
    assert page.table.entry(key).shared and not page.table.entry(BPE.label).shared
    assert not page.table.use_button(key).isEnabled()
    assert page.table.use_button(BPE.label).isEnabled()


def test_a_shared_tokenizer_of_another_kind_has_a_row_of_its_own(
    page: TextPage, lab: Lab, qtbot: QtBot
) -> None:
    lab.choose_tokenizer(TokenizerSpec("bpe", 300))
    settle(lab, qtbot)
    qtbot.waitUntil(lambda: page.settled)
    assert page.table.names()[0] == "shared" and page.table.entry("shared").shared
    assert page.table.strip_of("shared").count() > 0
    lab.choose_tokenizer(BPE)
    settle(lab, qtbot)
    assert page.table.names()[0] != "shared"


def test_another_corpus_is_learned_from_and_counts_change(
    page: TextPage, lab: Lab, qtbot: QtBot
) -> None:
    lab.choose_corpus(CorpusChoice("text", text="Hello world! " * 300))
    settle(lab, qtbot)
    qtbot.waitUntil(lambda: page.settled)
    assert page.table.figures("Words, 2,000 tokens")[3] == "0"
    assert page.table.figures("BPE, 512 tokens")[0] == "3"


def test_a_larger_transformer_costs_more(page: TextPage) -> None:
    before = page.table.figures("UTF-8 bytes")[4]
    page.cost.layers.setValue(24)
    after = page.table.figures("UTF-8 bytes")[4]
    assert before != after and float(after.split()[0]) > float(before.split()[0])


def test_stopping_the_learning_leaves_an_offer_to_go_on(lab: Lab, qtbot: QtBot) -> None:
    page = TextPage(lab)
    qtbot.addWidget(page)
    with qtbot.waitExposed(page):
        page.show()
    assert page._job is not None
    page._job.stop()
    qtbot.waitUntil(lambda: page.notice.isVisible())
    qtbot.mouseClick(page.notice.button, Qt.MouseButton.LeftButton)
    settle(lab, qtbot)
    assert all(page.table.entry(key).made is not None for key in page.table.names())


def test_ten_kilobytes_come_row_by_row_and_the_newest_text_wins(
    page: TextPage, qtbot: QtBot
) -> None:
    """Typing is not kept waiting: between two rows the event loop turns."""
    long = ("The feral cat attacked my cat. " * 330)[:10_000]
    page.input.set_text(long)
    QApplication.processEvents()
    page.input.set_text("cat")
    qtbot.waitUntil(lambda: page.settled)
    assert page.rows.strips["characters"].count() == 3
    assert page.table.strip_of("UTF-8 bytes").count() == 3


def test_undo_brings_back_the_text_before_an_example(page: TextPage, qtbot: QtBot) -> None:
    put(page, "mine", qtbot)
    page.examples.activated.emit(1)
    assert page.input.text() == PRESETS[1].text
    page.input.undo()
    assert page.input.text() == "mine"


def test_nothing_of_the_page_outlives_it(
    lab: Lab, qtbot: QtBot, dies: Callable[[QWidget], None]
) -> None:
    def shown() -> TextPage:
        page = TextPage(lab)
        page.show()
        settle(lab, qtbot)
        qtbot.waitUntil(lambda: page.settled)
        return page

    dies(shown())


def test_an_imported_tokenizer_gets_a_row_and_keeps_it(
    page: TextPage, lab: Lab, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "theirs.json"
    theirs = BPETokenizer.train(TEXT, 262)
    path.write_text(tokenizer_json(theirs), encoding="utf-8")
    for _ in range(2):  # the second time it is there already
        page.exchange.import_from(str(path))
        settle(lab, qtbot)
    qtbot.waitUntil(lambda: page.settled)
    rows = [key for key in page.table.names() if key.startswith("import")]
    assert len(rows) == 1 and page.table.entry(rows[0]).shared
    assert page.table.strip_of(rows[0]).count() == len(theirs.encode(page.input.text()))
    qtbot.mouseClick(page.table.use_button(BPE.label), Qt.MouseButton.LeftButton)
    settle(lab, qtbot)
    assert lab.tokenizer is not None and lab.tokenizer.spec == BPE
    assert not page.table.entry(rows[0]).shared
    qtbot.mouseClick(page.table.use_button(rows[0]), Qt.MouseButton.LeftButton)
    settle(lab, qtbot)
    assert lab.tokenizer.spec.source == "theirs" and page.table.entry(rows[0]).shared


@pytest.mark.parametrize("number", range(len(SPECS)))
def test_every_row_can_become_that_of_all_tabs(
    page: TextPage, lab: Lab, qtbot: QtBot, number: int
) -> None:
    key = SPECS[number].label
    made = page.table.entry(key).made
    assert made is not None
    if not page.table.entry(key).shared:
        page.table.use_button(key).click()
        settle(lab, qtbot)
    assert lab.tokenizer is not None and lab.tokenizer.fingerprint == made.fingerprint
    assert [k for k in page.table.names() if page.table.entry(k).shared] == [key]
