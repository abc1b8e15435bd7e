"""Kept rewards from anyone: what is damaged, hostile or of other rules is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.errors import LabError
from engine.posttraining.checkpoints import TENSOR_FILE, load_run, save_run
from engine.posttraining.kept_state import MOST_TERMS, STATE_FILE, read_kept_reward
from engine.posttraining.reward_files import describe_reward
from engine.posttraining.rewards import RewardMix, terms_for
from tests.engine.posttraining.judged import ECHO, EXACT, a_run, reward

TERMS = terms_for(ECHO)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    save_run(a_run(reward("mix")), folder)
    return folder


def copied(whole: Path, target: Path) -> dict[str, Any]:
    """The good files again; the description as JSON values."""
    for name in (STATE_FILE, TENSOR_FILE):
        (target / name).write_bytes((whole / name).read_bytes())
    state: dict[str, Any] = json.loads((target / STATE_FILE).read_text())
    return state


LINEAR, NEURAL, RUBRIC = 2, 3, 4
"""Places in the mixed reward."""
HUGE = {"layers": 1, "heads": 1, "width": 2048, "ffn_width": 65536}


@pytest.mark.parametrize(
    ("place", "change"),
    [
        (LINEAR, {"made": {"kind": "pickle"}}),
        (LINEAR, {"made": None}),
        (LINEAR, {"made": []}),
        (LINEAR, {"weight": "1"}),
        (LINEAR, {"weight": True}),
        (LINEAR, {"weight": float("nan")}),
        (LINEAR, {"weight": 10**400}),
        (LINEAR, {"title": ""}),
        (LINEAR, {"title": "x" * 201}),
        (LINEAR, {"key": 3}),
        (LINEAR, {"made": {"comparisons": 0}}),
        (LINEAR, {"made": {"comparisons": True}}),
        (LINEAR, {"made": {"features": []}}),
        (LINEAR, {"made": {"features": [["length", "Tokens written."]]}}),
        (LINEAR, {"made": {"features": [["length", "x"]] * 6}}),
        (LINEAR, {"made": {"features": [["unheard of", "x"]]}}),
        (LINEAR, {"made": {"features": [["length", "Something else."]]}}),
        (LINEAR, {"made": {"features": [["length", "x" * 5_001]]}}),
        (LINEAR, {"made": {"features": [[f"f{i}", "x"] for i in range(129)]}}),
        (NEURAL, {"made": {"config": {}}}),
        (NEURAL, {"made": {"config": {"vocab_size": 9}}}),
        (NEURAL, {"made": {"config": {"context": 6}}}),
        (NEURAL, {"made": {"config": {"context": 9}}}),
        (NEURAL, {"made": {"config": {"layers": 2}}}),
        (NEURAL, {"made": {"config": HUGE}}),
        (NEURAL, {"made": {"config": {"width": 10**400}}}),
        (RUBRIC, {"made": {"criteria": []}}),
        (RUBRIC, {"made": {"criteria": [["ends", "Another rule.", 1.0]]}}),
        (RUBRIC, {"made": {"criteria": [["unheard of", "A rule.", 1.0]]}}),
        (RUBRIC, {"made": {"criteria": [["ends", "A rule.", -1.0]]}}),
        (RUBRIC, {"made": {"criteria": [["ends", "A rule.", 1e300]]}}),
        (RUBRIC, {"made": {"criteria": [["ends", "A rule."]]}}),
        (RUBRIC, {"made": {"criteria": [["ends", "A rule.", 1.0]] * 2}}),
    ],
)
def test_a_damaged_description_is_refused(
    whole: Path, tmp_path: Path, place: int, change: dict[str, Any]
) -> None:
    state = copied(whole, tmp_path)
    row = state["reward"][place]
    inner = change.get("made")
    if isinstance(inner, dict):
        config = inner.get("config")
        if config:
            inner = {**inner, "config": {**row["made"]["config"], **config}}
        change = {"made": {**row["made"], **inner}}
    row.update(change)
    (tmp_path / STATE_FILE).write_text(json.dumps(state))
    with pytest.raises(LabError):
        load_run(tmp_path, ECHO, TERMS)


@pytest.mark.parametrize("rows", [None, [], {}, [[]], [3], [["exact", "Exactly right", 1.0]]])
def test_what_is_no_reward_is_refused(whole: Path, tmp_path: Path, rows: Any) -> None:
    state = copied(whole, tmp_path)
    for version in (1, 2, True, 3, "2"):
        if version == 1 and rows == [["exact", "Exactly right", 1.0]] and version is not True:
            continue  # that is one
        changed = {**state, "version": version, "reward": rows}
        (tmp_path / STATE_FILE).write_text(json.dumps(changed))
        for read in (read_kept_reward, lambda folder: load_run(folder, ECHO, TERMS)):
            with pytest.raises(LabError):
                read(tmp_path)


def test_endless_rewards_are_refused(whole: Path, tmp_path: Path) -> None:
    state = copied(whole, tmp_path)
    state["reward"] = state["reward"][:1] * (MOST_TERMS + 1)
    (tmp_path / STATE_FILE).write_text(json.dumps(state))
    with pytest.raises(LabError):
        read_kept_reward(tmp_path)
    with pytest.raises(LabError, match="more than"):
        describe_reward(RewardMix(((EXACT, 1.0),) * (MOST_TERMS + 1)))


def lost(tensor: torch.Tensor) -> torch.Tensor:
    return torch.zeros(0)


def shorter(tensor: torch.Tensor) -> torch.Tensor:
    return tensor[:-1].clone()


def halved(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.half()


def nan(tensor: torch.Tensor) -> torch.Tensor:
    return torch.full_like(tensor, float("nan"))


def infinite(tensor: torch.Tensor) -> torch.Tensor:
    return torch.full_like(tensor, float("inf"))


def beyond(tensor: torch.Tensor) -> torch.Tensor:
    return torch.full_like(tensor, 1e300 if tensor.dtype == torch.float64 else float("inf"))


def zero(tensor: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(tensor)


@pytest.mark.parametrize("change", [lost, shorter, halved, nan, infinite, beyond])
@pytest.mark.parametrize(
    "name",
    [
        "reward.2.mean",
        "reward.2.scale",
        "reward.2.weights",
        "reward.3.weights",
        "reward.3.policy.embedding",
    ],
)
def test_damaged_numbers_are_refused(
    whole: Path, tmp_path: Path, name: str, change: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    copied(whole, tmp_path)
    tensors = load_file(tmp_path / TENSOR_FILE)
    spoilt = change(tensors.pop(name))
    save_file({**tensors, **({name: spoilt} if len(spoilt) else {})}, tmp_path / TENSOR_FILE)
    with pytest.raises(LabError):
        load_run(tmp_path, ECHO, TERMS)


@pytest.mark.parametrize("place", [LINEAR, NEURAL])
def test_a_scale_of_zero_is_refused(whole: Path, tmp_path: Path, place: int) -> None:
    copied(whole, tmp_path)
    tensors = load_file(tmp_path / TENSOR_FILE)
    tensors[f"reward.{place}.scale"] = zero(tensors[f"reward.{place}.scale"])
    save_file(tensors, tmp_path / TENSOR_FILE)
    with pytest.raises(LabError, match="damaged"):
        load_run(tmp_path, ECHO, TERMS)


@pytest.mark.parametrize(
    "name",
    ["reward.0.mean", "reward.2.more", "reward.2.policy.x", "reward.3.x", "reward.4.mean",
     "reward.9.mean", "reward.x", "other.mean"],
)  # fmt: skip
def test_numbers_that_nothing_calls_for_are_refused(whole: Path, tmp_path: Path, name: str) -> None:
    copied(whole, tmp_path)
    tensors = load_file(tmp_path / TENSOR_FILE)
    save_file({**tensors, name: torch.zeros(3, dtype=torch.float64)}, tmp_path / TENSOR_FILE)
    with pytest.raises(LabError):
        load_run(tmp_path, ECHO, TERMS)


def test_a_file_is_cut_anywhere_or_longer_than_a_run_can_be(whole: Path, tmp_path: Path) -> None:
    copied(whole, tmp_path)
    for name in (STATE_FILE, TENSOR_FILE):
        data = (whole / name).read_bytes()
        for cut in (0, 7, 100, len(data) // 2, len(data) - 1):
            (tmp_path / name).write_bytes(data[:cut])
            with pytest.raises(LabError):
                load_run(tmp_path, ECHO, TERMS)
        (tmp_path / name).write_bytes(data + b" " * 5_000_000)
        with pytest.raises(LabError, match="larger than such a file can be"):
            load_run(tmp_path, ECHO, TERMS)
        (tmp_path / name).write_bytes(data)
    assert load_run(tmp_path, ECHO, TERMS).update_count == 0


def test_a_readers_size_is_bounded_before_anything_is_read(whole: Path, tmp_path: Path) -> None:
    state = copied(whole, tmp_path)
    state["reward"][NEURAL]["made"]["config"] |= HUGE
    (tmp_path / STATE_FILE).write_text(json.dumps(state))
    (tmp_path / TENSOR_FILE).unlink()
    with pytest.raises(LabError, match="parameters; at most"):
        load_run(tmp_path, ECHO, TERMS)
