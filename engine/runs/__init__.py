"""Runs kept on disk: what was chosen, what came of it, and states to go back to.

Knows no kind of training: a run has a ``kind``, settings by name, tables of numbers, journals of
things that happened, attachments, and checkpoints that whoever trains writes and reads. Imports
no torch.
"""

from engine.runs.catalogue import Catalogue, Limits, Listing
from engine.runs.checkpoints import Checkpoint, Checkpoints
from engine.runs.description import Mark, RunDescription, RunSummary, Source
from engine.runs.differences import Difference, differences
from engine.runs.exchange import export_run, import_run
from engine.runs.kept import KeptRun
from engine.runs.store import Store
from engine.runs.tables import Columns

__all__ = [
    "Catalogue",
    "Checkpoint",
    "Checkpoints",
    "Columns",
    "Difference",
    "KeptRun",
    "Limits",
    "Listing",
    "Mark",
    "RunDescription",
    "RunSummary",
    "Source",
    "Store",
    "differences",
    "export_run",
    "import_run",
]
