"""All models at the table write on, side by side. Runs on the compute thread; no Qt."""

from __future__ import annotations

import codecs
import time
from dataclasses import dataclass, replace

from engine.errors import LabError
from engine.generation import Ending, GeneratedToken, Generation, SamplingRules, generate
from engine.jobs import NO_JOB, Job
from engine.tokenizers.base import Tokenizer
from gui.language_models.answers import cut, why_undefined
from gui.language_models.models import Seat, Table

PUBLISH_SECONDS = 0.05
"""Partial texts are handed over no more often than this."""


@dataclass(frozen=True)
class Text:
    """What one model has written so far."""

    seat: Seat
    tokens: tuple[GeneratedToken, ...] = ()
    ended: str = ""
    """Why it stopped, in words; empty while it goes on."""
    closing: GeneratedToken | None = None
    """The draw of end-of-text, where the model ended the document itself."""

    @property
    def ids(self) -> list[int]:
        """The ids written."""
        return [token.id for token in self.tokens]


def write(
    table: Table,
    context: str,
    rules: SamplingRules,
    seed: int,
    length: int,
    job: Job = NO_JOB,
) -> tuple[Text, ...]:
    """Let every present model write on from a context, a token each in turn.

    Each draws from a generator of its own with the same seed, so that what one model writes
    does not depend on which others are at the table.

    Raises:
        LabError: if there is no tokenizer yet.
        JobCancelled: if it was asked to stop.
    """
    if table.tokenizer is None:
        raise LabError("The text is still being prepared.")
    tokenizer = table.tokenizer.tokenizer
    ids = cut(context, tokenizer).ids
    texts = [Text(seat) for seat in table.present]
    writers: list[Generation | None] = []
    for number, text in enumerate(texts):
        assert text.seat.model is not None
        try:
            writers.append(generate(text.seat.model, ids, rules, seed, length, job))
        except LabError as error:
            writers.append(None)
            texts[number] = replace(text, ended=str(error))
    published = time.monotonic()
    for done in range(length + 1):
        if all(text.ended for text in texts):
            break
        job.progress(done, length, "Writing")
        for number, writer in enumerate(writers):
            if writer is None or texts[number].ended:
                continue
            texts[number] = _one_more(texts[number], writer, tokenizer, ids.tolist())
        if time.monotonic() - published > PUBLISH_SECONDS:
            published = time.monotonic()
            job.publish(tuple(texts))
    return tuple(texts)


def _one_more(text: Text, writer: Generation, tokenizer: Tokenizer, context: list[int]) -> Text:
    try:
        token = next(writer)
    except StopIteration:
        return replace(
            text, ended=_why(text, writer.ending, tokenizer, context), closing=writer.closing
        )
    except LabError as error:  # the truth, after too many unknown words in a row
        return replace(text, ended=str(error))
    return replace(text, tokens=(*text.tokens, token))


def _why(text: Text, ending: Ending | None, tokenizer: Tokenizer, context: list[int]) -> str:
    n = len(text.tokens)
    tokens = f"{n:,} token{'' if n == 1 else 's'}"
    if ending is Ending.END_OF_TEXT:
        return f"Ended the document by itself after {tokens}."
    if ending is Ending.LENGTH:
        return f"Stopped after {tokens}, as asked."
    assert text.seat.model is not None
    why = why_undefined(text.seat.model, [*context, *text.ids], tokenizer)
    return f"Stopped after {tokens}. {why}"


def as_text(ids: list[int], tokenizer: Tokenizer, finished: bool) -> str:
    """Tokens as text; half a character at the end is waited for until all is finished."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return decoder.decode(b"".join(map(tokenizer.token_bytes, ids)), final=finished)
