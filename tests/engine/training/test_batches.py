"""Windows of text: what a batch holds, and that an epoch reads every place once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.tokenizers.stream import TokenStream
from engine.training.batches import Batches
from tests.engine.training.toy import random_stream


@pytest.mark.parametrize("sampling", ["random", "shuffled"])
def test_batches_are_windows_with_their_targets(sampling):
    text = random_stream(500)
    batches = Batches(text, 16, 5, 3, sampling)
    whole = text.ids.tolist()
    joined = ",".join(map(str, whole))
    for step in (0, 1, 7, 300):
        inputs, targets = batches.batch(step)
        assert inputs.shape == targets.shape == (5, 16)
        assert torch.equal(inputs[:, 1:], targets[:, :-1])
        for row, target in zip(inputs.tolist(), targets.tolist(), strict=True):
            assert ",".join(map(str, [*row, target[-1]])) in joined
        again = Batches(text, 16, 5, 3, sampling).batch(step)
        assert torch.equal(again[0], inputs)
    assert not torch.equal(batches.batch(0)[0], Batches(text, 16, 5, 4, sampling).batch(0)[0])


def test_an_epoch_reads_no_place_twice():
    ids = np.arange(321, dtype=np.int32)
    text = TokenStream(ids, 400, 321)
    batches = Batches(text, 16, 1, 0, "shuffled")
    epochs = []
    for epoch in range(2):
        seen = torch.cat([batches.batch(19 * epoch + i)[1].flatten() for i in range(19)])
        assert len(seen) == len(seen.unique()) == 19 * 16
        epochs.append(seen)
    assert not torch.equal(*epochs)


# --- checkpoints
