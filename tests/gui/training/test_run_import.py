"""A run taken in from a folder, through the real window: a good one, and those that are not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QDialog

from engine.runs import Catalogue, RunDescription, export_run
from engine.text import library
from engine.training import Trainer
from engine.training.comparing import read_curves
from engine.training.runs import Recorder, describe
from gui.application import Application
from gui.kept_runs import catalogue
from gui.offscreen import settle, wait_until
from gui.tabs import TABS
from gui.training.compare_page import ComparePage
from tests.gui.training.conftest import LONG_WAIT_MS, a_recipe

SECONDS = LONG_WAIT_MS / 1000


@pytest.fixture
def app(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    monkeypatch.setattr(library, "STORY_BYTES", 30_000)
    made = Application(qapp, TABS)
    made.start()
    wait_until(lambda: made.lab.ngram is not None, SECONDS, "the first text")
    made.window.show_tab("training")
    made.window.tab("training").show_page("compare")
    settle(made, SECONDS)
    yield made
    made.close()
    made.dismantle()
    assert made.clean


@pytest.fixture
def page(app: Application) -> ComparePage:
    found = app.window.tab("training").pages.page("compare")
    assert isinstance(found, ComparePage)
    return found


@pytest.fixture
def exported(app: Application, tmp_path: Path) -> Path:
    """A folder with a run that somebody else trained."""
    streams, tokenizer = app.lab.streams, app.lab.tokenizer
    assert streams is not None and tokenizer is not None
    trainer = Trainer(a_recipe(6, 3), streams.train, streams.held_out)
    for _ in trainer.run():
        pass
    theirs = Catalogue(tmp_path / "theirs")
    run = theirs.create(describe(a_recipe(6, 3), "from afar", streams, tokenizer, theirs.store))
    Recorder(run).end("finished", trainer)
    return export_run(theirs, run.key, tmp_path / "given")


def taken(page: ComparePage, folder: Path) -> str:
    """What is said once a folder was chosen in the button's own dialog."""
    page.imported.clear()
    page.import_.click()
    [dialog] = [d for d in page.window().findChildren(QDialog) if d.isVisible()]
    dialog.fileSelected.emit(str(folder))
    dialog.close()
    wait_until(lambda: bool(page.imported.text), SECONDS, "an answer")
    assert page.imported.isVisible()
    return page.imported.text


def test_a_run_from_elsewhere_is_listed_drawn_and_held_against_mine(
    page: ComparePage, exported: Path, app: Application
) -> None:
    assert taken(page, exported) == "“from afar” was taken in." and page.imported.tone == "good"
    wait_until(lambda: page.plot.series_names() == ["from afar"], SECONDS, "its curve")
    [run] = catalogue().runs("training").runs
    assert run.mark == "finished" and run.step == 6
    assert read_curves(catalogue(), run.key).steps["step"].tolist() == [1, 2, 3, 4, 5, 6]
    settle(app, SECONDS)
    assert page.imported.isVisible()  # reading the list again takes nothing back
    taken(page, exported)
    wait_until(lambda: page.table.rowCount() == 2, SECONDS, "it a second time")


def edited(folder: Path, name: str, change: Callable[[dict[str, Any]], Any]) -> None:
    data = json.loads((folder / name).read_text("utf-8"))
    change(data)
    (folder / name).write_text(json.dumps(data), "utf-8")


def nothing(folder: Path) -> None:
    (folder / "run.json").unlink()


def noise(folder: Path) -> None:
    (folder / "run.json").write_bytes(bytes(range(256)) * 40)


def deep(folder: Path) -> None:
    (folder / "run.json").write_text("[" * 100_000)


def later(folder: Path) -> None:
    edited(folder, "run.json", lambda d: d.update(version=99))


def settings(folder: Path) -> None:
    edited(folder, "run.json", lambda d: d["settings"].update(layers=10**9))


def no_settings(folder: Path) -> None:
    edited(folder, "run.json", lambda d: d.update(settings={}))


def link(folder: Path) -> None:
    (folder / "steps.jsonl").unlink()
    (folder / "steps.jsonl").symlink_to("/etc/hostname")


def text_gone(folder: Path) -> None:
    for path in (folder / "shared").iterdir():
        path.unlink()


def outside(folder: Path) -> None:
    edited(folder, "run.json", lambda d: d["attachments"].update(texts="../../../etc/passwd"))


def crowd(folder: Path) -> None:
    for n in range(100):
        (folder / f"t{n}.jsonl").write_text("")


HOSTILE = (
    nothing, noise, deep, later, settings, no_settings, link, text_gone, outside, crowd,
)  # fmt: skip


def test_what_is_no_run_or_a_damaged_one_is_refused_in_place(
    page: ComparePage, exported: Path, tmp_path: Path, app: Application
) -> None:
    for harm in HOSTILE:
        folder = tmp_path / harm.__name__
        shutil.copytree(exported, folder)
        harm(folder)
        said = taken(page, folder)
        assert said.startswith("Nothing was taken in. ") and len(said) < 400, (harm, said)
        assert page.imported.tone == "error", harm
        assert not catalogue().runs().runs, harm
    assert "Nothing was taken in" in taken(page, tmp_path / "is not there")
    settle(app, SECONDS)
    assert page.table.rowCount() == 0 and not list(catalogue().folder.glob(".new-*"))


def test_markup_and_endless_names_stay_text_and_keep_the_window_small(
    page: ComparePage, exported: Path, app: Application
) -> None:
    name = "<img src='x'>\n\u202e" + "long " * 3000
    edited(exported, "run.json", lambda d: d.update(title=name))
    edited(
        exported,
        "state.json",
        lambda d: d["figures"].update(held_out=1e300, seconds=-1e300),
    )
    (exported / "steps.jsonl").write_text('["step","loss"]\n["x", {}]\n"y"\n', "utf-8")
    width = app.window.minimumSizeHint().width()
    taken(page, exported)
    wait_until(lambda: page.table.rowCount() == 1, SECONDS, "the run")
    settle(app, SECONDS)
    page.table.selectRow(0)
    assert app.window.minimumSizeHint().width() <= width
    assert len(page.plot.series_names()[0]) < 60 and len(page.imported.text) < 400
    assert all(len(page.table.item(0, c).text()) < 400 for c in range(1, 10))


def test_a_run_of_another_tab_is_taken_in_and_said_to_be_one(
    page: ComparePage, tmp_path: Path
) -> None:
    theirs = Catalogue(tmp_path / "theirs")
    run = theirs.create(RunDescription("post-training", "sums", {}))
    run.mark("stopped", 3)
    said = taken(page, export_run(theirs, run.key, tmp_path / "given"))
    assert "no training run" in said and page.imported.tone == "warning"
    assert page.table.rowCount() == 0
