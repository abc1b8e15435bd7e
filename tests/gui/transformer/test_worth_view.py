"""What each part is worth: the engine's ablations in order, and a bet that they judge."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.jobs import NO_JOB, Job, JobCancelled
from engine.models.base import LogProbs, Tokens
from engine.models.transformer.inside_ablation import ablate, sample
from engine.models.transformer.model import TransformerModel
from engine.models.transformer.module import NOTHING_OFF
from engine.models.transformer.points import SwitchedOff
from gui.lab import Lab
from gui.transformer.looking import SAMPLE_TOKENS, parts_of, worth_of_parts
from gui.transformer.worth_view import KINDS, WorthView
from tests.gui.transformer.conftest import WAIT_MS, add_run

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def view(lab: Lab, qtbot: QtBot) -> WorthView:
    made = WorthView(lab)
    qtbot.addWidget(made)
    made.show_run(add_run(lab, "Tiny", layers=2, heads=2))
    made.show()
    return made


def test_a_bet_is_judged_by_every_parts_own_loss(view: WorthView, lab: Lab, qtbot: QtBot) -> None:
    card, run = view.bet.card, lab.runs[-1]
    assert [b.text()[2:] for b in card.buttons] == list(KINDS.values())
    assert view.table.empty.isVisible() and not view.found
    qtbot.mouseClick(card.buttons[1], LEFT)
    qtbot.mouseClick(card.lock_button, LEFT)
    qtbot.waitUntil(lambda: card.state == "revealed", timeout=WAIT_MS)
    assert lab.streams is not None
    own = {}
    for kind, name, off in parts_of(run):
        made = ablate(run.model, off.parts(), lab.streams.held_out, SAMPLE_TOKENS)
        own[name] = (kind, made)
    shown = [worth.name for worth in view.found]
    assert shown == sorted(own, key=lambda name: -own[name][1].difference)
    assert len(shown) == 1 + 2 * (2 + 1 + 1)
    for row, name in enumerate(shown):
        difference = float(view.table.table.item(row, 0).text().replace("−", "-"))
        assert difference == pytest.approx(own[name][1].difference, abs=6e-4)
    top = max(made.difference for _, made in own.values())
    near = {k for k, m in own.values() if m.difference + 1.96 * m.error >= top}
    marked = {i for i, b in enumerate(card.buttons) if b.text().startswith("✓")}
    assert {list(KINDS)[i] for i in marked} == near


def test_stopping_asks_again_and_another_model_begins_anew(
    view: WorthView, lab: Lab, qtbot: QtBot
) -> None:
    qtbot.mouseClick(view.start, LEFT)
    qtbot.mouseClick(view.stop, LEFT)
    qtbot.waitUntil(lambda: not view.work.running, timeout=WAIT_MS)
    assert view.bet.card.state == "asking" and len(view.found) < 9
    view.show_run(add_run(lab, "No positions", positions="none"))
    assert len(view.bet.card.buttons) == 3 and not view.found


class _Counting(Job):
    """Counts yield points, and stops the work at one of them."""

    def __init__(self, stop_at: int = -1) -> None:
        self.points, self.published, self._stop_at = 0, 0, stop_at

    def yield_point(self) -> None:
        self.points += 1
        if self.points == self._stop_at:
            raise JobCancelled

    def publish(self, snapshot: Any) -> None:
        self.published += 1


def test_the_whole_model_is_scored_once_and_stop_waits_for_no_part(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = add_run(lab, "Tiny", layers=2, heads=2)
    assert lab.streams is not None
    scored: list[SwitchedOff] = []
    plain = TransformerModel.token_log_probs

    def counted(self: TransformerModel, ids: Tokens, job: Job = NO_JOB) -> LogProbs:
        scored.append(self.off)
        return plain(self, ids, job)

    monkeypatch.setattr(TransformerModel, "token_log_probs", counted)
    job = _Counting()
    worth_of_parts(run, lab.streams.held_out, SAMPLE_TOKENS, job)
    documents = len(sample(lab.streams.held_out, SAMPLE_TOKENS))
    assert scored.count(NOTHING_OFF) == documents
    assert len(scored) == (1 + 9) * documents
    assert job.points > len(scored)  # within the documents, too
    stopped = _Counting(stop_at=job.points // 20)  # in the middle of a model's documents
    with pytest.raises(JobCancelled):
        worth_of_parts(run, lab.streams.held_out, SAMPLE_TOKENS, stopped)
    assert stopped.published < job.published == 9
