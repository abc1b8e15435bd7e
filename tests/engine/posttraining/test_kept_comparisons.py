"""Comparisons kept on the disk: whole, the newest last, and never lost to a damaged file."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import LabError
from engine.posttraining import kept_comparisons
from engine.posttraining.annotators import REFERENCE_SPREADS, TIPS, Annotator
from engine.posttraining.candidates import draw_candidates
from engine.posttraining.features import FORMAT, LENGTH, TRUE, features_of
from engine.posttraining.kept_comparisons import Found, KeptComparisons
from engine.posttraining.policies import bundled_policy
from engine.posttraining.preferences import Pair, Preference, draw_pairs
from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.tasks import TASKS, Letters, Sums, Task

PAIR = Pair(Prompt("10+12=", "22"), Answer("22", True, 3), Answer("2é", False, 3))
MADE = (Preference(PAIR, "a"), Preference(PAIR, "skip"), Preference(PAIR, "tie"))


def test_they_come_back_and_later_writes_win(tmp_path: Path) -> None:
    kept = KeptComparisons(tmp_path)
    assert kept.read("sums") == Found()
    kept.write("sums", MADE[:2], 1)
    kept.write("sums", MADE, 3)
    kept.write("sums", MADE[:1], 2)  # late, from another thread
    assert kept.read("sums").preferences == MADE
    assert KeptComparisons(tmp_path).read("sums") == Found(MADE)
    assert kept.read("letters") == Found()
    kept.write("sums", (), 4)
    assert kept.read("sums") == Found()


@pytest.mark.parametrize("damage", [b"{", b"\xff\xfe", b"[]", b'{"format": 3}', b""])
def test_a_damaged_file_is_set_aside_and_told(tmp_path: Path, damage: bytes) -> None:
    kept = KeptComparisons(tmp_path)
    for number in (1, 2):  # each under a name of its own
        path = kept.path("sums")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(damage)
        found = kept.read("sums")
        aside = path.with_name(f"sums.damaged-{number}.json")
        assert found.preferences == () and aside.name in found.told
        assert aside.read_bytes() == damage and not path.exists()
    kept.write("sums", MADE, 1)
    assert kept.read("sums") == Found(MADE)


def test_a_damaged_file_that_cannot_be_moved_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptComparisons(tmp_path)
    path = kept.path("sums")
    path.parent.mkdir()
    path.write_bytes(b"{")
    monkeypatch.setattr(kept_comparisons, "_MOST_SET_ASIDE", 1)
    assert str(path) in kept.read("sums").told
    with pytest.raises(LabError, match="damaged"):
        kept.write("sums", MADE, 1)
    assert path.read_bytes() == b"{"


def test_no_more_is_kept_than_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = KeptComparisons(tmp_path)
    monkeypatch.setattr(kept_comparisons, "LARGEST_FILE", 900)
    many = tuple(Preference(PAIR, "a" if i % 2 else "b") for i in range(40))
    kept.write("sums", many, 1)
    found = kept.read("sums")
    assert not found.told and found.preferences == many[-len(found.preferences) :]
    monkeypatch.setattr(kept_comparisons, "MOST_PREFERENCES", 2)
    kept.write("sums", many, 2)
    assert kept.read("sums").preferences == many[-2:]


def test_a_key_is_no_path(tmp_path: Path) -> None:
    for key in ("", "..", "a/b", "A", "nul\0"):
        with pytest.raises(ValueError, match="key"):
            KeptComparisons(tmp_path).path(key)
    for kind in TASKS:
        assert KeptComparisons(tmp_path).path(kind.key).parent.parent == tmp_path


# ------------------------------------------------------------- what of a bias can be seen at all


def pairs_of(task: Task) -> tuple[Pair, ...]:
    candidates = draw_candidates(bundled_policy(task).module, task, 48, 4, seed=1)
    return draw_pairs(candidates, 192, 1)


@pytest.mark.parametrize("task", [Sums(), Letters()], ids=["sums", "letters"])
def test_a_bias_shows_where_answers_differ(task: Task) -> None:
    likes_long = Annotator(true=1.0, length=1.0, format=3.0)
    pairs = pairs_of(task)
    found = {one.key: one for one in likes_long.influences(features_of(task), pairs)}
    assert found[LENGTH].shows is (task.key == "letters")
    assert not found[FORMAT].shows and found[FORMAT].differing < 0.05
    assert found[TRUE].shows and found[TRUE].pull == found[TRUE].spread
    gaps = [pair.a.length - pair.b.length for pair in pairs]
    expected = (sum(gap**2 for gap in gaps) / len(gaps)) ** 0.5
    assert found[LENGTH].spread == pytest.approx(expected)
    for key in (LENGTH, FORMAT):
        assert found[key].spread == pytest.approx(REFERENCE_SPREADS[key][task.key], abs=0.1)


def test_tasks_are_named_where_a_bias_shows() -> None:
    likes_long = Annotator(true=1.0, length=1.0)
    assert likes_long.shows_in(LENGTH)[0] == "replies" and "sums" not in likes_long.shows_in(LENGTH)
    assert Annotator(format=3.0).shows_in(FORMAT) == ()
    assert "sums" in Annotator(length=2 * TIPS / 0.32).shows_in(LENGTH)
    assert Annotator().shows_in(LENGTH) == () and Annotator().shows_in("ends") == ()
    assert Annotator().influences((), ()) == ()
    assert {k for spreads in REFERENCE_SPREADS.values() for k in spreads} == {t.key for t in TASKS}
