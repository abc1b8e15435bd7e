"""A post-training run on disk, to go on from bit for bit. Never pickle.

    FOLDER/state.safetensors    policy, reference, both moments of every parameter, the numbers
                                of the reward's models
    FOLDER/state.json           settings, the reward's terms with their weights, random states

Terms that are programs of the lab are named; reward models and rubrics are stored whole
(``reward_files``), so a run goes on wherever it is taken, with nothing made again. Version 1 named
all terms: whoever loads such a run gives the terms that are there now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.errors import LabError
from engine.files import write_json
from engine.models.transformer.config import TransformerConfig, parameter_counts
from engine.models.transformer.files import check_tensors, read_tensors, write_tensors
from engine.models.transformer.model import TransformerModel
from engine.models.transformer.module import Transformer
from engine.posttraining.grpo import GRPO
from engine.posttraining.kept_state import (
    FORMAT,
    STATE_FILE,
    VERSION,
    damaged,
    kept_terms,
    read_state,
    reward_bytes,
)
from engine.posttraining.reward_files import describe_reward, restore_reward
from engine.posttraining.rewards import RewardTerm
from engine.posttraining.settings import GRPOSettings
from engine.posttraining.tasks import Task

TENSOR_FILE = "state.safetensors"
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
_PARTS = ("policy", "reference", "optimizer", "reward")
_HEADER = 1_000_000
"""Bytes that names and small tensors may take beside the numbers that are called for."""


def save_run(run: GRPO, folder: Path) -> None:
    """Write all that the run's future depends on.

    Raises:
        LabError: if it can't be written.
    """
    parameters, optimizer, sampling, prompts = run.state()
    tensors = {f"policy.{name}": t.contiguous() for name, t in parameters.items()}
    for name, p in run.reference.named_parameters():
        tensors[f"reference.{name}"] = p.detach().contiguous()
    for index, moments in optimizer["state"].items():
        for name in _MOMENTS:
            tensors[f"optimizer.{index}.{name}"] = moments[name].detach().clone().contiguous()
    terms, numbers = describe_reward(run.reward)
    tensors |= {f"reward.{name}": t for name, t in numbers.items()}
    write_tensors(folder / TENSOR_FILE, tensors)
    write_json(
        folder / STATE_FILE,
        {
            "format": FORMAT,
            "version": VERSION,
            "task": run.task.key,
            "config": run.module.config.to_dict(),
            "settings": asdict(run.settings),
            "reward": [term.to_dict() for term in terms],
            "updates": run.update_count,
            "sampling": sampling.numpy().tobytes().hex(),
            "prompts": prompts,
        },
    )


def load_run(folder: Path, task: Task, terms: Sequence[RewardTerm]) -> GRPO:
    """The run as it was saved.

    Args:
        folder: that ``save_run`` wrote, of any origin.
        task: the task it belongs to.
        terms: the terms of rewards that there are now: those that the task has, and what else
            is at hand (see ``restore_reward``).

    Raises:
        LabError: if a file is missing, damaged or larger than it can be, the run is one of
            another task, or its reward has a term that was not stored and is not among those
            given.
    """
    state = read_state(folder)
    if state.get("task") != task.key:
        raise LabError("This run belongs to another task.")
    try:
        config = TransformerConfig.from_dict(state["config"])
        settings = GRPOSettings(**state["settings"])
        kept = kept_terms(state)
        updates, sampling = state["updates"], bytes.fromhex(state["sampling"])
        if type(updates) is not int or not 0 <= updates <= 10**9:
            raise damaged(folder)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise damaged(folder) from error
    size = 4 * 4 * parameter_counts(config)["total"]  # float32: policy, reference, two moments
    tensors, _ = read_tensors(folder / TENSOR_FILE, size + reward_bytes(kept) + _HEADER)
    parts = {part: _part(tensors, part) for part in _PARTS}
    if sum(map(len, parts.values())) != len(tensors):
        raise LabError(f"{TENSOR_FILE} in {folder} holds more than a run.")
    with torch.device("meta"):
        shapes = {name: p.shape for name, p in Transformer(config).named_parameters()}
    for part in ("policy", "reference"):
        check_tensors(parts[part], shapes, TENSOR_FILE)
    reward = restore_reward(kept, parts["reward"], task, terms)
    module = Transformer(config)
    module.load_state_dict(parts["reference"], strict=False)
    run = GRPO(TransformerModel(module, "Reference policy"), task, reward, settings)
    parameters, optimizer, _, prompts = run.state()
    for name, tensor in parts["policy"].items():
        parameters[name].copy_(tensor)
    optimizer["state"] = _moments(parts["optimizer"], run)
    try:
        _check_prompts(state["prompts"], prompts)
        generator = torch.frombuffer(bytearray(sampling), dtype=torch.uint8)
        run.restore((parameters, optimizer, generator, state["prompts"]))
    except (KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise damaged(folder) from error
    run.update_count = updates
    return run


def _moments(tensors: dict[str, Tensor], run: GRPO) -> dict[int, dict[str, Tensor]]:
    """Each parameter's moments by the optimizer's own numbers; none before the first update."""
    if not tensors:
        return {}
    shapes: dict[str, torch.Size] = {}
    for index, parameter in enumerate(run.optimized()):
        shapes[f"{index}.step"] = torch.Size([])
        shapes[f"{index}.exp_avg"] = shapes[f"{index}.exp_avg_sq"] = parameter.shape
    check_tensors(tensors, shapes, TENSOR_FILE)
    return {
        index: {name: tensors[f"{index}.{name}"].clone() for name in _MOMENTS}
        for index in range(len(run.optimized()))
    }


def _check_prompts(saved: Any, own: Mapping[str, Any]) -> None:
    """Numpy takes states of its own kind only, and would take some nonsense silently."""
    if saved["bit_generator"] != own["bit_generator"] or set(saved) != set(own):
        raise ValueError("random state")


def _part(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    prefix = f"{part}."
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
