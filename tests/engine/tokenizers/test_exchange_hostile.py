"""Files that are wrong, or meant to do harm: a sentence each, never a crash, never a hang."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LabError
from engine.tokenizers import BPETokenizer
from engine.tokenizers.exchange import GPT2_SPLIT, tokenizer_json
from engine.tokenizers.exchange_checks import MAX_FILE_BYTES
from engine.tokenizers.exchange_read import (
    from_hugging_face,
    parse_tokenizer,
    read_tokenizer_file,
)
from tests.engine.tokenizers.texts import PROSE

GOOD = tokenizer_json(BPETokenizer.train(PROSE, 270))
WORDS = {
    "type": "WordLevel",
    "vocab": {"a": 0, "b": 1},
    "unk_token": "<unk>",
}


def changed(*path: str, to: Any) -> dict[str, Any]:
    file: dict[str, Any] = json.loads(GOOD)
    place = file
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return file


def vocabulary(**more: Any) -> dict[str, Any]:
    return {**json.loads(GOOD)["model"]["vocab"], **more}


CASES = [
    ("a JSON object", []),
    ("a JSON object", None),
    ("no “model”", {}),
    ("no “model”", {"model": 3}),
    ("“Unigram”", changed("model", "type", to="Unigram")),
    ("“WordPiece”", changed("model", "type", to="WordPiece")),
    ("only BPE and WordLevel", changed("model", "type", to={"a": 1})),
    ("truncation", changed("truncation", to={"max_length": 5})),
    ("padding", changed("padding", to={})),
    ("normalizer is “NFC”", changed("normalizer", to={"type": "NFC"})),
    ("normalizer must be", changed("normalizer", to="NFC")),
    ("makes no sense", changed("normalizer", to={"type": "Sequence", "normalizers": 7})),
    (
        "normalizer is “Lowercase”",
        changed("normalizer", to={"type": "Sequence", "normalizers": [{"type": "Lowercase"}]}),
    ),
    ("post-processor is “Bert”", changed("post_processor", to={"type": "Bert"})),
    ("decoder is “WordPiece”", changed("decoder", to={"type": "WordPiece"})),
    ("“Whitespace”", changed("pre_tokenizer", to={"type": "Whitespace"})),
    ("add_prefix_space", changed("pre_tokenizer", "add_prefix_space", to=True)),
    (
        "a rule of its own",
        changed(
            "pre_tokenizer",
            to={"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated"},
        ),
    ),
    ("dropout", changed("model", "dropout", to=0.1)),
    ("dropout", changed("model", "dropout", to=[1])),
    ("end_of_word_suffix", changed("model", "end_of_word_suffix", to="</w>")),
    ("ignore_merges", changed("model", "ignore_merges", to=True)),
    ("unk_token", changed("model", "unk_token", to=5)),
    ("“merges” must be a list", changed("model", "merges", to="a b")),
    ("no pair of tokens", changed("model", "merges", to=[["a"]])),
    ("no pair of tokens", changed("model", "merges", to=[7])),
    ("no pair of tokens", changed("model", "merges", to=["a b c"])),
    ("no pair of tokens", changed("model", "merges", to=[["a", ""]])),
    ("joins “zzz”", changed("model", "merges", to=[["zzz", "a"]])),
    ("makes “aX”", changed("model", "merges", to=[["a", "X"]])),
    ("“vocab” must be", changed("model", "vocab", to=["a"])),
    ("vocabulary is empty", changed("model", "vocab", to={})),
    ("has the id “-1”", changed("model", "vocab", to=vocabulary(a=-1))),
    ("has the id “True”", changed("model", "vocab", to=vocabulary(a=True))),
    ("has the id “1.0”", changed("model", "vocab", to=vocabulary(a=1.0))),
    ("has the id “1000000000”", changed("model", "vocab", to=vocabulary(a=10**9))),
    ("one id to two", changed("model", "vocab", to=vocabulary(a=vocabulary()["b"]))),
    ("have gaps", changed("model", "vocab", to=vocabulary(ab=5000))),
    ("surrogate", changed("model", "vocab", to=vocabulary(**{"\ud800": 270}))),
    ("not written in bytes", changed("model", "vocab", to=vocabulary(你=270))),
    ("“added_tokens” must be", changed("added_tokens", to={})),
    ("no id in range", changed("added_tokens", to=[{"content": "x", "id": -3}])),
    ("no id in range", changed("added_tokens", to=[3])),
    ("only control symbols", changed("added_tokens", to=[{"content": "x", "id": 270}])),
    ("two ids", changed("added_tokens", to=[{"content": "!", "id": 270, "special": True}])),
    ("not cut by GPT-2's rule", {"model": WORDS}),
    (
        "no token for unknown words",
        {"model": WORDS, "pre_tokenizer": GPT2_SPLIT},
    ),
]


@pytest.mark.parametrize(("sentence", "file"), CASES, ids=[case[0] for case in CASES])
def test_what_is_wrong_is_named(sentence: str, file: object) -> None:
    with pytest.raises(LabError) as caught:
        from_hugging_face(file)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        ("no JSON", ""),
        ("no JSON", "{"),
        ("no JSON", '{"a": 1' + "0" * 5000 + "}"),
        ("NaN", '{"a": NaN}'),
        ("Infinity", '{"model": {"vocab": {"a": -Infinity}}}'),
        ("too deeply", '{"a":' * 200_000),
        ("too deeply", "[" * 200_000 + "]" * 200_000),
        ("names “a” twice", '{"model": {"vocab": {"a": 0, "a": 1}}}'),
    ],
)
def test_a_text_that_is_no_such_json_is_refused(sentence: str, text: str) -> None:
    with pytest.raises(LabError) as caught:
        parse_tokenizer(text)
    assert sentence in str(caught.value)


def test_a_file_is_measured_before_it_is_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(LabError, match="too large"):
        read_tokenizer_file(huge)


def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="is no file"):
        read_tokenizer_file(tmp_path)
    with pytest.raises(LabError, match="is no file"):
        read_tokenizer_file(tmp_path / "gone.json")
    (tmp_path / "picture.json").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(LabError, match="no text in UTF-8"):
        read_tokenizer_file(tmp_path / "picture.json")


def test_a_good_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    for start in (b"", b"\xef\xbb\xbf"):
        path.write_bytes(start + GOOD.encode())
        assert read_tokenizer_file(path).tokenizer.vocab_size == 270


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**12)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from(["BPE", "WordLevel", "ByteLevel", "Sequence", "Split", "a", "<unk>"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
_OF_MODEL = ("type", "vocab", "merges", "unk_token", "byte_fallback", "fuse_unk", "dropout")
_PLACES = [
    *[(key,) for key in ("model", "added_tokens", "normalizer", "pre_tokenizer", "decoder")],
    *[("model", key) for key in _OF_MODEL],
    ("pre_tokenizer", "type"),
    ("pre_tokenizer", "use_regex"),
    ("model", "vocab", "a"),
]


@settings(max_examples=300, deadline=None)
@given(place=st.sampled_from(_PLACES), value=json_values, text=st.text(max_size=12))
def test_whatever_stands_anywhere_is_read_or_refused(
    place: tuple[str, ...], value: Any, text: str
) -> None:
    try:
        tokenizer = from_hugging_face(changed(*place, to=value)).tokenizer
    except LabError as error:
        assert str(error).endswith((".", "…."))
    else:
        tokenizer.encode(text)
        assert len(tokenizer.byte_spans(text)) == len(tokenizer.encode(text))
