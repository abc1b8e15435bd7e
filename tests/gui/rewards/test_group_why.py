"""Why each answer of a group got what it got: the reasons, and where they stand on the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gui.rewards.group_why import GONE, counted_terms, reasons
from gui.rewards.session import Phase
from gui.rewards.tab import RewardsTab

Until = Callable[[Callable[[], bool]], None]


def test_each_answer_tells_why_it_got_its_reward(tab: RewardsTab, until: Until) -> None:
    tab.setup.weights["exact"].set_value(1.0)
    tab.setup.weights["length"].set_value(0.5)
    tab.show_page("group")
    tab.transport.step.click()
    until(lambda: tab.session.phase is Phase.PAUSED)
    if tab.group.question.open:
        assert not tab.group.why.text(), "nothing is told before the prediction"
        tab.group.question.skip_button.click()
    news = tab.session.news
    assert news is not None
    record = news.records[-1]
    told = reasons(record, news.terms)
    titles = [record.reward_mix[j][0] for j in counted_terms(record)]
    assert titles == ["Exactly right", "Length"]
    lengths = record.group.terms[:, counted_terms(record)[1]]
    for row, answer, length in zip(told, record.group.answers, lengths, strict=True):
        assert row[0].startswith("Exactly right: ") and row[1].startswith(f"Length: {length:g}")
        term = next(t for t in news.terms if t.title == "Length")
        assert row[1].endswith(term.explain(record.group.prompt, answer))
        if row[0].startswith("Exactly right: 0"):
            assert "100% of all points" in row[1]
    sheet = tab.group.samples
    until(lambda: "Length" in sheet.item(0, 3).toolTip())
    sheet.selectRow(1)
    assert tab.group.why.text() == "\n".join(told[1])
    assert tab.group.why.isVisible()


def test_a_term_that_is_gone_is_told_to_be(tab: RewardsTab, until: Until) -> None:
    tab.transport.step.click()
    until(lambda: tab.session.phase is Phase.PAUSED)
    assert tab.session.news is not None
    record = tab.session.news.records[-1]
    told = reasons(replace(record), ())
    assert all(len(row) == 1 and row[0].endswith(GONE) for row in told)
