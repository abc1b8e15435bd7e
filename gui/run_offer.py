"""At the start: runs that were interrupted, offered to be continued."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from engine.errors import LabError
from engine.runs import Catalogue, RunSummary
from gui.bars import Bar

TABS = {"training": "training", "post-training": "rewards"}
"""The tab that goes on with each kind of run."""


@dataclass(frozen=True)
class Offer:
    """An interrupted run."""

    run: RunSummary
    reached: int
    """The last step that its curves tell of; it may lie after the last checkpoint."""


def offered(catalogue: Catalogue) -> tuple[Offer, ...]:
    """The runs that can be continued, newest first. Clears the trash of the last session, so it
    is called once, at the start."""
    catalogue.empty_trash()
    found = [run for kind in TABS for run in catalogue.interrupted(kind)]
    found.sort(key=lambda run: run.key, reverse=True)
    return tuple(Offer(run, _reached(catalogue, run)) for run in found)


def _reached(catalogue: Catalogue, run: RunSummary) -> int:
    try:
        tables = catalogue.curves(run.key).values()
    except LabError:
        return run.step
    first = [table[table.names[0]] for table in tables if len(table)]
    return max([run.step, *(int(steps[-1]) for steps in first)])


class RunOfferBar(Bar):
    """Offers one run after another: continue it, or keep it as it is."""

    continued = Signal(str, str)
    """The key of a tab, and of the run that it is to go on with."""

    def __init__(
        self, catalogue: Catalogue, offers: tuple[Offer, ...], parent: QWidget | None = None
    ) -> None:
        super().__init__("warning_soft", "warning", parent)
        self.setObjectName("run_offer_bar")
        self.setAccessibleName("Interrupted run")
        self._catalogue, self._offers = catalogue, list(offers)
        self.go_on = self.add_button(
            "&Continue",
            "Go on with the run from its newest checkpoint, as if nothing had happened.",
        )
        self.keep = self.add_button(
            "&Keep as it is", "Leave the run where it stopped. It stays among the kept runs."
        )
        self.later = self.add_button("&Later", "Ask again at the next start.")
        self.go_on.clicked.connect(self._continue)
        self.keep.clicked.connect(self._keep)
        self.later.clicked.connect(self._next)
        self._say()

    @property
    def run(self) -> RunSummary | None:
        """The run that is offered now."""
        return self._offers[0].run if self._offers else None

    def _say(self) -> None:
        if self._offers:
            self.sentence.setText(sentence(self._offers[0], len(self._offers) - 1))
        else:
            self.hide()

    @Slot()
    def _continue(self) -> None:
        run = self.run
        if run is not None:
            self._offers.clear()  # one at a time; the others are offered at the next start
            self.hide()
            self.continued.emit(TABS[run.description.kind], run.key)

    @Slot()
    def _keep(self) -> None:
        run = self.run
        if run is not None:
            try:
                self._catalogue.settle(run.key)
            except LabError as error:
                self.sentence.setText(str(error))
                return
        self._next()

    @Slot()
    def _next(self) -> None:
        del self._offers[:1]
        self._say()


def sentence(offer: Offer, others: int = 0) -> str:
    """What to say about an interrupted run."""
    run, about = offer.run, offer.run.description
    when = datetime.datetime.fromtimestamp(about.created).strftime("%d %B, %H:%M").lstrip("0")
    of = f" of {about.steps:,}" if about.steps else ""
    text = about.sources.get("Text")
    on = f" on “{text.title}”" if text is not None else ""
    saved = run.checkpoint_step or 0
    again = "." if saved >= offer.reached else f", from what was saved at step {saved:,}."
    said = (
        f"The run “{run.name}”{on}, begun {when}, was interrupted at step {offer.reached:,}{of}. "
        f"It can go on exactly as it would have{again}"
    )
    return f"{said} ({others} more behind this one)" if others else said
