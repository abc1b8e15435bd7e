"""Transformers on disk: a folder with config.json and model.safetensors. Never pickle.

What is read may come from anyone: sizes are bounded before reading, every name, shape and type
is compared with what the config implies, and numbers that aren't finite are refused.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from engine.errors import LabError
from engine.files import read_bytes, read_json, write_bytes, write_json
from engine.models.transformer.config import (
    MAX_PARAMETERS,
    TransformerConfig,
    parameter_counts,
)
from engine.models.transformer.module import Transformer

CONFIG_FILE = "config.json"
TENSOR_FILE = "model.safetensors"
VERSION = 1
_MAX_JSON = 1_000_000  # bytes
_MAX_TENSORS = 4 * 4 * MAX_PARAMETERS  # bytes: float32, with room for two optimizer moments


def save_transformer(module: Transformer, folder: Path) -> None:
    """Write a module's config and parameters.

    Raises:
        LabError: if the folder can't be written.
    """
    tensors = {name: p.detach().cpu().contiguous() for name, p in module.named_parameters()}
    write_tensors(folder / TENSOR_FILE, tensors)
    described = {"format": "transformer", "version": VERSION, "config": module.config.to_dict()}
    write_json(folder / CONFIG_FILE, described, indent=1)


def load_transformer(folder: Path) -> Transformer:
    """The module that was saved in a folder.

    Raises:
        LabError: if a file is missing, damaged, or doesn't hold what it should.
    """
    described = read_json(folder / CONFIG_FILE)
    if described.get("format") != "transformer" or described.get("version") != VERSION:
        raise LabError(f"{folder.name}/{CONFIG_FILE} isn't a transformer that this version reads.")
    config = TransformerConfig.from_dict(described.get("config"))
    limit = 4 * parameter_counts(config)["total"] + _MAX_JSON
    tensors, _ = read_tensors(folder / TENSOR_FILE, limit)
    module = Transformer(config)
    fill(module, tensors, f"{folder.name}/{TENSOR_FILE}")
    return module


def fill(module: Transformer, tensors: dict[str, Tensor], origin: str) -> None:
    """Copy tensors into a module's parameters, each checked.

    Raises:
        LabError: if names, shapes or types differ, or a number isn't finite.
    """
    parameters = dict(module.named_parameters())
    check_tensors(tensors, {name: p.shape for name, p in parameters.items()}, origin)
    with torch.no_grad():
        for name, p in parameters.items():
            p.copy_(tensors[name])


def check_tensors(tensors: dict[str, Tensor], shapes: dict[str, torch.Size], origin: str) -> None:
    """Compare tensors from a file with the names and shapes that are due.

    Raises:
        LabError: if they differ, aren't float32, or hold numbers that aren't finite.
    """
    if set(tensors) != set(shapes):
        raise LabError(f"{origin} doesn't hold the tensors that its description calls for.")
    for name, shape in shapes.items():
        tensor = tensors[name]
        if tensor.shape != shape or tensor.dtype != torch.float32:
            raise LabError(f"In {origin}, {name} doesn't have the shape or type it should have.")
        if not bool(torch.isfinite(tensor).all()):
            raise LabError(f"In {origin}, {name} holds values that aren't finite numbers.")


def write_tensors(
    path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None
) -> None:
    """Write tensors so that the file is the old one or the new one, never half of each.

    Raises:
        LabError: if it can't be written.
    """
    write_bytes(path, save({name: t.contiguous() for name, t in tensors.items()}, metadata))


def read_tensors(path: Path, limit: int = _MAX_TENSORS) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Named tensors of a safetensors file, and its metadata.

    Raises:
        LabError: if the file is missing, too large, truncated or damaged.
    """
    data = read_bytes(path, limit)
    try:
        tensors: dict[str, Tensor] = load(data)
        # the format: the header's length in 8 bytes, little-endian, then the header as JSON
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        metadata: dict[str, str] = header.get("__metadata__", {})
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise LabError(
            f"{path.name} in {path.parent} is damaged or incomplete. "
            "Use another copy of it, or an earlier checkpoint."
        ) from error
    return tensors, metadata
