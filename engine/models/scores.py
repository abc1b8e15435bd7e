"""How well a model predicts a text: loss, perplexity, bits per byte, and the probability itself.

With −log p(x) the total loss in nats over T predicted tokens (closing end-of-text included) and
B bytes of text:

    nats per token   −log p(x) / T            perplexity       exp(nats per token)
    bits per token   −log₂ p(x) / T           bits per byte    −log₂ p(x) / B

Only bits per byte compares models whose tokens differ. A tokenizer that replaces unknown words
by ``<unk>`` would win that comparison by leaving them out, so there it pays for spelling each
one: see ``spelling_nats``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.jobs import NO_JOB, Job
from engine.models.base import LanguageModel, LogProbs, Tokens
from engine.tokenizers.base import Tokenizer, to_utf8
from engine.tokenizers.stream import TokenStream

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

NATS_PER_SPELLED_BYTE = math.log(257)
"""The byte model of unknown words: each byte, and the stop after the last, 1 in 257."""


@dataclass(frozen=True)
class TinyNumber:
    """A probability too small for a float, as mantissa · 10^exponent."""

    mantissa: float
    """In [1, 10); 0 for what is truly impossible, NaN where the loss is NaN."""
    exponent: int

    @classmethod
    def from_nats(cls, nats: float) -> TinyNumber:
        """exp(−nats); 0 only for nats = ∞.

        >>> str(TinyNumber.from_nats(2000.0))
        '2.6 × 10⁻⁸⁶⁹'
        """
        if nats == math.inf or math.isnan(nats):
            return cls(math.exp(-nats), 0)
        log10 = -nats / math.log(10)
        exponent = math.floor(log10)
        mantissa = 10.0 ** (log10 - exponent)
        # Rounding may lift the mantissa of a whole power of ten to 10.
        return cls(mantissa / 10, exponent + 1) if mantissa >= 10 else cls(mantissa, exponent)

    def format(self, digits: int = 2) -> str:
        """Rounded to so many significant digits, such as "2.6 × 10⁻⁸⁶⁹"."""
        if self.mantissa == 0 or math.isnan(self.mantissa):
            return "undefined" if self.mantissa else "0"
        shown, exponent = f"{self.mantissa:.{digits - 1}f}", self.exponent
        if float(shown) >= 10:
            shown, exponent = f"{1:.{digits - 1}f}", exponent + 1
        return f"{shown} × 10{str(exponent).translate(_SUPERSCRIPTS)}"

    def __str__(self) -> str:
        return self.format()


@dataclass(frozen=True)
class Score:
    """The loss of a model on a text, and what follows from it."""

    nats: float
    """−log p of all predicted tokens together; ∞ if one was impossible."""
    tokens: int
    """How many were predicted."""
    n_bytes: int
    """UTF-8 bytes of the text."""
    impossible: int = 0
    """How many of the tokens had probability 0 or undefined."""
    spelling_nats: float = 0.0
    """What spelling the unknown words costs, where the tokenizer is lossy; it counts for
    bits per byte alone."""

    @property
    def nats_per_token(self) -> float:
        """The loss, as training shows it; NaN for no tokens."""
        return self.nats / self.tokens if self.tokens else math.nan

    @property
    def bits_per_token(self) -> float:
        """The same in bits."""
        return self.nats_per_token / math.log(2)

    @property
    def bits_per_byte(self) -> float:
        """Bits for each UTF-8 byte of the text; NaN for an empty text."""
        bits = (self.nats + self.spelling_nats) / math.log(2)
        return bits / self.n_bytes if self.n_bytes else math.nan

    @property
    def perplexity(self) -> float:
        """exp(nats per token): as unsure as among so many equally likely tokens. ∞ past the
        largest float."""
        try:
            return math.exp(self.nats_per_token)
        except OverflowError:
            return math.inf

    @property
    def probability(self) -> TinyNumber:
        """p(x) itself."""
        return TinyNumber.from_nats(self.nats)

    def __add__(self, other: Score) -> Score:
        """The score of both texts together."""
        return Score(
            nats=self.nats + other.nats,
            tokens=self.tokens + other.tokens,
            n_bytes=self.n_bytes + other.n_bytes,
            impossible=self.impossible + other.impossible,
            spelling_nats=self.spelling_nats + other.spelling_nats,
        )


def score_ids(model: LanguageModel, ids: Tokens, n_bytes: int) -> Score:
    """The score of one document's ids; its closing end-of-text counts if it is among them.

    Raises:
        ValueError: if an id lies outside the model's vocabulary.
    """
    return _score(model.token_log_probs(ids), n_bytes)


def score_text(model: LanguageModel, tokenizer: Tokenizer, text: str, closed: bool = True) -> Score:
    """The score of one document.

    Args:
        model: any language model over the tokenizer's tokens and end-of-text.
        tokenizer: cuts the text; if it is lossy, spelling its unknown words is counted.
        text: the document.
        closed: whether the document ends here. If not, p is that of all documents which start
            with this text (as these tokens).
    """
    ids = tokenizer.encode_array(text)
    if closed:
        ids = np.append(ids, np.int32(tokenizer.vocab_size))
    return _score(model.token_log_probs(ids), len(to_utf8(text)), spelling_nats(tokenizer, text))


def document_scores(
    model: LanguageModel, tokenizer: Tokenizer, documents: Sequence[str], job: Job = NO_JOB
) -> list[Score]:
    """The score of each document, its closing end-of-text included."""
    scores = []
    for done, document in enumerate(documents):
        job.progress(done, len(documents), "Scoring")
        scores.append(score_text(model, tokenizer, document))
    return scores


def held_out_score(
    model: LanguageModel, stream: TokenStream, job: Job = NO_JOB, spelling: float = 0.0
) -> Score:
    """The score of a whole stream, document by document, every end-of-text included.

    Args:
        model: any language model over the stream's vocabulary.
        stream: the text.
        job: sees progress.
        spelling: the documents' ``spelling_nats``, where the tokenizer is lossy.
    """
    return _score(model.stream_log_probs(stream, job), stream.n_bytes, spelling)


def spelling_nats(tokenizer: Tokenizer, text: str) -> float:
    """What the words that the tokenizer replaced by ``<unk>`` would cost to spell, in nats.

    The model of spelling is as plain as can be: each byte of the word, then a stop, all 257
    outcomes equally likely. With it even a lossy tokenizer's model gives every text itself a
    probability, so its bits per byte may stand beside the others'.
    """
    if tokenizer.unknown_id is None:
        return 0.0
    unknown = np.flatnonzero(tokenizer.encode_array(text) == tokenizer.unknown_id)
    if not len(unknown):
        return 0.0
    spans = np.array(tokenizer.byte_spans(text))[unknown]  # (unknown words, 2)
    return float(np.sum(spans[:, 1] - spans[:, 0] + 1)) * NATS_PER_SPELLED_BYTE


def _score(log_probs: LogProbs, n_bytes: int, spelling: float = 0.0) -> Score:
    return Score(
        nats=0.0 - float(np.sum(log_probs)),  # 0 − x, for −x would show certainty as −0
        tokens=len(log_probs),
        n_bytes=n_bytes,
        impossible=int(np.count_nonzero(np.isneginf(log_probs))),
        spelling_nats=spelling,
    )
