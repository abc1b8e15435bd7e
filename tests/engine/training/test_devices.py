"""Training elsewhere than on the processor. Where a GPU works, its numbers are compared with the
processor's; everywhere, the way to it is tried with tensors that only pretend to be there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from engine.errors import LabError
from engine.models.transformer import functions
from engine.training import Recipe, Trainer, devices
from engine.training import trainer as trainer_module
from tests.engine.training.toy import HELD_OUT, TRAIN, small, small_gpt2

GPUS = [name for name in devices.available() if name != "cpu"]
NO_GPU = "torch has no GPU that works here"


class OneDevice(TorchDispatchMode):
    """Refuses, as a GPU does, to compute with tensors of two devices. Copies may cross over,
    and single numbers."""

    COPIES = (torch.ops.aten.copy_.default, torch.ops.aten._to_copy.default)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        leaves = tree_leaves((args, kwargs or {}))
        found = {t.device.type for t in leaves if isinstance(t, torch.Tensor) and t.dim()}
        if len(found) > 1 and func not in self.COPIES:
            raise RuntimeError(f"{func} got tensors of the devices {found}")
        if func is self.COPIES[0] and args[0].device.type != "meta" == args[1].device.type:
            return args[0]  # there are no numbers to be brought over
        return func(*args, **(kwargs or {}))


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """torch's "meta" device: tensors there have shapes but no numbers, so what would need them
    on the processor fails."""

    def number(value: torch.Tensor) -> float:
        assert value.device.type == "meta", "a number was fetched from another device"
        return 1.0

    monkeypatch.setattr(trainer_module, "usable", lambda device: True)
    monkeypatch.setattr(trainer_module, "_number", number)
    monkeypatch.setattr(trainer_module, "fast_products", contextlib.nullcontext)
    monkeypatch.setattr(functions, "_masks", {})
    monkeypatch.setattr(Recipe, "validated", lambda self: self)  # it knows no such device
    with OneDevice():
        yield "meta"


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "muon"])
@pytest.mark.parametrize("recipe", [small(), small_gpt2()], ids=["modern", "gpt2"])
def test_every_tensor_of_a_step_is_on_the_device(
    pretended: str, recipe: Recipe, optimizer: str
) -> None:
    trainer = Trainer(recipe.but(device=pretended, optimizer=optimizer), TRAIN, HELD_OUT)
    trainer.step()
    trainer.evaluate()
    tensors = [*trainer.module.parameters(), *trainer.module.buffers(), *trainer._state()]
    assert {t.device.type for t in tensors} == {"meta"}
    assert {p.grad.device.type for p in trainer.module.parameters() if p.grad is not None} == {
        "meta"
    }
    assert {p.device.type for p in trainer.frozen_model().module.parameters()} == {"cpu"}


def test_the_pretended_device_notices_a_tensor_left_behind(
    pretended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(small(device=pretended), TRAIN, HELD_OUT)
    x, y = trainer._batches.batch(0)
    with pytest.raises(RuntimeError, match="devices"):
        trainer._gradients(x, y.to(pretended))


def test_a_device_that_is_not_there_is_never_offered_and_is_told() -> None:
    assert devices.available()[0] == "cpu"
    for name in {"cuda", "mps"} - set(GPUS):
        assert not devices.usable(name)
        with pytest.raises(LabError, match="processor"):
            Trainer(small(device=name), TRAIN, HELD_OUT)


@pytest.mark.parametrize("trouble", ["wrong numbers", "an operation is missing"])
def test_a_device_that_computes_something_else_is_left_out(
    monkeypatch: pytest.MonkeyPatch, expect_log: Callable[[str], None], trouble: str
) -> None:
    expect_log("The device cuda is left out")
    real = devices.try_step

    def step(device: str) -> tuple[float, float]:
        loss, norm = real("cpu")
        if device == "cpu":
            return loss, norm
        if trouble == "wrong numbers":
            return loss * 1.01, norm
        raise NotImplementedError("complex numbers")

    monkeypatch.setattr(devices, "_present", lambda device: True)
    monkeypatch.setattr(devices, "try_step", step)
    assert not devices.usable.__wrapped__("cuda")
    monkeypatch.setattr(devices, "try_step", lambda device: real("cpu"))
    assert devices.usable.__wrapped__("cuda")


def test_a_checkpoint_of_another_device_goes_on_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trainer = Trainer(small(), TRAIN, HELD_OUT)
    trainer.step()
    gone = next(name for name in ("mps", "cuda") if name not in GPUS)
    trainer.recipe = trainer.recipe.but(device=gone)
    trainer.save(tmp_path)
    trainer.recipe = trainer.recipe.but(device="cpu")
    loaded = Trainer.load(tmp_path, TRAIN, HELD_OUT)
    assert loaded.recipe.device == "cpu"
    assert loaded.step().loss == trainer.step().loss


@pytest.mark.skipif(not GPUS, reason=NO_GPU)
@pytest.mark.parametrize("recipe", [small(), small_gpt2()], ids=["modern", "gpt2"])
def test_one_step_agrees_with_the_processors(recipe: Recipe) -> None:
    here, there = (Trainer(recipe.but(device=d), TRAIN, HELD_OUT) for d in ("cpu", GPUS[0]))
    one, other = here.step(), there.step()
    assert other.loss == pytest.approx(one.loss, rel=1e-4)
    assert other.gradient_norm == pytest.approx(one.gradient_norm, rel=1e-3)
    mine, theirs = here._flat.gradients, there._flat.gradients.cpu()
    assert float((mine - theirs).norm() / mine.norm()) < 1e-3


@pytest.mark.skipif(not GPUS, reason=NO_GPU)
def test_runs_agree_statistically() -> None:
    """The same seeds on both: as far apart as two orders of adding up, not as two runs."""
    ends: dict[str, list[float]] = {}
    for device in ("cpu", GPUS[0]):
        for seed in range(4):
            trainer = Trainer(small(device=device, seed=seed, steps=60), TRAIN, HELD_OUT)
            *_, last = trainer.run()
            assert last.evaluation is not None
            ends.setdefault(device, []).append(last.evaluation.loss)
    here, there = (np.array(losses) for losses in ends.values())
    spread = float(np.std(here, ddof=1))
    assert abs(here.mean() - there.mean()) < 3 * spread / np.sqrt(len(here)) + 0.02


@pytest.mark.skipif(not GPUS, reason=NO_GPU)
def test_a_checkpoint_moves_between_devices(tmp_path: Path) -> None:
    trainer = Trainer(small(device=GPUS[0]), TRAIN, HELD_OUT)
    for _ in range(3):
        trainer.step()
    trainer.save(tmp_path)
    again = Trainer.load(tmp_path, TRAIN, HELD_OUT)
    assert again.recipe.device == GPUS[0] and again.step().loss == trainer.step().loss
