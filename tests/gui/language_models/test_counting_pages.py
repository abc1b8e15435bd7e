"""Counts, places, shares and the sweep over n: all as the text and the engine have them."""

from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.models.order_sweep import best_order, order_sweep
from engine.workspace.choices import CorpusChoice, NGramSettings, TokenizerSpec
from gui.lab import Lab
from gui.language_models.counted import Counted, look_up
from gui.language_models.counts_page import CountsPage
from gui.language_models.limits_page import LimitsPage, in_words
from gui.language_models.tab import LanguageModelsTab
from tests.gui.language_models.conftest import WAIT_MS, ready

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(tab: LanguageModelsTab, lab: Lab, qtbot: QtBot) -> CountsPage:
    """The counts of words, so that they can be counted by eye."""
    lab.choose_tokenizer(TokenizerSpec("words", 2_000))
    qtbot.waitUntil(lambda: ready(lab), timeout=WAIT_MS)
    tab.context.set_text("Otto went to the")
    tab.pages.show_page("counts")
    made = tab.pages.page("counts")
    assert isinstance(made, CountsPage)
    return made


def counted(page: CountsPage, qtbot: QtBot) -> Counted:
    def shown() -> bool:
        got = page.counted
        return (
            got is not None
            and got.table is page.models.table
            and got.cut.text == page.context.text
            and (len(got.history) == page.looked_at.value() or len(got.cut.ids) < 2)
        )

    qtbot.waitUntil(shown, timeout=WAIT_MS)
    assert page.counted is not None
    return page.counted


def followers_by_eye(lab: Lab, before: str) -> dict[str, int]:
    """What stands behind a few words, found with a regular expression."""
    assert lab.corpus is not None
    found: dict[str, int] = {}
    for document in lab.corpus.train:
        for match in re.finditer(rf"(?<!\w){re.escape(before)}(?= )( \w+|[^\w])", document):
            found[match[1]] = found.get(match[1], 0) + 1
    return found


def test_the_count_table_is_what_the_text_holds(page: CountsPage, lab: Lab, qtbot: QtBot) -> None:
    got = counted(page, qtbot)
    assert lab.tokenizer is not None
    tokenizer = lab.tokenizer.tokenizer
    assert tokenizer.decode(got.history) == " to the"
    shown = {tokenizer.decode([f.token]): f.count for f in got.followers}
    assert shown == followers_by_eye(lab, "to the")
    assert got.times == sum(shown.values()) and got.distinct == len(shown)
    assert page.followers.rowCount() == len(got.followers)
    assert page.followers.item(0, 1).text() == str(got.followers[0].count)
    counts = [f.count for f in got.followers]
    assert counts == sorted(counts, reverse=True)


def test_the_shares_of_the_orders_add_up_to_the_probability(
    page: CountsPage, tab: LanguageModelsTab, lab: Lab, qtbot: QtBot
) -> None:
    for smoothing in ("kneser_ney", "add_k", "maximum_likelihood"):
        tab.models.choose_ngram(NGramSettings(3, smoothing))  # type: ignore[arg-type]
        qtbot.waitUntil(
            lambda s=smoothing: lab.ngram is not None and lab.ngram.settings.smoothing == s
        )
        got = counted(page, qtbot)
        assert got.asked is not None and got.shares
        total = sum(share.contribution for share in got.shares)
        expected = math.exp(got.model.next_log_probs(got.cut.ids)[got.asked])
        assert total == pytest.approx(expected) == pytest.approx(got.asked_probability)
        assert page.shares.table.rowCount() == len(got.shares)


def test_a_click_on_a_follower_leads_to_its_places(
    page: CountsPage, lab: Lab, qtbot: QtBot
) -> None:
    first = counted(page, qtbot)
    assert len(first.followers) > 1 and lab.tokenizer is not None and lab.corpus is not None
    spot = page.followers.visualItemRect(page.followers.item(1, 0)).center()
    qtbot.mouseClick(page.followers.viewport(), LEFT, pos=spot)
    wanted = first.followers[1]
    qtbot.waitUntil(lambda: page.counted is not None and page.counted.asked == wanted.token)
    got = page.counted
    assert got is not None and got.asked_count == wanted.count
    assert len(got.places) == min(50, wanted.count) == page.places.rowCount()
    tokenizer = lab.tokenizer.tokenizer
    text = "\0".join(lab.corpus.train)
    for place in got.places:
        assert place.hit == (*got.history, wanted.token)
        around = [i for i in (*place.before[-3:], *place.hit) if i < tokenizer.vocab_size]
        if tokenizer.unknown_id not in around:
            assert tokenizer.decode(around).lstrip() in text


def test_fewer_tokens_can_be_looked_at(page: CountsPage, qtbot: QtBot) -> None:
    counted(page, qtbot)
    for n in (1, 0):
        page.looked_at.setValue(n)
        got = counted(page, qtbot)
        assert len(got.history) == n
    assert "no token is looked at" in page.said.text()
    assert got.times == len(got.model.counts.stream.ids) - 1


def test_the_count_table_is_saved_with_all_digits(
    page: CountsPage, tmp_path: Path, qtbot: QtBot
) -> None:
    got = counted(page, qtbot)
    page.export_button.wanted.emit("csv", str(tmp_path / "counts.csv"))
    text = (tmp_path / "counts.csv").read_text(encoding="utf-8")
    header, *rows = csv.reader(io.StringIO(text))
    assert header[:3] == ["token", "times", "times ÷ all"] and len(rows) == len(got.followers)
    for follower, row in zip(got.followers, rows, strict=True):
        assert int(row[1]) == follower.count
        assert float(row[2]) == follower.count / got.times
        assert float(row[3]) == follower.probability


def test_what_was_never_seen_is_said(page: CountsPage, qtbot: QtBot) -> None:
    page.context.set_text("zebra zebra zebra")
    got = counted(page, qtbot)
    assert got.times == 0 and "never seen" in page.said.text()
    assert page.followers.rowCount() == 0 and page.shares.table.rowCount() == 0


def test_the_beginning_of_documents_is_a_context_too(
    page: CountsPage, lab: Lab, qtbot: QtBot
) -> None:
    page.context.set_text("")
    got = counted(page, qtbot)
    assert lab.corpus is not None and got.times == len(lab.corpus.train)
    assert "begin of text" in page.said.text()


def test_an_unseen_token_can_be_asked_about(page: CountsPage, qtbot: QtBot) -> None:
    got = counted(page, qtbot)
    absent = next(
        i for i in range(got.model.vocab_size) if i not in {f.token for f in got.followers}
    )
    other = look_up(page.models.table, page.context.text, None, absent)
    assert other.asked_count == 0 and other.places == ()
    assert sum(s.contribution for s in other.shares) == pytest.approx(other.asked_probability)


@pytest.fixture
def limits(tab: LanguageModelsTab) -> LimitsPage:
    tab.pages.show_page("limits")
    made = tab.pages.page("limits")
    assert isinstance(made, LimitsPage)
    return made


def measured(page: LimitsPage, qtbot: QtBot) -> None:
    qtbot.mouseClick(page.start, LEFT)
    qtbot.waitUntil(lambda: len(page.figures) == 8, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not page.stop.isEnabled(), timeout=WAIT_MS)


def test_measuring_shows_the_engines_figures(limits: LimitsPage, lab: Lab, qtbot: QtBot) -> None:
    limits.k.setValue(0.5)
    measured(limits, qtbot)
    assert lab.streams is not None and lab.tokenizer is not None
    streams = lab.streams
    own = order_sweep(streams.train, streams.held_out, lab.tokenizer.tokenizer, 8, 0.5)
    assert limits.figures == tuple(own)
    assert limits.said.text() == in_words(limits.figures)
    assert "held out, Kneser–Ney" in limits.perplexity.series_names()
    assert "held out, maximum likelihood" not in limits.perplexity.series_names()  # ∞
    limits.grab()


def test_other_tokens_make_the_curves_go(limits: LimitsPage, lab: Lab, qtbot: QtBot) -> None:
    measured(limits, qtbot)
    lab.choose_tokenizer(TokenizerSpec("bytes"))
    qtbot.waitUntil(lambda: ready(lab), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not limits.figures)
    assert not limits.perplexity.series_names() and limits.bet.card.state == "asking"


def test_a_bet_starts_the_measurement_which_judges_it(limits: LimitsPage, qtbot: QtBot) -> None:
    card = limits.bet.card
    assert card.isVisible() and len(card.buttons) == 8 and not limits.figures
    qtbot.mouseClick(card.buttons[0], LEFT)  # no text is best guessed without any context
    qtbot.mouseClick(card.lock_button, LEFT)
    qtbot.waitUntil(lambda: card.state == "revealed", timeout=WAIT_MS)
    best = best_order(limits.figures, "kneser_ney")
    assert best > 1 and card.score == (0, 1)
    assert f"lowest at n = {best}" in card.verdict.text()
    assert card.buttons[best - 1].text().startswith("✓")


def test_a_stopped_measurement_asks_again(limits: LimitsPage, qtbot: QtBot) -> None:
    card = limits.bet.card
    qtbot.mouseClick(card.buttons[2], LEFT)
    qtbot.mouseClick(card.lock_button, LEFT)
    qtbot.mouseClick(limits.stop, LEFT)
    qtbot.waitUntil(lambda: not limits.work.running, timeout=WAIT_MS)
    assert card.state == "asking" and card.score == (0, 0)


def test_stopping_keeps_what_is_measured(limits: LimitsPage, qtbot: QtBot) -> None:
    qtbot.mouseClick(limits.start, LEFT)
    qtbot.mouseClick(limits.stop, LEFT)
    qtbot.waitUntil(lambda: not limits.stop.isEnabled(), timeout=WAIT_MS)
    assert len(limits.figures) < 8


def test_a_text_too_short_to_hold_anything_out_says_so(
    limits: LimitsPage, lab: Lab, qtbot: QtBot
) -> None:
    lab.choose_corpus(CorpusChoice("text", text="abc"))
    qtbot.waitUntil(
        lambda: ready(lab) and lab.corpus is not None and lab.corpus.key == "text",
        timeout=WAIT_MS,
    )
    assert lab.streams is not None and lab.streams.held_out.n_targets == 0
    qtbot.mouseClick(limits.start, LEFT)
    qtbot.waitUntil(lambda: "held-out" in limits.said.text(), timeout=WAIT_MS)
