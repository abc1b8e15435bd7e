"""A start that fails speaks: a sentence, the details, the log; and a home that cannot be written
to is no reason not to start."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

import main
from engine.errors import LabError
from engine.text import library
from gui import application, places, start_failure
from gui.application import Application
from gui.errors import Report
from tests.gui.shell.helpers import probe_tabs

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("part", ["Preferences", "Theme", "ComputeThread", "MainWindow", "LabBar"])
def test_what_fails_while_the_app_is_put_together_is_told(
    part: str,
    qapp: QApplication,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError(f"no {part} today")

    monkeypatch.setattr(application, part, fail)
    hook, handlers = sys.excepthook, list(logging.getLogger().handlers)
    assert main.main([]) == 1
    said = capsys.readouterr().err
    assert f"Next Token Lab could not start: RuntimeError: no {part} today." in said
    assert "Traceback" in said and str(home) in said
    assert f"no {part} today" in (home / "logs" / "lab.log").read_text(encoding="utf-8")
    assert sys.excepthook is hook and logging.getLogger().handlers == handlers
    assert not list((home / "logs").glob("crash-*")), "no crash is to be offered next time"


def test_a_module_of_the_shell_that_cannot_be_imported_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "gui.application", None)
    assert main.main([]) == 1
    assert "could not start: ModuleNotFoundError" in capsys.readouterr().err


def test_without_the_packages_the_way_to_get_them_is_named(tmp_path: Path) -> None:
    """As a newcomer's own Python is: without Qt."""
    code = "import sys; sys.modules['PySide6'] = None; import main; sys.exit(main.main([]))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "make run" in done.stderr.splitlines()[0] and "PySide6" in done.stderr


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (LabError("The picture is gone. Install it again."), "could not start. The picture is"),
        (ModuleNotFoundError("No module named 'numpy'", name="numpy"), "make run"),
        (ModuleNotFoundError("No module named 'gui.lab'", name="gui.lab"), "incomplete"),
        (ImportError("cannot import name 'x'"), "incomplete"),
        (KeyError(), "KeyError. Please report"),
        (ValueError("first\nsecond"), "ValueError: first. Please"),
    ],
)
def test_sentences(error: Exception, words: str) -> None:
    assert words in start_failure.sentence(error)
    assert "\n" not in start_failure.sentence(error)


def test_a_log_that_cannot_be_written_does_not_hide_the_error(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "logs" / "lab.log").mkdir(parents=True)
    assert start_failure.tell(RuntimeError("lost \ud800")) == 1
    said = capsys.readouterr().err
    assert "RuntimeError: lost" in said and "also in" not in said


def test_a_home_that_cannot_be_written_to_is_said_and_the_app_runs(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expect_log
) -> None:
    monkeypatch.setattr(library, "STORY_BYTES", 20_000)
    monkeypatch.setattr(places, "_troubles", {})
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv(places.HOME_VARIABLE, str(tmp_path / "file" / "home"))
    expect_log("cannot keep anything in .*HOME")
    app = Application(qapp, probe_tabs())
    reports: list[Report] = []
    app.errors.reported.connect(reports.append)
    app.start()
    qapp.processEvents()
    app.close()
    app.dismantle()
    assert len(reports) == 1 and "forgotten when you close it" in reports[0].sentence
    assert (places.log_dir() / "lab.log").is_file()


def test_a_folder_that_is_read_only_is_stood_in_for_unless_it_is_only_read(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_troubles", {})
    assert places.trouble() is None
    monkeypatch.setattr(places.os, "access", lambda *args: False)
    assert places.config_dir() == home / "config" and places.trouble() is None
    elsewhere = places.data_dir()
    assert elsewhere != home / "data" and elsewhere.is_dir()
    assert places.data_dir() == elsewhere, "the same each time"
    assert "read-only" in (places.trouble() or "")
    monkeypatch.setattr(places.os, "access", lambda *args: True)
    assert places.data_dir() == home / "data" and places.trouble() is None
