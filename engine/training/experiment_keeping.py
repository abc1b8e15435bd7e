"""Keeping an experiment's arms as runs of their own, to be compared with others and gone on with.

An arm of a race by seconds says in its description how many steps it really took; the details and
the journal of events tell at which step how many were planned. Its checkpoint holds the timetable
itself, so that it goes on bit for bit.
"""

from __future__ import annotations

from engine.errors import LabError
from engine.runs import Catalogue, Mark
from engine.training.experiment_runs import ArmRun
from engine.training.experiments import Experiment
from engine.training.runs import PLANNED, Recorder, describe
from engine.workspace.made import MadeTokenizer, Streams


def keep_arm(
    arm: ArmRun,
    experiment: Experiment,
    catalogue: Catalogue,
    streams: Streams,
    tokenizer: MadeTokenizer,
) -> str:
    """Keep an arm as it stands; returns the key of the run.

    Args:
        arm: with its trainer.
        experiment: whose arm it is.
        catalogue: where it is kept.
        streams: the whole text; an arm that learned from a part of it keeps that part.
        tokenizer: what cut it.

    Raises:
        LabError: if it can't be written, or the arm's trainer was let go.
    """
    trainer = arm.trainer
    if trainer is None:
        raise LabError(f"“{arm.arm.name}” has no model that could be kept.")
    changes = trainer.timetable.changes
    details: dict[str, object] = {"experiment": experiment.key}
    if experiment.by == "seconds":
        details["seconds"] = experiment.seconds
        details["timetable"] = trainer.timetable.to_json()
    about = describe(
        trainer.recipe,
        f"{arm.arm.name} ({experiment.key})",
        Streams(trainer.train, trainer.held_out, streams.made_from),
        tokenizer,
        catalogue.store,
        details,
    )
    run = catalogue.create(about)
    recorder = Recorder(run)
    told = [(c.step, PLANNED, f"{c.steps:,} steps in all, to end in time") for c in changes]
    recorder.adopt(trainer, told)
    mark: Mark = "diverged" if arm.problem else "finished"
    recorder.end(mark, trainer)
    return run.key
