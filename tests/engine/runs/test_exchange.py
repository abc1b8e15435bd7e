"""A run given away and taken in again: whole, checked, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import LabError
from engine.runs import Catalogue, RunDescription, export_run, import_run


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(tmp_path / "runs")


def a_run(catalogue: Catalogue) -> str:
    text = catalogue.store.put(b"the text", "txt")
    about = RunDescription("training", "given", {"layers": 2}, attachments={"text": text})
    run = catalogue.create(about)
    table = run.table("steps", ("step", "loss"))
    for step, loss in enumerate((3.0, 1.0, 2.0)):
        table.append((step, loss))
        run.keep(step, lambda f: (f / "x.bin").write_bytes(os.urandom(9)), loss, {"held_out": loss})
    catalogue.rename(run.key, "mine")
    return run.key


def test_what_is_given_away_comes_back_the_same(catalogue: Catalogue, tmp_path: Path) -> None:
    key = a_run(catalogue)
    folder = export_run(catalogue, key, tmp_path / "given")
    names = sorted(p.name for p in folder.iterdir())
    assert names == [
        "card.json", "run.json", "shared", "state.json", "step-00000001", "step-00000002",
        "steps.jsonl",
    ]  # fmt: skip
    other = Catalogue(tmp_path / "another computer")
    taken = import_run(other, folder)
    mine = catalogue.summary(key)
    assert taken.description == mine.description and taken.name == "mine"
    assert (taken.mark, mine.mark) == ("stopped", "running")
    assert taken.figures == mine.figures
    assert other.curves(taken.key)["steps"]["loss"].tolist() == [3.0, 1.0, 2.0]
    for one, its in zip(taken.checkpoints, mine.checkpoints[1:], strict=True):
        assert (one.step, one.loss) == (its.step, its.loss)
        assert (one.folder / "x.bin").read_bytes() == (its.folder / "x.bin").read_bytes()
    [name] = taken.description.attachments.values()
    assert other.store.get(name) == b"the text"
    again = import_run(other, folder)
    assert len(other.runs().runs) == 2 and again.key != taken.key


def test_nothing_is_written_over(catalogue: Catalogue, tmp_path: Path) -> None:
    key = a_run(catalogue)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("precious")
    (tmp_path / "file").write_text("precious")
    (tmp_path / "empty").mkdir()
    for name, why in (("full", "holds something"), ("file", "holds something"), ("file/a", "not")):
        with pytest.raises(LabError, match=why):
            export_run(catalogue, key, tmp_path / name)
    export_run(catalogue, key, tmp_path / "empty")
    assert (tmp_path / "file").read_text() == (tmp_path / "full" / "mine").read_text()
    assert not list(tmp_path.glob(".new*"))


def swapped(folder: Path) -> None:
    [path] = (folder / "shared").iterdir()
    path.write_bytes(b"another text")


def lost(folder: Path) -> None:
    [path] = (folder / "shared").iterdir()
    path.unlink()


def leading_out(folder: Path) -> None:
    path = folder / "run.json"
    [name] = (folder / "shared").iterdir()
    path.write_text(path.read_text().replace(name.name, "../../secret.txt"))


def linked(folder: Path) -> None:
    (folder / "steps.jsonl").unlink()
    (folder / "steps.jsonl").symlink_to("/etc/hostname")


def deep_link(folder: Path) -> None:
    (folder / "step-00000002" / "y").symlink_to("/etc/hostname")


def crowded(folder: Path) -> None:
    for n in range(70):
        (folder / f"t{n}.jsonl").write_text("")


def no_run(folder: Path) -> None:
    (folder / "run.json").write_text('{"format": "something else"}')


@pytest.mark.parametrize(
    "harm",
    [swapped, lost, leading_out, linked, deep_link, crowded, no_run],
    ids=lambda f: f.__name__,
)
def test_a_folder_that_was_tampered_with_is_refused_whole(
    catalogue: Catalogue, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    folder = export_run(catalogue, a_run(catalogue), tmp_path / "given")
    harm(folder)
    other = Catalogue(tmp_path / "other")
    with pytest.raises(LabError):
        import_run(other, folder)
    assert other.runs().runs == () and not list(other.folder.glob(".new*"))


def test_what_no_run_has_is_left_where_it_is(catalogue: Catalogue, tmp_path: Path) -> None:
    folder = export_run(catalogue, a_run(catalogue), tmp_path / "given")
    (folder / "virus.exe").write_text("x")
    (folder / "more").mkdir()
    taken = import_run(Catalogue(tmp_path / "other"), folder)
    assert not list(taken.folder.rglob("virus*")) and not (taken.folder / "more").exists()


def test_places_that_are_not_there_are_told(catalogue: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no run"):
        import_run(catalogue, tmp_path / "none")
    with pytest.raises(LabError, match="no longer there"):
        export_run(catalogue, "20260101-000000-000000", tmp_path / "a")
