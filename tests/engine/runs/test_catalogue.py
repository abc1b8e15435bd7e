"""The catalogue of kept runs: listing, naming, deleting with undo, bounds, damage."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from engine.errors import LabError
from engine.files import write_json
from engine.runs import Catalogue, KeptRun, Limits, RunDescription, Source, differences
from engine.runs.description import State, is_alive, this_process

ABOUT = RunDescription(
    kind="training",
    title="Modern, small",
    settings={"layers": 2, "learning_rate": 0.02, "tied": False, "ffn": "relu2", "cap": math.inf},
    steps=100,
    seed=3,
    sources={"Text": Source("Stories", "f1"), "Tokenizer": Source("Bytes", "f2")},
    details={"prompt": "The"},
)


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(tmp_path / "runs")


def ended(catalogue: Catalogue, title: str = "a run", size: int = 0, steps: int = 3) -> KeptRun:
    """A run that was trained and stopped, with checkpoints of ``size`` bytes."""
    run = catalogue.create(RunDescription("training", title, {}, created=1.0))
    table = run.table("steps", ("step", "loss"))
    for step in range(1, steps + 1):
        table.append((step, 1 / step))
        run.keep(step, lambda folder: (folder / "x").write_bytes(b"x" * size), 1 / step)
    run.mark("stopped", steps, {"held_out": 1 / steps})
    return run


def abandoned(catalogue: Catalogue) -> KeptRun:
    """A run whose process is no more."""
    run = ended(catalogue)
    run.mark("running", 3)
    state = run.folder / "state.json"
    state.write_text(state.read_text().replace(str(os.getpid()), "999999999"))
    return run


def test_a_run_is_listed_as_it_was_begun(catalogue: Catalogue) -> None:
    assert catalogue.runs().runs == ()
    run = catalogue.create(ABOUT)
    [found] = catalogue.runs("training").runs
    assert found.description.settings == ABOUT.settings
    assert found.description.created > 1.7e9
    assert (found.name, found.mark, found.step, found.checkpoints) == (
        "Modern, small",
        "running",
        0,
        (),
    )
    assert catalogue.runs("post-training").runs == ()
    run.table("steps", ("step", "loss")).append((1, 0.5))
    run.keep(1, lambda f: (f / "x").write_text("y"), 0.25, {"held_out": 0.25, "odd": math.inf})
    run.mark("finished", 1)
    [found] = catalogue.runs().runs
    assert (found.mark, found.step, dict(found.figures)) == (
        "finished",
        1,
        {"held_out": 0.25, "odd": math.inf},
    )
    assert [(c.step, c.loss) for c in found.checkpoints] == [(1, 0.25)]
    assert catalogue.curves(run.key)["steps"]["loss"].tolist() == [0.5]


def test_runs_are_listed_in_the_order_of_their_beginning(catalogue: Catalogue) -> None:
    keys = [catalogue.create(ABOUT).key for _ in range(5)]
    assert [r.key for r in catalogue.runs().runs] == keys == sorted(set(keys))


def test_what_a_person_says_is_kept_apart_from_the_run(catalogue: Catalogue) -> None:
    run = ended(catalogue)
    catalogue.rename(run.key, "  the best\none ")
    catalogue.set_note(run.key, "with <b>care</b>\n")
    catalogue.pin(run.key)
    run.mark("finished", 9)  # what trains it knows nothing of that
    found = catalogue.summary(run.key)
    assert (found.name, found.note, found.pinned, found.step) == (
        "the best one",
        "with <b>care</b>\n",
        True,
        9,
    )
    catalogue.rename(run.key, "")
    catalogue.pin(run.key, False)
    assert (catalogue.summary(run.key).name, catalogue.summary(run.key).pinned) == ("a run", False)
    with pytest.raises(LabError, match="200 characters"):
        catalogue.rename(run.key, "x" * 201)
    with pytest.raises(LabError, match="20,000 characters"):
        catalogue.set_note(run.key, "x" * 20_001)


def test_a_deleted_run_comes_back_whole_until_the_next_start(catalogue: Catalogue) -> None:
    run = ended(catalogue, size=10)
    before = {p.relative_to(run.folder): p.stat().st_size for p in run.folder.rglob("*")}
    catalogue.delete(run.key)
    assert catalogue.runs().runs == ()
    assert [r.key for r in catalogue.deleted().runs] == [run.key]
    with pytest.raises(LabError, match="no longer there"):
        catalogue.curves(run.key)
    catalogue.restore(run.key)
    after = {p.relative_to(run.folder): p.stat().st_size for p in run.folder.rglob("*")}
    assert after == before and catalogue.summary(run.key).step == 3
    catalogue.delete(run.key)
    catalogue.empty_trash()
    with pytest.raises(LabError, match="for good"):
        catalogue.restore(run.key)


def test_a_run_that_is_running_is_not_deleted(catalogue: Catalogue) -> None:
    run = catalogue.create(ABOUT)
    with pytest.raises(LabError, match="Stop it"):
        catalogue.delete(run.key)
    run.mark("stopped", 0)
    catalogue.delete(run.key)


@pytest.mark.parametrize("key", ["..", "../..", "", "20260101-000000-00000g", "a/b", "shared"])
def test_keys_lead_nowhere_else(catalogue: Catalogue, key: str) -> None:
    ended(catalogue)
    for ask in (catalogue.delete, catalogue.restore, catalogue.curves, catalogue.open):
        with pytest.raises(LabError):
            ask(key)
    assert len(catalogue.runs().runs) == 1


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", "[" * 100_000, '{"version": 1, "title": "older"}', "\x00" * 99]
)
def test_a_damaged_run_is_skipped_with_a_sentence(catalogue: Catalogue, text: str) -> None:
    good, bad = ended(catalogue), ended(catalogue)
    (bad.folder / "run.json").write_text(text)
    listing = catalogue.runs()
    assert [r.key for r in listing.runs] == [good.key]
    [sentence] = listing.damaged
    assert bad.key in sentence and "left out" in sentence
    with pytest.raises(LabError):
        catalogue.open(bad.key)
    (bad.folder / "run.json").unlink()
    assert len(catalogue.runs().damaged) == 1


@pytest.mark.parametrize("name", ["settings", "kind", "sources", "created", "attachments"])
@pytest.mark.parametrize("value", ["null", "7", '["a"]', '{"a": {}}', "-1e999"])
def test_descriptions_from_others_are_checked(catalogue: Catalogue, name: str, value: str) -> None:
    run = ended(catalogue)
    path = run.folder / "run.json"
    data = json.loads(path.read_text())
    data[name] = json.loads(value)
    path.write_text(json.dumps(data))
    if name == "created" and value == "7":
        assert catalogue.summary(run.key).description.created == 7
    else:
        assert catalogue.runs().damaged


def test_damaged_cards_and_states_lose_only_what_they_said(catalogue: Catalogue) -> None:
    run = ended(catalogue)
    (run.folder / "card.json").write_text("{")
    (run.folder / "state.json").write_text('{"mark": 3}')
    found = catalogue.summary(run.key)
    assert (found.name, found.pinned, found.mark) == ("a run", False, "interrupted")
    assert found.checkpoint_step == 3


def test_other_things_in_the_folder_are_left_alone(catalogue: Catalogue) -> None:
    run = ended(catalogue)
    for name in ("notes", "20250101-000000-holiday"):
        (catalogue.folder / name).mkdir()
        (catalogue.folder / name / "mine.txt").write_text("precious")
    mine = catalogue.folder / "20250101-000000-abcdef"
    mine.mkdir()
    (mine / "mine.txt").write_text("precious")
    assert [r.key for r in catalogue.runs().runs] == [run.key]
    Catalogue(catalogue.folder, Limits(runs=1, bytes=1)).make_room()
    assert len(list(catalogue.folder.glob("*/mine.txt"))) == 3


def test_the_oldest_runs_make_room_but_never_pinned_or_interrupted_ones(
    catalogue: Catalogue,
) -> None:
    pinned, lost, old, newer, newest = (
        ended(catalogue, "pinned"),
        abandoned(catalogue),
        ended(catalogue, "old"),
        ended(catalogue, "newer"),
        ended(catalogue, "newest"),
    )
    catalogue.pin(pinned.key)
    small = Catalogue(catalogue.folder, Limits(runs=3))
    sentences = small.make_room((newest.key,))
    assert [s.split("“")[1].split("”")[0] for s in sentences] == ["old", "newer"]
    assert [r.key for r in small.runs().runs] == [pinned.key, lost.key, newest.key]
    assert old.key != newer.key
    assert Catalogue(catalogue.folder, Limits(runs=1)).make_room((newest.key,)) == ()


def test_checkpoints_go_before_runs_do(catalogue: Catalogue) -> None:
    first, second = ended(catalogue, size=10_000), ended(catalogue, size=10_000)
    tight = Catalogue(catalogue.folder, Limits(bytes=55_000))
    assert tight.make_room() == ()
    steps = [[c.step for c in r.checkpoints] for r in tight.runs().runs]
    assert steps == [[3], [1, 2, 3]]
    assert len(tight.curves(first.key)["steps"]) == 3
    [sentence] = Catalogue(catalogue.folder, Limits(bytes=15_000)).make_room((second.key,))
    assert "a run" in sentence
    assert [r.key for r in tight.runs().runs] == [second.key]


def test_the_trash_makes_room_first(catalogue: Catalogue) -> None:
    gone, kept = ended(catalogue, size=10_000), ended(catalogue, size=10_000)
    catalogue.delete(gone.key)
    assert Catalogue(catalogue.folder, Limits(bytes=40_000)).make_room() == ()
    assert catalogue.deleted().runs == ()
    assert [c.step for c in catalogue.summary(kept.key).checkpoints] == [1, 2, 3]


def test_shared_files_are_kept_once_and_as_long_as_a_run_needs_them(catalogue: Catalogue) -> None:
    name = catalogue.store.put(b"text", "txt")
    assert catalogue.store.put(b"text", "txt") == name
    other = catalogue.store.put(b"other", "txt")
    run = catalogue.create(RunDescription("training", "t", {}, attachments={"text": name}))
    run.mark("stopped", 0)
    catalogue.delete(run.key)  # it can come back
    catalogue._drop_unshared()
    assert catalogue.store.get(name) == b"text"
    with pytest.raises(LabError, match="couldn't be read"):
        catalogue.store.get(other)
    catalogue.store.path(name).write_bytes(b"tixt")
    with pytest.raises(LabError, match="damaged"):
        catalogue.store.get(name)
    with pytest.raises(LabError, match="no name"):
        catalogue.store.get("../run.json")
    catalogue.empty_trash()
    assert list(catalogue.store.folder.iterdir()) == []


def test_a_process_that_died_leaves_an_interrupted_run(catalogue: Catalogue) -> None:
    code = f"""
import os, signal, pathlib
from engine.runs import Catalogue, RunDescription
catalogue = Catalogue(pathlib.Path({str(catalogue.folder)!r}))
run = catalogue.create(RunDescription("training", "t", {{}}))
run.keep(7, lambda folder: (folder / "x").write_text("x"))
os.kill(os.getpid(), signal.SIGKILL)
"""
    process = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert process.returncode == -9
    [found] = catalogue.interrupted("training")
    assert (found.mark, found.step, found.checkpoint_step) == ("interrupted", 7, 7)
    assert catalogue.interrupted("post-training") == ()
    catalogue.settle(found.key)
    assert catalogue.interrupted("training") == ()
    assert catalogue.summary(found.key).mark == "stopped"


def test_another_processs_run_is_not_taken_over(catalogue: Catalogue) -> None:
    run = catalogue.create(ABOUT)
    assert catalogue.open(run.key).key == run.key  # this process may
    state = State("running", process=(os.getppid(), _start(os.getppid())))
    write_json(run.folder / "state.json", state.to_dict())
    assert catalogue.summary(run.key).mark == "running"
    with pytest.raises(LabError, match="Another window"):
        catalogue.open(run.key)


def _start(pid: int) -> int:
    return int(psutil.Process(pid).create_time())


def test_a_process_is_named_for_good() -> None:
    pid, start = this_process()
    assert is_alive((pid, start))
    assert not is_alive((pid, start - 1000))  # another one had this id then
    assert not is_alive((-5, start)) and not is_alive((2**70, start))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="makes a zombie by forking")
def test_a_process_that_is_dead_and_not_yet_buried_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = (child.pid, int(psutil.Process(child.pid).create_time()))
    assert is_alive(name)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and stays a zombie
    assert not is_alive(name)
    child.communicate()


def test_places_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    blocked = Catalogue(tmp_path / "file" / "runs")
    assert blocked.runs().runs == () and blocked.make_room() == ()
    with pytest.raises(LabError, match="could not be written"):
        blocked.create(ABOUT)


def test_differences_name_sources_and_settings() -> None:
    assert differences(ABOUT, replace(ABOUT, title="other", created=5.0)) == ()
    other = replace(
        ABOUT,
        settings={**ABOUT.settings, "layers": 3, "tied": 0, "new": "x"},
        seed=4,
        sources={"Text": Source("Stories", "f9"), "Tokenizer": Source("renamed", "f2")},
    )
    found = [(d.knob, d.label, d.a, d.b) for d in differences(ABOUT, other, {"layers": "Layers"})]
    assert found == [
        ("Text", "Text", "Stories", "Stories"),
        ("seed", "seed", 3, 4),
        ("layers", "Layers", 2, 3),
        ("tied", "tied", False, 0),
        ("new", "new", None, "x"),
    ]
