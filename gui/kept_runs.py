"""The runs that the app keeps, of all tabs."""

from __future__ import annotations

from engine.runs import Catalogue
from gui.places import data_dir


def catalogue() -> Catalogue:
    """The catalogue in the app's data folder, which need not be there yet."""
    return Catalogue(data_dir() / "runs")
