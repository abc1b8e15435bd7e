"""Training: the modern recipe against nanoGPT's CPU demo, and against the machine itself.

The clocks run during training steps only; held-out losses are measured off the clock, for both
on the same text in the same windows of 64 tokens.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from benchmarks.nanogpt import PUBLISHED_LOSS, STEPS, Reference
from benchmarks.row import Row
from benchmarks.text import SHAKESPEARE, benchmark_text
from engine.models.transformer import parameter_counts
from engine.models.transformer.products import fast_products
from engine.tokenizers import CharacterTokenizer, encode_documents
from engine.tokenizers.stream import TokenStream
from engine.training import Recipe, Trainer, gpt2_style, modern, modern_long

POINTS = 8
"""How many losses of each run are shown."""
PROBE_STEPS, SAFETY = 20, 0.8
"""Long runs: steps that are timed beforehand, and the share of the time that is planned for."""


def texts(path: Path | None) -> tuple[TokenStream, TokenStream]:
    """The first nine tenths of the characters, and the last."""
    text = benchmark_text(path)
    cut = int(0.9 * len(text))
    tokenizer = CharacterTokenizer.train(text)
    return encode_documents(tokenizer, [text[:cut]]), encode_documents(tokenizer, [text[cut:]])


def matrix_rate(seconds: float = 1.0) -> float:
    """Floating-point operations a second in float32 products of 1024×1024 matrices."""
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    out = torch.empty(1024, 1024)
    for _ in range(3):
        torch.mm(a, b, out=out)
    count, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < seconds:
        torch.mm(a, b, out=out)
        count += 1
    return 2 * 1024**3 * count / spent


def show(name: str, step: int, seconds: float, loss: float) -> None:
    print(f"    {name:12} step {step:5}   {seconds:7.2f} s   {loss:.4f} nats", flush=True)


def timed_reference(train: TokenStream, held_out: TokenStream) -> tuple[float, float]:
    """Seconds and final loss of nanoGPT's 2000 steps."""
    run = Reference.start(train)
    seconds = 0.0
    for _ in range(POINTS):
        began = time.perf_counter()
        for _ in range(STEPS // POINTS):
            run.step()
        seconds += time.perf_counter() - began
        loss = run.evaluate(held_out)
        show("nanoGPT", run.step_count, seconds, loss)
    return seconds, loss


def timed_trainer(
    recipe: Recipe, train: TokenStream, held_out: TokenStream, limit: float = 1e9
) -> Iterator[tuple[Trainer, float, float]]:
    """(trainer, seconds in steps, loss) at POINTS moments of a run."""
    trainer = Trainer(recipe.but(eval_every=0), train, held_out)
    seconds = 0.0
    for point in range(1, POINTS + 1):
        while trainer.step_count < recipe.steps * point // POINTS and seconds < limit:
            began = time.perf_counter()
            trainer.step()
            seconds += time.perf_counter() - began
        loss = trainer.evaluate().loss
        show(recipe.name, trainer.step_count, seconds, loss)
        yield trainer, seconds, loss


def race(path: Path | None = None) -> list[Row]:
    """Modern against nanoGPT's recipe: seconds to the same loss."""
    train, held_out = texts(path)
    torch.set_num_threads(os.cpu_count() or 1)
    standard = path is None and SHAKESPEARE.is_file()
    plain_rate = matrix_rate()
    with fast_products():
        best_rate = max(plain_rate, matrix_rate())
    slow_seconds, slow_loss = timed_reference(train, held_out)
    goal = min(PUBLISHED_LOSS, slow_loss) if standard else slow_loss
    recipe = modern()
    reached, rates = None, []
    for trainer, seconds, loss in timed_trainer(recipe, train, held_out):
        if reached is None and loss <= goal:
            reached = seconds
        rates.append(trainer.flops_per_step * trainer.step_count / seconds)
    fast_seconds = seconds
    counts = [
        parameter_counts(r.model_config(train.vocab_size))["total"] for r in (gpt2_style(), recipe)
    ]
    unequal = counts[1] / counts[0] - 1
    kept = loss <= goal and fast_seconds <= slow_seconds / 8 and abs(unequal) <= 0.02
    return [
        Row(
            "training-time",
            f"whole run of {recipe.steps} steps, ending at {loss:.4f} nats per character",
            fast_seconds,
            "s",
            slow_seconds,
            f"nanoGPT's CPU demo, {STEPS} steps, ending at {slow_loss:.4f}",
            fast_seconds / slow_seconds,
            f"≤ 1/8 of the reference's time, loss ≤ {goal:.4f}, parameters within 2 %",
            kept,
            f"{counts[1]:,} parameters, {unequal:+.2%}; the loss was first seen at or below the "
            f"goal after {reached and round(reached, 2)} s",
        ),
        Row(
            "training-rate",
            "model's operations a second in training (optimizer's not counted)",
            rates[-1] / 1e9,
            "GFLOP/s",
            plain_rate / 1e9,
            "torch.mm of 1024 × 1024 matrices, same threads",
            rates[-1] / plain_rate,
            "≥ 55 % of the reference",
            rates[-1] >= 0.55 * plain_rate,
            f"by oneDNN's products, which training uses, torch.mm reaches {best_rate / 1e9:.0f}: "
            f"{rates[-1] / best_rate:.0%} of that",
        ),
    ]


def side_by_side(path: Path | None = None) -> list[Row]:
    """The lab's two recipes as the lab trains them, by loss after the same seconds."""
    train, held_out = texts(path)
    *_, (_, seconds, loss) = timed_trainer(modern(), train, held_out)
    *_, (trainer, _, other) = timed_trainer(gpt2_style(), train, held_out, limit=seconds)
    return [
        Row(
            "training-recipes",
            f"modern recipe's held-out loss after {seconds:.1f} s",
            loss,
            "nats/token",
            other,
            f"GPT-2 style, after as long ({trainer.step_count} of its steps)",
            loss / other,
            "",
            None,
        )
    ]


FOUR_MINUTES = modern_long()
TEN_MINUTES = FOUR_MINUTES.but(layers=6, heads=3, width=192, steps=1500)


def steps_within(recipe: Recipe, seconds: float, train: TokenStream, held_out: TokenStream) -> int:
    """The recipe's steps, or as many as surely fit: the schedule must come to its end."""
    trainer = Trainer(recipe, train, held_out)
    for _ in range(3):
        trainer.step()
    began = time.perf_counter()
    for _ in range(PROBE_STEPS):
        trainer.step()
    each = (time.perf_counter() - began) / PROBE_STEPS
    return max(POINTS, min(recipe.steps, int(SAFETY * seconds / each)))


def long_run(recipe: Recipe, minutes: float, goal: float, path: Path | None) -> list[Row]:
    train, held_out = texts(path)
    standard = path is None and SHAKESPEARE.is_file()
    recipe = recipe.but(steps=steps_within(recipe, 60 * minutes, train, held_out))
    losses = [
        (loss, seconds)
        for _, seconds, loss in timed_trainer(recipe, train, held_out, limit=60 * minutes)
    ]
    loss, seconds = min(losses)
    count = parameter_counts(recipe.model_config(train.vocab_size))["total"]
    return [
        Row(
            f"training-{minutes:g}-minutes",
            f"best held-out loss seen within {minutes:g} minutes ({seconds:.0f} s) with "
            f"{count:,} parameters, context {recipe.context}",
            loss,
            "nats/token",
            goal if standard else None,
            "the goal for tiny Shakespeare",
            loss / goal if standard else None,
            f"≤ {goal} on tiny Shakespeare",
            loss <= goal if standard else None,
            "held-out text scored in windows that don't overlap",
        )
    ]


def four_minutes(path: Path | None = None) -> list[Row]:
    """What 0.8 million parameters reach in four minutes."""
    return long_run(FOUR_MINUTES, 4, 1.52, path)


def ten_minutes(path: Path | None = None) -> list[Row]:
    """What any size reaches in ten minutes."""
    return long_run(TEN_MINUTES, 10, 1.47, path)


BENCHMARKS: dict[str, Callable[[Path | None], list[Row]]] = {
    "training-race": race,
    "training-recipes": side_by_side,
    "training-4-minutes": four_minutes,
    "training-10-minutes": ten_minutes,
}


def run(only: str | None = None, path: Path | None = None) -> list[Row]:
    """Run one of them, or all."""
    return [row for name, part in BENCHMARKS.items() if only in (None, name) for row in part(path)]
