"""A run taken out of the lab: its numbers, and all of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog

from engine.training import Trainer
from gui.lab import Lab
from gui.training.export import HEADER, RunExport
from gui.training.session import Phase, TrainingSession
from gui.widgets.notice import Notice
from tests.gui.training.conftest import a_recipe, an_order

Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def export(lab: Lab, session: TrainingSession, qtbot: Any) -> Iterator[RunExport]:
    said = Notice()
    qtbot.addWidget(said)
    made = RunExport(lab, session, said)
    qtbot.addWidget(made)
    yield made


def paused_after(session: TrainingSession, lab: Lab, until: Until, steps: int) -> None:
    session.start(an_order(lab), steps=steps)
    until(lambda: session.phase is Phase.PAUSED)


def test_the_csv_holds_every_step_and_every_evaluation(
    export: RunExport, session: TrainingSession, lab: Lab, until: Until, tmp_path: Path
) -> None:
    paused_after(session, lab, until, 9)
    news = session.news
    assert news is not None
    path = tmp_path / "curves.csv"
    export.save_curves(str(path))
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    assert tuple(header) == HEADER and len(rows) == 10
    assert [r[0] for r in rows] == [str(n) for n in range(10)]
    for place, name in enumerate(HEADER[:-1]):
        np.testing.assert_array_equal([float(r[place]) for r in rows[1:]], news.steps[name])
    scored = {int(r[0]): float(r[-1]) for r in rows if r[-1]}
    assert scored == dict(
        zip(news.evaluations["step"].tolist(), news.evaluations["loss"].tolist(), strict=True)
    )
    assert set(scored) == {0, 4, 8} and set(rows[0][1:-1]) == {""}
    assert export._said.tone == "good" and "9 steps" in export._said.text


def test_the_folder_holds_a_run_that_goes_on_bit_for_bit(
    export: RunExport, session: TrainingSession, lab: Lab, until: Until, tmp_path: Path
) -> None:
    paused_after(session, lab, until, 5)
    folder = tmp_path / "mine"
    export.save_folder(str(folder))
    until(lambda: bool(export._said.text))
    assert export._said.tone == "good" and str(folder) in export._said.text
    names = sorted(p.name for p in folder.iterdir())
    assert names == [
        "held_out.jsonl", "run.json", "shared", "state.json", "step-00000005", "steps.jsonl"
    ]  # fmt: skip
    assert json.loads((folder / "run.json").read_text("utf-8"))["title"] == "Modern, tiny"
    assert lab.streams is not None
    again = Trainer.load(folder / "step-00000005", lab.streams.train, lab.streams.held_out)
    rest = [again.step().loss for _ in range(7)]
    session.resume()
    until(lambda: session.phase is Phase.FINISHED)
    assert session.news is not None
    np.testing.assert_array_equal(session.news.steps["loss"][5:], rest)


def test_what_cannot_be_written_is_said_in_place(
    export: RunExport, session: TrainingSession, lab: Lab, until: Until, tmp_path: Path
) -> None:
    export.save_curves(str(tmp_path / "a.csv"))
    assert "Start a run first" in export._said.text
    export.save_folder(str(tmp_path / "a"))
    assert "Start one first" in export._said.text and not list(tmp_path.glob("a*"))
    paused_after(session, lab, until, 1)
    assert export._said.text == ""  # said of the run before
    export.save_curves(str(tmp_path / "none" / "a.csv"))
    assert export._said.tone == "error" and "could not be written" in export._said.text
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("precious")
    (tmp_path / "file").write_text("precious")
    for name, why in (("full", "holds something"), ("file", "holds something"), ("file/a", "can")):
        export._said.clear()
        export.save_folder(str(tmp_path / name))
        until(lambda: bool(export._said.text))
        assert export._said.tone == "error" and why in export._said.text
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_the_dialogs_ask_for_a_file_and_for_a_folder(
    export: RunExport, session: TrainingSession, lab: Lab, until: Until, tmp_path: Path
) -> None:
    paused_after(session, lab, until, 1)
    for as_folder, name in ((False, "modern-tiny.csv"), (True, "modern-tiny")):
        dialog = export.ask(as_folder)
        assert dialog.acceptMode() == QFileDialog.AcceptMode.AcceptSave
        assert [Path(p).name for p in dialog.selectedFiles()] == [name]
        export._said.clear()
        dialog.fileSelected.emit(str(tmp_path / name))
        until(lambda: export._said.tone == "good")
        assert (tmp_path / name).exists()
        dialog.reject()


def test_a_running_run_is_saved_between_two_steps(
    export: RunExport, session: TrainingSession, lab: Lab, until: Until, tmp_path: Path
) -> None:
    session.start(an_order(lab, a_recipe(100_000, 1_000)))
    until(lambda: session.news is not None and session.news.step > 3)
    export.save_folder(str(tmp_path / "mine"))
    until(lambda: bool(export._said.text))
    assert session.phase is Phase.RUNNING and lab.streams is not None
    [checkpoint] = (tmp_path / "mine").glob("step-*")
    loaded = Trainer.load(checkpoint, lab.streams.train, lab.streams.held_out)
    assert loaded.step_count == len(loaded.history.steps) > 3
