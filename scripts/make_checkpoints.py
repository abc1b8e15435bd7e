"""Trains the transformers in assets/checkpoints/: one on the stories, one on the reader.

Each is of the size that a class can train itself, but trained for longer, with a context that
holds a whole story. About ten minutes on two cores for the stories, one for the reader.

The stories' model reads more than the lab's own megabyte, for there is a language to draw from.
After reading that one fifteen times it stood at 0.367 nats a held-out token (0.270 on what it had
read), and found names and answers no better than by chance. No held-out story is among what it
reads. It trains in rounds, each at a lower rate than the one before: most of the loss at a high
rate is the steps' own noise.

usage: python scripts/make_checkpoints.py [NAME ...]
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import torch

from engine.models.scores import held_out_score
from engine.text import Corpus
from engine.tokenizers.stream import TokenStream, encode_documents
from engine.training import Trainer
from engine.training.recipe import Recipe
from engine.training.recipes import modern_long, sized
from engine.workspace import CorpusChoice, TokenizerSpec, make_streams, make_tokenizer
from engine.workspace.bundled import FOLDER, write_about
from engine.workspace.made import MadeTokenizer, Streams


@dataclass(frozen=True)
class Plan:
    """What to train."""

    title: str
    corpus: CorpusChoice
    tokenizer: TokenizerSpec
    rounds: tuple[Recipe, ...]
    """One after another, each with an optimizer that begins anew."""
    more_bytes: int = 0
    """How much more text is drawn from the language, beside the corpus's own."""
    more_seed: int = 1


# Rotated queries and keys of root mean square 1 cannot tell one token in hundreds from the rest
# sharply enough, so QK-norm is left out where a name has to be found again.
STORIES = sized(modern_long(), "small").but(
    context=384, batch_size=4, qk_norm=False, threads=2, eval_every=250
)
PLANS = {
    "stories": Plan(
        "Stories, trained beforehand",
        CorpusChoice("stories", seed=0),
        TokenizerSpec("bpe", 512),
        (
            STORIES.but(steps=3_500),
            STORIES.but(
                steps=3_600,
                learning_rate=0.008,
                embedding_learning_rate=0.004,
                decay_share=1.0,
                warmup=50,
                seed=2,
            ),
        ),
        more_bytes=10_000_000,
    ),
    # A tenth of the stories' text: read over and over, it is soon known by heart, so the run
    # is short and the weights decay.
    "reader": Plan(
        "Reader, trained beforehand",
        CorpusChoice("reader"),
        TokenizerSpec("bpe", 512),
        (sized(modern_long(), "small").but(context=128, batch_size=8, steps=300, eval_every=50),),
    ),
}


def training_text(plan: Plan, corpus: Corpus, made: MadeTokenizer, streams: Streams) -> TokenStream:
    """The corpus's training half, and more of the same language where the plan asks for it; no
    story twice, and none that is held out."""
    if not plan.more_bytes:
        return streams.train
    assert corpus.language is not None
    known = {*corpus.train, *corpus.held_out}
    drawn = dict.fromkeys(corpus.language.generate(plan.more_bytes, plan.more_seed))
    more = [story for story in drawn if story not in known]
    return encode_documents(made.tokenizer, [*corpus.train, *more])


def learned_from(plan: Plan, corpus: Corpus, text: TokenStream) -> str:
    """Whether it read what everybody else at the table reads, or more."""
    own = f"{corpus.n_train_bytes / 1e6:.1f} MB"
    if not plan.more_bytes:
        return own
    return f"{text.n_bytes / 1e6:.1f} MB, of which {own} are the training text"


def make(name: str, plan: Plan) -> None:
    """Train one model and write it."""
    corpus = plan.corpus.load()
    made = make_tokenizer(plan.tokenizer, corpus)
    streams = make_streams(corpus, made)
    text = training_text(plan, corpus, made, streams)
    trainer: Trainer | None = None
    began, steps = time.perf_counter(), 0
    for number, recipe in enumerate(plan.rounds, 1):
        before, trainer = trainer, Trainer(recipe, text, streams.held_out)
        if before is not None:
            with torch.no_grad():
                for new, old in zip(
                    trainer.module.parameters(), before.module.parameters(), strict=True
                ):
                    new.copy_(old)
        for snapshot in trainer.run():
            if snapshot.evaluation is not None:
                seconds = time.perf_counter() - began
                print(
                    f"{name}: round {number}, step {snapshot.record.step}, "
                    f"held out {snapshot.evaluation.loss:.4f}, {seconds:.0f} s"
                )
        steps += trainer.step_count
    assert trainer is not None
    model = trainer.frozen_model()
    score = held_out_score(model, streams.held_out)
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder)
    facts = {
        "Recipe": plan.rounds[0].name,
        "Parameters": f"{sum(p.numel() for p in trainer.module.parameters()):,}",
        "Steps": f"{steps:,}",
        "Learned from": learned_from(plan, corpus, text),
        "Held-out loss": f"{score.nats_per_token:.3f} nats per token",
        "Held-out bits per byte": f"{score.bits_per_byte:.3f}",
    }
    write_about(folder, plan.title, plan.tokenizer, streams.made_from, facts)
    print(f"{name}: {facts}")


if __name__ == "__main__":
    for wanted in sys.argv[1:] or PLANS:
        make(wanted, PLANS[wanted])
