"""Saving a workspace into a folder, and loading one that may come from anyone."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import LabError
from engine.files import write_bytes, write_json
from engine.jobs import NO_JOB, Job
from engine.text import MAX_TEXT_BYTES
from engine.tokenizers import tokenizer_from_dict
from engine.workspace import folders
from engine.workspace.checked import Fields
from engine.workspace.choices import MAX_SEED, CorpusChoice, NGramSettings, TokenizerSpec
from engine.workspace.made import MadeFrom, MadeTokenizer, TrainedRun, tokenizer_fingerprint
from engine.workspace.workspace import MAX_RUNS, Workspace

FORMAT = "next-token-lab workspace"
VERSION = 1

_MAX_TOKENIZER_BYTES = 64_000_000
_MAX_FACTS = 100
_CHECKPOINT = "checkpoint.safetensors"  # what a trainer saves; a model alone has none


@dataclass(frozen=True)
class Loaded:
    """A workspace that was loaded, and what about it is not as it was when saved."""

    workspace: Workspace
    notes: tuple[str, ...]
    """A sentence each: a text that is gone or has changed, for example."""


def save(
    workspace: Workspace, folder: str | os.PathLike[str], job: Job = NO_JOB
) -> tuple[TrainedRun, ...]:
    """Write a workspace into a new or empty folder, or over the workspace that is there.

    Either all of it is written or the old one stays. A corpus is saved as its choice: a file
    by its path, bundled ones by their names, an own text in full. N-grams are counted again
    after loading. Returns the runs as now saved: with ``Workspace.adopt_saved`` the owner lets
    them know their files, so that the next save does not write them again.

    Raises:
        LabError: if the folder holds other things, or cannot be written.
        JobCancelled: if the job is stopped; the old workspace is then untouched.
    """
    place = Path(folder)
    folders.prepare(place, FORMAT)
    saving = _Saving(place, job)
    try:
        description = saving.describe(workspace)
        job.yield_point()
        write_json(place / folders.DESCRIPTION, description)
    except BaseException:
        folders.remove_parts(place, saving.written)
        raise
    folders.remove_parts(place, folders.parts_in(place) - saving.named)
    return tuple(saving.runs)


def load(folder: str | os.PathLike[str], job: Job = NO_JOB) -> Loaded:
    """Read a workspace from a folder. Its files are data, never code.

    A corpus that is gone or cannot be read leaves ``workspace.corpus`` None and a note. Its
    tokenizer and runs are there all the same.

    Raises:
        LabError: if the folder holds no workspace that this version reads, or a damaged one.
    """
    place = Path(folder)
    value = folders.read_json(place / folders.DESCRIPTION, folders.MAX_DESCRIPTION_BYTES)
    fields = Fields(value, folders.DESCRIPTION)
    if fields.string("format") != FORMAT:
        raise LabError("This folder's workspace.json is not a workspace of Next Token Lab.")
    if fields.integer("version", 1, 2**31) != VERSION:
        raise LabError("This workspace was saved by a newer Next Token Lab. Update to open it.")
    workspace = Workspace()
    workspace.set_seed(fields.integer("seed", 0, MAX_SEED))
    workspace.set_ngram_settings(NGramSettings.from_dict(fields.raw("ngram")))
    tokenizers: dict[str, MadeTokenizer] = {}
    for entry in fields.items("tokenizers", MAX_RUNS + 1):
        tokenizer = _load_tokenizer(place, Fields(entry, "a tokenizer"))
        tokenizers[tokenizer.fingerprint] = tokenizer
    current = fields.optional_path("tokenizer")
    if current is not None:
        workspace.adopt_tokenizer(_named(tokenizers, current))
    workspace.set_tokenizer_spec(TokenizerSpec.from_dict(fields.raw("tokenizer_spec")))
    entries = fields.items("runs", MAX_RUNS)
    for done, entry in enumerate(entries):
        job.progress(done, len(entries), "Loading the trained models")
        workspace.add_run(_load_run(place, Fields(entry, "a run"), tokenizers))
    return Loaded(
        workspace, _load_corpus(workspace, place, Fields(fields.raw("corpus"), "the corpus"), job)
    )


class _Saving:
    """One call of ``save``: the parts that the new workspace names, and those just written."""

    def __init__(self, folder: Path, job: Job) -> None:
        self.folder = folder
        self.job = job
        self.named: set[str] = set()
        self.written: set[str] = set()
        self.runs: list[TrainedRun] = []

    def describe(self, workspace: Workspace) -> dict[str, Any]:
        """Write all parts; returns what workspace.json is to hold."""
        made = {run.tokenizer.fingerprint: run.tokenizer for run in workspace.runs}
        if workspace.tokenizer:
            made[workspace.tokenizer.fingerprint] = workspace.tokenizer
        entries = []
        for done, run in enumerate(workspace.runs):
            self.job.progress(done, len(workspace.runs), "Saving the trained models")
            entries.append(self._run(run))
        return {
            "format": FORMAT,
            "version": VERSION,
            "seed": workspace.seed,
            "corpus": self._corpus(workspace),
            "tokenizer_spec": workspace.tokenizer_spec.to_dict(),
            "tokenizer": workspace.tokenizer.fingerprint if workspace.tokenizer else None,
            "tokenizers": [self._tokenizer(tokenizer) for tokenizer in made.values()],
            "ngram": workspace.ngram_settings.to_dict(),
            "runs": entries,
        }

    def _part(self, sort: str, ending: str = "") -> Path:
        name = folders.new_part(sort, ending)
        self.named.add(name)
        self.written.add(name)
        return self.folder / folders.PARTS / name

    def _corpus(self, workspace: Workspace) -> dict[str, Any]:
        choice = workspace.corpus_choice
        part = None
        if choice.key == "text" and choice.text:
            path = self._part("text", ".txt")
            write_bytes(path, choice.text.encode("utf-8", "surrogatepass"))
            part = path.name
        return {
            "key": choice.key,
            "seed": choice.seed,
            "path": None if choice.path is None else str(Path(choice.path).absolute()),
            "text": part,
            "fingerprint": workspace.corpus.fingerprint if workspace.corpus else None,
        }

    def _tokenizer(self, tokenizer: MadeTokenizer) -> dict[str, Any]:
        path = self._part("tokenizer", ".json")
        write_json(path, tokenizer.tokenizer.to_dict())
        return {
            "file": path.name,
            "fingerprint": tokenizer.fingerprint,
            "spec": tokenizer.spec.to_dict(),
            "made_from": tokenizer.made_from.to_dict(),
        }

    def _run(self, run: TrainedRun) -> dict[str, Any]:
        """Write one run, unless its files lie in this folder already."""
        lies = run.folder is not None and run.folder.is_dir()
        if lies and run.folder and run.folder.parent == self.folder / folders.PARTS:
            path = run.folder
            self.named.add(path.name)
        else:
            path = self._part("run")
            if lies and run.folder:
                folders.copy_run(run.folder, path)
            else:
                what = run.saved if run.saved is not None else run.model
                what.save(path)
        resumable = (path / _CHECKPOINT).is_file()
        self.runs.append(replace(run, folder=path, resumable=resumable))
        return {
            "name": run.name,
            "folder": path.name,
            "tokenizer": run.tokenizer.fingerprint,
            "made_from": run.made_from.to_dict(),
            "facts": [[str(k), str(v)] for k, v in run.facts.items()],
        }


def _load_tokenizer(folder: Path, fields: Fields) -> MadeTokenizer:
    path = folders.part_path(folder, "tokenizer", fields.string("file"))
    tokenizer = tokenizer_from_dict(folders.read_json(path, _MAX_TOKENIZER_BYTES))
    fingerprint = tokenizer_fingerprint(tokenizer)
    if fingerprint != fields.string("fingerprint"):
        raise LabError(f"The workspace's {path.name} is not the tokenizer that was saved.")
    spec = TokenizerSpec.from_dict(fields.raw("spec"))
    if spec.kind != tokenizer.kind:
        raise LabError(f"The workspace's {path.name} does not fit its description.")
    return MadeTokenizer(tokenizer, spec, fingerprint, MadeFrom.from_dict(fields.raw("made_from")))


def _load_run(folder: Path, fields: Fields, tokenizers: dict[str, MadeTokenizer]) -> TrainedRun:
    # Imported when needed: a workspace without runs opens without torch.
    from engine.models.transformer import TransformerModel

    name = fields.string("name")
    tokenizer = _named(tokenizers, fields.string("tokenizer"))
    path = folders.part_path(folder, "run", fields.string("folder"))
    resumable = any(file.name == _CHECKPOINT for file in folders.run_files(path))
    if resumable:
        from engine.training import load_checkpoint_model

        model = load_checkpoint_model(path)
    else:
        model = TransformerModel.load(path, name)
    if model.vocab_size != tokenizer.tokenizer.vocab_size + 1:
        raise LabError(f"The run “{name}” does not fit the tokenizer that it is said to use.")
    return TrainedRun(
        name=name,
        model=model,
        tokenizer=tokenizer,
        made_from=MadeFrom.from_dict(fields.raw("made_from")),
        folder=path,
        resumable=resumable,
        facts=_facts(fields.items("facts", _MAX_FACTS)),
    )


def _facts(pairs: list[Any]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for pair in pairs:
        if not (isinstance(pair, list) and len(pair) == 2):
            raise LabError("In the workspace, a fact about a run is not a pair of texts.")
        both = Fields({"name": pair[0], "value": pair[1]}, "a fact about a run")
        facts[both.string("name")] = both.string("value")
    return facts


def _named(tokenizers: dict[str, MadeTokenizer], fingerprint: str) -> MadeTokenizer:
    if fingerprint not in tokenizers:
        raise LabError("The workspace names a tokenizer that it does not hold.")
    return tokenizers[fingerprint]


def _load_corpus(workspace: Workspace, folder: Path, fields: Fields, job: Job) -> tuple[str, ...]:
    """Load the corpus into the workspace; returns what is not as it was."""
    text = None
    if fields.raw("text") is not None:
        path = folders.part_path(folder, "text", fields.string("text"))
        data = folders.read(path, 3 * MAX_TEXT_BYTES)
        try:
            text = data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise LabError("The workspace's own text is damaged: it is no UTF-8.") from None
    choice = CorpusChoice(
        key=fields.string("key"),
        seed=fields.integer("seed", 0, MAX_SEED),
        path=fields.optional_path("path"),
        text=text,
    )
    fingerprint = fields.optional_path("fingerprint")
    workspace.corpus_choice = choice
    if fingerprint is None:
        return ()
    if choice.path is not None and choice.path.startswith(("\\\\", "//")):
        # Asking for such a path would contact another machine, of a stranger's choosing.
        return (
            "The text of this workspace is on another machine and was not fetched. Choose it "
            "again to load it.",
        )
    try:
        corpus = choice.load(job)
    except LabError as error:
        return (f"The text of this workspace could not be loaded. {error}",)
    workspace.adopt_corpus(choice, corpus)
    if corpus.fingerprint != fingerprint:
        return ("The text of this workspace has changed since it was saved.",)
    return ()
