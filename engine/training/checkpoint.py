"""A training run on disk: one safetensors file with everything, so that it is never half new.

Beside it recipe.json, for people and other programs to read; loading doesn't need it.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.errors import LabError
from engine.files import write_json
from engine.models.transformer.config import TransformerConfig
from engine.models.transformer.files import check_tensors, read_tensors, write_tensors
from engine.models.transformer.model import TransformerModel
from engine.models.transformer.module import Transformer
from engine.tokenizers.stream import TokenStream
from engine.training.recipe import Recipe
from engine.training.records import History
from engine.training.timetable import Timetable

CHECKPOINT_FILE = "checkpoint.safetensors"
RECIPE_FILE = "recipe.json"
VERSION = 1


@dataclass
class Checkpoint:
    """All that a run's future depends on, and its past for the curves."""

    recipe: Recipe
    config: TransformerConfig
    parameters: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    optimizer_steps: int
    step_count: int
    learning_rate_scale: float
    history: History
    texts: tuple[str, str]
    timetable: Timetable


def fingerprint(stream: TokenStream) -> str:
    """A text that two different streams don't share."""
    digest = hashlib.sha256(stream.ids.astype("<i4").tobytes())
    digest.update(str(stream.end_of_text).encode())
    return digest.hexdigest()


def save_checkpoint(folder: Path, kept: Checkpoint) -> None:
    """Write a checkpoint in one atomic replacement.

    Raises:
        LabError: if it can't be written.
    """
    tensors = {f"parameters.{name}": t.cpu() for name, t in kept.parameters.items()}
    tensors |= {f"optimizer.{name}": t.cpu() for name, t in kept.optimizer.items()}
    columns = kept.history.columns()
    tensors |= {f"history.{name}": torch.from_numpy(c) for name, c in columns.items()}
    state = {
        "version": VERSION,
        "recipe": kept.recipe.to_dict(),
        "config": kept.config.to_dict(),
        "optimizer_steps": kept.optimizer_steps,
        "step_count": kept.step_count,
        "learning_rate_scale": kept.learning_rate_scale,
        "texts": list(kept.texts),
        "checksum": _checksum(tensors),
    }
    if kept.timetable.changes:
        state["timetable"] = kept.timetable.to_json()
    write_json(folder / RECIPE_FILE, kept.recipe.to_dict(), indent=1)
    write_tensors(folder / CHECKPOINT_FILE, tensors, {"state": json.dumps(state)})


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint of any origin.

    Raises:
        LabError: if it is missing, damaged, or doesn't describe a run.
    """
    tensors, metadata = read_tensors(folder / CHECKPOINT_FILE)
    damaged = LabError(
        f"{CHECKPOINT_FILE} in {folder} doesn't hold a training run that this version can read."
    )
    try:
        state: dict[str, Any] = json.loads(metadata["state"])
        if state["version"] != VERSION:
            raise damaged
        if state.get("checksum", _checksum(tensors)) != _checksum(tensors):
            raise LabError(
                f"{CHECKPOINT_FILE} in {folder} is damaged: its numbers are not those that were "
                "written. Use another copy of it, or an earlier checkpoint."
            )
        recipe = Recipe.from_dict(state["recipe"])
        config = TransformerConfig.from_dict(state["config"])
        counts = (state["optimizer_steps"], state["step_count"])
        scale = state["learning_rate_scale"]
        texts = tuple(state["texts"])
        timetable = Timetable(recipe.steps)
        if "timetable" in state:
            timetable = Timetable.from_json(state["timetable"])
        columns = {n: t.numpy() for n, t in _part(tensors, "history").items()}
        history = History.from_columns(columns)
    except (KeyError, ValueError, TypeError, RecursionError, OverflowError) as error:
        raise damaged from error
    if config != recipe.model_config(config.vocab_size) or timetable.steps != recipe.steps:
        raise damaged
    if any(type(c) is not int or c < 0 for c in counts) or len(history.steps) != counts[1]:
        raise damaged
    if type(scale) is not float or not 0 <= scale <= 1e9:
        raise damaged
    if len(texts) != 2 or any(type(t) is not str for t in texts):
        raise damaged
    parameters = _part(tensors, "parameters")
    shapes = {name: p.shape for name, p in _skeleton(config).named_parameters()}
    check_tensors(parameters, shapes, CHECKPOINT_FILE)
    return Checkpoint(
        recipe=recipe,
        config=config,
        parameters=parameters,
        optimizer=_part(tensors, "optimizer"),
        optimizer_steps=counts[0],
        step_count=counts[1],
        learning_rate_scale=scale,
        history=history,
        texts=(texts[0], texts[1]),
        timetable=timetable,
    )


def load_checkpoint_model(folder: Path) -> TransformerModel:
    """Only the model of a checkpoint, whatever text it was trained on.

    Raises:
        LabError: as ``load_checkpoint``.
    """
    kept = load_checkpoint(folder)
    module = Transformer(kept.config)
    with torch.no_grad():
        for name, p in module.named_parameters():
            p.copy_(kept.parameters[name])
    return TransformerModel(module, kept.recipe.name)


def fill_state(state: dict[str, Tensor], kept: dict[str, Tensor], folder: Path) -> None:
    """Copy an optimizer's tensors from a checkpoint, each checked.

    Raises:
        LabError: if they aren't those of this optimizer.
    """
    check_tensors(kept, {name: t.shape for name, t in state.items()}, CHECKPOINT_FILE)
    for name, tensor in state.items():
        tensor.copy_(kept[name])


def _checksum(tensors: dict[str, Tensor]) -> int:
    """CRC-32 over all tensors by name: a bit that a disk turned over shows here."""
    checksum = 0
    for name in sorted(tensors):
        checksum = zlib.crc32(name.encode(), checksum)
        checksum = zlib.crc32(tensors[name].contiguous().view(-1).numpy().data, checksum)
    return checksum


def _part(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(f"{part}."): t
        for name, t in tensors.items()
        if name.startswith(f"{part}.")
    }


def _skeleton(config: TransformerConfig) -> Transformer:
    """A module that has shapes but no memory."""
    with torch.device("meta"):
        return Transformer(config)
