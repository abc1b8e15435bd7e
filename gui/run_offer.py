"""At the start: runs that were interrupted, offered to be continued."""

from __future__ import annotations

import datetime

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from engine.errors import LabError
from engine.runs import Catalogue, RunSummary
from gui.bars import Bar

TABS = {"training": "training", "post-training": "rewards"}
"""The tab that goes on with each kind of run."""


def offered(catalogue: Catalogue) -> tuple[RunSummary, ...]:
    """The runs that can be continued, newest first. Clears the trash of the last session, so it
    is called once, at the start."""
    catalogue.empty_trash()
    found = [run for kind in TABS for run in catalogue.interrupted(kind)]
    return tuple(sorted(found, key=lambda run: run.key, reverse=True))


class RunOfferBar(Bar):
    """Offers one run after another: continue it, or keep it as it is."""

    continued = Signal(str, str)
    """The key of a tab, and of the run that it is to go on with."""

    def __init__(
        self, catalogue: Catalogue, runs: tuple[RunSummary, ...], parent: QWidget | None = None
    ) -> None:
        super().__init__("warning_soft", "warning", parent)
        self.setObjectName("run_offer_bar")
        self.setAccessibleName("Interrupted run")
        self._catalogue, self._runs = catalogue, list(runs)
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
        self._show_first()

    @property
    def run(self) -> RunSummary | None:
        """The run that is offered now."""
        return self._runs[0] if self._runs else None

    def _show_first(self) -> None:
        run = self.run
        if run is None:
            self.hide()
            return
        self.sentence.setText(sentence(run, len(self._runs) - 1))
        self.show()

    @Slot()
    def _continue(self) -> None:
        run = self.run
        if run is not None:
            self._runs.clear()  # one at a time; the others are offered at the next start
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
        del self._runs[:1]
        self._show_first()


def sentence(run: RunSummary, others: int = 0) -> str:
    """What to say about an interrupted run."""
    about = run.description
    saved = run.checkpoint_step or 0
    when = datetime.datetime.fromtimestamp(about.created).strftime("%d %B, %H:%M").lstrip("0")
    of = f" of {about.steps:,}" if about.steps else ""
    texts = about.sources.get("Text")
    on = f" on “{texts.title}”" if texts is not None else ""
    said = (
        f"The run “{run.name}”{on}, begun {when}, was interrupted. It can go on from step "
        f"{saved:,}{of}, exactly as it would have."
    )
    if others:
        said += f" ({others} more behind this one)"
    return said
