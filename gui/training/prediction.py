"""Predict first: will this run beat the bigram? Asked before a run, answered by its own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from engine.workspace import MadeFrom
from gui import theme
from gui.lab import Lab
from gui.training.news import News
from gui.training.paces import Landmarks
from gui.training.session import Phase, TrainingSession
from gui.widgets.prediction_card import PredictionCard
from gui.widgets.safe_text import plain_label

CHOICES = ("Yes, in the first half", "Yes, in the second half", "No, not in this run")
EARLY, LATE, NEVER = range(3)


@dataclass(frozen=True)
class Outcome:
    """What the run did."""

    choice: int
    """The one of CHOICES that was right."""
    why: str


def outcome(news: News, line: float) -> Outcome | None:
    """Whether and when the held-out loss first fell below a line; None if the run ended too
    early to tell.

    Args:
        news: of the run as it stands.
        line: the bigram's held-out loss in nats per token.
    """
    scored = news.evaluations
    below = np.flatnonzero(scored["loss"] < line)
    if len(below):
        step, loss = int(scored["step"][below[0]]), float(scored["loss"][below[0]])
        return Outcome(
            EARLY if 2 * step <= news.recipe.steps else LATE,
            f"At step {step:,} of {news.recipe.steps:,} the held-out loss was {loss:.3f}, for the "
            f"first time below the bigram's {line:.3f} nats per token. The bigram sees only the "
            "last token; a model that does better has, as a rule, learned to use more.",
        )
    if not news.finished or not len(scored):
        return None
    best = int(np.argmin(scored["loss"]))
    return Outcome(
        NEVER,
        f"The held-out loss came down to {scored['loss'][best]:.3f} at step "
        f"{int(scored['step'][best]):,}, above the bigram's {line:.3f} nats per token. Counting "
        "pairs takes one pass over the text; gradient steps need longer to learn the same, and "
        "only go beyond it then.",
    )


class RunPrediction(PredictionCard):
    """Asks before a run begins, and tells when it has ended. Start never waits for it: what was
    not locked in by then is dropped. Once skipped, it stays away until the text or the tokens
    are others. From the lock to the answer ``line`` stands in its place: a plot needs the room."""

    def __init__(
        self,
        lab: Lab,
        session: TrainingSession,
        landmarks: Landmarks,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._lab, self._session, self._landmarks = lab, session, landmarks
        self._asked_of: MadeFrom | None = None
        self._line = 0.0
        self._running = False
        self._unwanted: set[MadeFrom] = set()
        self.line = plain_label("", parent, wrap=True)
        """What was predicted, while the run has not told yet. Put it beside the card."""
        self.line.hide()
        theme.set_text_role(self.line, "body", "accent")
        self.locked.connect(self._collapse)
        self.skip_button.setToolTip("Train without predicting (Esc).")
        self.lock_button.setToolTip("Fix your prediction; the end of the run tells (Enter).")
        self.skipped.connect(self._was_skipped)
        session.began.connect(self._began)
        session.phase_changed.connect(self._phase_changed)
        landmarks.changed.connect(self.refresh)
        lab.streams_changed.connect(self.refresh)

    @Slot()
    def refresh(self) -> None:
        """Ask, if a run can begin and there is something new to ask."""
        streams = self._lab.streams
        if streams is None or self._running or not self._session.can_start:
            return
        made_from = streams.made_from
        line = self._bigram(made_from)
        if line is None or made_from in self._unwanted:
            if self._asked_of != made_from:
                self._withdraw()
            return
        if self._asked_of == made_from and self.state != "idle":
            return
        self._asked_of, self._line = made_from, line
        self.ask(
            "Predict first: will the held-out loss fall below the bigram's "
            f"{line:.2f} nats per token in the next run?",
            CHOICES,
        )

    @Slot()
    def ask_again(self) -> None:
        """Other settings: once the last question is answered, ask about the next run."""
        if self.state in ("revealed", "skipped") and not self._running:
            self._asked_of = None
            self.refresh()

    @Slot(int)
    def _collapse(self, choice: int) -> None:
        self.line.setText(f"You predicted: {CHOICES[choice]}. The run will tell.")
        self.line.setToolTip(self.question.text())
        self.hide()
        self.line.show()

    def ask(self, question: str, choices: Sequence[str]) -> None:
        """Ask, in the card's full size; see PredictionCard."""
        self.line.hide()
        super().ask(question, choices)

    def reveal(self, correct: int | Sequence[int], explanation: str) -> None:
        """Tell the answer, in the card's full size; see PredictionCard."""
        if self.state == "locked":
            self.line.hide()
            self.show()
        super().reveal(correct, explanation)

    def skip(self) -> None:
        """Drop the question; see PredictionCard."""
        self.line.hide()
        super().skip()

    def _bigram(self, made_from: MadeFrom) -> float | None:
        lines = self._landmarks.of(made_from)
        return next((m.nats_per_token for m in lines if m.key == "bigram"), None)

    def _withdraw(self) -> None:
        """Take the question away; nobody said that it is unwanted."""
        self._asked_of = None
        if self.state in ("asking", "locked"):
            self.skip()
        self.hide()

    @Slot()
    def _began(self) -> None:
        order = self._session.order
        ours = order is not None and order.streams.made_from == self._asked_of
        fresh = self.state == "locked" and not self._running
        self._running = ours and fresh
        if not self._running:
            asked_of = self._asked_of
            self._withdraw()
            self._asked_of = asked_of

    @Slot()
    def _phase_changed(self) -> None:
        phase, news = self._session.phase, self._session.news
        if self._running and phase in (Phase.FINISHED, Phase.STOPPED) and news is not None:
            found = outcome(news, self._line)
            if found is not None:
                self._running = False
                self.reveal(found.choice, found.why)
        elif self._running and phase in (Phase.FAILED, Phase.EMPTY):
            self._running = False
            self._withdraw()
        self.refresh()

    @Slot()
    def _was_skipped(self) -> None:
        self._running = False
        if self._asked_of is not None:
            self._unwanted.add(self._asked_of)
