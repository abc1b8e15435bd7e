"""A post-training run on disk, to go on from bit for bit. Never pickle.

    FOLDER/state.safetensors    policy, reference, both moments of every parameter
    FOLDER/state.json           settings, the reward's terms with their weights, random states

A reward's terms are named, not stored: whoever loads a run gives the terms that are there now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.errors import LabError
from engine.files import read_json, write_json
from engine.models.transformer.config import TransformerConfig
from engine.models.transformer.files import check_tensors, read_tensors, write_tensors
from engine.models.transformer.model import TransformerModel
from engine.models.transformer.module import Transformer
from engine.posttraining.grpo import GRPO
from engine.posttraining.rewards import RewardMix, RewardTerm
from engine.posttraining.settings import GRPOSettings
from engine.posttraining.tasks import Task

STATE_FILE, TENSOR_FILE = "state.json", "state.safetensors"
FORMAT, VERSION = "next-token-lab post-training", 1
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


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
    write_tensors(folder / TENSOR_FILE, tensors)
    write_json(
        folder / STATE_FILE,
        {
            "format": FORMAT,
            "version": VERSION,
            "task": run.task.key,
            "config": run.module.config.to_dict(),
            "settings": asdict(run.settings),
            "reward": [[term.key, term.title, weight] for term, weight in run.reward.terms],
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
        terms: the terms of rewards that there are now.

    Raises:
        LabError: if a file is missing or damaged, the run is one of another task, or its reward
            has a term that is not among those given.
    """
    state = read_json(folder / STATE_FILE)
    damaged = LabError(f"{STATE_FILE} in {folder} describes no run that this version can read.")
    if state.get("format") != FORMAT or state.get("version") != VERSION:
        raise damaged
    if state.get("task") != task.key:
        raise LabError("This run belongs to another task.")
    try:
        config = TransformerConfig.from_dict(state["config"])
        settings = GRPOSettings(**state["settings"])
        reward = reward_of(state["reward"], terms)
        updates, sampling = state["updates"], bytes.fromhex(state["sampling"])
        if type(updates) is not int or not 0 <= updates <= 10**9:
            raise damaged
    except (KeyError, TypeError, ValueError) as error:
        raise damaged from error
    tensors, _ = read_tensors(folder / TENSOR_FILE)
    parts = {part: _part(tensors, part) for part in ("policy", "reference", "optimizer")}
    with torch.device("meta"):
        shapes = {name: p.shape for name, p in Transformer(config).named_parameters()}
    for part in ("policy", "reference"):
        check_tensors(parts[part], shapes, TENSOR_FILE)
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
        raise damaged from error
    run.update_count = updates
    return run


def reward_of(saved: Any, terms: Sequence[RewardTerm]) -> RewardMix:
    """The mix that was saved, of the terms that are there now; what has weight 0 is left out
    where it is not there.

    Raises:
        LabError: if a term that counts is not among them.
        ValueError, TypeError: if it is no mix.
    """
    known: Mapping[str, RewardTerm] = {term.key: term for term in terms}
    mix = []
    for key, title, weight in saved:
        if key in known:
            mix.append((known[key], float(weight)))
        elif weight:
            raise LabError(
                f"This run was rewarded by “{title}”, which is not there any more. Make it again, "
                "then resume."
            )
    return RewardMix(tuple(mix))


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
