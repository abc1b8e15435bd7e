"""Transformers that come with the lab, so that there is one to look at before any is trained.

assets/checkpoints/NAME/
  config.json, model.safetensors    the model
  about.json                        which text and tokenizer it belongs to, and how it was made

``scripts/make_checkpoints.py`` makes them. A bundled model is offered only where text and tokens
are those it was trained on: it never stands in for another.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.workspace.choices import TokenizerSpec
from engine.workspace.made import MadeFrom, MadeTokenizer, Streams, TrainedRun

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "checkpoints"
ABOUT = "about.json"
VERSION = 1


def bundled_names() -> tuple[str, ...]:
    """The names of all models that come with the lab."""
    return tuple(sorted(p.parent.name for p in FOLDER.glob(f"*/{ABOUT}")))


def bundled_name(streams: Streams) -> str | None:
    """The name of the model trained on this text in these tokens; None if there is none."""
    for name in bundled_names():
        about = _about(FOLDER / name)
        if (
            about["corpus"] == streams.made_from.corpus
            and about["tokenizer"] == streams.made_from.tokenizer
        ):
            return name
    return None


def load_bundled(
    streams: Streams, tokenizer: MadeTokenizer, job: Job = NO_JOB
) -> TrainedRun | None:
    """The model that comes with the lab for this text in these tokens; None if there is none.

    Imports torch where there is one.

    Raises:
        LabError: if its files are damaged.
    """
    name = bundled_name(streams)
    if name is None:
        return None
    from engine.models.transformer import TransformerModel

    job.yield_point()
    about = _about(FOLDER / name)
    return TrainedRun(
        name=str(about["title"]),
        model=TransformerModel.load(FOLDER / name, str(about["title"])),
        tokenizer=tokenizer,
        made_from=streams.made_from,
        facts={str(k): str(v) for k, v in about["facts"].items()},
    )


def write_about(
    folder: Path, title: str, spec: TokenizerSpec, made_from: MadeFrom, facts: dict[str, str]
) -> None:
    """Write what a bundled model belongs to; used by the script that makes it."""
    about = {
        "version": VERSION,
        "title": title,
        "corpus": made_from.corpus,
        "tokenizer": made_from.tokenizer,
        "tokenizer_spec": spec.to_dict(),
        "facts": facts,
    }
    text = json.dumps(about, indent=2, ensure_ascii=False) + "\n"
    (folder / ABOUT).write_text(text, encoding="utf-8")


def _about(folder: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if about["version"] != VERSION or not isinstance(about["facts"], dict):
            raise ValueError("another version")
        for key in ("title", "corpus", "tokenizer"):
            if not isinstance(about[key], str):
                raise ValueError(key)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabError(
            f"The model “{folder.name}” that comes with the lab is damaged. Install the lab again."
        ) from error
    return about
