"""The models that come with the lab belong to their text and tokens, and to no other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.errors import LabError
from engine.models import NGramModel
from engine.models.scores import held_out_score
from engine.workspace import (
    CorpusChoice,
    Streams,
    TokenizerSpec,
    bundled,
    make_streams,
    make_tokenizer,
)
from engine.workspace.made import MadeTokenizer

SPEC = TokenizerSpec("bpe", 512)


@pytest.fixture(scope="module", params=["stories", "reader"])
def belonging(request: pytest.FixtureRequest) -> tuple[Streams, MadeTokenizer]:
    corpus = CorpusChoice(request.param).load()
    made = make_tokenizer(SPEC, corpus)
    return make_streams(corpus, made), made


def test_each_bundled_text_has_a_model_that_beats_the_bigram(
    belonging: tuple[Streams, MadeTokenizer],
) -> None:
    streams, made = belonging
    run = bundled.load_bundled(streams, made)
    assert run is not None
    part = next(iter(streams.held_out.documents()))
    bigram = NGramModel.train(streams.train, 2)
    assert run.model.token_log_probs(part).mean() > bigram.token_log_probs(part).mean()
    assert run.facts["Parameters"].replace(",", "").isdigit()
    assert run.tokenizer is made


def test_its_stated_loss_is_its_loss() -> None:
    corpus = CorpusChoice("reader").load()
    made = make_tokenizer(SPEC, corpus)
    streams = make_streams(corpus, made)
    run = bundled.load_bundled(streams, made)
    assert run is not None
    score = held_out_score(run.model, streams.held_out)
    stated = float(run.facts["Held-out loss"].split()[0])
    assert score.nats_per_token == pytest.approx(stated, abs=2e-3)


def test_other_texts_and_tokens_get_none() -> None:
    corpus = CorpusChoice("text", text="the cat sat on the mat").load()
    made = make_tokenizer(SPEC, corpus)
    assert bundled.load_bundled(make_streams(corpus, made), made) is None
    stories = CorpusChoice("stories").load()
    others = make_tokenizer(TokenizerSpec("bytes"), stories)
    assert bundled.bundled_name(make_streams(stories, others)) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', json.dumps({"version": 1})])
def test_a_damaged_description_is_told_in_words(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
) -> None:
    corpus = CorpusChoice("text", text="the cat sat on the mat").load()
    made = make_tokenizer(TokenizerSpec("bytes"), corpus)
    shutil.copytree(bundled.FOLDER, tmp_path / "checkpoints")
    monkeypatch.setattr(bundled, "FOLDER", tmp_path / "checkpoints")
    for about in (tmp_path / "checkpoints").glob(f"*/{bundled.ABOUT}"):
        about.write_text(text)
    with pytest.raises(LabError, match="damaged"):
        bundled.bundled_name(make_streams(corpus, made))
