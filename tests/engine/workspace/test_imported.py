"""Imported tokenizers in the workspace: chosen, kept, saved, loaded; never made from a text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import LabError
from engine.text import corpus_from_text
from engine.tokenizers import BPETokenizer, WordTokenizer
from engine.tokenizers.exchange import to_hugging_face, tokenizer_json
from engine.workspace import storage
from engine.workspace.choices import CorpusChoice, TokenizerSpec, build_tokenizer
from engine.workspace.made import adopt_made, import_tokenizer, make_tokenizer
from engine.workspace.workspace import Workspace

TEXT = "The feral cat attacked my cat. My cat bit the attacking cat.\n\n" * 30
BPE = BPETokenizer.train(TEXT, 280)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def with_control_symbol() -> str:
    file = to_hugging_face(WordTokenizer.train(TEXT))
    vocabulary = file["model"]["vocab"]
    file["model"]["vocab"] = {"[PAD]": 0} | {word: i + 1 for word, i in vocabulary.items()}
    file["added_tokens"] = [{"id": 0, "content": "[PAD]", "special": True}]
    return json.dumps(file)


def test_an_import_says_what_it_is(tmp_path: Path) -> None:
    read = import_tokenizer(write(tmp_path, "mine.json", tokenizer_json(BPE)))
    assert read.notes == ()
    assert read.made.label == "mine, 280 tokens"
    assert not read.made.spec.learned
    assert read.made.tokenizer.encode(TEXT) == BPE.encode(TEXT)
    assert TokenizerSpec.from_dict(read.made.spec.to_dict()) == read.made.spec


def test_a_file_with_the_usual_name_is_told_by_its_folder(tmp_path: Path) -> None:
    (tmp_path / "gpt2").mkdir()
    path = write(tmp_path / "gpt2", "tokenizer.json", tokenizer_json(BPE))
    assert import_tokenizer(path).made.spec.source == "gpt2"


@pytest.mark.parametrize("text", [tokenizer_json(BPE), with_control_symbol()])
def test_an_import_is_saved_and_loaded_with_the_workspace(tmp_path: Path, text: str) -> None:
    made = import_tokenizer(write(tmp_path, "mine.json", text)).made
    workspace = Workspace()
    workspace.adopt_tokenizer(made)
    storage.save(workspace, tmp_path / "space")
    loaded = storage.load(tmp_path / "space").workspace.tokenizer
    assert loaded is not None
    assert (loaded.fingerprint, loaded.spec) == (made.fingerprint, made.spec)
    assert loaded.tokenizer.encode(TEXT) == made.tokenizer.encode(TEXT)


def test_another_corpus_does_not_outdate_an_import(tmp_path: Path) -> None:
    workspace = Workspace()
    made = import_tokenizer(write(tmp_path, "mine.json", tokenizer_json(BPE))).made
    workspace.adopt_corpus(CorpusChoice("text", text=TEXT), corpus_from_text(TEXT))
    workspace.adopt_tokenizer(made)
    assert workspace.outdated() == []


def test_no_text_can_make_an_import() -> None:
    with pytest.raises(LabError, match="Import that file again"):
        build_tokenizer(TokenizerSpec("bpe", 280, source="mine"), TEXT)
    with pytest.raises(LabError, match="import one first"):
        TokenizerSpec("imported", 280)


def test_a_truncated_tokenizer_is_the_one_that_would_be_made() -> None:
    corpus = corpus_from_text(TEXT)
    full = BPETokenizer.train(corpus.train, 280)
    adopted = adopt_made(full.truncated(270), corpus)
    assert adopted.spec == TokenizerSpec("bpe", 270)
    assert adopted.fingerprint == make_tokenizer(adopted.spec, corpus).fingerprint
