"""Choices, what is made from them, and what a change makes out of date."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import LabError
from engine.jobs import Job
from engine.tokenizers import BPETokenizer, CharacterTokenizer, WordTokenizer, encode_documents
from engine.workspace import (
    CorpusChoice,
    NGramSettings,
    TokenizerSpec,
    Workspace,
    build_tokenizer,
    make_ngram,
    make_streams,
    make_tokenizer,
    tokenizer_fingerprint,
)
from tests.engine.workspace.texts import OTHER, TALE, corpus_of, filled

specs = st.builds(
    TokenizerSpec,
    kind=st.sampled_from(["characters", "bytes", "words", "bpe"]),
    vocab_size=st.integers(1, 1000),
    base=st.sampled_from(["bytes", "characters"]),
    pre_tokenize=st.booleans(),
    byte_fallback=st.booleans(),
)


@pytest.mark.parametrize(
    ("spec", "direct"),
    [
        (TokenizerSpec("characters"), lambda d: CharacterTokenizer.train(d)),
        (
            TokenizerSpec("characters", byte_fallback=True),
            lambda d: CharacterTokenizer.train(d, byte_fallback=True),
        ),
        (TokenizerSpec("words", vocab_size=20), lambda d: WordTokenizer.train(d, max_size=20)),
        (TokenizerSpec("bpe", vocab_size=300), lambda d: BPETokenizer.train(d, 300)),
        (
            TokenizerSpec("bpe", vocab_size=90, base="characters", pre_tokenize=False),
            lambda d: BPETokenizer.train(d, 90, base="characters", pre_tokenize=False),
        ),
    ],
)
def test_a_spec_builds_what_it_says(spec: TokenizerSpec, direct) -> None:  # type: ignore[no-untyped-def]
    _, corpus = corpus_of(TALE)
    built = build_tokenizer(spec, corpus)
    assert built.to_dict() == direct(corpus.train).to_dict()
    assert built.kind == spec.kind
    assert spec.label


@given(specs)
def test_a_spec_survives_its_dictionary_and_drops_what_its_kind_ignores(
    spec: TokenizerSpec,
) -> None:
    assert TokenizerSpec.from_dict(spec.to_dict()) == spec
    if spec.kind == "bytes":
        assert spec == TokenizerSpec("bytes")
    if spec.kind == "words":
        assert spec == TokenizerSpec("words", vocab_size=spec.vocab_size)


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "letters"}, {"vocab_size": 0}, {"vocab_size": 2.5}, {"base": "words"}],
)
def test_specs_that_describe_no_tokenizer_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(LabError):
        TokenizerSpec(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [{"order": 0}, {"order": 99}, {"smoothing": "magic"}, {"smoothing": "add_k", "k": 0.0}],
)
def test_settings_that_describe_no_ngram_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(LabError):
        NGramSettings(**wrong)  # type: ignore[arg-type]


def test_choices_that_name_no_text_are_refused() -> None:
    with pytest.raises(LabError, match="No file was chosen"):
        CorpusChoice("file").load()
    with pytest.raises(LabError, match="There is no text here yet"):
        CorpusChoice("text").load()
    with pytest.raises(LabError, match="There is no corpus named"):
        CorpusChoice("novels").load()


def test_choices_are_named_before_they_are_loaded() -> None:
    choices = [CorpusChoice("reader"), CorpusChoice("text", text="x"), CorpusChoice("file")]
    choices += [CorpusChoice("file", path=path) for path in ("some/tale.txt", "odd\udc80.txt")]
    labels = ["Reader", "Your own text", "A file of yours", "tale.txt", "odd\ufffd.txt"]
    assert [choice.label for choice in choices] == labels


def test_equal_tokenizers_have_equal_fingerprints_and_others_do_not() -> None:
    def fingerprint(spec: TokenizerSpec, text: str) -> str:
        return tokenizer_fingerprint(build_tokenizer(spec, text))

    words = TokenizerSpec("words", vocab_size=20)
    assert fingerprint(words, TALE) == fingerprint(words, TALE)
    different = [
        fingerprint(words, TALE),
        fingerprint(words, OTHER),
        fingerprint(TokenizerSpec("words", vocab_size=19), TALE),
        fingerprint(TokenizerSpec("characters"), TALE),
        fingerprint(TokenizerSpec("bytes"), TALE),
    ]
    assert len(set(different)) == len(different)


def test_streams_are_the_corpus_in_tokens_and_encoded_once() -> None:
    workspace = filled()
    assert workspace.corpus is not None and workspace.tokenizer is not None
    streams = workspace.streams()
    for stream, half in (
        (streams.train, workspace.corpus.train),
        (streams.held_out, workspace.corpus.held_out),
    ):
        expected = encode_documents(workspace.tokenizer.tokenizer, half)
        np.testing.assert_array_equal(stream.ids, expected.ids)
    assert workspace.streams() is streams
    assert workspace.cached_streams() is streams


def test_streams_follow_the_tokenizer_and_come_back_with_it() -> None:
    workspace = filled()
    assert workspace.corpus is not None and workspace.tokenizer is not None
    first, tokenizer = workspace.streams(), workspace.tokenizer
    workspace.adopt_tokenizer(make_tokenizer(TokenizerSpec("bytes"), workspace.corpus))
    assert workspace.cached_streams() is None
    second = workspace.streams()
    assert second.train.vocab_size == 257
    workspace.adopt_tokenizer(tokenizer)
    assert workspace.streams() is first
    workspace.adopt_tokenizer(make_tokenizer(TokenizerSpec("characters"), workspace.corpus))
    workspace.streams()
    workspace.adopt_tokenizer(make_tokenizer(TokenizerSpec("words"), workspace.corpus))
    workspace.streams()
    workspace.adopt_tokenizer(tokenizer)
    assert workspace.cached_streams() is None  # only two are kept


def test_streams_need_a_text_and_a_tokenizer() -> None:
    workspace = Workspace()
    assert workspace.cached_streams() is None
    with pytest.raises(LabError, match="Choose a corpus first"):
        workspace.streams()
    workspace.adopt_corpus(*corpus_of(TALE))
    with pytest.raises(LabError, match="no tokenizer yet"):
        workspace.streams()


def test_a_text_of_one_character_goes_all_the_way() -> None:
    _, corpus = corpus_of("a")
    tokenizer = make_tokenizer(TokenizerSpec("characters"), corpus)
    streams = make_streams(corpus, tokenizer)
    assert streams.train.n_targets == 2  # the character and the end
    assert streams.held_out.n_targets == 0
    ngram = make_ngram(NGramSettings(order=2), streams)
    assert np.exp(ngram.model.next_log_probs([])).sum() == pytest.approx(1)


def found(workspace: Workspace, change: object) -> list[tuple[str, bool]]:
    return [(o.what, o.still_usable) for o in workspace.outdated_by(change)]  # type: ignore[arg-type]


def test_what_fits_is_not_out_of_date() -> None:
    workspace = filled()
    assert workspace.outdated() == []
    assert workspace.corpus is not None and workspace.tokenizer is not None
    for same in (
        workspace.corpus,
        workspace.corpus_choice,
        dataclasses.replace(workspace.corpus, title="renamed", notes=()),
        workspace.tokenizer,
        workspace.tokenizer_spec,
    ):
        assert workspace.outdated_by(same) == []


def test_another_text_outdates_what_was_learned_from_the_old_one() -> None:
    workspace = filled()
    choice, corpus = corpus_of(OTHER)
    # The n-gram speaks the same tokens, so it can still be shown; a file that is not loaded
    # yet counts as different, too.
    expected = [("tokenizer", True), ("ngram", True)]
    assert found(workspace, corpus) == expected
    assert found(workspace, choice) == expected
    assert found(workspace, CorpusChoice("file", path="somewhere.txt")) == expected
    foretold = workspace.outdated_by(corpus)
    assert workspace.outdated() == []  # asking changes nothing
    workspace.adopt_corpus(choice, corpus)
    assert workspace.outdated() == foretold
    assert foretold[0].reason == "The tokenizer was learned from “Your own text”."
    assert foretold[1].reason == "It was counted on “Your own text”."


def test_bytes_are_learned_from_no_text() -> None:
    workspace = filled(TokenizerSpec("bytes"))
    assert found(workspace, corpus_of(OTHER)[1]) == [("ngram", True)]


def test_another_tokenizer_outdates_the_ngram() -> None:
    workspace = filled()
    assert workspace.corpus is not None
    for change in (
        TokenizerSpec("bytes"),
        make_tokenizer(TokenizerSpec("bytes"), workspace.corpus),
    ):
        (only,) = workspace.outdated_by(change)
        assert (only.what, only.still_usable, only.costly) == ("ngram", False, False)
        assert only.reason == "It was counted with the tokens of “BPE, 300 tokens”."


def test_a_lossy_tokenizer_says_what_it_does_to_another_text() -> None:
    workspace = filled(TokenizerSpec("words", vocab_size=50))
    tokenizer, _ = workspace.outdated_by(corpus_of(OTHER)[1])
    assert "<unk>" in tokenizer.advice


def test_what_is_out_of_date_already_is_not_told_again() -> None:
    workspace = filled()
    workspace.adopt_corpus(*corpus_of(OTHER))
    assert workspace.outdated_by(corpus_of(OTHER * 2)[1]) == []


def test_without_a_text_nothing_can_be_called_out_of_date() -> None:
    workspace = filled()
    workspace.corpus = None
    assert workspace.outdated() == []
    assert Workspace().outdated() == []
    assert Workspace().outdated_by(TokenizerSpec("words")) == []


def test_a_copy_does_not_see_later_changes() -> None:
    workspace = filled()
    before = workspace.copy()
    workspace.set_seed(9)
    workspace.adopt_corpus(*corpus_of(OTHER))
    workspace.set_tokenizer_spec(TokenizerSpec("words"))
    workspace.set_ngram_settings(NGramSettings(order=5))
    assert before.seed == 0
    assert before.corpus_choice.text == TALE
    assert before.tokenizer_spec == TokenizerSpec(vocab_size=300)
    assert before.ngram_settings.order == 2


class _Watching(Job):
    def __init__(self) -> None:
        self.messages: set[str] = set()

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        self.messages.add(message)


def test_the_long_work_tells_its_progress() -> None:
    job = _Watching()
    choice = CorpusChoice("text", text=TALE)
    corpus = choice.load(job)
    tokenizer = make_tokenizer(TokenizerSpec(vocab_size=300), corpus, job)
    make_ngram(NGramSettings(), make_streams(corpus, tokenizer, job), job)
    assert len(job.messages) >= 4


def test_streams_are_equal_if_made_from_the_same() -> None:
    spec = TokenizerSpec("bytes")
    made = []
    for text in (TALE, TALE, OTHER):
        _, corpus = corpus_of(text)
        tokenizer = make_tokenizer(spec, corpus)
        made.append((make_streams(corpus, tokenizer), tokenizer))
    (one, cut), (same, cut_again), (other, _) = made
    assert one == same and cut == cut_again and hash(one) == hash(same)
    assert one != other and one.train is not same.train
