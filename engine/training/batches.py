"""Which windows of the text each step reads: a pure function of seed and step."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.errors import LabError
from engine.tokenizers.stream import TokenStream
from engine.training.recipe import Sampling


class Batches:
    """Windows of T = min(context, targets) tokens, with the targets: the same shifted by one.

    Nothing is kept from step to step, so a run can go on from anywhere, and two runs with the
    same seed and batch size read the same text, whatever else they differ in.
    """

    def __init__(
        self, stream: TokenStream, context: int, batch_size: int, seed: int, sampling: Sampling
    ) -> None:
        """Raises:
        LabError: if there is nothing to predict in the text.
        """
        if stream.n_targets < 1:
            raise LabError("The training text is empty. Choose or type a text first.")
        self._ids = stream.ids  # (N,), not copied: several runs may read one text
        self._targets = stream.n_targets
        self.length = min(context, stream.n_targets)
        self.batch_size = batch_size
        self._seed = seed
        self._sampling = sampling
        # one window fewer than fit, so that every epoch can begin at another offset
        self._per_epoch = max(1, stream.n_targets // self.length - 1)
        self._epochs: dict[int, npt.NDArray[np.int64]] = {}

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets of step 0, 1, …: (B, T) int64 each."""
        if self._sampling == "random":
            random = np.random.default_rng([self._seed, step])
            high = self._targets - self.length + 1
            starts = random.integers(0, high, size=self.batch_size)  # (B,)
        else:
            turns = step * self.batch_size + np.arange(self.batch_size)  # (B,)
            starts = np.array(
                [self._epoch(int(i) // self._per_epoch)[int(i) % self._per_epoch] for i in turns]
            )  # (B,)
        at = starts[:, None] + np.arange(self.length)  # (B, T)
        inputs, targets = (self._ids[i].astype(np.int64) for i in (at, at + 1))  # (B, T) each
        return torch.from_numpy(inputs), torch.from_numpy(targets)

    def _epoch(self, epoch: int) -> npt.NDArray[np.int64]:
        """The starts of all windows of one pass over the text, in shuffled order."""
        if epoch not in self._epochs:
            random = np.random.default_rng([self._seed, epoch])
            slack = self._targets - self._per_epoch * self.length
            offset = random.integers(0, slack + 1)
            starts = offset + self.length * random.permutation(self._per_epoch)
            # a batch may reach into the next epoch, never further back
            self._epochs = {e: s for e, s in self._epochs.items() if e >= epoch - 1}
            self._epochs[epoch] = starts.astype(np.int64)
        return self._epochs[epoch]
