"""Trains the transformers in assets/checkpoints/: one on the stories, one on the reader.

Each is of the size that a class can train itself, but trained for longer, with a context that
holds a whole story. About ten minutes each on two cores.

usage: python scripts/make_checkpoints.py [NAME ...]
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from engine.models.scores import held_out_score
from engine.training import Trainer
from engine.training.recipe import Recipe
from engine.training.recipes import modern_long, sized
from engine.workspace import CorpusChoice, TokenizerSpec, make_streams, make_tokenizer
from engine.workspace.bundled import FOLDER, write_about

THREADS = 0  # all cores


@dataclass(frozen=True)
class Plan:
    """What to train."""

    title: str
    corpus: CorpusChoice
    tokenizer: TokenizerSpec
    recipe: Recipe


PLANS = {
    "stories": Plan(
        "Stories, trained beforehand",
        CorpusChoice("stories", seed=0),
        TokenizerSpec("bpe", 512),
        sized(modern_long(), "small").but(context=256, batch_size=8, steps=3_000, eval_every=250),
    ),
    # A tenth of the stories' text: read over and over, it is soon known by heart, so the run
    # is short and the weights decay.
    "reader": Plan(
        "Reader, trained beforehand",
        CorpusChoice("reader"),
        TokenizerSpec("bpe", 512),
        sized(modern_long(), "small").but(context=128, batch_size=8, steps=300, eval_every=50),
    ),
}


def make(name: str, plan: Plan) -> None:
    """Train one model and write it."""
    corpus = plan.corpus.load()
    made = make_tokenizer(plan.tokenizer, corpus)
    streams = make_streams(corpus, made)
    trainer = Trainer(plan.recipe.but(threads=THREADS), streams.train, streams.held_out)
    began = time.perf_counter()
    for snapshot in trainer.run():
        if snapshot.evaluation is not None:
            seconds = time.perf_counter() - began
            loss = snapshot.evaluation.loss
            print(f"{name}: step {snapshot.record.step}, held out {loss:.4f}, {seconds:.0f} s")
    model = trainer.frozen_model()
    score = held_out_score(model, streams.held_out)
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder)
    facts = {
        "Recipe": plan.recipe.name,
        "Parameters": f"{sum(p.numel() for p in trainer.module.parameters()):,}",
        "Steps": f"{trainer.step_count:,}",
        "Held-out loss": f"{score.nats_per_token:.3f} nats per token",
        "Held-out bits per byte": f"{score.bits_per_byte:.3f}",
    }
    write_about(folder, plan.title, plan.tokenizer, streams.made_from, facts)
    print(f"{name}: {facts}")


if __name__ == "__main__":
    for wanted in sys.argv[1:] or PLANS:
        make(wanted, PLANS[wanted])
