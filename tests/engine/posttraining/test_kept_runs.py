"""A run that was saved goes on bit for bit; what is damaged is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import LabError
from engine.posttraining.checkpoints import STATE_FILE, TENSOR_FILE, load_run, save_run
from engine.posttraining.grpo import GRPO
from engine.posttraining.record_files import COLUMNS, record_from_dict, record_to_dict, row_of
from engine.posttraining.rewards import TERMS, RewardMix
from engine.posttraining.settings import GRPOSettings
from engine.posttraining.tasks import Sums
from tests.engine.posttraining.tiny import Echo, tiny_policy

EXACT, PARTIAL, FORMAT, LENGTH = TERMS
MIX = RewardMix(((EXACT, 1.0), (LENGTH, -0.1)))
SETTINGS = GRPOSettings(prompts=4, group=4, beta=0.1, penalty="reward", seed=3)


def a_run() -> GRPO:
    return GRPO(tiny_policy(1), Echo(), MIX, SETTINGS)


@pytest.mark.parametrize("before", [0, 2])
def test_a_saved_run_goes_on_bit_for_bit(tmp_path: Path, before: int) -> None:
    straight, run = a_run(), a_run()
    for _ in range(before):
        straight.update(), run.update()
    save_run(run, tmp_path)
    loaded = load_run(tmp_path, Echo(), TERMS)
    assert loaded.update_count == before and loaded.settings == SETTINGS
    assert loaded.reward == MIX
    for _ in range(3):
        one, two = record_to_dict(straight.update()), record_to_dict(loaded.update())
        one["numbers"][-1] = two["numbers"][-1] = 0  # seconds
        assert one == two


def test_a_record_comes_back_as_it_was() -> None:
    record = a_run().update()
    again = record_from_dict(json.loads(json.dumps(record_to_dict(record))))
    assert row_of(again) == row_of(record) and len(COLUMNS) == len(row_of(record))
    assert (again.terms, again.reward_mix) == (record.terms, record.reward_mix)
    assert again.group.prompt == record.group.prompt
    assert again.group.answers == record.group.answers
    assert again.group.tokens == record.group.tokens
    for name in ("terms", "true_scores", "rewards", "advantages"):
        assert np.array_equal(getattr(again.group, name), getattr(record.group, name))
    for name in ("before", "reference", "after"):
        for one, two in zip(getattr(again.group, name), getattr(record.group, name), strict=True):
            assert np.array_equal(one, two)
    assert isinstance(again.update, int) and isinstance(again.tokens, int)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("numbers", [1.0]),
        ("answers", []),
        ("tokens", [[1]]),
        ("rewards", [[1.0]]),
        ("prompt", [1, 2]),
        ("before", [["x"]]),
        ("mix", None),
        ("terms", [1.0]),
    ],
)
def test_a_damaged_record_is_refused(field: str, value: Any) -> None:
    data = record_to_dict(a_run().update())
    with pytest.raises(LabError, match="damaged"):
        record_from_dict({**data, field: value})
    del data[field]
    with pytest.raises(LabError, match="damaged"):
        record_from_dict(data)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 99),
        ("settings", {"group": "many"}),
        ("settings", {"unheard_of": 1}),
        ("config", {}),
        ("updates", -1),
        ("sampling", "zz"),
        ("sampling", "00"),
        ("prompts", {"bit_generator": "MT19937"}),
        ("prompts", None),
        ("reward", [["exact"]]),
    ],
)
def test_a_damaged_state_is_refused(tmp_path: Path, field: str, value: Any) -> None:
    save_run(a_run(), tmp_path)
    state = json.loads((tmp_path / STATE_FILE).read_text())
    (tmp_path / STATE_FILE).write_text(json.dumps({**state, field: value}))
    with pytest.raises(LabError):
        load_run(tmp_path, Echo(), TERMS)


def test_another_task_a_lost_term_and_lost_tensors_are_told(tmp_path: Path) -> None:
    save_run(a_run(), tmp_path)
    with pytest.raises(LabError, match="another task"):
        load_run(tmp_path, Sums(), TERMS)
    with pytest.raises(LabError, match="“Length”, which was not kept"):
        load_run(tmp_path, Echo(), (EXACT,))
    data = (tmp_path / TENSOR_FILE).read_bytes()
    (tmp_path / TENSOR_FILE).write_bytes(data[:-10])
    with pytest.raises(LabError):
        load_run(tmp_path, Echo(), TERMS)
