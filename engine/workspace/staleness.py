"""What a change of corpus or tokenizer makes out of date, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from engine.workspace.made import MadeFrom, MadeNGram, MadeTokenizer, TrainedRun


@dataclass(frozen=True)
class Outdated:
    """One thing that no longer fits what is chosen."""

    what: Literal["tokenizer", "ngram", "run"]
    name: str
    """Its own name, such as "BPE, 512 tokens" or a run's."""
    reason: str
    """What it was made from that is no longer chosen, in a sentence."""
    still_usable: bool
    """Whether it can go on being used as it is."""
    advice: str
    """What can still be done with it, or how to bring it up to date, in a sentence."""
    costly: bool
    """Whether making it again takes minutes: ask before it is thrown away."""


ANOTHER = "another"
"""Stands for the fingerprint of what is not made yet, and will differ from all that is."""

UNKNOWN = "unknown"
"""Stands for the fingerprint of what is not loaded: nothing can be said to differ from it."""


@dataclass(frozen=True)
class Upstream:
    """What is, or is about to be, chosen: fingerprints, ANOTHER or UNKNOWN."""

    corpus: str
    tokenizer: str


def outdated(
    upstream: Upstream,
    tokenizer: MadeTokenizer | None,
    ngram: MadeNGram | None,
    runs: Iterable[TrainedRun],
) -> list[Outdated]:
    """All that was made from something other than ``upstream``, from upstream to downstream."""
    found: list[Outdated] = []
    if (
        tokenizer
        and tokenizer.spec.learned
        and _differ(tokenizer.made_from.corpus, upstream.corpus)
    ):
        found.append(_tokenizer(tokenizer))
    if ngram and _stale(ngram.made_from, upstream):
        found.append(_ngram(ngram, upstream))
    found += [_run(run, upstream) for run in runs if _stale(run.made_from, upstream)]
    return found


def _differ(made_from: str, upstream: str) -> bool:
    return upstream != UNKNOWN and made_from != upstream


def _stale(made_from: MadeFrom, upstream: Upstream) -> bool:
    return _differ(made_from.corpus, upstream.corpus) or _differ(
        made_from.tokenizer, upstream.tokenizer
    )


def _tokenizer(tokenizer: MadeTokenizer) -> Outdated:
    lossless = tokenizer.tokenizer.lossless
    works = (
        "It can still cut any text, but its tokens were chosen for the other one"
        if lossless
        else "It still works, but what the other text did not hold becomes <unk>"
    )
    return Outdated(
        what="tokenizer",
        name=tokenizer.label,
        reason=f"The tokenizer was learned from “{tokenizer.made_from.corpus_title}”.",
        still_usable=True,
        advice=f"{works}. Learn it again to fit the new text.",
        costly=False,
    )


def _ngram(ngram: MadeNGram, upstream: Upstream) -> Outdated:
    return Outdated(
        what="ngram",
        name=ngram.label,
        reason=_made_on("counted", ngram.made_from, upstream),
        still_usable=not _differ(ngram.made_from.tokenizer, upstream.tokenizer),
        advice="Counting again takes a moment.",
        costly=False,
    )


def _run(run: TrainedRun, upstream: Upstream) -> Outdated:
    if not _differ(run.made_from.tokenizer, upstream.tokenizer):
        advice = (
            "It stays and goes on predicting, but its losses are those of the other text. "
            "Train a new run to compare."
        )
    else:
        advice = (
            "It stays, with the tokenizer it was trained with; it compares with others only in "
            "bits per byte. Train a new run to compare token by token."
        )
    return Outdated(
        what="run",
        name=run.name,
        reason=_made_on("trained", run.made_from, upstream),
        still_usable=True,
        advice=advice,
        costly=True,
    )


def _made_on(verb: str, made_from: MadeFrom, upstream: Upstream) -> str:
    how: list[str] = []
    if _differ(made_from.corpus, upstream.corpus):
        how.append(f"on “{made_from.corpus_title}”")
    if _differ(made_from.tokenizer, upstream.tokenizer):
        how.append(f"with the tokens of “{made_from.tokenizer_label}”")
    return f"It was {verb} {' '.join(how)}."
