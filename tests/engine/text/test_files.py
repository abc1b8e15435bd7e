"""Files of the learner's: every refusal in its sentence, nothing that hangs."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from engine.errors import LabError
from engine.jobs import Job, JobCancelled
from engine.text import MAX_TEXT_BYTES, corpus_from_file, files, read_text_file

posix_only = pytest.mark.skipif(os.name != "posix", reason="POSIX file types")


def test_a_plain_file_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "a tale.txt"
    file.write_bytes("\ufeffOnce upon a time…\r\nThe end.\r\n".encode())
    read = read_text_file(file)
    assert read.text == "Once upon a time…\nThe end.\n"
    assert (read.name, read.encoding, read.n_bytes) == ("a tale.txt", "utf-8", 34)
    assert len(read.notes) == 1


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "“t.txt” is empty. Choose a file with some text in it."),
        (b" \n\t\r\n", "“t.txt” holds nothing but spaces and line ends."),
        (b"\xef\xbb\xbf", "“t.txt” holds nothing but spaces and line ends."),
        (b"a\0b", "“t.txt” holds a NUL character"),
    ],
)
def test_files_without_text_are_refused(tmp_path: Path, data: bytes, sentence: str) -> None:
    (tmp_path / "t.txt").write_bytes(data)
    with pytest.raises(LabError) as refusal:
        read_text_file(tmp_path / "t.txt")
    assert str(refusal.value).startswith(sentence)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"“gone\.txt” is not there\. It may have been moved"):
        read_text_file(tmp_path / "gone.txt")
    (tmp_path / "file").write_text("x")
    with pytest.raises(LabError, match="is not there"):
        read_text_file(tmp_path / "file" / "below.txt")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="is a folder"):
        read_text_file(tmp_path)


def test_names_that_no_file_can_have_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="cannot be the name of a file"):
        read_text_file(tmp_path / "a\0b.txt")
    with pytest.raises(LabError, match="too long a name"):
        read_text_file(tmp_path / ("x" * 5000))
    with pytest.raises(LabError) as refusal:
        read_text_file(tmp_path / "odd\udc80\n<b>.txt")
    str(refusal.value).encode()  # can be shown
    assert "\n" not in str(refusal.value)


@posix_only
def test_a_file_without_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret.txt"
    file.write_text("words")
    file.chmod(0)
    if os.access(file, os.R_OK):  # root reads everything: let the system refuse for it

        def refuse(*_: object) -> int:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(files.os, "open", refuse)
    with pytest.raises(LabError, match="may not be read by this account"):
        read_text_file(file)


@posix_only
def test_pipes_devices_and_sockets_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(LabError, match="a device, a pipe or a socket"):
        read_text_file(tmp_path / "pipe.txt")
    with pytest.raises(LabError, match="a device, a pipe or a socket"):
        read_text_file("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        address = str(tmp_path / "s")
        if len(address) < 100:  # the system's limit
            server.bind(address)
            with pytest.raises(LabError, match="a device, a pipe or a socket"):
                read_text_file(address)


@posix_only
def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    with pytest.raises(LabError, match="a link that leads back to itself"):
        read_text_file(tmp_path / "loop.txt")


def test_too_large_a_file_is_refused_before_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "large.txt"
    with file.open("wb") as handle:
        handle.truncate(MAX_TEXT_BYTES + 1)  # sparse: takes no room
    monkeypatch.setattr(files.os, "open", lambda *_: pytest.fail("was opened"))
    with pytest.raises(LabError, match=r"has 50\.0 MB; the largest .* has 50 MB\. Cut it down"):
        read_text_file(file)


def test_a_file_that_grows_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "log.txt"
    file.write_bytes(b"x" * 2000)
    monkeypatch.setattr(files, "MAX_TEXT_BYTES", 1000)
    monkeypatch.setattr(files, "_check_regular", lambda *_: None)
    with pytest.raises(LabError, match="the largest text"):
        read_text_file(file)


class _Stopping(Job):
    def yield_point(self) -> None:
        raise JobCancelled


def test_reading_can_be_cancelled(tmp_path: Path) -> None:
    file = tmp_path / "t.txt"
    file.write_text("words " * 1000)
    with pytest.raises(JobCancelled):
        read_text_file(file, _Stopping())


class _Counting(Job):
    def __init__(self) -> None:
        self.calls = 0

    def yield_point(self) -> None:
        self.calls += 1


def test_ten_megabytes_in_one_line_are_read_in_small_steps(tmp_path: Path) -> None:
    file = tmp_path / "line.txt"
    file.write_bytes(b"".join(b"word number %d " % i for i in range(550_000)))
    job = _Counting()
    corpus = corpus_from_file(file, job=job)
    assert job.calls > 100
    share = corpus.n_held_out_bytes / (corpus.n_held_out_bytes + corpus.n_train_bytes)
    assert 0.08 < share < 0.12


def test_the_corpus_of_a_file_names_it_and_keeps_the_notes(tmp_path: Path) -> None:
    file = tmp_path / "été.txt"
    file.write_bytes(("Il fait très chaud à la plage cet été.\r\n" * 3).encode("cp1252"))
    corpus = corpus_from_file(file)
    assert (corpus.key, corpus.title) == ("file", "été.txt")
    assert len(corpus.notes) == 3  # encoding, line ends, too short to hold out
    assert corpus.held_out == ()
