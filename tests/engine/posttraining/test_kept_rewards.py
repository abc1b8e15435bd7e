"""Rewards that somebody made are kept with a run: it goes on bit for bit, with nothing made again;
what is damaged or hostile is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from engine.errors import LabError
from engine.posttraining.checkpoints import TENSOR_FILE, load_run, save_run
from engine.posttraining.features import features_of
from engine.posttraining.kept_state import (
    STATE_FILE,
    KeptNeural,
    kept_terms,
    read_kept_reward,
)
from engine.posttraining.reward_files import content_of, describe_reward, restore_reward
from engine.posttraining.reward_model import FeatureReader, RewardModel, as_term
from engine.posttraining.reward_model_neural import PolicyReader
from engine.posttraining.rewards import RewardMix, terms_for
from engine.posttraining.rubric import Rubric, criteria_for
from engine.runs import Catalogue, RunDescription, export_run, import_run
from tests.engine.posttraining import judged
from tests.engine.posttraining.judged import (
    ECHO,
    EXACT,
    KINDS,
    LENGTH,
    a_run,
    next_updates,
    reward,
)
from tests.engine.posttraining.tiny import Echo, tiny_policy

TERMS = terms_for(ECHO)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("before", [0, 2])
def test_a_run_goes_on_bit_for_bit_with_nothing_made_again(
    tmp_path: Path, kind: str, before: int
) -> None:
    run = a_run(reward(kind))
    next_updates(run, before)
    save_run(run, tmp_path)
    task = Echo()  # a task of its own, as in another process
    loaded = load_run(tmp_path, task, terms_for(task))
    titles = [(term.title, weight) for term, weight in run.reward.terms]
    assert [(term.title, weight) for term, weight in loaded.reward.terms] == titles
    assert next_updates(loaded, 3) == next_updates(run, 3)
    save_run(loaded, tmp_path / "again")  # and a second time
    twice = load_run(tmp_path / "again", task, terms_for(task))
    assert next_updates(twice) == next_updates(run)


def test_a_process_that_has_made_nothing_goes_on_bit_for_bit(tmp_path: Path) -> None:
    expected = {}
    for kind in KINDS:
        run = a_run(reward(kind))
        next_updates(run)
        save_run(run, tmp_path / kind)
        expected[kind] = next_updates(run)
    done = subprocess.run(
        [sys.executable, "-m", judged.__name__, str(tmp_path), *KINDS],
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert json.loads(done.stdout) == json.loads(json.dumps(expected))


def test_the_reward_in_force_is_the_one_that_is_kept(tmp_path: Path) -> None:
    """Begun with one reward, changed twice while it ran."""
    run = a_run(RewardMix(((EXACT, 1.0),)))
    next_updates(run)
    run.reward = reward("linear")
    next_updates(run)
    neural, rubric = as_term(judged.model("neural", 5), 2), judged.rubric().as_term()
    run.reward = RewardMix(((EXACT, 0.0), (neural, -0.4), (LENGTH, 0.2), (rubric, 3.0)))
    next_updates(run)
    save_run(run, tmp_path)
    loaded = load_run(tmp_path, Echo(), TERMS)
    assert [w for _, w in loaded.reward.terms] == [0.0, -0.4, 0.2, 3.0]
    assert next_updates(loaded, 3) == next_updates(run, 3)


def test_a_run_travels_as_a_folder_with_its_reward(tmp_path: Path) -> None:
    here, there = Catalogue(tmp_path / "here"), Catalogue(tmp_path / "there")
    run = a_run(reward("mix"))
    kept = here.create(RunDescription("post-training", "A run", {}))
    kept.keep(0, lambda folder: save_run(run, folder))
    kept.mark("stopped", 0)
    export_run(here, kept.key, tmp_path / "out")
    taken = import_run(there, tmp_path / "out")
    loaded = load_run(taken.checkpoints[-1].folder, Echo(), TERMS)
    assert next_updates(loaded) == next_updates(run)


# ------------------------------------------------------------------- beside what there is now
def test_what_is_there_already_is_not_there_twice(tmp_path: Path) -> None:
    mix = reward("mix")
    mine = [term for term, _ in mix.terms if term.made is not None]
    save_run(a_run(mix), tmp_path)
    loaded = load_run(tmp_path, ECHO, (*TERMS, *mine)).reward
    assert [t for t, _ in loaded.terms if t.made is not None] == mine
    assert all(a is b for (a, _), (b, _) in zip(loaded.terms[2:], mix.terms[2:], strict=True))


def test_what_was_made_since_is_another_term(tmp_path: Path) -> None:
    """Even where its name and its sentence are the same."""
    mix = reward("linear")
    save_run(a_run(mix), tmp_path)
    since = as_term(judged.model("linear", 9), 1)
    kept = load_run(tmp_path, ECHO, (*TERMS, since)).reward.terms[-1][0]
    old = mix.terms[-1][0]
    assert since == old and kept not in (since, old)
    assert kept.key != since.key and kept.title == "Preferences"
    prompt, answer = ECHO.prompts(held_out=True)[0], judged.Answer("bb", True, 3)
    assert kept.score(prompt, answer) == old.score(prompt, answer) != since.score(prompt, answer)
    assert "kept with a run" in kept.sentence and kept.explain(prompt, answer).startswith("r = ")


def test_the_same_model_twice_stays_twice() -> None:
    model = judged.model("linear")
    twice = RewardMix(((as_term(model, 1), 1.0), (as_term(model, 2), 2.0)))
    rows, numbers = describe_reward(twice)
    for here in ((), (as_term(model, 1),)):
        again = restore_reward(rows, numbers, ECHO, here)
        assert len({term.key for term, _ in again.terms}) == 2
        assert [content_of(t) for t, _ in again.terms] == [content_of(t) for t, _ in twice.terms]


def test_content_tells_what_judges_otherwise() -> None:
    terms = [
        *(as_term(judged.model("linear", seed), 1) for seed in (0, 1)),
        *(as_term(judged.model("neural", seed), 1) for seed in (0, 1)),
        judged.rubric().as_term(),
    ]
    assert len({content_of(term) for term in terms}) == 5 and content_of(EXACT) == ""
    again = as_term(judged.model("neural", 1), 8)
    assert content_of(again) == content_of(terms[3])


# ------------------------------------------------------------------------------- old runs
def as_version_1(folder: Path) -> None:
    """The files as version 1 wrote them: terms by name alone."""
    state = json.loads((folder / STATE_FILE).read_text())
    rows = [[r["key"], r["title"], r["weight"]] for r in state["reward"]]
    (folder / STATE_FILE).write_text(json.dumps({**state, "version": 1, "reward": rows}))
    tensors = {n: t for n, t in load_file(folder / TENSOR_FILE).items() if "reward" not in n}
    save_file(tensors, folder / TENSOR_FILE)


def test_a_run_of_version_1_takes_the_terms_that_there_are(tmp_path: Path) -> None:
    run = a_run(reward("linear"))
    save_run(run, tmp_path)
    as_version_1(tmp_path)
    assert [t.made for t in read_kept_reward(tmp_path)] == [None, None, None]
    with pytest.raises(LabError, match="“Preferences”, which was not kept"):
        load_run(tmp_path, Echo(), TERMS)
    loaded = load_run(tmp_path, Echo(), (*TERMS, run.reward.terms[-1][0]))
    assert loaded.reward == run.reward and next_updates(loaded) == next_updates(run)
    save_run(loaded, tmp_path)  # from now on it is kept whole
    assert next_updates(load_run(tmp_path, Echo(), TERMS)) == next_updates(run)


def test_what_is_no_model_of_the_lab_is_named(tmp_path: Path) -> None:
    mine = replace(EXACT, key="mine", title="Mine", made=object())
    save_run(a_run(RewardMix(((mine, 1.0),))), tmp_path)
    with pytest.raises(LabError, match="“Mine”"):
        load_run(tmp_path, ECHO, TERMS)
    assert load_run(tmp_path, ECHO, (*TERMS, mine)).reward.terms[0][0] is mine


# ------------------------------------------------------------------------------ round trips
bounded = st.floats(-1e9, 1e9, allow_nan=False)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_linear_model_comes_back_bit_for_bit(data: st.DataObject) -> None:
    features = data.draw(st.lists(st.sampled_from(features_of(ECHO)), min_size=1, unique=True))
    k = len(features)

    def draw(low: float) -> np.ndarray[Any, np.dtype[np.float64]]:
        some = st.floats(low, 1e9, allow_nan=False)
        return np.array(data.draw(st.lists(some, min_size=k, max_size=k)))

    n, weight = data.draw(st.integers(1, 1_000_000)), data.draw(bounded)
    model = RewardModel(FeatureReader(tuple(features)), draw(-1e9), draw(1e-8), draw(-1e9), n)
    rows, numbers = describe_reward(RewardMix(((as_term(model, 3), weight),)))
    written = json.loads(json.dumps({"version": 2, "reward": [r.to_dict() for r in rows]}))
    assert kept_terms(written) == rows
    ((term, back),) = restore_reward(rows, numbers, ECHO, ()).terms
    assert isinstance(term.made, RewardModel) and back == weight
    assert term.made.comparisons == n and isinstance(term.made.reader, FeatureReader)
    assert [f.key for f in term.made.reader.features] == [f.key for f in features]
    for name in ("mean", "scale", "weights"):
        assert getattr(term.made, name).tobytes() == getattr(model, name).tobytes()


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_rubric_comes_back(data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(CRITERIA), min_size=1, unique=True))
    some = st.floats(0, 100)
    rubric_lines = tuple((c, data.draw(some)) for c in chosen)
    if not any(w for _, w in rubric_lines):
        return
    rubric = Rubric(rubric_lines)
    rows, numbers = describe_reward(RewardMix(((rubric.as_term(), 1.0),)))
    written = json.loads(json.dumps({"version": 2, "reward": [r.to_dict() for r in rows]}))
    assert kept_terms(written) == rows and not numbers
    ((term, _),) = restore_reward(rows, numbers, ECHO, ()).terms
    assert isinstance(term.made, Rubric)
    assert [(c.key, w) for c, w in term.made.used] == [(c.key, w) for c, w in rubric.used]
    assert term.sentence == rubric.as_term().sentence


CRITERIA = criteria_for(ECHO)


def test_a_reader_comes_back_with_every_parameter() -> None:
    rows, numbers = describe_reward(reward("neural"))
    assert isinstance(rows[-1].made, KeptNeural)
    term = restore_reward(rows, numbers, ECHO, TERMS).terms[-1][0]
    assert isinstance(term.made, RewardModel) and isinstance(term.made.reader, PolicyReader)
    one, other = term.made.reader.module, tiny_policy(7).module
    for (name, p), q in zip(one.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(p, q) and not p.requires_grad, name
