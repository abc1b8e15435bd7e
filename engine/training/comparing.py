"""Kept training runs side by side: what each was, and its losses in units that can be compared."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.transformer.config import flops_per_token
from engine.runs import Catalogue, RunSummary, Store, import_run
from engine.tokenizers import tokenizer_from_dict
from engine.training.recipe import Recipe
from engine.training.runs import EVENTS, HELD_OUT, KIND, PLANNED, STEPS
from engine.workspace.attached import TEXTS, TOKENIZER

Floats = npt.NDArray[np.float64]
_LONGEST_HEADER = 1_000_000


@dataclass(frozen=True)
class TextFacts:
    """What the text of a run comes to, from the head of its file alone."""

    vocab_size: int
    """V, end-of-text included."""
    train_tokens_per_byte: float
    held_out_tokens_per_byte: float
    """Of the training text, where none was held out."""
    lossless: bool
    """False: tokens do not tell all of the text, so bits per byte would be too few."""


@dataclass(frozen=True)
class ComparedRun:
    """A kept run, with what is needed to set it beside others."""

    summary: RunSummary
    recipe: Recipe
    text: TextFacts | None
    """None where its text was not kept or is damaged."""
    by_hand: tuple[tuple[int, str], ...] = ()
    """What somebody did to it while it ran, in words, each with its step."""

    @property
    def key(self) -> str:
        """Its name in the catalogue."""
        return self.summary.key

    @property
    def held_out(self) -> float | None:
        """The newest held-out loss in nats per token; None where there is none."""
        value = self.summary.figures.get("held_out")
        return value if value is not None and math.isfinite(value) else None

    @property
    def bits_per_byte(self) -> float | None:
        """The same per byte of text; None where that is not known or would not be fair."""
        if self.held_out is None or self.text is None or not self.text.lossless:
            return None
        return self.held_out * self.text.held_out_tokens_per_byte / math.log(2)

    @property
    def flops_per_token(self) -> float | None:
        """Floating-point operations of training for each token; None without a text."""
        if self.text is None:
            return None
        return float(flops_per_token(self.recipe.model_config(self.text.vocab_size)))

    @property
    def tokens(self) -> tuple[str, str] | None:
        """What makes losses per token comparable: text and tokenizer by fingerprint."""
        sources = self.summary.description.sources
        if not {"Text", "Tokenizer"} <= set(sources):
            return None
        return sources["Text"].fingerprint, sources["Tokenizer"].fingerprint


@dataclass(frozen=True)
class Curves:
    """The curves of a run. Columns of one table are equally long."""

    steps: Mapping[str, Floats]
    """step, loss, seconds, tokens: of every step."""
    held_out: Mapping[str, Floats]
    """The same of every pass over the held-out text."""


COLUMNS = ("step", "loss", "seconds", "tokens")


def compared_runs(catalogue: Catalogue) -> tuple[tuple[ComparedRun, ...], tuple[str, ...]]:
    """All kept training runs, newest first, and a sentence for each that could not be read."""
    listing = catalogue.runs(KIND)
    runs, damaged = [], list(listing.damaged)
    facts: dict[tuple[str, str], TextFacts | None] = {}
    for summary in listing.runs:
        try:
            recipe = Recipe.from_dict(dict(summary.description.settings))
        except LabError as error:
            damaged.append(f"“{summary.name}” is left out. {error}")
            continue
        names = summary.description.attachments
        key = (names.get(TEXTS, ""), names.get(TOKENIZER, ""))
        if key not in facts:
            facts[key] = text_facts(catalogue.store, names)
        by_hand = done_by_hand(catalogue, summary.key)
        runs.append(ComparedRun(summary, recipe, facts[key], by_hand))
    return tuple(reversed(runs)), tuple(damaged)


def done_by_hand(catalogue: Catalogue, key: str) -> tuple[tuple[int, str], ...]:
    """What somebody did to a run while it ran, in words, each with its step; nothing where that
    can't be read."""
    try:
        entries = catalogue.journal(key, EVENTS)
    except LabError:
        return ()
    told = ((e.get("step"), e.get("kind"), e.get("text")) for e in entries)
    return tuple(
        (step, text)
        for step, kind, text in told
        if type(step) is int and isinstance(text, str) and kind != PLANNED
    )


def take_in(catalogue: Catalogue, source: Path, job: Job = NO_JOB) -> RunSummary:
    """Take a run from a folder that ``engine.runs.export_run`` wrote. A training run must also be
    one that can be compared: what its settings and curves hold is read once, and a run that fails
    is deleted again.

    Raises:
        LabError: if the folder holds no run, or a damaged one; nothing is taken in then.
    """
    summary = import_run(catalogue, source, job)
    if summary.description.kind != KIND:
        return summary
    try:
        Recipe.from_dict(dict(summary.description.settings))
        read_curves(catalogue, summary.key)
    except LabError as error:
        catalogue.delete(summary.key)
        raise LabError(f"{source.name} holds a damaged run. {error}") from error
    return summary


def text_facts(store: Store, names: Mapping[str, str]) -> TextFacts | None:
    """What a run's text comes to; None where it was not kept or can't be read."""
    try:
        header = _header(store, names[TEXTS])
        about = json.loads(header["__metadata__"]["about"])
        tokens = {half: int(header[half]["shape"][0]) - 1 for half in ("train", "held_out")}
        n_bytes = {half: int(about["n_bytes"][half]) for half in tokens}
        tokenizer = tokenizer_from_dict(json.loads(store.get(names[TOKENIZER]))["tokenizer"])
        vocabulary = int(about["end_of_text"]) + 1
    except (LabError, OSError, KeyError, ValueError, TypeError, IndexError, RecursionError):
        return None
    train = tokens["train"] / max(1, n_bytes["train"])
    held_out = tokens["held_out"] / max(1, n_bytes["held_out"]) if tokens["held_out"] > 0 else train
    return TextFacts(vocabulary, train, held_out, tokenizer.lossless)


def _header(store: Store, name: str) -> dict[str, Any]:
    """A safetensors file's header: its length in 8 bytes, little-endian, then JSON."""
    with store.path(name).open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _LONGEST_HEADER:
            raise ValueError("no header of a text")
        value: dict[str, Any] = json.loads(file.read(length))
    return value


def read_curves(catalogue: Catalogue, key: str) -> Curves:
    """A run's curves.

    Raises:
        LabError: if the run is gone or they can't be read.
    """
    tables = catalogue.curves(key)
    found = []
    for name in (STEPS, HELD_OUT):
        table = tables.get(name)
        whole = table is not None and all(column in table for column in COLUMNS)
        empty = np.empty(0)
        found.append({c: table[c] if table is not None and whole else empty for c in COLUMNS})
    return Curves(found[0], found[1])


def in_short(recipe: Recipe) -> str:
    """Settings in a few words, such as "4 × 128, context 64, relu2, muon 0.03"."""
    parts = [
        f"{recipe.layers} × {recipe.width}",
        f"context {recipe.context}",
        recipe.ffn,
        f"{recipe.optimizer} {recipe.learning_rate:g}",
        f"batch {recipe.batch_size}",
    ]
    if not recipe.residual:
        parts.append("no residuals")
    return ", ".join(parts)
