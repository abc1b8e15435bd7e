"""A program for ``test_recovery``: trains a run and kills it, again and again, at random moments.

    python -m tests.engine.training.killed FOLDER SEED KILLS

Forked children train; the parent kills each with SIGKILL after a random time, until it has done
so KILLS times; the last child may finish. Says how many it killed, and between which steps.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

import torch

from engine.runs import Catalogue, RunDescription
from engine.training.recipe import Recipe
from engine.training.runs import Recorder
from engine.training.trainer import Trainer
from tests.engine.training.toy import HELD_OUT, TRAIN, small

BY_HAND = {11: 0.5, 12: 0.25, 31: 3.0}
"""Steps before which the learning rate's scale is set."""
MOST_ROUNDS = 200


def recipe() -> Recipe:
    return small(steps=60, eval_every=15, checkpoint_every=4, checkpoint_seconds=0.01)


def begin(catalogue: Catalogue) -> tuple[Recorder, Trainer]:
    about = RunDescription("training", "killed", recipe().to_dict(), steps=60)
    recorder = Recorder(catalogue.create(about))
    trainer = Trainer(recipe(), TRAIN, HELD_OUT)
    trainer.evaluate()
    recorder.save(trainer)
    return recorder, trainer


def go_on(recorder: Recorder, trainer: Trainer) -> None:
    """Train to the end, with the changes by hand that were not made before."""
    while True:
        recorder.replay(trainer)
        if recorder.due(trainer):
            recorder.save(trainer)
        if trainer.finished:
            break
        step = trainer.step_count
        if step in BY_HAND and step not in [e["step"] for e in recorder.events]:
            trainer.set_learning_rate_scale(BY_HAND[step])
            recorder.changed(trainer, "rate", f"x{BY_HAND[step]}")
        for _ in trainer.run(max_steps=1):
            pass
        recorder.note(trainer)
    recorder.end("finished", trainer)


def child(folder: Path) -> None:
    """Begin the run, or go on with it."""
    catalogue = Catalogue(folder)
    found = catalogue.interrupted("training")
    if found:
        kept = catalogue.open(found[0].key)
        recorder, trainer, _ = Recorder.resume(kept, TRAIN, HELD_OUT)
    else:  # killed before the first checkpoint
        recorder, trainer = begin(catalogue)
    go_on(recorder, trainer)


def main(folder: Path, seed: int, kills: int) -> None:
    torch.set_num_threads(1)
    random.seed(seed)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    killed, at = 0, []
    for _ in range(MOST_ROUNDS):
        pid = os.fork()
        if pid == 0:
            child(folder)
            os._exit(0)
        if killed < kills:  # until the child ends or the time is up
            signal.sigtimedwait({signal.SIGCHLD}, random.uniform(0.0, 0.25))
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        while signal.sigtimedwait({signal.SIGCHLD}, 0) is not None:
            pass
        if os.WIFSIGNALED(status):
            killed += 1
            at += [r.step for r in Catalogue(folder).runs().runs][-1:]
        elif os.WEXITSTATUS(status) == 0:
            break
        else:
            sys.exit("a child failed")
    sys.stdout.write(f"{killed} {at}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
