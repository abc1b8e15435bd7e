"""How far back a model sees: the probability it gives to words that earlier words have settled.

In the story language many a word is settled by one further back: the name of who was given the
kite, the weather of the morning. Had the earlier word been another, this one would be, too. A
model that remembers gives the right word probability 1; an n-gram whose window does not reach
the cause can only guess among the rivals.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.base import LanguageModel
from engine.text.story import Story, StoryLanguage
from engine.tokenizers.base import Tokenizer

Floats = npt.NDArray[np.float64]

BINS = (1, 3, 6, 11, 21, 41, 81)
"""Distances in words at which the bins begin; the last one is open."""
_CERTAIN = 0.999
_Z = 1.959963984540054
"""The 97.5 % point of the normal distribution."""


@dataclass(frozen=True)
class Probe:
    """A word of a story that is settled by an earlier one."""

    story: int
    """Index of the story."""
    position: int
    """Index of the word in the story's words."""
    distance: int
    """How many words back it was last settled."""
    reminder: int
    """Index of the word that settled it last."""
    cause: int
    """Index of the word that settled it first."""
    word: str


@dataclass(frozen=True)
class Kept:
    """How well texts of one model keep to their own facts, by the grammar's rules."""

    texts: int
    agree: int
    disagree: int
    sentences: int
    unread: int
    """Sentences that no rule of the grammar fits."""

    @property
    def share(self) -> float:
        """agree ÷ (agree + disagree); NaN where nothing could be checked."""
        total = self.agree + self.disagree
        return self.agree / total if total else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share (Wilson, 1927); (0, 1) for no checks."""
        return wilson_interval(self.agree, self.agree + self.disagree)


def wilson_interval(right: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of which ``right`` of ``n`` were seen (Wilson, 1927); it says
    something sensible for few trials and for shares of 0 and 1. (0, 1) for no trials."""
    if not n:
        return 0.0, 1.0
    share = right / n
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n * n)) / (1 + _Z**2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def keeps_to_its_facts(language: StoryLanguage, texts: Iterable[str]) -> Kept:
    """Check texts by the grammar's own rules (``StoryLanguage.check_consistency``)."""
    texts = list(texts)
    checked = [language.check_consistency(text) for text in texts]
    return Kept(
        texts=len(texts),
        agree=sum(c.agree for c in checked),
        disagree=sum(c.disagree for c in checked),
        sentences=sum(c.sentences for c in checked),
        unread=sum(c.unread for c in checked),
    )


@dataclass(frozen=True)
class Reach:
    """Mean probability of the right word in one bin of distances, with a 95 % interval."""

    low: int
    high: int | None
    """The bin: distances low … high, or all from low up."""
    n: int
    distance: float
    """Mean distance of its probes."""
    mean: float
    lower: float
    upper: float


def find_probes(
    language: StoryLanguage, stories: Sequence[Story], job: Job = NO_JOB
) -> list[Probe]:
    """The settled words of stories to which the truth gives a probability of 1."""
    probes = []
    for number, story in enumerate(stories):
        job.progress(number, len(stories), "Looking for settled words")
        certain = _certain_words(language, story)
        found: dict[int, Probe] = {}
        for fact in story.facts:
            for d in fact.dependents:
                if certain[d.position] and (
                    d.position not in found or d.distance < found[d.position].distance
                ):
                    found[d.position] = Probe(
                        number, d.position, d.distance, d.reminder, d.cause, d.word
                    )
        probes += [found[position] for position in sorted(found)]
    return probes


def _certain_words(language: StoryLanguage, story: Story) -> list[bool]:
    state, certain = language.start(), []
    for word in story.words:
        certain.append(state.probability(word) > _CERTAIN)
        state = state.advance(word)
    return certain


def word_probabilities(
    model: LanguageModel,
    tokenizer: Tokenizer,
    stories: Sequence[Story],
    probes: Sequence[Probe],
    job: Job = NO_JOB,
) -> Floats:
    """p(word | all words before it) of each probe: the product over the word's tokens.

    Returns:
        Shape (probes,); NaN for words that the tokenizer does not know, for ``<unk>`` is no
        single word.

    Raises:
        LabError: if the tokenizer's tokens cross words, so that a word has no tokens of its
            own.
    """
    if tokenizer.crosses_words:
        raise LabError(
            f"The probe asks for single words, and the tokens of {tokenizer.name} may hold parts "
            "of two. Choose a tokenizer that cuts the text into words first."
        )
    wanted: dict[int, list[tuple[int, Probe]]] = {}
    for place, probe in enumerate(probes):
        wanted.setdefault(probe.story, []).append((place, probe))
    result = np.zeros(len(probes))
    for done, (number, asked) in enumerate(wanted.items()):
        job.progress(done, len(wanted), "Asking the models")
        words = stories[number].words
        pieces = [tokenizer.encode_array(word) for word in words]
        cuts = np.concatenate(([0], np.cumsum([len(piece) for piece in pieces])))
        log_probs = model.token_log_probs(np.concatenate(pieces))  # (T,)
        for place, probe in asked:
            inside = log_probs[cuts[probe.position] : cuts[probe.position + 1]]
            unknown = tokenizer.unknown_id in pieces[probe.position].tolist()
            result[place] = math.nan if unknown else math.exp(float(np.sum(inside)))
    return result


def reach(probes: Sequence[Probe], probabilities: Sequence[float]) -> Iterator[Reach]:
    """The mean in each bin that has probes (NaN ones are left out).

    The interval is the mean's, by the normal approximation, cut to 0 … 1.
    """
    distances = np.array([probe.distance for probe in probes])
    p = np.asarray(probabilities, dtype=np.float64)
    distances, p = distances[~np.isnan(p)], p[~np.isnan(p)]
    for low, following in zip(BINS, [*BINS[1:], None], strict=True):
        inside = (distances >= low) & (distances < (following or math.inf))
        n = int(np.count_nonzero(inside))
        if not n:
            continue
        mean = float(np.mean(p[inside]))
        spread = float(np.std(p[inside], ddof=1)) / math.sqrt(n) if n > 1 else 1.0
        yield Reach(
            low=low,
            high=None if following is None else following - 1,
            n=n,
            distance=float(np.mean(distances[inside])),
            mean=mean,
            lower=max(0.0, mean - _Z * spread),
            upper=min(1.0, mean + _Z * spread),
        )
