"""tokenizer.json both ways, against Hugging Face's own library: the same ids on random texts."""

from __future__ import annotations

import csv
import io
import json
from functools import lru_cache
from typing import Any

import pytest
import tokenizers as hugging_face
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import decoders, models, pre_tokenizers, trainers

from engine.tokenizers import (
    BPETokenizer,
    ByteTokenizer,
    CharacterTokenizer,
    Tokenizer,
    WordTokenizer,
    tokenizer_from_dict,
)
from engine.tokenizers.exchange import (
    GPT2_SPLIT,
    bpe_model,
    byte_level,
    pipeline,
    tokenizer_json,
    vocabulary_csv,
)
from engine.tokenizers.exchange_imported import ImportedTokenizer
from engine.tokenizers.exchange_read import from_hugging_face, parse_tokenizer
from engine.tokenizers.pretokenize import PATTERN
from tests.engine.tokenizers.texts import PROSE, assigned_text, few_letters, rule_breakers

texts = st.one_of(assigned_text, few_letters, rule_breakers, st.sampled_from([PROSE, "ab" * 60]))

OURS: dict[str, Tokenizer] = {
    "bytes": ByteTokenizer(),
    "characters": CharacterTokenizer.train(PROSE),
    "characters, the rest in bytes": CharacterTokenizer.train(PROSE, byte_fallback=True),
    "words": WordTokenizer.train(PROSE, 40),
    "BPE": BPETokenizer.train(PROSE, 400),
    "BPE without merges": BPETokenizer.train(PROSE, 256),
    "BPE across words": BPETokenizer.train(PROSE, 400, pre_tokenize=False),
    "BPE of characters": BPETokenizer.train(PROSE, 120, base="characters"),
    "BPE of characters across words": BPETokenizer.train(
        PROSE + "<unk>" * 3, 150, base="characters", pre_tokenize=False
    ),
    "BPE of characters, the rest in bytes": BPETokenizer.train(
        PROSE, 400, base="characters", byte_fallback=True
    ),
}


@lru_cache
def theirs(name: str) -> hugging_face.Tokenizer:
    return hugging_face.Tokenizer.from_str(tokenizer_json(OURS[name]))


@lru_cache
def back(name: str) -> Tokenizer:
    return parse_tokenizer(tokenizer_json(OURS[name])).tokenizer


@pytest.mark.parametrize("name", OURS)
@settings(max_examples=40, deadline=None)
@given(text=texts)
def test_an_exported_file_gives_the_same_ids_in_hugging_face(name: str, text: str) -> None:
    ours, loaded = OURS[name], theirs(name)
    assert loaded.get_vocab_size() == ours.vocab_size
    encoded = loaded.encode(text)
    assert encoded.ids == ours.encode(text)
    if ours.lossless:
        assert loaded.decode(encoded.ids) == text


@pytest.mark.parametrize("name", OURS)
@settings(max_examples=25, deadline=None)
@given(text=texts)
def test_an_exported_file_comes_back_as_it_was(name: str, text: str) -> None:
    ours, again = OURS[name], back(name)
    assert again.encode(text) == ours.encode(text)
    assert again.vocab_size == ours.vocab_size
    assert again.byte_spans(text) == ours.byte_spans(text)
    assert again.crosses_words == ours.crosses_words or isinstance(
        ours, (ByteTokenizer, CharacterTokenizer)
    )


@pytest.mark.parametrize("name", [name for name in OURS if name.startswith("BPE")])
def test_bpe_comes_back_with_its_history(name: str) -> None:
    ours, again = OURS[name], back(name)
    assert isinstance(ours, BPETokenizer)
    assert isinstance(again, BPETokenizer)
    assert [(m.left, m.right, m.id) for m in again.merges] == [
        (m.left, m.right, m.id) for m in ours.merges
    ]


# Files that tokenizers' own trainers wrote


def trained(
    pre: Any, special: list[str], alphabet: bool, unknown: str | None = None, **options: Any
) -> str:
    tokenizer = hugging_face.Tokenizer(models.BPE(unk_token=unknown, **options))
    if pre is not None:
        tokenizer.pre_tokenizer = pre
    first = pre_tokenizers.ByteLevel.alphabet() if alphabet else []
    trainer = trainers.BpeTrainer(
        vocab_size=420, special_tokens=special, initial_alphabet=first, show_progress=False
    )
    tokenizer.train_from_iterator([PROSE], trainer)
    tokenizer.decoder = decoders.ByteLevel() if alphabet else decoders.Fuse()
    return str(tokenizer.to_str())


def split() -> Any:
    return pre_tokenizers.Split(hugging_face.Regex(PATTERN.pattern), "isolated")


def in_bytes(use_regex: bool = True) -> Any:
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def word_level() -> str:
    tokenizer = hugging_face.Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = split()
    trainer = trainers.WordLevelTrainer(
        vocab_size=50, special_tokens=["[UNK]", "[PAD]"], show_progress=False
    )
    tokenizer.train_from_iterator([PROSE], trainer)
    return str(tokenizer.to_str())


THEIRS = {
    "byte level": trained(in_bytes(), [], True),
    "byte level, control symbol first": trained(in_bytes(), ["<|endoftext|>"], True),
    "byte level across words": trained(in_bytes(False), ["<s>", "</s>"], True),
    "split, then bytes": trained(pre_tokenizers.Sequence([split(), in_bytes(False)]), [], True),
    "characters": trained(split(), ["[UNK]"], False, "[UNK]"),
    "characters across words": trained(None, ["[UNK]"], False, "[UNK]"),
    "words": word_level(),
}


@lru_cache
def imported(name: str) -> Tokenizer:
    return parse_tokenizer(THEIRS[name]).tokenizer


@lru_cache
def original(name: str) -> hugging_face.Tokenizer:
    return hugging_face.Tokenizer.from_str(THEIRS[name])


@pytest.mark.parametrize("name", THEIRS)
@settings(max_examples=40, deadline=None)
@given(text=texts)
def test_a_file_of_theirs_gives_the_same_ids_here(name: str, text: str) -> None:
    ours = imported(name)
    assert ours.encode(text) == original(name).encode(text).ids
    spans = ours.byte_spans(text)
    assert [a for a, _ in spans] == [0, *(b for _, b in spans)][: len(spans)]
    assert (spans[-1][1] if spans else 0) == len(text.encode())
    if ours.lossless:
        assert ours.decode(ours.encode(text)) == text


@pytest.mark.parametrize("name", THEIRS)
def test_an_import_can_be_saved_and_exported_again(name: str) -> None:
    ours = imported(name)
    saved = json.loads(json.dumps(ours.to_dict()))
    again = tokenizer_from_dict(saved)
    assert again.to_dict() == ours.to_dict()
    assert again.kind == ours.kind
    exported = hugging_face.Tokenizer.from_str(tokenizer_json(ours))
    assert exported.encode(PROSE).ids == ours.encode(PROSE) == again.encode(PROSE)


def test_control_symbols_at_the_end_are_left_out_and_the_history_stays() -> None:
    file = json.loads(THEIRS["byte level"])
    size = len(file["model"]["vocab"])
    file["model"]["vocab"]["<|endoftext|>"] = size
    file["added_tokens"] = [{"id": size, "content": "<|endoftext|>", "special": True}]
    read = from_hugging_face(file)
    assert isinstance(read.tokenizer, BPETokenizer)
    assert read.tokenizer.vocab_size == size
    assert "left out" in read.notes[0]


def test_control_symbols_in_front_keep_their_ids_and_are_spoken_of() -> None:
    read = parse_tokenizer(THEIRS["byte level, control symbol first"])
    assert isinstance(read.tokenizer, ImportedTokenizer)
    assert read.tokenizer.token_bytes(0) == b""
    assert "keeps its number" in read.notes[0]


def test_of_a_pair_listed_twice_the_last_rank_counts() -> None:
    vocabulary = {c: i for i, c in enumerate("abc")} | {"ab": 3, "bc": 4, "<unk>": 5}
    merges = [["a", "b"], ["b", "c"], ["a", "b"]]
    file = pipeline(bpe_model(vocabulary, merges, "<unk>"), None, {"type": "Fuse"})
    loaded = hugging_face.Tokenizer.from_str(json.dumps(file))
    assert loaded.encode("abc").ids == from_hugging_face(file).tokenizer.encode("abc") == [0, 4]


@settings(max_examples=60, deadline=None)
@given(
    order=st.permutations(["ab", "abc", "bc", "ca", "aab", "cab", "aa"]),
    text=st.text(alphabet="abcd", max_size=30) | st.text(alphabet="abc", min_size=60, max_size=90),
)
def test_merges_in_any_order_are_followed_as_theirs_are(order: list[str], text: str) -> None:
    cuts = {"abc": ["ab", "c"], "aab": ["a", "ab"], "cab": ["ca", "b"]}
    merges = [cuts.get(token, list(token)) for token in order]
    vocabulary = {token: i for i, token in enumerate(["<unk>", "a", "b", "c", *order])}
    file = pipeline(bpe_model(vocabulary, merges, "<unk>"), None, {"type": "Fuse"})
    loaded = hugging_face.Tokenizer.from_str(json.dumps(file))
    assert from_hugging_face(file).tokenizer.encode(text) == loaded.encode(text).ids


def test_bytes_that_the_file_lacks_are_added_so_that_nothing_is_lost() -> None:
    tokenizer = hugging_face.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = in_bytes()
    trainer = trainers.BpeTrainer(vocab_size=120, show_progress=False)
    tokenizer.train_from_iterator([PROSE], trainer)
    read = parse_tokenizer(tokenizer.to_str())
    assert read.tokenizer.encode(PROSE) == tokenizer.encode(PROSE).ids
    assert read.tokenizer.decode(read.tokenizer.encode("ÿ😀")) == "ÿ😀"
    assert "of the 256 bytes" in read.notes[0]


def test_merges_as_strings_are_read_too() -> None:
    vocabulary = {"a": 0, "b": 1, "ab": 2, "<unk>": 3}
    file = pipeline(bpe_model(vocabulary, [], "<unk>"), None, {"type": "Fuse"})
    file["model"]["merges"] = ["#version: 0.2", "a b"]
    del file["model"]["type"]
    assert from_hugging_face(file).tokenizer.encode("abb") == [2, 1]


def test_the_csv_holds_every_token_exactly() -> None:
    tokenizer = BPETokenizer.train(PROSE, 300)
    rows = list(csv.DictReader(io.StringIO(vocabulary_csv(tokenizer), newline="")))
    assert [bytes.fromhex(row["bytes"]) for row in rows] == [
        tokenizer.token_bytes(i) for i in range(300)
    ]
    assert json.loads(rows[-1]["token"]) == tokenizer.token_bytes(299).decode()
    last = tokenizer.merges[-1]
    assert (rows[-1]["left"], rows[-1]["right"]) == (str(last.left), str(last.right))
    assert rows[-1]["count"] == str(last.count)
    assert rows[0]["count"] == ""


def test_the_csv_of_any_tokenizer_can_be_written_and_no_cell_starts_a_formula() -> None:
    for tokenizer in [*OURS.values(), *map(imported, THEIRS), CharacterTokenizer("=+-@")]:
        rows = list(csv.reader(io.StringIO(vocabulary_csv(tokenizer), newline="")))
        assert len(rows) == tokenizer.vocab_size + 1
        assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_the_parts_of_a_file_are_those_of_the_format() -> None:
    assert pre_tokenizers.PreTokenizer is not None
    file = pipeline(bpe_model({"a": 0, "<unk>": 1}, [], "<unk>"), GPT2_SPLIT, {"type": "Fuse"})
    loaded = hugging_face.Tokenizer.from_str(json.dumps(file))
    written = json.loads(loaded.to_str())
    assert written["pre_tokenizer"] == GPT2_SPLIT
    file["pre_tokenizer"] = byte_level(False)
    written = json.loads(hugging_face.Tokenizer.from_str(json.dumps(file)).to_str())
    assert written["pre_tokenizer"] == byte_level(False)
