"""The lab: choices that take work, arrive all at once, and ask before trained work is outdated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.errors import LabError
from engine.tokenizers import ByteTokenizer
from engine.workspace.choices import CorpusChoice, NGramSettings, TokenizerSpec
from engine.workspace.made import MadeFrom, TrainedRun, make_tokenizer
from engine.workspace.staleness import Outdated
from gui.compute import ComputeThread
from gui.errors import ErrorSink
from gui.job_handle import Failure, JobState
from gui.lab import Lab
from gui.settings import LARGEST_SEED, Preferences
from gui.theme import Theme
from tests.gui.conftest import WAIT_MS, flush_deletes
from tests.gui.shell.helpers import endless

TEXT = "The feral cat attacked my cat. My cat bit the attacking cat.\n\n" * 40
BYTES = TokenizerSpec("bytes")
OWN = CorpusChoice("text", text=TEXT)


@pytest.fixture
def lab(compute: ComputeThread, look: Theme, tmp_path: Path) -> Iterator[Lab]:
    errors = ErrorSink()
    made = Lab(compute, Preferences(tmp_path), look, errors)
    yield made
    made.deleteLater()
    errors.deleteLater()
    flush_deletes()


@pytest.fixture
def settled(lab: Lab, qtbot: Any) -> Callable[[], None]:
    def wait() -> None:
        qtbot.waitUntil(lambda: lab.preparing is None and not lab.compute.jobs, timeout=WAIT_MS)

    return wait


@pytest.fixture
def told(lab: Lab) -> list[str]:
    """The names of the signals, as they come."""
    names: list[str] = []
    for name in ("corpus", "tokenizer", "streams", "ngram", "runs", "preparing"):
        signal = getattr(lab, f"{name}_changed")
        signal.connect(lambda name=name: names.append(name))
    return names


def ready(lab: Lab, settled: Callable[[], None]) -> None:
    lab.choose_tokenizer(BYTES)
    lab.choose_corpus(OWN)
    settled()


def a_run(lab: Lab) -> TrainedRun:
    corpus, tokenizer = lab.corpus, lab.tokenizer
    assert corpus and tokenizer and lab.ngram
    made_from = MadeFrom(corpus.fingerprint, corpus.title, tokenizer.fingerprint, tokenizer.label)
    return TrainedRun("Run", lab.ngram.model, tokenizer, made_from)


def test_a_corpus_brings_tokenizer_streams_and_ngram_in_order(
    lab: Lab, settled: Any, told: list[str]
) -> None:
    assert lab.corpus is lab.tokenizer is lab.streams is lab.ngram is None
    assert lab.choose_corpus(OWN)
    assert lab.preparing is not None and lab.corpus is None
    settled()
    assert lab.corpus is not None and lab.corpus.text.startswith("The feral cat")
    assert lab.tokenizer is not None and lab.tokenizer.spec == TokenizerSpec()
    assert lab.streams is not None and lab.ngram is not None
    assert lab.ngram.made_from == lab.streams.made_from
    assert lab.streams.made_from.tokenizer == lab.tokenizer.fingerprint
    for before, after in [("corpus", "tokenizer"), ("tokenizer", "streams"), ("streams", "ngram")]:
        assert told.index(before) < told.index(after)
    assert told[0] == told[-1] == "preparing"


def test_another_tokenizer_keeps_the_corpus(lab: Lab, settled: Any, told: list[str]) -> None:
    ready(lab, settled)
    corpus = lab.corpus
    told.clear()
    lab.choose_tokenizer(TokenizerSpec("characters"))
    settled()
    assert lab.corpus is corpus and "corpus" not in told
    assert lab.tokenizer is not None and lab.tokenizer.spec.kind == "characters"
    assert lab.preferences.tokenizer["kind"] == "characters"


def test_a_tokenizer_that_is_already_made_is_taken_as_it_is(lab: Lab, settled: Any) -> None:
    ready(lab, settled)
    assert lab.corpus is not None
    made = make_tokenizer(TokenizerSpec("bpe", 300), lab.corpus)
    lab.choose_tokenizer(made)
    settled()
    assert lab.tokenizer is made


def test_two_quick_choices_both_count(lab: Lab, settled: Any) -> None:
    lab.choose_corpus(OWN)
    lab.choose_tokenizer(BYTES)
    lab.choose_ngram(NGramSettings(2, "add_k", 0.5))
    settled()
    assert lab.corpus is not None and lab.corpus.text.startswith("The feral cat")
    assert lab.tokenizer is not None and isinstance(lab.tokenizer.tokenizer, ByteTokenizer)
    assert lab.ngram is not None and lab.ngram.settings == NGramSettings(2, "add_k", 0.5)


def test_the_last_of_many_choices_wins(lab: Lab, settled: Any) -> None:
    ready(lab, settled)
    for n in range(20):
        lab.choose_corpus(CorpusChoice("text", text=f"text number {n} " * 50))
    settled()
    assert lab.corpus is not None and lab.corpus.text.startswith("text number 19")


def test_another_ngram_alone(lab: Lab, settled: Any, told: list[str]) -> None:
    ready(lab, settled)
    told.clear()
    for order in (1, 2, 4):
        lab.choose_ngram(NGramSettings(order))
    settled()
    assert lab.ngram is not None and lab.ngram.settings.order == 4
    assert told.count("ngram") == 1


def test_an_ngram_of_other_tokens_is_not_the_shared_one(lab: Lab, settled: Any) -> None:
    ready(lab, settled)
    seen: list[object] = []
    lab.tokenizer_changed.connect(lambda: seen.append(lab.ngram))
    lab.choose_tokenizer(TokenizerSpec("characters"))
    settled()
    assert seen == [None] and lab.ngram is not None


def test_what_cannot_be_read_leaves_everything_as_it_was(
    lab: Lab, settled: Any, tmp_path: Path
) -> None:
    ready(lab, settled)
    before = lab.corpus, lab.tokenizer, lab.streams, lab.ngram
    failures: list[Failure] = []
    empty = tmp_path / "empty.txt"
    empty.write_text("")
    lab.choose_corpus(empty, on_error=failures.append)
    settled()
    assert (lab.corpus, lab.tokenizer, lab.streams, lab.ngram) == before
    assert len(failures) == 1 and failures[0].expected
    assert lab.preferences.corpus == ""


def test_without_a_taker_the_sentence_goes_to_the_bar(
    lab: Lab, settled: Any, tmp_path: Path, expect_log: Callable[[str], None]
) -> None:
    expect_log("missing.txt")
    ready(lab, settled)
    lab.choose_corpus(tmp_path / "missing.txt")
    settled()


def test_stopping_the_preparation_keeps_what_was(lab: Lab, settled: Any, qtbot: Any) -> None:
    ready(lab, settled)
    corpus = lab.corpus
    lab.choose_corpus("python")
    assert lab.preparing is not None
    lab.preparing.stop()
    settled()
    assert lab.corpus is corpus


def test_a_choice_does_not_wait_for_a_running_job(
    lab: Lab, compute: ComputeThread, qtbot: Any
) -> None:
    training = compute.submit(endless)
    lab.choose_tokenizer(BYTES)
    lab.choose_corpus(OWN)
    qtbot.waitUntil(lambda: lab.ngram is not None, timeout=WAIT_MS)
    assert training.state is JobState.RUNNING
    training.stop()
    qtbot.waitUntil(lambda: training.ended, timeout=WAIT_MS)


def test_trained_work_is_asked_about_and_kept(lab: Lab, settled: Any, told: list[str]) -> None:
    ready(lab, settled)
    asked: list[tuple[str, Sequence[Outdated]]] = []
    answer = False

    def confirm(what: str, outdated: Sequence[Outdated]) -> bool:
        asked.append((what, outdated))
        return answer

    lab.confirm = confirm
    assert lab.choose_tokenizer(TokenizerSpec("characters"))  # nothing trained, nothing asked
    settled()
    assert asked == []
    lab.add_run(a_run(lab))
    kept = lab.add_run(a_run(lab))
    assert [run.name for run in lab.runs] == ["Run", "Run (2)"] and told.count("runs") == 2
    before = lab.corpus
    assert not lab.choose_corpus("python")
    assert lab.preparing is None and lab.corpus is before
    assert [item.name for item in asked[0][1]] == ["Run", "Run (2)"]
    answer = True
    assert lab.choose_tokenizer(BYTES)
    settled()
    assert len(asked) == 2 and len(lab.runs) == 2
    lab.remove_run(kept.name)
    assert [run.name for run in lab.runs] == ["Run"]


def test_a_run_takes_the_place_of_another_at_once(lab: Lab, settled: Any, told: list[str]) -> None:
    ready(lab, settled)
    run = a_run(lab)
    other = lab.add_run(replace(run, name="Other"))
    lab.add_run(run)
    seen: list[list[str]] = []
    lab.runs_changed.connect(lambda: seen.append([r.name for r in lab.runs]))
    newer = replace(run, facts={"Steps": "20"})
    kept = lab.replace_run("Run", newer)
    assert seen == [["Other", "Run"]]  # never a moment with two, or none
    assert kept.name == "Run" and lab.runs[-1].facts == {"Steps": "20"}
    assert lab.runs[0] is other
    lab.remove_run("Run")
    lab.replace_run("Run", newer)  # removed meanwhile: it is there again
    assert [r.name for r in lab.runs] == ["Other", "Run"]
    clash = lab.replace_run("Run", replace(run, name="Other"))
    assert clash.name == "Other (2)" and len(lab.runs) == 2


def test_choosing_the_same_again_asks_nothing(lab: Lab, settled: Any) -> None:
    ready(lab, settled)
    lab.add_run(a_run(lab))

    def confirm(what: str, outdated: Sequence[Outdated]) -> bool:
        raise AssertionError("asked")

    lab.confirm = confirm
    assert lab.choose_corpus(OWN) and lab.choose_tokenizer(BYTES)
    settled()


def test_seeds_have_bounds(lab: Lab, qtbot: Any) -> None:
    with qtbot.waitSignal(lab.seed_changed) as blocker:
        lab.set_seed(LARGEST_SEED)
    assert blocker.args == [LARGEST_SEED]
    for bad in (-1, LARGEST_SEED + 1):
        with pytest.raises(LabError, match="seed"):
            lab.set_seed(bad)
    assert lab.seed == LARGEST_SEED


def test_the_last_choice_is_restored(lab: Lab, settled: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(TEXT)
    lab.preferences.corpus = str(path)
    lab.preferences.tokenizer = BYTES.to_dict()
    lab.restore()
    settled()
    assert lab.corpus is not None and lab.corpus.key == "file"
    assert lab.tokenizer is not None and lab.tokenizer.spec == BYTES
    assert lab.preferences.corpus == str(path)


@pytest.mark.parametrize("content", [None, b"", b"\x00\x01\x02\x00"])
def test_where_the_last_text_is_gone_or_spoiled_the_stories_are_told(
    lab: Lab,
    settled: Any,
    tmp_path: Path,
    content: bytes | None,
    expect_log: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from engine.text import library

    monkeypatch.setattr(library, "STORY_BYTES", 20_000)
    path = tmp_path / "mine.txt"
    if content is not None:
        path.write_bytes(content)
        expect_log("mine.txt")
    lab.preferences.corpus = str(path)
    lab.preferences.tokenizer = {"kind": "runes"}
    lab.restore()
    settled()
    assert lab.corpus is not None and lab.corpus.key == "stories"
    assert lab.tokenizer is not None and lab.tokenizer.spec == TokenizerSpec()
