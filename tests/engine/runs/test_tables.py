"""Numbers on disk that only grow: any crash leaves the rows before it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LabError
from engine.runs.tables import Journal, TableFile, read_journal, read_table

NAMES = ("step", "loss", "rate")


def written(path: Path, rows: list[tuple[float, ...]]) -> TableFile:
    table = TableFile(path, NAMES)
    for row in rows:
        table.append(row)
    table.flush()
    return table


@settings(max_examples=60)
@given(st.lists(st.tuples(*[st.floats(allow_subnormal=True)] * 3), max_size=20))
def test_every_number_comes_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, ...]]
) -> None:
    path = tmp_path_factory.mktemp("t") / "a.jsonl"
    written(path, rows)
    read = read_table(path)
    assert read.names == NAMES and len(read) == len(rows)
    for i, name in enumerate(NAMES):
        expected = np.array([row[i] for row in rows])
        np.testing.assert_array_equal(read[name], expected)
        np.testing.assert_array_equal(np.signbit(read[name][expected == 0]),
                                      np.signbit(expected[expected == 0]))  # fmt: skip
    for line in path.read_text().splitlines():
        json.loads(line)


@settings(max_examples=60)
@given(rows=st.integers(1, 12), cut=st.integers(0, 400), junk=st.binary(max_size=8))
def test_a_file_cut_anywhere_gives_the_rows_before_and_goes_on(
    tmp_path_factory: pytest.TempPathFactory, rows: int, cut: int, junk: bytes
) -> None:
    path = tmp_path_factory.mktemp("t") / "a.jsonl"
    written(path, [(i, i / 7, math.nan) for i in range(rows)])
    whole = path.read_bytes()
    torn = whole[: cut % (len(whole) + 1)]
    path.write_bytes(torn + junk.replace(b"\n", b"#"))
    good = max(0, torn.count(b"\n") - 1)
    if torn.count(b"\n"):
        assert read_table(path)["step"].tolist() == list(range(good))
    table = TableFile(path, NAMES)
    table.append((99, 1.0, 2.0))
    table.flush()
    assert read_table(path)["step"].tolist() == [*range(good), 99]


def test_zeros_that_a_power_cut_left_end_the_table(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    written(path, [(1, 2, 3)])
    path.write_bytes(path.read_bytes() + bytes(20) + b"\n[3,3,3]\n")
    assert read_table(path)["step"].tolist() == [1]


@pytest.mark.parametrize("line", [b"[1]", b"[1,2,3,4]", b'["1",2,3]', b"[true,1,2]", b"{}", b"[["])
def test_a_row_of_another_shape_ends_the_table(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "a.jsonl"
    written(path, [(1, 2, 3)])
    path.write_bytes(path.read_bytes() + line + b"\n[3,3,3]\n")
    assert read_table(path)["step"].tolist() == [1]


def test_a_row_so_large_that_no_float_holds_it_is_infinite(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    written(path, [])
    path.write_bytes(path.read_bytes() + b"[1,1" + b"0" * 400 + b",-1" + b"0" * 400 + b"]\n")
    assert read_table(path)["loss"].tolist() == [math.inf]
    assert read_table(path)["rate"].tolist() == [-math.inf]


def test_a_write_that_fails_is_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jsonl"
    table = written(path, [(1, 1, 1)])
    real = Path.open

    def half(self: Path, mode: str = "r", *args: Any, **more: Any) -> Any:
        file = real(self, mode, *args, **more)
        if mode == "ab":
            file.write(b"[2,2")  # so much fits on the disk
            file.close()
            raise OSError(28, "No space left on device")
        return file

    table.append((2, 2, 2))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", half)
        for _ in range(2):
            with pytest.raises(LabError, match="No space left"):
                table.flush()
    table.append((3, 3, 3))
    table.flush()
    assert read_table(path)["step"].tolist() == [1, 2, 3]


def test_what_came_after_can_be_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    table = written(path, [(i, i, i) for i in range(5)])
    table.append((5, 5, 5))  # not written yet
    table.cut(2)
    assert read_table(path)["step"].tolist() == [0, 1, 2]
    table.append((3, 0, 0))
    table.flush(sync=True)
    assert read_table(path)["loss"].tolist() == [0, 1, 2, 0]


def test_columns_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    table = written(path, [(1, 2, 3)])
    with pytest.raises(ValueError, match="2 values for 3"):
        table.append((1, 2))
    with pytest.raises(LabError, match="other columns"):
        TableFile(path, ("step",))
    read = read_table(path)
    with pytest.raises(KeyError):
        read["none"]
    assert "loss" in read and "none" not in read
    with pytest.raises(ValueError, match="read-only"):
        read["loss"][0] = 1
    assert len(read_table(tmp_path / "none")) == 0
    path.write_bytes(b'{"a": 1}\n')
    with pytest.raises(LabError, match="names of columns"):
        read_table(path)


def test_a_journal_keeps_entries_up_to_a_torn_one(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    journal = Journal(path)
    journal.append({"step": 1, "text": "rate × 2"})
    journal.append({"step": 3, "text": "\ud800"})
    with path.open("ab") as file:
        file.write(b'{"step": 4')
    assert [e["step"] for e in read_journal(path)] == [1, 3]
    Journal(path).append({"step": 5})
    assert [e["step"] for e in read_journal(path)] == [1, 3, 5]
    journal = Journal(path)
    journal.replace([{"step": 1}])
    journal.append({"step": 2})
    assert [e["step"] for e in read_journal(path)] == [1, 2]
    assert read_journal(tmp_path / "none") == []
