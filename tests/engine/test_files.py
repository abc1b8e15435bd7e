"""The one way in which files are written: whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from engine.errors import LabError
from engine.files import (
    read_bytes,
    read_json,
    remove_tree,
    sync_folder,
    tree_bytes,
    write_bytes,
    write_json,
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_bytes(tmp_path / "deep" / "a", b"\x00\xff")
    assert read_bytes(tmp_path / "deep" / "a", 2) == b"\x00\xff"
    write_json(tmp_path / "j", {"odd": "\ud800", "n": 1.5})
    assert read_json(tmp_path / "j") == {"odd": "\ud800", "n": 1.5}
    assert tree_bytes(tmp_path) == 2 + (tmp_path / "j").stat().st_size
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "j"]  # nothing temporary


def test_data_then_name_then_folder_reach_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def syncing(handle: int) -> None:
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "data")  # noqa: PTH112
        fsync(handle)

    def replacing(source: Any, target: Any) -> None:
        done.append("name")
        replace(source, target)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("tells files from folders by /proc")
    monkeypatch.setattr("os.fsync", syncing)
    monkeypatch.setattr("os.replace", replacing)
    write_bytes(tmp_path / "a", b"new")
    assert done == ["data", "name", "folder"]


@pytest.mark.parametrize("failing", ["os.fsync", "os.replace", "tempfile.mkstemp"])
def test_a_full_disk_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    write_bytes(tmp_path / "a", b"old")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(failing, full)
    with pytest.raises(LabError, match="No space left on device"):
        write_bytes(tmp_path / "a", b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"old")]


def test_numbers_that_json_lacks_are_refused_before_anything_is_touched(tmp_path: Path) -> None:
    write_json(tmp_path / "j", [1])
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "j", [float("nan")])
    assert json.loads((tmp_path / "j").read_text()) == [1]


@pytest.mark.parametrize("data", [b"{", b"[1]", b"[" * 100_000, b"\xff", b"\x00" * 20])
def test_damaged_json_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "j").write_bytes(data)
    with pytest.raises(LabError, match="j"):
        read_json(tmp_path / "j")


def test_sizes_are_bounded_before_reading(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 11)
    with pytest.raises(LabError, match="larger"):
        read_bytes(tmp_path / "big", 10)
    with pytest.raises(LabError, match="couldn't be read"):
        read_bytes(tmp_path / "none", 10)
    with pytest.raises(LabError, match="couldn't be read"):
        read_bytes(Path("a\0b"), 10)


def test_removing_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    write_bytes(tmp_path / "mine" / "precious", b"x")
    (tmp_path / "link").symlink_to(tmp_path / "mine", target_is_directory=True)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "link").symlink_to(tmp_path / "mine", target_is_directory=True)
    for name in ("link", "run", "none"):
        remove_tree(tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]
    assert read_bytes(tmp_path / "mine" / "precious", 1) == b"x"


def test_a_folder_that_is_gone_cannot_be_synced(tmp_path: Path) -> None:
    sync_folder(tmp_path)
    with pytest.raises(OSError, match="none"):
        sync_folder(tmp_path / "none")
