"""Reading Hugging Face's ``tokenizer.json``: exactly, or not at all, and never trusting it.

What is understood: byte-level BPE, BPE over characters (with byte fallback or an unknown token),
and WordLevel; pre-tokens by GPT-2's rule, or none. The file then gives the same ids here as in
``tokenizers``. Whatever else a file asks for (normalizers, other pre-tokenizers, templates) is
refused by name, for leaving it out would silently give other ids. Control symbols keep their ids,
but a text that spells one out is cut like any other text: ``Imported.notes`` says so.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.tokenizers.base import Tokenizer
from engine.tokenizers.exchange_checks import (
    MAX_FILE_BYTES,
    added_tokens,
    pre_tokenization,
    require_plain,
    shown,
    vocabulary,
)
from engine.tokenizers.exchange_models import read_bpe, read_words


@dataclass(frozen=True)
class Imported:
    """A tokenizer from a file, and what the reader should know about it."""

    tokenizer: Tokenizer
    notes: tuple[str, ...]
    """A sentence each on what is not as in the file."""


def read_tokenizer_file(path: str | os.PathLike[str], job: Job = NO_JOB) -> Imported:
    """Read a ``tokenizer.json``.

    Raises:
        LabError: if it cannot be read, is too large, is no such file, or asks for what is not
            supported.
    """
    place = Path(path)
    job.progress(0, None, f"Reading {place.name}")
    try:
        if not place.is_file():
            raise LabError(f"“{place.name}” is no file. Choose a tokenizer.json.")
        with place.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise LabError(f"“{place.name}” cannot be read: {reason}.") from error
    if len(data) > MAX_FILE_BYTES:
        raise LabError(
            f"“{place.name}” is larger than {MAX_FILE_BYTES // 2**20} MB, too large for a "
            "tokenizer. Choose a tokenizer.json."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabError(f"“{place.name}” is no text in UTF-8, so no tokenizer.json.") from error
    return parse_tokenizer(text, job)


def parse_tokenizer(text: str, job: Job = NO_JOB) -> Imported:
    """The tokenizer of a ``tokenizer.json``'s text.

    Raises:
        LabError: as ``read_tokenizer_file``.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except LabError:
        raise
    except RecursionError as error:
        raise LabError("This file nests its values too deeply for a tokenizer.json.") from error
    except ValueError as error:  # malformed, or a number of thousands of digits
        raise LabError(f"This file is no JSON, so no tokenizer.json: {_brief(error)}.") from error
    return from_hugging_face(value, job)


def from_hugging_face(value: object, job: Job = NO_JOB) -> Imported:
    """The tokenizer that the values of a ``tokenizer.json`` describe.

    Raises:
        LabError: if they describe none, or one that is not supported.
    """
    if not isinstance(value, Mapping):
        raise LabError("This is no tokenizer.json: a JSON object was expected.")
    model = value.get("model")
    if not isinstance(model, Mapping):
        raise LabError("This is no tokenizer.json: it has no “model”.")
    require_plain(value)
    kind = model.get("type")
    if kind is None:  # files from before types were written
        kind = "BPE" if "merges" in model else None
    rule = pre_tokenization(value.get("pre_tokenizer"))
    if kind not in ("BPE", "WordLevel"):
        raise LabError(
            f"The file's model is {shown(kind)}, and only BPE and WordLevel are supported."
        )
    added = added_tokens(value.get("added_tokens"))
    ids = vocabulary(model.get("vocab"), added)
    job.yield_point()
    ids, added, notes = _without_control(ids, added, model.get("unk_token"))
    if kind == "WordLevel":
        return Imported(read_words(model, ids, added, rule), notes)
    tokenizer, more = read_bpe(model, ids, added, rule, job)
    return Imported(tokenizer, (*notes, *more))


def _without_control(
    ids: dict[str, int], added: dict[str, int], unknown: object
) -> tuple[dict[str, int], dict[str, int], tuple[str, ...]]:
    """Leave out control symbols that stand behind all other tokens, as GPT-2's end-of-text does:
    the ids stay as they are. Elsewhere they keep their place."""
    control = [name for name in added if name != unknown]
    if not control:
        return ids, {}, ()
    names = ", ".join(shown(name) for name in control[:3]) + (" …" if len(control) > 3 else "")
    one = len(control) == 1
    which = "Its control symbol" if one else f"Its {len(control)} control symbols"
    core = {token: i for token, i in ids.items() if token not in control}
    if len(core) == max(core.values(), default=-1) + 1:
        left = "is" if one else "are"
        return core, {}, (f"{which} ({names}) {left} left out: the lab ends texts in its own way.",)
    keep = "keeps its number" if one else "keep their numbers"
    said = f"{which} ({names}) {keep}, but no text is ever cut into one."
    return ids, added, (said,)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise LabError(f"The file names {shown(twice)} twice, so it is unclear what holds.")
    return made


def _no_constant(name: str) -> Any:
    raise LabError(f"The file holds {name}, which is no number that JSON knows.")


def _brief(error: ValueError) -> str:
    reason = str(error)
    return reason if len(reason) <= 80 else reason[:80] + "…"
