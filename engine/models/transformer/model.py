"""A transformer as a LanguageModel: numpy in, float64 log-probabilities out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.jobs import NO_JOB, Job
from engine.models.base import Continuation, LanguageModel, LogProbs, Tokens, check_ids
from engine.models.transformer.cache import KVCache
from engine.models.transformer.config import TransformerConfig
from engine.models.transformer.files import load_transformer, save_transformer
from engine.models.transformer.initial import Initial, initialise
from engine.models.transformer.module import NOTHING_OFF, Transformer
from engine.models.transformer.points import Recorder, SwitchedOff
from engine.tokenizers.base import Ids

_TOKENS_AT_ONCE = 2048
"""Positions per forward pass where many windows are scored: 10 to 30 ms of work."""


def window_start(t: int, context: int) -> int:
    """Where the window begins in which a model of that context reads position t.

    Positions count begin-of-text as 0. The first ``context`` positions share the window that
    starts at 0; then windows start every h = ⌈context/2⌉ positions, and each predicts from its
    last h. So every position is read with all that went before, or with at least
    half a context; and scoring a text, predicting its next token and generating it with a
    KV cache see the same windows, hence the same probabilities.

    >>> [window_start(t, 4) for t in range(9)]
    [0, 0, 0, 0, 2, 2, 4, 4, 6]
    """
    hop = context - context // 2
    return 0 if t < context else ((t - context) // hop + 1) * hop


class TransformerModel(LanguageModel):
    """p(x) by a trained transformer. Begin-of-text is the id of end-of-text, put in front."""

    kind = "transformer"

    def __init__(self, module: Transformer, name: str = "", off: SwitchedOff = NOTHING_OFF) -> None:
        """Wrap a module. It isn't copied: the model learns on as the module is trained.

        Raises:
            LabError: if a part is switched off that the module doesn't have.
        """
        off.check(module.config)
        self.module = module
        self.off = off
        self._name = name

    @classmethod
    def untrained(
        cls, config: TransformerConfig, scheme: Initial = "gpt2", seed: int = 0
    ) -> TransformerModel:
        """A model with random parameters."""
        module = Transformer(config)
        initialise(module, scheme, seed)
        return cls(module)

    @property
    def config(self) -> TransformerConfig:
        return self.module.config

    @property
    def name(self) -> str:
        config = self.config
        return self._name or f"Transformer, {config.layers} layers × {config.width}"

    @property
    def vocab_size(self) -> int:
        return self.config.vocab_size

    def without(self, off: SwitchedOff) -> TransformerModel:
        """The same module with parts switched off."""
        return TransformerModel(self.module, self._name, off)

    @torch.inference_mode()
    def record(self, context: Tokens, points: Recorder) -> list[int]:
        """Run the module once over the window that predicts the next token, and keep what
        ``points`` asks for. Returns the ids of that window, begin-of-text included if it is
        still in it; the activations' position t belongs to the t-th of them."""
        stream = self._stream(context)  # (T + 1,)
        window = stream[window_start(len(stream) - 1, self.config.context) :]  # (≤ context,)
        self.module(window[None], record=points, off=self.off)
        ids: list[int] = window.tolist()
        return ids

    def next_log_probs(self, context: Tokens) -> LogProbs:
        stream = self._stream(context)  # (T + 1,)
        window = stream[window_start(len(stream) - 1, self.config.context) :]  # (≤ context,)
        with torch.inference_mode():
            logits = self.module(window[None], off=self.off)[0, -1]  # (V,)
        return _log_softmax(logits)

    def log_probs(self, ids: Tokens) -> LogProbs:
        stream = self._stream(ids)[:-1]  # (T,)
        table = np.empty((len(stream), self.vocab_size))
        for at, logits, _ in self._scored(stream, NO_JOB):
            table[at] = _log_softmax(logits)
        return table

    def token_log_probs(self, ids: Tokens, job: Job = NO_JOB) -> LogProbs:
        stream = self._stream(ids)  # (T + 1,)
        result = np.empty(len(stream) - 1)
        for at, logits, targets in self._scored(stream[:-1], job, stream[1:]):
            log_probs = logits.double().log_softmax(dim=-1)  # (n, V)
            result[at] = log_probs.gather(1, targets[:, None])[:, 0].numpy()
        return result

    def continuation(self, context: Tokens) -> Continuation:
        return CachedContinuation(self, context)

    def save(self, folder: Path) -> None:
        """Write the model into a folder as safetensors and JSON.

        Raises:
            LabError: if the folder can't be written.
        """
        save_transformer(self.module, folder)

    @classmethod
    def load(cls, folder: Path, name: str = "") -> TransformerModel:
        """The model in a folder, of any origin: files are data, never code.

        Raises:
            LabError: if the files are missing, damaged, or don't describe a transformer.
        """
        return cls(load_transformer(folder), name)

    def _stream(self, ids: Tokens) -> Tensor:
        """Begin-of-text and the ids, (T + 1,) int64."""
        checked: Ids = check_ids(ids, self.vocab_size)
        stream = np.concatenate(([self.end_of_text], checked)).astype(np.int64)
        return torch.from_numpy(stream).to(self.module.embedding.device)

    @torch.inference_mode()
    def _scored(
        self, stream: Tensor, job: Job, targets: Tensor | None = None
    ) -> Iterator[tuple[Ids, Tensor, Tensor]]:
        """Cut a stream (T,) into the windows of ``window_start``; give for each batch of them
        (positions (n,), logits (n, V), targets (n,)) so that every position comes once."""
        C, T = self.config.context, len(stream)
        hop = C - C // 2
        targets = stream if targets is None else targets
        starts = sorted({0, *(window_start(t, C) for t in range(C, T, hop))}) if T else []
        if T:
            starts = sorted({*starts, window_start(T - 1, C)})
        whole = [s for s in starts if s + C <= T]
        batch = max(1, _TOKENS_AT_ONCE // C)
        groups = [whole[i : i + batch] for i in range(0, len(whole), batch)]
        groups += [[s] for s in starts if s + C > T]  # the last window may be shorter
        done = 0
        for group in groups:
            job.progress(done, T, "Scoring the text")
            length = min(C, T - group[0])
            at = torch.tensor(group)[:, None] + torch.arange(length)  # (B, length)
            logits = self.module(stream[at], off=self.off)  # (B, length, V)
            for row, start in enumerate(group):
                first = 0 if start == 0 else C - hop  # its own positions: the last hop
                positions = at[row, first:]  # (n,)
                done += len(positions)
                yield positions.numpy(), logits[row, first:].cpu(), targets[positions].cpu()


class CachedContinuation(Continuation):
    """Generation that keeps keys and values: one position's work for each new token.

    When the context is full the cache is filled anew with the window that ``window_start``
    prescribes, which holds a little more than half a context.
    """

    def __init__(self, model: TransformerModel, context: Tokens) -> None:
        self._transformer = model
        self._ids: list[int] = check_ids(context, model.vocab_size).tolist()
        self._fill()

    def _fill(self) -> None:
        model = self._transformer
        stream = model._stream(self._ids)  # (T + 1,)
        self._length = len(stream)
        self._start = window_start(self._length - 1, model.config.context)
        self._cache = KVCache(model.config, device=stream.device)
        self._read(stream[self._start :])

    def _read(self, ids: Tensor) -> None:
        model = self._transformer
        with torch.inference_mode():
            logits = model.module(ids[None], cache=self._cache, off=model.off)[0, -1]  # (V,)
        self._next = _log_softmax(logits)

    def next_log_probs(self) -> LogProbs:
        return self._next.copy()

    def append(self, token_id: int) -> None:
        checked = check_ids([token_id], self._transformer.vocab_size)
        self._ids.append(int(checked[0]))
        if self._cache.length == self._transformer.config.context:
            self._fill()
        else:
            device = self._cache.keys.device
            self._read(torch.from_numpy(checked.astype(np.int64)).to(device))


def _log_softmax(logits: Tensor) -> LogProbs:
    """Natural logs that sum to one in float64, whatever float32 rounding did before."""
    result: LogProbs = logits.cpu().double().log_softmax(dim=-1).numpy()
    return result
