"""What may stand in a ``tokenizer.json`` around its model, and how large it may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from engine.errors import LabError
from engine.tokenizers.bpe_train import MAX_TOKEN_BYTES
from engine.tokenizers.pretokenize import PATTERN

MAX_FILE_BYTES = 64 * 2**20
"""More is not read. The largest vocabularies in use take half of it."""

MAX_IMPORTED = 1_000_000
"""The largest vocabulary that can be imported."""

Rule = Literal["none", "words", "bytes", "bytes in words"]
"""How text is cut before the model: not at all; by GPT-2's rule; into bytes; or both."""


def shown(value: object) -> str:
    """A value from a file, short enough for a sentence."""
    text = value if isinstance(value, str) else repr(value)
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"


def require_plain(file: Mapping[str, Any]) -> None:
    """Refuse what would change a text before the model sees it, or its ids afterwards.

    Raises:
        LabError: naming the first such thing.
    """
    for key in ("truncation", "padding"):
        if file.get(key) is not None:
            raise LabError(
                f"The file asks for {key}, which is not supported: whole texts are cut here."
            )
    for key, what, parts_key, allowed in _STEPS:
        for step in _flat(file.get(key), what, parts_key, 0):
            if step.get("type") not in allowed:
                raise LabError(
                    f"The file's {what} is {shown(step.get('type'))}, which is not supported: "
                    "without it the ids or the text would not be those of the file."
                )


_STEPS = (
    ("normalizer", "normalizer", "normalizers", ()),
    ("post_processor", "post-processor", "processors", ("ByteLevel",)),
    ("decoder", "decoder", "decoders", ("ByteLevel", "Fuse", "ByteFallback")),
)
"""What stands around the model: its key, its name, what its sequences are called, and the types
that change nothing here."""


def _flat(value: object, what: str, parts_key: str, depth: int) -> list[Mapping[str, Any]]:
    """The steps of a pipeline's part; a Sequence is taken apart."""
    if value is None:
        return []
    if not isinstance(value, Mapping):
        raise LabError(f"The file's {what} must be an object or null.")
    if value.get("type") != "Sequence":
        return [value]
    parts = value.get(parts_key)
    if not isinstance(parts, list) or len(parts) > 16 or depth > 2:
        raise LabError(f"The file's {what} is a sequence of steps that makes no sense.")
    return [step for part in parts for step in _flat(part, what, parts_key, depth + 1)]


def pre_tokenization(value: object) -> Rule:
    """Which of our ways of cutting text beforehand the file asks for.

    Raises:
        LabError: if it is none of them.
    """
    split = by_bytes = False
    for step in _flat(value, "pre-tokenizer", "pretokenizers", 0):
        kind = step.get("type")
        if kind == "ByteLevel" and not by_bytes:
            if step.get("add_prefix_space") is not False:
                raise LabError(
                    "The file's pre-tokenizer puts a space before every text (add_prefix_space), "
                    "which is not supported: the text would not come back as it was."
                )
            by_bytes = True
            split = split or step.get("use_regex", True) is not False
        elif kind == "Split" and not by_bytes and not split:
            pattern = step.get("pattern")
            rule = pattern.get("Regex") if isinstance(pattern, Mapping) else None
            plain = step.get("behavior") == "Isolated" and step.get("invert") in (False, None)
            if rule != PATTERN.pattern or not plain:
                raise LabError(
                    "The file's pre-tokenizer splits text by a rule of its own. Only GPT-2's rule "
                    "is supported."
                )
            split = True
        else:
            raise LabError(
                f"The file's pre-tokenizer is {shown(kind)}, which is not supported. Supported "
                "are ByteLevel, Split by GPT-2's rule, or none."
            )
    if by_bytes:
        return "bytes in words" if split else "bytes"
    return "words" if split else "none"


def added_tokens(value: object) -> dict[str, int]:
    """The control symbols of the file, with their ids.

    Raises:
        LabError: if they make no sense, or are ordinary words to be found in texts.
    """
    if value is None:
        return {}
    if not isinstance(value, list) or len(value) > MAX_IMPORTED:
        raise LabError("The file's “added_tokens” must be a list.")
    added: dict[str, int] = {}
    for token in value:
        content = token.get("content") if isinstance(token, Mapping) else None
        token_id: Any = token.get("id") if isinstance(token, Mapping) else None
        if not isinstance(content, str) or not content or not _is_id(token_id):
            raise LabError("One of the file's “added_tokens” has no text, or no id in range.")
        if token.get("special") is not True:
            raise LabError(
                f"The file adds the token {shown(content)}, to be found in texts before all "
                "others. That is not supported; only control symbols are."
            )
        if content in added:
            raise LabError(f"The file adds the token {shown(content)} twice.")
        added[content] = token_id
    return added


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MAX_IMPORTED


def vocabulary(value: object, added: Mapping[str, int]) -> dict[str, int]:
    """The model's vocabulary: with the control symbols it fills the ids from 0 without a gap.

    Raises:
        LabError: if it is no vocabulary, or too large.
    """
    if not isinstance(value, Mapping):
        raise LabError("The file's “vocab” must be an object of tokens and their ids.")
    if len(value) > MAX_IMPORTED:
        raise LabError(f"The file has {len(value):,} tokens; {MAX_IMPORTED:,} are the most.")
    if not value:
        raise LabError("The file's vocabulary is empty.")
    n_characters = 0
    for token, token_id in value.items():
        if not _is_id(token_id):
            raise LabError(
                f"The token {shown(token)} has the id {shown(token_id)}. Ids are whole numbers "
                f"from 0, below {MAX_IMPORTED:,}."
            )
        n_characters += len(token)
    if n_characters > MAX_TOKEN_BYTES // 4:
        raise LabError("The file's tokens are too long to be kept.")
    ids = dict(value)
    for name, token_id in added.items():
        if ids.get(name, token_id) != token_id:
            raise LabError(f"The file gives the token {shown(name)} two ids.")
    both = {**ids, **added}
    if len(set(both.values())) != len(both):
        raise LabError("The file gives one id to two tokens.")
    if max(both.values()) != len(both) - 1:
        present = set(both.values())
        missing = next(i for i in range(len(both)) if i not in present)
        raise LabError(f"The file's ids have gaps: no token has the id {missing:,}.")
    try:
        "".join(both).encode("utf-8")
    except UnicodeEncodeError as error:
        raise LabError("A token of the file holds half a character (a surrogate).") from error
    return ids
