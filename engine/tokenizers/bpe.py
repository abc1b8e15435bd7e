"""Byte-pair encoding: a vocabulary learned from text, and its history, merge by merge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.tokenizers.alphabet import (
    GPT2_BYTE_ORDER,
    Alphabet,
    ByteAlphabet,
    CharacterAlphabet,
)
from engine.tokenizers.base import Ids, without_surrogates
from engine.tokenizers.bpe_encode import encode_linked, encode_short, is_ordered, rank_table
from engine.tokenizers.bpe_train import (
    MAX_TOKEN_BYTES,
    Learned,
    Merge,
    StopReason,
    TieRule,
    learn_merges,
)
from engine.tokenizers.linked import LinkedSequences, flatten
from engine.tokenizers.pretokenize import count_words, pretokens_by_segment
from engine.tokenizers.table import TableTokenizer

Base = Literal["bytes", "characters"]

MAX_VOCABULARY = 2_000_000
"""The largest vocabulary that can be asked for."""

_SHORT_WORD = 48  # base symbols up to which looking through the whole word is quickest
_CACHE_WORDS = 200_000


class BPETokenizer(TableTokenizer):
    """Byte-pair encoding over bytes or characters, with or without pre-tokenization.

    - ``base="characters"``, no pre-tokenization, ties to the pair first seen: the tutorial's
      own algorithm.
    - ``base="bytes"``, pre-tokenization, ties to the smallest ids: the usual byte-level BPE,
      as in GPT-2. Base ids are in GPT-2's order (``GPT2_BYTE_ORDER``: "!" is 0, "A" is 32),
      so that vocabulary, merges and ties are those of Hugging Face's trainer.

    Over characters, one never seen in training becomes ``<unk>``, or its bytes with
    ``byte_fallback``; over bytes nothing is ever unknown.

    >>> bpe = BPETokenizer.train("abab abab", 5, base="characters", pre_tokenize=False)
    >>> [bpe.token_bytes(i) for i in bpe.encode("ababab")]
    [b'ab', b'ab', b'ab']
    """

    kind = "bpe"

    def __init__(
        self,
        alphabet: Alphabet,
        merges: Sequence[Merge],
        pre_tokenize: bool = True,
        tie_rule: TieRule | None = None,
        stop_reason: StopReason = "vocabulary full",
    ) -> None:
        """Make it from its history; ``train`` learns one.

        Args:
            alphabet: the base vocabulary.
            merges: in order; each ``id`` is the next free one, or that of an equal string.
            pre_tokenize: whether text is first cut into pre-tokens, which no token crosses.
            tie_rule: which rule chose between equally frequent pairs, if known.
            stop_reason: why learning ended.

        Raises:
            LabError: if a merge names a token that does not exist yet, or has a wrong id, or
                the tokens are too long.
        """
        super().__init__(_token_table(alphabet, merges), alphabet.unknown_id)
        self._alphabet = alphabet
        self._merges = tuple(merges)
        self._pre_tokenize = pre_tokenize
        self._tie_rule = tie_rule
        self._stop_reason: StopReason = stop_reason
        self.crosses_words = not pre_tokenize
        self._ranks = rank_table(self._merges)
        self._ordered = is_ordered(self._ranks)
        self._cache: dict[str, tuple[int, ...]] = {}

    @classmethod
    def train(
        cls,
        text: str | Sequence[str],
        vocab_size: int,
        base: Base = "bytes",
        pre_tokenize: bool = True,
        tie_rule: TieRule | None = None,
        job: Job = NO_JOB,
        byte_fallback: bool = False,
    ) -> BPETokenizer:
        """Learn merges until the vocabulary is full or no pair occurs twice.

        Args:
            text: what to learn from, one text or several documents; no token crosses from
                one document to the next.
            vocab_size: tokens wanted, the base vocabulary included.
            base: Σ₀, the 256 bytes or the characters of the text.
            pre_tokenize: learn inside pre-tokens only.
            tie_rule: which of equally frequent pairs is merged; None for "smallest_ids" with
                pre-tokenization and "first_seen" without.
            job: told of progress.
            byte_fallback: over characters, whether 256 byte tokens stand by for unseen ones.

        Raises:
            LabError: if ``vocab_size`` is smaller than the base vocabulary, or absurd.
        """
        texts = [text] if isinstance(text, str) else list(text)
        alphabet = base_alphabet(texts, base, byte_fallback)
        if vocab_size < alphabet.size:
            raise LabError(
                f"A vocabulary of {vocab_size:,} tokens has no room for the {alphabet.size:,} "
                f"that BPE starts from. Ask for {alphabet.size:,} or more."
            )
        if vocab_size > MAX_VOCABULARY:
            raise LabError(f"A vocabulary can hold {MAX_VOCABULARY:,} tokens at most.")
        rule = tie_rule or ("smallest_ids" if pre_tokenize else "first_seen")
        sequences = training_sequences(texts, alphabet, pre_tokenize, job)
        learned: Learned = learn_merges(sequences, alphabet.tokens, vocab_size, rule, job)
        return cls(alphabet, learned.merges, pre_tokenize, rule, learned.stop_reason)

    @property
    def name(self) -> str:
        over = "" if self._pre_tokenize else " across words"
        base = "" if self.base == "bytes" else " of characters"
        return f"BPE{base}{over}, {self.vocab_size:,} tokens"

    @property
    def base(self) -> Base:
        """What the base vocabulary is made of."""
        return "bytes" if isinstance(self._alphabet, ByteAlphabet) else "characters"

    @property
    def alphabet(self) -> Alphabet:
        """The base vocabulary Σ₀: ids 0 … alphabet.size − 1."""
        return self._alphabet

    @property
    def merges(self) -> tuple[Merge, ...]:
        """The complete history, first merge first."""
        return self._merges

    @property
    def pre_tokenize(self) -> bool:
        """Whether text is first cut into pre-tokens."""
        return self._pre_tokenize

    @property
    def tie_rule(self) -> TieRule | None:
        """How equally frequent pairs were ranked in training, if known."""
        return self._tie_rule

    @property
    def stop_reason(self) -> StopReason:
        """Why learning ended."""
        return self._stop_reason

    def truncated(self, vocab_size: int) -> BPETokenizer:
        """The same with only its first merges: what training to ``vocab_size`` would give.

        Raises:
            LabError: if ``vocab_size`` is smaller than the base vocabulary.
        """
        if vocab_size < self._alphabet.size:
            raise LabError(f"The base vocabulary alone has {self._alphabet.size:,} tokens.")
        if vocab_size > self.vocab_size:
            return self
        kept = 0
        size = self._alphabet.size
        while size < vocab_size:
            size = max(size, self._merges[kept].id + 1)
            kept += 1
        return BPETokenizer(self._alphabet, self._merges[:kept], self._pre_tokenize, self._tie_rule)

    def encode_array(self, text: str) -> Ids:
        if not self._pre_tokenize:
            return self._encode_whole(text)
        parts = [self._encode_pieces(words) for words in pretokens_by_segment(text)]
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, np.int32), *parts])

    def _encode_pieces(self, words: list[str]) -> Ids:
        index = {word: i for i, word in enumerate(dict.fromkeys(words))}
        encoded = self._encode_words(list(index))
        flat = np.fromiter((i for ids in encoded for i in ids), np.int32)
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        starts = np.cumsum(lengths) - lengths
        which = np.fromiter(map(index.__getitem__, words), np.int64, len(words))
        # Token t of the text is number t − (tokens before its word) of its word's tokens.
        sizes = lengths[which]  # (words,)
        before = np.cumsum(sizes) - sizes
        offsets = np.repeat(starts[which] - before, sizes)
        return flat[offsets + np.arange(len(offsets))]

    def _encode_whole(self, text: str) -> Ids:
        symbols = self._alphabet.encode(text)
        if len(symbols) <= _SHORT_WORD:
            return np.array(encode_short(symbols.tolist(), self._ranks), dtype=np.int32)
        sequences = flatten(symbols, np.array([len(symbols)]))
        return encode_linked(sequences, self._ranks, self._ordered)[1:-1]

    def _encode_words(self, words: list[str]) -> list[tuple[int, ...]]:
        """The tokens of each word, from the cache where it has them."""
        cache = self._cache
        missing = [word for word in words if word not in cache]
        if not missing:
            return [cache[word] for word in words]
        symbols, lengths = self._alphabet.encode_many(missing)
        listed = symbols.tolist()
        long: dict[str, tuple[int, ...]] = {}
        short: dict[str, tuple[int, ...]] = {}
        start = 0
        for word, length in zip(missing, lengths.tolist(), strict=True):
            if length <= _SHORT_WORD:
                short[word] = tuple(encode_short(listed[start : start + length], self._ranks))
            else:
                long[word] = tuple(self._encode_whole(word).tolist())
            start += length
        # Threads may share the cache: words are only ever added to it, and when it is full a
        # new one takes its place.
        cache.update(short)
        if len(cache) > _CACHE_WORDS:
            self._cache = {}
        return [cache[word] if word in cache else long[word] for word in words]

    def _unknown_byte_lengths(self, text: str) -> npt.NDArray[np.int64]:
        return self._alphabet.unknown_byte_lengths(text)

    def to_dict(self) -> dict[str, Any]:
        base: dict[str, Any] = {"base": self.base}
        if isinstance(self._alphabet, ByteAlphabet):
            base["byte_order"] = list(self._alphabet.order)
        elif isinstance(self._alphabet, CharacterAlphabet):
            base["characters"] = "".join(self._alphabet.characters)
            base["byte_fallback"] = self._alphabet.byte_fallback
        return {
            "kind": self.kind,
            "version": 1,
            **base,
            "pre_tokenize": self._pre_tokenize,
            "tie_rule": self._tie_rule,
            "stop_reason": self._stop_reason,
            "merges": [[m.left, m.right, m.count] for m in self._merges],
        }


def base_alphabet(texts: Sequence[str], base: Base, byte_fallback: bool = False) -> Alphabet:
    """The base vocabulary that BPE starts from: all bytes, or the characters of the texts.

    Raises:
        LabError: if there is no such base.
    """
    if base == "bytes":
        return ByteAlphabet(GPT2_BYTE_ORDER)
    if base == "characters":
        return CharacterAlphabet.of_texts(texts, byte_fallback)
    raise LabError(f"BPE starts from bytes or characters, not from “{base}”.")


def training_sequences(
    texts: Sequence[str], alphabet: Alphabet, pre_tokenize: bool, job: Job = NO_JOB
) -> LinkedSequences:
    """What merges are learned from: the distinct pre-tokens with their counts, in the order
    first seen, or each text as it is."""
    if not pre_tokenize:
        return flatten(*alphabet.encode_many([without_surrogates(text) for text in texts]))
    words = count_words(texts, job)
    return flatten(*alphabet.encode_many(list(words)), words.values())


def assign_ids(alphabet: Alphabet, parents: Sequence[tuple[int, int]]) -> list[int]:
    """The id that each merge makes: the next free one, or that of an equal string.

    Raises:
        LabError: if a merge names a token that does not exist yet, or tokens are too long.
    """
    tokens = list(alphabet.tokens)
    aside = set(range(alphabet.mergeable, alphabet.size))
    id_of = {token: i for i, token in enumerate(tokens) if i not in aside}
    total_bytes = sum(map(len, tokens))
    made: list[int] = []
    for rank, (left, right) in enumerate(parents):
        if not (0 <= left < len(tokens) and 0 <= right < len(tokens)):
            raise LabError(f"Merge {rank + 1} joins a token that does not exist yet.")
        if {left, right} & aside:
            raise LabError(f"Merge {rank + 1} joins what stands for unknown characters.")
        total_bytes += len(tokens[left]) + len(tokens[right])
        if total_bytes > MAX_TOKEN_BYTES:
            raise LabError(f"From merge {rank + 1} on, the tokens are too long to be kept.")
        token = tokens[left] + tokens[right]
        new = id_of.setdefault(token, len(tokens))
        if new == len(tokens):
            tokens.append(token)
        made.append(new)
    return made


def _token_table(alphabet: Alphabet, merges: Sequence[Merge]) -> list[bytes]:
    made = assign_ids(alphabet, [(merge.left, merge.right) for merge in merges])
    tokens = list(alphabet.tokens)
    for merge, new in zip(merges, made, strict=True):
        if merge.id != new:
            raise LabError(f"A merge should make token {new}, but says {merge.id}.")
        if new == len(tokens):
            tokens.append(tokens[merge.left] + tokens[merge.right])
    return tokens
