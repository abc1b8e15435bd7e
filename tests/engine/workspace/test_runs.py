"""Trained runs in a workspace: they need torch, unlike everything else there."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from engine.errors import LabError
from engine.models.transformer import TransformerConfig, TransformerModel
from engine.training import Recipe, Trainer
from engine.workspace import (
    MAX_RUNS,
    TokenizerSpec,
    TrainedRun,
    Workspace,
    load,
    make_tokenizer,
    save,
)
from tests.engine.workspace.texts import OTHER, corpus_of, filled


def trainer_for(workspace: Workspace) -> Trainer:
    streams = workspace.streams()
    recipe = Recipe(layers=1, heads=1, width=8, context=8, batch_size=2, steps=4, eval_every=2)
    return Trainer(recipe, streams.train, streams.held_out)


def untrained(workspace: Workspace, name: str = "Tiny") -> TrainedRun:
    assert workspace.tokenizer is not None
    streams = workspace.streams()
    config = TransformerConfig(
        vocab_size=streams.train.vocab_size, context=8, layers=1, heads=1, width=8
    )
    return TrainedRun(
        name=name,
        model=TransformerModel.untrained(config),
        tokenizer=workspace.tokenizer,
        made_from=streams.made_from,
        facts={"Recipe": "none", "Steps": "0"},
    )


def test_runs_come_back_with_their_own_tokenizer(tmp_path: Path) -> None:
    workspace = filled(TokenizerSpec("bytes"))
    assert workspace.corpus is not None
    run = workspace.add_run(untrained(workspace))
    workspace.adopt_tokenizer(make_tokenizer(TokenizerSpec("characters"), workspace.corpus))
    save(workspace, tmp_path)
    again = load(tmp_path).workspace
    (loaded,) = again.runs
    assert (loaded.name, loaded.facts, loaded.made_from) == (run.name, run.facts, run.made_from)
    assert not loaded.resumable
    assert loaded.tokenizer.fingerprint == run.tokenizer.fingerprint
    assert again.tokenizer is not None
    assert again.tokenizer.fingerprint != run.tokenizer.fingerprint
    ids = loaded.tokenizer.tokenizer.encode("The cat")
    np.testing.assert_array_equal(loaded.model.log_probs(ids), run.model.log_probs(ids))


def test_a_run_saved_with_its_trainer_goes_on_where_it_stood(tmp_path: Path) -> None:
    workspace = filled()
    trainer = trainer_for(workspace)
    trainer.step()
    run = dataclasses.replace(
        untrained(workspace), model=trainer.frozen_model(), saved=trainer, name="Going on"
    )
    workspace.add_run(run)
    (kept,) = save(workspace, tmp_path)
    assert kept.resumable
    again = load(tmp_path).workspace
    (loaded,) = again.runs
    assert loaded.resumable and loaded.folder is not None
    streams = again.streams()
    resumed = Trainer.load(loaded.folder, streams.train, streams.held_out)
    assert resumed.step_count == 1
    assert resumed.step().loss == trainer.step().loss


def test_files_of_a_saved_run_are_not_written_twice_but_copied_elsewhere(tmp_path: Path) -> None:
    workspace = filled()
    workspace.add_run(untrained(workspace))
    workspace.adopt_saved(save(workspace, tmp_path / "one"))
    folder = workspace.runs[0].folder
    assert folder is not None
    save(workspace, tmp_path / "one")
    assert [p.name for p in (tmp_path / "one" / "parts").glob("run-*")] == [folder.name]
    save(workspace, tmp_path / "two")
    (copied,) = load(tmp_path / "two").workspace.runs
    np.testing.assert_array_equal(
        copied.model.next_log_probs([1]), workspace.runs[0].model.next_log_probs([1])
    )
    for file in sorted(folder.iterdir()):  # the user throws the first one away
        file.unlink()
    folder.rmdir()
    save(workspace, tmp_path / "three")
    assert len(load(tmp_path / "three").workspace.runs) == 1


def test_a_removed_run_loses_its_files_at_the_next_save(tmp_path: Path) -> None:
    workspace = filled()
    workspace.add_run(untrained(workspace, "a"))
    workspace.add_run(untrained(workspace, "b"))
    saved = save(workspace, tmp_path)
    workspace.remove_run("a")
    workspace.adopt_saved(saved)
    assert [run.name for run in workspace.runs] == ["b"]
    save(workspace, tmp_path)
    assert len(list((tmp_path / "parts").glob("run-*"))) == 1
    assert [run.name for run in load(tmp_path).workspace.runs] == ["b"]


def test_names_are_made_distinct_and_runs_are_bounded() -> None:
    workspace = filled()
    run = untrained(workspace, "a")
    assert [workspace.add_run(run).name for _ in range(3)] == ["a", "a (2)", "a (3)"]
    assert workspace.run("a (2)") is workspace.runs[1]
    assert workspace.run("z") is None
    for _ in range(MAX_RUNS - 3):
        workspace.add_run(run)
    with pytest.raises(LabError, match="Remove some first"):
        workspace.add_run(run)


def test_a_run_is_out_of_date_with_its_text_or_tokenizer_but_stays_usable() -> None:
    workspace = filled(TokenizerSpec("bytes"))
    workspace.add_run(untrained(workspace))
    assert workspace.outdated() == []
    by_text = workspace.outdated_by(corpus_of(OTHER)[1])[-1]
    by_tokens = workspace.outdated_by(TokenizerSpec("words"))[-1]
    for outdated in (by_text, by_tokens):
        assert (outdated.what, outdated.name) == ("run", "Tiny")
        assert outdated.still_usable and outdated.costly
    assert by_text.reason == "It was trained on “Your own text”."
    assert by_tokens.reason == "It was trained with the tokens of “UTF-8 bytes”."
    assert "bits per byte" in by_tokens.advice
    assert "bits per byte" not in by_text.advice


def test_damaged_or_mismatched_runs_are_refused(tmp_path: Path) -> None:
    workspace = filled()
    workspace.add_run(untrained(workspace))
    save(workspace, tmp_path)
    description = tmp_path / "workspace.json"
    good = description.read_text()
    (part,) = (tmp_path / "parts").glob("run-*")

    value = json.loads(good)
    value["runs"][0]["tokenizer"] = "0" * 64
    description.write_text(json.dumps(value))
    with pytest.raises(LabError, match="names a tokenizer that it does not hold"):
        load(tmp_path)
    for wrong in ("../run-0123456789abcdef", "run-0123456789abcdef", 3):
        value = json.loads(good)
        value["runs"][0]["folder"] = wrong
        description.write_text(json.dumps(value))
        with pytest.raises(LabError):
            load(tmp_path)
    value = json.loads(good)
    value["runs"][0]["facts"] = [["only one"]]
    description.write_text(json.dumps(value))
    with pytest.raises(LabError, match="not a pair"):
        load(tmp_path)

    description.write_text(good)
    for file in part.iterdir():
        data = file.read_bytes()
        for damaged in (data[: len(data) // 2], b"", b"\x80\x04cposix\nsystem\n."):
            file.write_bytes(damaged)
            with pytest.raises(LabError):
                load(tmp_path)
        file.write_bytes(data)
    config = TransformerConfig(vocab_size=9, context=8, layers=1, heads=1, width=8)
    TransformerModel.untrained(config).save(part)
    with pytest.raises(LabError, match="does not fit the tokenizer"):
        load(tmp_path)
    (part / "folder").mkdir()
    with pytest.raises(LabError, match="holds other things than a model"):
        load(tmp_path)
