"""What each model remembers, measured. Runs on the compute thread; no Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.errors import LabError
from engine.generation import generate
from engine.jobs import NO_JOB, Job
from engine.models import LanguageModel, NGramModel
from engine.models.ngram.counting import NGramCounts, TooManyNGramsError
from engine.models.reach import (
    BINS,
    Kept,
    Probe,
    Reach,
    find_probes,
    keeps_to_its_facts,
    reach,
    word_probabilities,
)
from engine.text import Corpus
from engine.text.story import Story, StoryLanguage
from engine.workspace.made import Streams
from gui.language_models.models import HIGHEST_ORDER, Seat, Table

MOST_STORIES = 150
MOST_TOKENS = 600
"""A text that is checked for consistency ends here at the latest."""


@dataclass(frozen=True)
class Memory:
    """One model's probability of the right word, against how far back its cause lies."""

    kind: str
    title: str
    reaches: tuple[Reach, ...]
    probabilities: tuple[float, ...]
    """Of each probe; NaN for unknown words."""


@dataclass(frozen=True)
class Probed:
    """The probe's result so far."""

    table: Table
    streams: Streams
    stories: tuple[Story, ...]
    probes: tuple[Probe, ...]
    memories: tuple[Memory, ...] = ()


@dataclass(frozen=True)
class Faithful:
    """How well texts of each model keep to their own facts."""

    rows: tuple[tuple[Seat, Kept], ...]


def needed(table: Table, corpus: Corpus | None) -> tuple[Corpus, StoryLanguage]:
    """The corpus and its language.

    Raises:
        LabError: if nobody knows what is right in this text.
    """
    if corpus is None or table.tokenizer is None:
        raise LabError("The text is still being prepared.")
    if corpus.language is None:
        raise LabError(
            f"What the right word is, is known only for the text “Stories”, not for "
            f"“{corpus.title}”. Choose it above."
        )
    return corpus, corpus.language


def probe(table: Table, corpus: Corpus | None, streams: Streams, job: Job = NO_JOB) -> Probed:
    """Ask n-grams of every order and the other models at the table, publishing each.

    Raises:
        LabError: if the text's language is not known, or tokens cross words.
    """
    corpus, language = needed(table, corpus)
    assert table.tokenizer is not None
    if streams.made_from.tokenizer != table.tokenizer.fingerprint:
        raise LabError(
            "The n-grams of the probe need the tokens chosen above, and the transformer chosen "
            "here reads others. Choose another transformer."
        )
    tokenizer = table.tokenizer.tokenizer
    read = [language.read(text) for text in corpus.held_out[:MOST_STORIES]]
    stories = tuple(story for story in read if story is not None)
    probes = find_probes(language, stories, job)
    if not probes:
        raise LabError("No held-out story has a word that is settled by another.")
    result = Probed(table, streams, stories, tuple(probes))
    for kind, title, model in _contestants(table, streams, job):
        p = word_probabilities(model, tokenizer, stories, probes, job)
        memory = Memory(kind, title, tuple(reach(probes, p.tolist())), tuple(p.tolist()))
        result = Probed(table, streams, stories, tuple(probes), (*result.memories, memory))
        job.publish(result)
    return result


def _contestants(table: Table, streams: Streams, job: Job) -> list[tuple[str, str, LanguageModel]]:
    try:
        counts = NGramCounts.count(streams.train, HIGHEST_ORDER, job)
    except TooManyNGramsError as error:
        counts = NGramCounts.count(streams.train, max(1, error.order), job)
    found: list[tuple[str, str, LanguageModel]] = [
        ("ngram", f"{order}-gram", NGramModel(counts, order, job=job))
        for order in range(1, counts.order + 1)
    ]
    for seat in table.present:
        if seat.kind != "ngram" and seat.model is not None:
            found.append((seat.kind, seat.title, seat.model))
    return found


def write_and_check(
    table: Table, corpus: Corpus | None, texts: int, seed: int, job: Job = NO_JOB
) -> Faithful:
    """Let every model at the table write texts from nothing, and check them.

    Raises:
        LabError: if the text's language is not known.
    """
    _, language = needed(table, corpus)
    assert table.tokenizer is not None
    tokenizer = table.tokenizer.tokenizer
    rows: list[tuple[Seat, Kept]] = []
    total = texts * len(table.present)
    for seat in table.present:
        assert seat.model is not None
        written = []
        for number in range(texts):
            job.progress(len(rows) * texts + number, total, f"{seat.title} is writing")
            drawn = generate(seat.model, [], None, seed + number, MOST_TOKENS, job)
            written.append(tokenizer.decode([token.id for token in drawn]))
        rows.append((seat, keeps_to_its_facts(language, written)))
        job.publish(Faithful(tuple(rows)))
    return Faithful(tuple(rows))


def far_words() -> int:
    """From how many words back on a cause counts as far: where the last bin begins."""
    return BINS[-1]


def contestants(table: Table) -> tuple[str, ...]:
    """Whom one can bet on: n-grams from short to long, and what else is at the table but the
    truth, which is always right."""
    others = [seat.title for seat in table.present if seat.kind not in ("ngram", "truth")]
    return (*(f"{order}-gram" for order in (2, 3, 5, HIGHEST_ORDER)), *others)


def leaders(probed: Probed, names: tuple[str, ...]) -> tuple[list[int], str]:
    """Of those names, the ones that did best on far causes, and why.

    As good as the best counts whoever's 95 % interval reaches the best one's mean.

    Returns:
        Their places in ``names``, and one or two sentences; nothing where no cause is far.
    """
    found = {m.title: r for m in probed.memories for r in m.reaches if r.low == far_words()}
    running = [(number, found[name]) for number, name in enumerate(names) if name in found]
    if not running:
        return [], ""
    _, best = max(running, key=lambda pair: pair[1].mean)
    right = [number for number, reach in running if reach.upper >= best.mean]
    told = ", ".join(f"{names[number]} {reach.mean:.2f}" for number, reach in running)
    why = (
        f"Means there: {told}. An n-gram has not read the cause, so it can only guess what is "
        "frequent; a transformer's attention can reach back to it, as far as training taught it to."
    )
    if len(right) > 1:
        why += " The best of them cannot be told apart on so many words."
    return right, why


def in_words(probed: Probed) -> str:
    """What the curves say of far causes, in a sentence or two."""
    said = []
    ngrams = [m for m in probed.memories if m.kind == "ngram" and m.reaches]
    if ngrams:
        best = max(ngrams, key=lambda m: m.reaches[-1].mean)
        said.append(_far(best, f"the best n-gram ({best.title})"))
    said += [
        _far(m, "the " + m.title if m.kind != "truth" else "the truth")
        for m in probed.memories
        if m.kind != "ngram" and m.reaches
    ]
    if not said:
        return ""
    far = probed.memories[0].reaches[-1]
    words = f"{far.low} words back or more" if far.high is None else f"{far.low}–{far.high} words"
    return (
        f"{len(probed.probes):,} words of {len(probed.stories):,} held-out stories are settled "
        f"by an earlier word. Where that lies {words}: " + ", ".join(said) + "."
    )


def _far(memory: Memory, name: str) -> str:
    mean = memory.reaches[-1].mean
    return f"{name} gives it {mean:.2f}" if math.isfinite(mean) else name
