"""The page "Generate": each model writes on, reproducibly, stoppably, as plain text."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.generation import SamplingRules, generate
from engine.jobs import Job
from engine.tokenizers import ByteTokenizer
from engine.workspace.choices import NGramSettings, TokenizerSpec
from gui.lab import Lab
from gui.language_models import writing
from gui.language_models.generate_page import GeneratePage
from gui.language_models.tab import LanguageModelsTab
from gui.language_models.writing import Text, as_text, write
from tests.gui.language_models.conftest import WAIT_MS, ready

LEFT = Qt.MouseButton.LeftButton


def page_of(tab: LanguageModelsTab) -> GeneratePage:
    tab.pages.show_page("generate")
    page = tab.pages.page("generate")
    assert isinstance(page, GeneratePage)
    return page


def written(page: GeneratePage, qtbot: QtBot) -> dict[str, str]:
    """Press Generate, wait for the end, and give each model's text."""
    qtbot.mouseClick(page.start, LEFT)
    qtbot.waitUntil(lambda: not page.stop.isEnabled(), timeout=WAIT_MS)
    return {kind: panel.text.toPlainText() for kind, panel in page.panels.items()}


def test_each_panel_holds_what_the_engine_generates_from_the_same_seed(
    tab: LanguageModelsTab, lab: Lab, qtbot: QtBot
) -> None:
    page = page_of(tab)
    tab.context.set_text("One morning, Otto went")
    page.seed.setValue(7)
    page.length.setValue(12)
    page.rules.temperature.setValue(0.8)
    page.rules.top_k.setValue(20)
    page.rules.top_p.setValue(0.9)
    texts = written(page, qtbot)
    assert set(texts) == {"ngram", "transformer", "truth"}
    assert lab.tokenizer is not None
    tokenizer = lab.tokenizer.tokenizer
    ids = tokenizer.encode("One morning, Otto went")
    rules = SamplingRules(temperature=0.8, top_k=20, top_p=0.9)
    for seat in tab.models.table.present:
        assert seat.model is not None
        own = [t.id for t in generate(seat.model, ids, rules, 7, 12)]
        assert texts[seat.kind] == tokenizer.decode(own).replace("\r\n", "\n")


def test_the_same_seed_gives_the_same_texts_and_another_one_others(
    tab: LanguageModelsTab, qtbot: QtBot
) -> None:
    page = page_of(tab)
    first = written(page, qtbot)
    assert written(page, qtbot) == first
    seed = page.seed.value()
    qtbot.mouseClick(page.again, LEFT)
    qtbot.waitUntil(lambda: not page.stop.isEnabled(), timeout=WAIT_MS)
    assert page.seed.value() == seed + 1
    others = {kind: panel.text.toPlainText() for kind, panel in page.panels.items()}
    assert others != first


def test_stopping_keeps_what_is_written(tab: LanguageModelsTab, qtbot: QtBot) -> None:
    page = page_of(tab)
    page.length.setValue(2_000)
    qtbot.mouseClick(page.start, LEFT)
    panel = page.panels["transformer"]
    qtbot.waitUntil(lambda: bool(panel.text.toPlainText()), timeout=WAIT_MS)
    qtbot.mouseClick(page.stop, LEFT)
    qtbot.waitUntil(lambda: not page.stop.isEnabled(), timeout=WAIT_MS)
    assert page.said.text() == "Stopped."
    assert panel.text.toPlainText() and panel.strip.count() < 2_000


def test_why_each_model_stopped_is_said(tab: LanguageModelsTab, lab: Lab, qtbot: QtBot) -> None:
    page = page_of(tab)
    tab.context.set_text("zzzz")
    tab.models.choose_ngram(NGramSettings(3, "maximum_likelihood"))
    qtbot.waitUntil(
        lambda: lab.ngram is not None and lab.ngram.settings.smoothing == "maximum_likelihood"
    )
    page.length.setValue(5)
    written(page, qtbot)
    assert "as asked" in page.panels["transformer"].ended.text()
    assert "No story" in page.panels["truth"].ended.text()
    assert "Never seen" in page.panels["ngram"].ended.text()


def test_a_text_that_ends_itself_shows_its_end_as_a_chip(
    tab: LanguageModelsTab, lab: Lab, qtbot: QtBot
) -> None:
    page = page_of(tab)
    assert lab.corpus is not None and lab.streams is not None
    tab.context.set_text(lab.corpus.held_out[0])  # a whole story: its end is all that is left
    page.rules.temperature.setValue(0)
    page.length.setValue(80)
    written(page, qtbot)
    truth = page.panels["truth"]
    assert "Ended the document by itself" in truth.ended.text()
    qtbot.mouseClick(page.as_tokens, LEFT)
    assert truth.strip.isVisible()
    assert truth.strip.chip_text(truth.strip.count() - 1) == "⟨end of text⟩"
    told = truth.strip.info_text(truth.strip.count() - 1)
    assert "probability" in told and "drawn with" in told


def test_texts_of_another_tokenizer_do_not_stay(
    tab: LanguageModelsTab, lab: Lab, qtbot: QtBot
) -> None:
    page = page_of(tab)
    written(page, qtbot)
    lab.choose_tokenizer(TokenizerSpec("bytes"))
    qtbot.waitUntil(lambda: ready(lab), timeout=WAIT_MS)
    assert set(page.panels) == {"ngram", "truth"}
    assert not any(panel.text.toPlainText() for panel in page.panels.values())


def test_markup_from_a_model_is_shown_as_it_is(tab: LanguageModelsTab, qtbot: QtBot) -> None:
    page = page_of(tab)
    written(page, qtbot)
    table = tab.models.table
    assert table.tokenizer is not None
    ids = table.tokenizer.tokenizer.encode("<b>x</b>")
    shown = page.panels["ngram"]
    drawn = next(iter(generate(table.present[0].model, [], seed=1, max_tokens=1)))  # type: ignore[arg-type]
    tokens = tuple(type(drawn)(i, 0.5, 0.5, 1, 2, 0.1) for i in ids)
    shown.show_text(Text(table.present[0], tokens, "done"), table)
    assert shown.text.toPlainText() == "<b>x</b>"


def test_what_a_model_writes_does_not_depend_on_who_else_is_there(tab: LanguageModelsTab) -> None:
    table = tab.models.table
    together = write(table, "Once", SamplingRules(), 3, 10)
    for text in together:
        alone = dataclasses.replace(table, seats=(text.seat,))
        assert write(alone, "Once", SamplingRules(), 3, 10)[0].ids == text.ids


def test_partial_texts_are_prefixes_of_the_whole(
    tab: LanguageModelsTab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "PUBLISH_SECONDS", 0.0)
    parts: list[tuple[Text, ...]] = []

    class Watching(Job):
        def publish(self, snapshot: tuple[Text, ...]) -> None:
            parts.append(snapshot)

    whole = write(tab.models.table, "Once", SamplingRules(), 3, 20, Watching())
    assert len(parts) >= 10
    for part in parts:
        for some, all_ in zip(part, whole, strict=True):
            assert all_.ids[: len(some.ids)] == some.ids


@pytest.mark.parametrize(
    ("data", "running", "finished"),
    [(b"a\xc3", "a", "a\ufffd"), ("né".encode(), "né", "né"), (b"\xff!", "\ufffd!", "\ufffd!")],
)
def test_half_a_character_is_waited_for(data: bytes, running: str, finished: str) -> None:
    tokenizer = ByteTokenizer()
    assert as_text(list(data), tokenizer, False) == running
    assert as_text(list(data), tokenizer, True) == finished
