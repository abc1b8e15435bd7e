"""Pages that one tab shows and another folder makes.

A tab's folder imports no other tab's. Where a page of one belongs on another (the inside of the
transformer, which is looked into with the context and the model of "N-gram vs transformer"),
``gui.tabs`` hands it over as a ``GuestPage``; what it is given there are the protocols here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import QWidget

from engine.workspace.made import TrainedRun

if TYPE_CHECKING:
    from gui.lab import Lab


class SharedContext(Protocol):
    """The text so far, which all pages of a tab share."""

    @property
    def changed(self) -> SignalInstance: ...

    @property
    def text(self) -> str: ...

    def set_text(self, text: str) -> None: ...


class RunChoice(Protocol):
    """The transformers that fit the present tokens, and the one that was chosen."""

    @property
    def changed(self) -> SignalInstance: ...

    @property
    def run(self) -> TrainedRun | None: ...

    @property
    def runs(self) -> tuple[TrainedRun, ...]: ...

    def choose_run(self, name: str) -> None: ...


@runtime_checkable
class ContinuesRuns(Protocol):
    """A tab that goes on with kept runs (``gui.kept_runs``)."""

    def continue_run(self, key: str) -> None: ...


GuestFactory = Callable[["Lab", RunChoice, SharedContext], QWidget]


@dataclass(frozen=True)
class GuestPage:
    """A page made elsewhere: its lasting name, its title, a sentence, and how it is made."""

    key: str
    title: str
    tip: str
    factory: GuestFactory
