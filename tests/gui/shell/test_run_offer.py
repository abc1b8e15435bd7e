"""At the start, interrupted runs are offered: continue, keep as it is, or later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QWidget

from engine.runs import Catalogue, RunDescription, Source
from gui.lab import Lab
from gui.main_window import MainWindow
from gui.run_offer import RunOfferBar, offered, sentence
from gui.settings import WindowState
from gui.tabs import TabSpec
from gui.theme import Theme


def interrupted(catalogue: Catalogue, title: str = "Modern, small", kind: str = "training") -> str:
    """A run whose process died after step 9, with a checkpoint at 7."""
    about = RunDescription(
        kind, title, {}, steps=1200, sources={"Text": Source("Stories", "f")}, created=1.7e9
    )
    run = catalogue.create(about)
    table = run.table("steps", ("step", "loss"))
    for step in range(1, 10):
        table.append((step, 1.0))
        if step == 7:
            run.keep(step, lambda folder: (folder / "x").write_text("x"))
    run.flush(sync=True)
    path = run.folder / "state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "process": [999_999_999, 1]}))
    return run.key


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(tmp_path / "runs")


def test_only_runs_that_can_go_on_are_offered_and_the_trash_is_emptied(
    catalogue: Catalogue,
) -> None:
    first, second = interrupted(catalogue), interrupted(catalogue, "other", "post-training")
    interrupted(catalogue, "of a kind that nobody knows", "unknown")
    done = catalogue.create(RunDescription("training", "done", {}))
    done.mark("finished", 3)
    catalogue.delete(done.key)
    found = offered(catalogue)
    assert [o.run.key for o in found] == [second, first] and found[0].reached == 9
    assert catalogue.deleted().runs == ()


def test_the_sentence_says_what_is_known(catalogue: Catalogue) -> None:
    interrupted(catalogue)
    [offer] = offered(catalogue)
    said = sentence(offer, 2)
    assert "“Modern, small” on “Stories”" in said and "interrupted at step 9 of 1,200" in said
    assert "saved at step 7" in said and "(2 more" in said
    steps = offer.run.folder / "steps.jsonl"
    steps.write_text("".join(steps.read_text().splitlines(keepends=True)[:8]))
    [offer] = offered(catalogue)
    assert "at step 7 of" in sentence(offer) and "saved" not in sentence(offer)


def test_each_run_is_asked_about_once(look: Theme, catalogue: Catalogue, qtbot: Any) -> None:
    first, second = interrupted(catalogue), interrupted(catalogue, "other")
    bar = RunOfferBar(catalogue, offered(catalogue))
    qtbot.addWidget(bar)
    bar.show()
    assert not bar.isHidden() and bar.run is not None and bar.run.key == second
    bar.later.click()
    assert bar.run is not None and bar.run.key == first
    bar.keep.click()
    assert bar.isHidden() and bar.run is None
    assert [o.run.key for o in offered(catalogue)] == [second]  # asked again at the next start
    assert catalogue.summary(first).mark == "stopped"


class Tab(QWidget):
    """A tab that goes on with runs."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.continued: list[str] = []

    def continue_run(self, key: str) -> None:
        self.continued.append(key)


def test_continuing_opens_the_tab_with_the_run(
    lab: Lab, tmp_path: Path, catalogue: Catalogue, qtbot: Any
) -> None:
    key = interrupted(catalogue)
    specs = (
        TabSpec("other", "Other", "Another tab.", lambda _: QWidget()),
        TabSpec("training", "Training", "A tab.", Tab),
    )
    window = MainWindow(lab, WindowState(tmp_path), specs)
    qtbot.addWidget(window)
    window.show()
    bar = RunOfferBar(catalogue, offered(catalogue))
    window.offer_runs(bar)
    assert bar.isVisible()
    bar.go_on.click()
    tab = window.tab("training")
    assert isinstance(tab, Tab) and tab.continued == [key]
    assert window.current_key == "training" and not bar.isVisible()


def test_what_cannot_be_settled_is_said(
    look: Theme, catalogue: Catalogue, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(catalogue)
    bar = RunOfferBar(catalogue, offered(catalogue))
    qtbot.addWidget(bar)
    bar.show()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", full)
    bar.keep.click()
    assert "Read-only file system" in bar.sentence.text() and not bar.isHidden()
