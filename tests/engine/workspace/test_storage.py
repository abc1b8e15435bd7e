"""Saving and loading without torch: round trips, hostile folders, interrupted saving."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import LabError
from engine.jobs import Job, JobCancelled
from engine.tokenizers import Tokenizer
from engine.workspace import (
    CorpusChoice,
    NGramSettings,
    TokenizerSpec,
    Workspace,
    folders,
    load,
    make_tokenizer,
    save,
)
from tests.engine.workspace.texts import OTHER, TALE, corpus_of, filled


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    "spec",
    [
        TokenizerSpec("characters"),
        TokenizerSpec("characters", byte_fallback=True),
        TokenizerSpec("bytes"),
        TokenizerSpec("words", vocab_size=30),
        TokenizerSpec(vocab_size=300),
        TokenizerSpec(vocab_size=80, base="characters", pre_tokenize=False),
    ],
)
def test_a_workspace_comes_back_as_it_was(tmp_path: Path, spec: TokenizerSpec) -> None:
    workspace = filled(spec)
    workspace.set_seed(7)
    workspace.set_ngram_settings(NGramSettings(5, "add_k", 0.25))
    save(workspace, tmp_path / "mine")
    loaded = load(tmp_path / "mine")
    again = loaded.workspace
    assert loaded.notes == ()
    assert again.seed == 7
    assert again.ngram_settings == NGramSettings(5, "add_k", 0.25)
    assert again.tokenizer_spec == spec
    assert again.tokenizer is not None and workspace.tokenizer is not None
    assert again.tokenizer.fingerprint == workspace.tokenizer.fingerprint
    assert again.tokenizer.made_from == workspace.tokenizer.made_from
    text = "The cat réad 😀."
    assert again.tokenizer.tokenizer.encode(text) == workspace.tokenizer.tokenizer.encode(text)
    assert again.corpus == workspace.corpus
    assert again.corpus_choice == workspace.corpus_choice
    assert again.outdated() == []


def test_an_empty_workspace_comes_back_empty(tmp_path: Path) -> None:
    save(Workspace(), tmp_path)
    loaded = load(tmp_path)
    assert loaded.notes == ()
    assert loaded.workspace.corpus is None
    assert loaded.workspace.tokenizer is None
    assert loaded.workspace.runs == ()


@pytest.mark.parametrize(
    "text", ["half a character: \ud800", "\0 and \u202e right to left", "a\r\nb"]
)
def test_odd_texts_come_back(tmp_path: Path, text: str) -> None:
    workspace = Workspace()
    workspace.adopt_corpus(*corpus_of(text))
    save(workspace, tmp_path)
    loaded = load(tmp_path)
    assert loaded.workspace.corpus_choice.text == text
    assert loaded.workspace.corpus == workspace.corpus
    assert loaded.notes == ()


def test_a_file_is_saved_by_its_path_and_watched(tmp_path: Path) -> None:
    file = tmp_path / "tale.txt"
    file.write_text(TALE, encoding="utf-8")
    workspace = Workspace()
    choice = CorpusChoice("file", path=str(file))
    workspace.adopt_corpus(choice, choice.load())
    workspace.adopt_tokenizer(make_tokenizer(TokenizerSpec("words"), choice.load()))
    folder = tmp_path / "mine"
    save(workspace, folder)
    assert not any(b"The cat number 3" in data for data in files(folder).values())
    assert load(folder).workspace.corpus == workspace.corpus

    file.write_text(OTHER, encoding="utf-8")
    changed = load(folder)
    assert changed.notes == ("The text of this workspace has changed since it was saved.",)
    assert [o.what for o in changed.workspace.outdated()] == ["tokenizer"]

    file.unlink()
    gone = load(folder)
    assert gone.workspace.corpus is None
    assert gone.workspace.tokenizer is not None
    assert len(gone.notes) == 1 and "“tale.txt” is not there" in gone.notes[0]


@pytest.mark.skipif(os.name != "posix", reason="names of bytes that are no text")
def test_a_file_whose_name_is_no_text_is_found_again(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"caf\xe9.txt")
    try:
        file.write_text(TALE)
    except OSError:
        pytest.skip("this file system refuses such names")
    choice = CorpusChoice("file", path=str(file))
    workspace = Workspace()
    workspace.adopt_corpus(choice, choice.load())
    save(workspace, tmp_path / "mine")
    assert load(tmp_path / "mine").workspace.corpus == workspace.corpus


def test_saving_again_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    workspace = filled()
    save(workspace, tmp_path)
    first = set(files(tmp_path))
    workspace.adopt_corpus(*corpus_of(OTHER))
    save(workspace, tmp_path)
    assert len(files(tmp_path)) == len(first)
    assert load(tmp_path).workspace.corpus_choice.text == OTHER


@pytest.mark.parametrize("failing_at", range(3))
def test_a_save_that_fails_leaves_the_old_workspace_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing_at: int
) -> None:
    workspace = filled()
    save(workspace, tmp_path)
    before = files(tmp_path)
    workspace.adopt_corpus(*corpus_of(OTHER))
    calls = iter(range(10))
    real = os.replace

    def replace(source: Any, target: Any, **kwargs: Any) -> None:
        if next(calls) == failing_at:
            raise OSError(28, "No space left on device")
        real(source, target, **kwargs)

    # Text, tokenizer and description are each put in place by one rename.
    monkeypatch.setattr("os.replace", replace)
    with pytest.raises(LabError, match="No space left on device"):
        save(workspace, tmp_path)
    assert files(tmp_path) == before


def test_a_save_that_is_cancelled_leaves_the_old_workspace_whole(tmp_path: Path) -> None:
    class Stopping(Job):
        def yield_point(self) -> None:
            raise JobCancelled

    workspace = filled()
    save(workspace, tmp_path)
    before = files(tmp_path)
    workspace.adopt_corpus(*corpus_of(OTHER))
    with pytest.raises(JobCancelled):
        save(workspace, tmp_path, Stopping())
    assert files(tmp_path) == before


def test_folders_with_other_things_in_them_are_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(LabError, match="already holds other files"):
        save(Workspace(), tmp_path)
    (tmp_path / "workspace.json").write_text('{"folders": []}')  # an editor's, for example
    with pytest.raises(LabError, match="already holds other files"):
        save(Workspace(), tmp_path)
    assert set(files(tmp_path)) == {"thesis.txt", "workspace.json"}


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(LabError, match="could not be written"):
        save(Workspace(), tmp_path / "file" / "below")
    with pytest.raises(LabError, match="is no name for a folder"):
        save(Workspace(), tmp_path / "a\0b")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save(filled(), tmp_path / "mine")
    return tmp_path / "mine"


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "workspace.json"
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"format": "next-token-lab workspace", "version": 1}',
        b'{"format": "another", "version": 1}',
        b'{"format": "next-token-lab workspace", "version": ' + b"9" * 5000 + b"}",
        b'{"format": "next-token-lab workspace", "version": NaN}',
        b"\x80\x04cposix\nsystem\n.",
    ],
)
def test_descriptions_that_are_none_are_refused(saved: Path, data: bytes) -> None:
    (saved / "workspace.json").write_bytes(data)
    with pytest.raises(LabError):
        load(saved)


def test_a_newer_version_says_so(saved: Path) -> None:
    edit(saved, lambda w: w.update(version=2))
    with pytest.raises(LabError, match="newer Next Token Lab"):
        load(saved)


def test_a_folder_without_a_workspace_says_so(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"has no workspace\.json"):
        load(tmp_path)
    with pytest.raises(LabError):
        load(tmp_path / "a\0b")


HARMLESS = [
    (("corpus", "key"), "x"),
    (("corpus", "path"), "x"),
    (("tokenizers", 0, "made_from", "corpus"), "x"),
    (("ngram", "k"), 1.5),
]


@pytest.mark.parametrize("wrong", [None, True, -1, 1.5, "x", [], {}, [[]], 10**400])
@pytest.mark.parametrize(
    "path",
    [
        ("seed",),
        ("corpus",),
        ("corpus", "key"),
        ("corpus", "seed"),
        ("corpus", "path"),
        ("corpus", "text"),
        ("tokenizer",),
        ("tokenizer_spec",),
        ("tokenizer_spec", "kind"),
        ("tokenizer_spec", "vocab_size"),
        ("tokenizers",),
        ("tokenizers", 0),
        ("tokenizers", 0, "file"),
        ("tokenizers", 0, "fingerprint"),
        ("tokenizers", 0, "made_from"),
        ("tokenizers", 0, "made_from", "corpus"),
        ("ngram",),
        ("ngram", "order"),
        ("ngram", "k"),
        ("runs",),
    ],
)
def test_values_of_the_wrong_sort_are_refused_or_harmless(
    saved: Path, path: tuple[str | int, ...], wrong: Any
) -> None:
    def change(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        value[path[-1]] = wrong

    edit(saved, change)
    try:
        loaded = load(saved)
    except LabError:
        return
    # Only these mean something: no tokenizer, no path; a text that is gone leaves a note.
    assert (
        (wrong is None and path[-1] in ("tokenizer", "path", "text"))
        or (path, wrong) in HARMLESS
        or (path[0] == "runs" and wrong == [])
    )
    assert loaded.workspace.corpus is None or path[0] != "corpus" or path[-1] == "path"


@pytest.mark.parametrize(
    "name",
    [
        "../../secret.json",
        "/etc/passwd",
        "tokenizer-0123456789abcdef.json/../../x",
        "tokenizer-0123456789abcdeg.json",
        "text-0123456789abcdef.txt",
        "tokenizer-0123456789abcdef.json\n",
        "",
    ],
)
def test_names_that_lead_elsewhere_are_refused(saved: Path, name: str) -> None:
    edit(saved, lambda w: w["tokenizers"][0].update(file=name))
    with pytest.raises(LabError, match="which no workspace has"):
        load(saved)


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_links_and_pipes_in_place_of_parts_are_refused(saved: Path, tmp_path: Path) -> None:
    (part,) = (saved / "parts").glob("tokenizer-*")
    shutil.move(part, tmp_path / "elsewhere.json")
    part.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(LabError, match="not an ordinary file"):
        load(saved)
    part.unlink()
    os.mkfifo(part)
    with pytest.raises(LabError, match="not an ordinary file"):
        load(saved)


def test_missing_damaged_and_exchanged_parts_are_refused(saved: Path) -> None:
    (part,) = (saved / "parts").glob("tokenizer-*")
    data = part.read_bytes()
    for damaged in (data[:-10], b"", b"{}", b"[]", data.replace(b'"kind"', b'"kinds"')):
        part.write_bytes(damaged)
        with pytest.raises(LabError):
            load(saved)
    part.write_bytes(data.replace(b'"merges":[[', b'"merges":[[97,98],['))
    with pytest.raises(LabError):
        load(saved)
    part.write_text('{"kind": "bytes", "version": 1}')
    with pytest.raises(LabError, match="not the tokenizer that was saved"):
        load(saved)
    part.unlink()
    with pytest.raises(LabError, match="part of it is missing"):
        load(saved)


def test_files_larger_than_they_can_be_are_not_read(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "MAX_DESCRIPTION_BYTES", 100)
    with pytest.raises(LabError, match="larger than it can be"):
        load(saved)


@pytest.mark.parametrize("path", ["\\\\machine\\share\\text.txt", "//machine/share/text.txt"])
def test_a_text_on_another_machine_is_not_fetched(
    saved: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    edit(saved, lambda w: w["corpus"].update(key="file", path=path, text=None))
    monkeypatch.setattr(CorpusChoice, "load", lambda *_: pytest.fail("was read"))
    loaded = load(saved)
    assert loaded.workspace.corpus is None
    assert "on another machine and was not fetched" in loaded.notes[0]


def test_titles_from_others_can_be_shown(saved: Path) -> None:
    edit(saved, lambda w: w["tokenizers"][0]["made_from"].update(corpus_title="odd \ud800"))
    tokenizer = load(saved).workspace.tokenizer
    assert tokenizer is not None
    assert tokenizer.made_from.corpus_title == "odd \ufffd"


def test_the_tokenizer_loaded_is_one_of_the_engine_s(saved: Path) -> None:
    tokenizer = load(saved).workspace.tokenizer
    assert tokenizer is not None and isinstance(tokenizer.tokenizer, Tokenizer)
