"""Preferences and window state: what is set comes back, what is spoiled counts as never set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QByteArray

from gui import places
from gui.settings import LARGEST_SEED, Preferences, WindowState


def test_what_is_set_comes_back(tmp_path: Path) -> None:
    first = Preferences(tmp_path)
    first.theme, first.text_size, first.motion = "dark", 150, False
    first.seed, first.corpus = 42, "/a, b/ü “text”.txt"
    first.tokenizer = {"kind": "bpe", "vocab_size": 512, "note": "ü;,="}
    first.sync()
    second = Preferences(tmp_path)
    assert (second.theme, second.text_size, second.motion) == ("dark", 150, False)
    assert (second.seed, second.corpus) == (42, "/a, b/ü “text”.txt")
    assert second.tokenizer == {"kind": "bpe", "vocab_size": 512, "note": "ü;,="}


def test_a_first_start_has_defaults(tmp_path: Path) -> None:
    preferences = Preferences(tmp_path)
    assert (preferences.theme, preferences.text_size, preferences.motion) == ("system", 100, True)
    assert (preferences.seed, preferences.corpus, preferences.tokenizer) == (0, "", {})


def test_only_a_change_is_told(tmp_path: Path, qtbot: Any) -> None:
    preferences = Preferences(tmp_path)
    with qtbot.waitSignal(preferences.changed) as blocker:
        preferences.theme = "dark"
    assert blocker.args == ["theme"]
    with qtbot.assertNotEmitted(preferences.changed):
        preferences.theme = "dark"


@pytest.mark.parametrize(
    "lines",
    [
        "[look]\ntheme=mauve\ntext_size=9999\nmotion=perhaps\n[lab]\nseed=-1\ntokenizer=[1]\n",
        "[look]\ntheme=a, b\ntext_size=ten\n[lab]\nseed=1e9\ntokenizer={not json\ncorpus=a, b\n",
        "[look]\ntext_size=@Variant(\\0\\0\\0)\ntheme=@Invalid()\n[lab]\nseed=99999999999999999\n",
        "\x00\xff\xfe not an INI file at all ][",
        f"[lab]\ncorpus={'x' * 20_000}\nseed=\n",
    ],
)
def test_a_spoiled_file_gives_defaults(tmp_path: Path, lines: str) -> None:
    (tmp_path / "preferences.ini").write_text(lines, encoding="latin-1")
    (tmp_path / "window.ini").write_text(lines, encoding="latin-1")
    preferences, state = Preferences(tmp_path), WindowState(tmp_path)
    assert (preferences.theme, preferences.text_size, preferences.motion) == ("system", 100, True)
    assert (preferences.seed, preferences.corpus, preferences.tokenizer) == (0, "", {})
    assert state.bytes("geometry").isEmpty() and state.text("tab") == ""


@settings(max_examples=50)
@given(st.integers(0, LARGEST_SEED), st.text(max_size=50).filter(lambda t: "\x00" not in t))
def test_any_seed_and_any_path_come_back(seed: int, corpus: str) -> None:
    import tempfile

    # QSettings writes UTF-8, which has no lone surrogates.
    corpus = corpus.encode("utf-8", "replace").decode()
    with tempfile.TemporaryDirectory() as folder:
        first = Preferences(Path(folder))
        first.seed, first.corpus = seed, corpus
        first.sync()
        second = Preferences(Path(folder))
        assert (second.seed, second.corpus) == (seed, corpus)


def test_window_state_is_a_file_of_its_own(tmp_path: Path) -> None:
    state = WindowState(tmp_path)
    state.set_bytes("geometry", QByteArray(b"\x00\x01\xff"))
    state.set_text("tab", "training")
    state.sync()
    again = WindowState(tmp_path)
    assert again.bytes("geometry") == QByteArray(b"\x00\x01\xff")
    assert again.text("tab") == "training"
    assert not (tmp_path / "preferences.ini").exists()
    again.set_text("geometry", "no bytes")
    assert again.bytes("geometry").isEmpty()


def test_places_are_made_below_ones_own_folder(home: Path) -> None:
    for place in (places.config_dir(), places.log_dir(), places.data_dir()):
        assert place.is_dir() and place.parent == home


def test_without_a_folder_of_ones_own_the_systems_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(places.HOME_VARIABLE)
    monkeypatch.setattr(places.platformdirs, "user_log_dir", lambda *a, **k: str(tmp_path / "l"))
    assert places.log_dir() == tmp_path / "l"
