"""The ways to look inside, as pages of which one is shown; each is made when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from gui.lab import Lab
from gui.transformer.heads_view import HeadsView
from gui.transformer.lens_view import LensView
from gui.transformer.off_view import OffView
from gui.transformer.steps_view import StepsView
from gui.widgets.page_switch import PageSpec, PageSwitch


class Views(PageSwitch):
    """Steps, attention, logit lens and switches. Their signals come out here."""

    head_chosen = Signal(int)
    stage_wished = Signal(int)
    layer_and_head_chosen = Signal(int, int)
    position_chosen = Signal(int)
    switched = Signal(object)

    def __init__(self, lab: Lab) -> None:
        self._connected: set[str] = set()
        factories: dict[str, Callable[[], QWidget]] = {
            "steps": partial(StepsView, lab),
            "heads": HeadsView,
            "lens": LensView,
            "off": partial(OffView, lab),
        }
        super().__init__(
            "Ways to look inside",
            [
                PageSpec(key, title, tip, factories[key])
                for key, title, tip in (
                    ("steps", "Step by step", "One formula at a time, with its numbers."),
                    ("heads", "Attention", "Where every head of a layer reads."),
                    ("lens", "Logit lens", "What the model would say after each layer."),
                    ("off", "Switch off", "Take parts away and see what happens."),
                )
            ],
            keys=False,
        )

    @property
    def steps(self) -> StepsView:
        """The view "Step by step"."""
        return cast(StepsView, self.page("steps"))

    @property
    def heads(self) -> HeadsView:
        """The view "Attention"."""
        return cast(HeadsView, self.page("heads"))

    @property
    def lens(self) -> LensView:
        """The view "Logit lens"."""
        return cast(LensView, self.page("lens"))

    @property
    def off(self) -> OffView:
        """The view "Switch off"."""
        return cast(OffView, self.page("off"))

    def page(self, key: str) -> QWidget:
        """A view, made and connected if it was never needed."""
        view = super().page(key)
        if key not in self._connected:
            self._connected.add(key)
            if isinstance(view, StepsView):
                view.head_chosen.connect(self.head_chosen)
                view.stage_wished.connect(self.stage_wished)
            elif isinstance(view, HeadsView):
                view.head_chosen.connect(self.layer_and_head_chosen)
                view.position_chosen.connect(self.position_chosen)
            elif isinstance(view, OffView):
                view.switched.connect(self.switched)
        return view
