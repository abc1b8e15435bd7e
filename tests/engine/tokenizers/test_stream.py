"""Documents as one stream of ids."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.jobs import Job
from engine.tokenizers import BPETokenizer, ByteTokenizer, encode_documents, to_utf8
from tests.engine.tokenizers.texts import PROSE, any_string

LEARNED = BPETokenizer.train(PROSE, 400)


@settings(max_examples=60, deadline=None)
@given(documents=st.lists(any_string, max_size=6))
def test_every_document_ends_in_end_of_text(documents: list[str]) -> None:
    stream = encode_documents(LEARNED, documents)
    end = LEARNED.vocab_size
    expected = [end]
    for document in documents:
        expected += [*LEARNED.encode(document), end]
    assert stream.ids.tolist() == expected
    assert stream.ids.dtype == np.int32
    assert stream.end_of_text == end
    assert stream.vocab_size == end + 1
    assert stream.n_targets == len(expected) - 1
    assert stream.n_bytes == sum(len(to_utf8(document)) for document in documents)
    assert [ids.tolist() for ids in stream.documents()] == [
        [*LEARNED.encode(document), end] for document in documents
    ]
    assert stream.boundaries.tolist() == [i for i, x in enumerate(expected) if x == end]


def test_progress_is_by_documents() -> None:
    told: list[tuple[float, float | None]] = []

    class Watching(Job):
        def progress(self, done: float, total: float | None = None, message: str = "") -> None:
            told.append((done, total))

    encode_documents(ByteTokenizer(), ["a"] * 130, Watching())
    assert told == [(0, 130), (64, 130), (128, 130)]
