"""Where byte-pair encoding loses against the best vocabulary of the same size, and how much.

The tutorial's wish is min over Σ, f of |f(X)| such that |Σ| = V. BPE falls short of it twice:

- its vocabulary Σ is built greedily, one most frequent pair after the other;
- its encoding f replays the merges in order, though the same tokens might cut a word into fewer.

With |f(X)| for three combinations of Σ and f the loss splits in two:

    BPE's Σ, merge order   −   BPE's Σ, shortest path     the loss of encoding by merge order
    BPE's Σ, shortest path −   the best Σ, shortest path  the loss of the greedy vocabulary
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.tokenizers.alphabet import CharacterAlphabet
from engine.tokenizers.base import without_surrogates
from engine.tokenizers.bpe import BPETokenizer
from engine.tokenizers.bpe_train import learn_merges
from engine.tokenizers.linked import flatten
from engine.tokenizers.optimal import OptimalVocabulary, optimal_vocabulary, shortest_encoding
from engine.tokenizers.pretokenize import count_words, pretokenize

MAX_NEW_TOKENS = 64
"""More new tokens than this are not searched for."""

STRETCH_WORDS = (8, 28)
"""How short and how long the stretches are in which ``find_gap`` looks."""

STRETCHES = 160
"""How many stretches ``find_gap`` looks at."""

_NEW_TOKENS = (2, 3, 4, 6)

_SOLVE_SECONDS = 0.25
"""For one stretch; what is not proved by then is passed over. The search is asked whether to stop
only between two solves, so this is also how long Stop may take."""


@dataclass(frozen=True)
class Gap:
    """BPE and the best vocabulary on the same words, with as many new tokens each."""

    words: tuple[tuple[str, int], ...]
    """The distinct words and how often each occurs, as first seen."""
    base_size: int
    """|Σ₀|: the different characters, which both vocabularies hold."""
    asked: int
    """New tokens asked for."""
    bpe_tokens: tuple[str, ...]
    """What BPE added, in the order learned. Fewer than asked for where no pair occurred twice
    any more; the best vocabulary then has no more either."""
    bpe_cuts: Mapping[str, tuple[str, ...]]
    """Each word as BPE cuts it, replaying its merges."""
    bpe: int
    """|f(X)| of BPE as it is."""
    bpe_shortest: int
    """|f(X)| of BPE's vocabulary with the fewest tokens for each word."""
    optimum: OptimalVocabulary
    """The best vocabulary found, and what is proved about it."""

    @property
    def characters(self) -> int:
        """|X|, the length before any new token."""
        return sum(len(word) * count for word, count in self.words)

    @property
    def vocab_size(self) -> int:
        """V = |Σ₀| and the new tokens."""
        return self.base_size + len(self.bpe_tokens)

    @property
    def encoding_loss(self) -> int:
        """Tokens lost by encoding in merge order."""
        return self.bpe - self.bpe_shortest

    @property
    def vocabulary_loss(self) -> int:
        """Tokens lost by the greedy vocabulary: at least so many, all if proved."""
        return self.bpe_shortest - self.optimum.n_tokens

    @property
    def loss(self) -> int:
        """Tokens lost in all."""
        return self.bpe - self.optimum.n_tokens

    def shortest_cut(self, word: str) -> tuple[str, ...]:
        """The word in as few of BPE's tokens as possible."""
        return tuple(shortest_encoding(word, frozenset(self.bpe_tokens)))

    def optimal_cut(self, word: str) -> tuple[str, ...]:
        """The word in as few tokens of the best vocabulary as possible."""
        return tuple(shortest_encoding(word, frozenset(self.optimum.new_tokens)))


def words_of(text: str) -> dict[str, int]:
    """The text's words with their counts, as BPE sees them: each with the space before it."""
    return count_words([text])


def bpe_on_words(words: Mapping[str, int], new_tokens: int) -> BPETokenizer:
    """BPE over characters, learned inside these words until it has ``new_tokens`` more tokens
    or no pair occurs twice. Ties go to the smallest ids."""
    alphabet = CharacterAlphabet.of_texts(words)
    symbols, lengths = alphabet.encode_many(list(words))
    learned = learn_merges(
        flatten(symbols, lengths, words.values()),
        alphabet.tokens,
        alphabet.size + new_tokens,
        "smallest_ids",
    )
    return BPETokenizer(alphabet, learned.merges, True, "smallest_ids", learned.stop_reason)


def optimality_gap(
    words: Mapping[str, int], new_tokens: int, time_limit: float = 20.0, job: Job = NO_JOB
) -> Gap:
    """Learn BPE on the words, solve for the best vocabulary, and split the difference.

    Args:
        words: distinct words and their counts; no token crosses words.
        new_tokens: k, how many tokens are added to the characters.
        time_limit: seconds for the exact search.
        job: progress and cancellation.

    Raises:
        LabError: if there is nothing to learn, or too much for an exact search.
        JobCancelled: if the work was asked to stop.
    """
    words = {without_surrogates(word): n for word, n in words.items() if word and n > 0}
    if not words:
        raise LabError("There is no word in this text. Type one or two first.")
    if not 1 <= new_tokens <= MAX_NEW_TOKENS:
        raise LabError(f"Ask for 1 to {MAX_NEW_TOKENS} new tokens.")
    tokenizer = bpe_on_words(words, new_tokens)
    tokens = tuple(tokenizer.token_bytes(merge.id).decode() for merge in tokenizer.merges)
    if not tokens:
        raise LabError(
            "No two neighbouring characters occur twice inside these words, so BPE learns "
            "nothing. Take a text that repeats something."
        )
    cuts = {word: _cut(tokenizer, word) for word in words}
    optimum = optimal_vocabulary(words, len(tokens), time_limit, tokens, job)
    known = frozenset(tokens)
    return Gap(
        words=tuple(words.items()),
        base_size=len(set("".join(words))),
        asked=new_tokens,
        bpe_tokens=tokens,
        bpe_cuts=cuts,
        bpe=sum(count * len(cuts[word]) for word, count in words.items()),
        bpe_shortest=sum(n * len(shortest_encoding(word, known)) for word, n in words.items()),
        optimum=optimum,
    )


def _cut(tokenizer: BPETokenizer, word: str) -> tuple[str, ...]:
    ids = tokenizer.encode_array(word)
    return tuple(tokenizer.token_bytes(int(i)).decode() for i in ids)


@dataclass(frozen=True)
class Found:
    """A stretch of a corpus in which BPE is beaten."""

    text: str
    new_tokens: int
    gap: Gap

    @property
    def general(self) -> bool:
        """Whether every token of the best vocabulary is used twice or more. Otherwise it wins by
        learning single words by heart, which shows little about BPE."""
        used = Counter[str]()
        for word, count in self.gap.words:
            for token in self.gap.optimal_cut(word):
                used[token] += count
        return all(used[token] >= 2 for token in self.gap.optimum.new_tokens)

    @property
    def clearness(self) -> tuple[bool, float, int]:
        """What makes an example clear: both losses in it, then the share of tokens lost, then
        shortness."""
        gap = self.gap
        both = gap.encoding_loss > 0 and gap.vocabulary_loss > 0
        return both, gap.loss / gap.bpe, -len(self.text)


def find_gap(
    documents: Sequence[str],
    seed: int = 0,
    stretches: int = STRETCHES,
    job: Job = NO_JOB,
) -> Found | None:
    """Look through short stretches of a corpus for one in which BPE is clearly beaten.

    Stretches are drawn at random and a few numbers of new tokens are tried in each. Only proved
    optima count, and only those whose tokens are all used twice or more. The best so far is
    published whenever it improves.

    Args:
        documents: the corpus.
        seed: draws the stretches.
        stretches: how many are looked at.
        job: progress, partial results (Found), cancellation.

    Returns:
        The clearest example, or None if BPE was the best everywhere.
    """
    draw = random.Random(seed)
    best: Found | None = None
    pools = [document for document in documents if document.strip()]
    if not pools:
        return None
    weights = list(itertools.accumulate(map(len, pools)))
    seen: set[str] = set()
    for done in range(stretches):
        job.progress(done, stretches, "Looking for a text that beats BPE (stretches)")
        text = _stretch(draw.choices(pools, cum_weights=weights)[0], draw)
        if text in seen:
            continue
        seen.add(text)
        for new_tokens in _NEW_TOKENS:
            job.yield_point()
            try:
                gap = optimality_gap(words_of(text), new_tokens, _SOLVE_SECONDS)
            except LabError:
                break  # nothing repeats in it
            if len(gap.bpe_tokens) < new_tokens:
                break
            found = Found(text, new_tokens, gap)
            better = best is None or found.clearness > best.clearness
            if gap.loss > 0 and gap.optimum.proved and found.general and better:
                best = found
                job.publish(best)
    return best


def _stretch(document: str, draw: random.Random) -> str:
    """A few words of a document, from the start of a word."""
    start = draw.randrange(len(document))
    pieces = pretokenize(document[start : start + 400])
    first = 1 if len(pieces) > 1 and start > 0 else 0  # the first may be half a word
    count = draw.randint(*STRETCH_WORDS)
    return "".join(pieces[first : first + count]).strip()
