"""Group-relative policy optimization: sample, score, push, again.

One update: draw P prompts, let the policy write G answers to each, score them, compare each with
its group, and make the tokens of the better ones more probable (``objective``). Left out of the
published recipes: several processes, and dropping of overlong answers, which cannot occur here.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.transformer.model import TransformerModel
from engine.models.transformer.module import Transformer
from engine.posttraining.evaluation import (
    answers_to,
    first_token_log_probs,
    held_out_score,
    read_answers,
    true_scores,
)
from engine.posttraining.objective import advantages, policy_objective, without_signal
from engine.posttraining.opening import opened_group, piece_of_prompt
from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.reading import Piece, answer_log_probs, pieces_of
from engine.posttraining.records import UpdateRecord
from engine.posttraining.rewards import Floats, RewardMix
from engine.posttraining.sampling import Answers, sample_answers
from engine.posttraining.settings import GRPOSettings
from engine.posttraining.tasks import Task

__all__ = ["GRPO", "GRPOSettings"]

OUTER_RATE = 6.0
"""How many times faster than the blocks' matrices embedding, output and gains learn. A policy
gets surer mostly through them; at one rate for all, the one that suits them shakes the matrices
until the most probable answers get worse for the first 50 updates (measured on the sums)."""


@dataclass(frozen=True)
class GradientStep:
    """What one gradient step measured before it moved the weights."""

    loss: float
    gradient_norm: float
    clipped: float
    """Share of tokens whose push was cut off."""
    kl: float
    """Mean k3 per token."""


class GRPO:
    """A post-training run. Call from one thread at a time.

    >>> run = GRPO(policy, Sums(), RewardMix(((TERMS[0], 1.0),)), GRPOSettings())
    >>> for record in run.updates(50):
    ...     print(record.reward)
    """

    def __init__(
        self, policy: TransformerModel, task: Task, reward: RewardMix, settings: GRPOSettings
    ) -> None:
        """Start from a pre-trained policy, which is copied and stays as it is.

        Raises:
            LabError: if the policy's vocabulary or context does not fit the task.
        """
        config = policy.config
        if config.vocab_size != task.tokenizer.vocab_size + 1 or config.context < task.context:
            raise LabError(f"This model was not made for the task “{task.title}”.")
        self.task, self.reward, self.settings = task, reward, settings
        self.reference: Transformer = copy.deepcopy(policy.module).requires_grad_(False)
        self.module: Transformer = copy.deepcopy(policy.module).requires_grad_(True)
        named = dict(self.module.named_parameters())
        inner = {name for name, p in named.items() if name.startswith("blocks.") and p.ndim == 2}
        rate = settings.learning_rate
        self._optimizer = torch.optim.AdamW(
            [
                {"params": [p for n, p in named.items() if n in inner], "lr": rate},
                {
                    "params": [p for n, p in named.items() if n not in inner],
                    "lr": rate * OUTER_RATE,
                },
            ],
            betas=(0.9, 0.95),
            weight_decay=0.0,
            fused=True,
        )
        self._sampling = torch.Generator().manual_seed(settings.seed)
        self._prompts = np.random.default_rng(settings.seed)
        self._tokenizer = task.tokenizer
        self.update_count = 0

    @property
    def model(self) -> TransformerModel:
        """The policy as it is now; it changes as training goes on."""
        return TransformerModel(self.module, "Policy")

    def frozen_model(self) -> TransformerModel:
        """A copy of the policy that stays as it is."""
        return TransformerModel(copy.deepcopy(self.module).requires_grad_(False), "Policy")

    def updates(self, n: int, job: Job = NO_JOB) -> Iterator[UpdateRecord]:
        """Make n updates; stop by no longer asking.

        Raises:
            JobCancelled: at a yield point; an update begun is then not counted.
        """
        for done in range(n):
            job.progress(done, n, "Post-training")
            yield self.update(job)

    def update(self, job: Job = NO_JOB) -> UpdateRecord:
        """Sample, score, push once. It happens whole or not at all.

        Raises:
            LabError: if the policy has blown up (its probabilities are no longer numbers).
            JobCancelled: at a yield point.
        """
        before = self.state()
        try:
            return self._update(job)
        except BaseException:
            self.restore(before)
            raise

    def _update(self, job: Job) -> UpdateRecord:
        began = time.perf_counter()
        s = self.settings
        pool = self.task.prompts(held_out=False)
        drawn = [pool[i] for i in self._prompts.integers(len(pool), size=s.prompts).tolist()]
        # Prompts of one length stand together, to be read side by side.
        order = sorted(range(s.prompts), key=lambda i: len(self._tokenizer.encode(drawn[i].text)))
        prompts = [drawn[i] for i in order]
        sampled = self._sample(self.module, prompts, s.group, job)
        each = [prompt for prompt in prompts for _ in range(s.group)]  # (N,)
        answers = read_answers(sampled, self._tokenizer)
        terms = self.reward.breakdown(each, answers)  # (N, terms)
        right = true_scores(self.task, each, answers)  # (N,)
        pieces = list(
            pieces_of(
                [self._tokenizer.encode(p.text) for p in prompts], s.group, sampled.end_of_text
            )
        )
        reference = self._log_probs(self.reference, pieces, sampled, job)  # (N, L)
        gap = ((sampled.log_probs - reference) * sampled.mask).sum(dim=1)  # log π/π_ref: (N,)
        price = s.beta * gap if s.penalty == "reward" else torch.zeros_like(gap)  # (N,)
        rewards = torch.tensor(terms.sum(axis=1), dtype=torch.float32) - price  # (N,)
        grouped = rewards.view(s.prompts, s.group)  # (P, G)
        advantage = advantages(grouped, s.baseline)  # (P, G)
        steps = [
            self._push(pieces, sampled, advantage.flatten(), reference, job)
            for _ in range(s.updates_per_batch)
        ]
        silent = without_signal(advantage)  # (P,)
        # The first drawn that has something to show, wherever it stands now.
        shown = min(range(s.prompts), key=lambda i: (bool(silent[i]), order[i]))
        opened = [piece_of_prompt(pieces, shown, s.group)]
        after = self._log_probs(self.module, opened, sampled, NO_JOB)
        self.update_count += 1
        tokens = float(sampled.mask.sum())
        return UpdateRecord(
            update=self.update_count,
            reward=float(rewards.mean()),
            reward_std=float(rewards.std()) if len(rewards) > 1 else 0.0,
            terms=tuple(terms.mean(axis=0).tolist()),
            penalty=float(price.mean()),
            reward_mix=tuple((term.title, weight) for term, weight in self.reward.terms),
            true_score=float(right.mean()),
            true_error=float(right.std() / math.sqrt(len(right))),
            tokens=int(tokens),
            length=tokens / len(answers),
            entropy=-float(sampled.log_probs.sum()) / tokens,
            kl=steps[0].kl,
            answer_kl=float(gap.mean()),
            silent_groups=float(silent.float().mean()),
            clipped=steps[-1].clipped,
            loss=steps[0].loss,
            gradient_norm=steps[-1].gradient_norm,
            seconds=time.perf_counter() - began,
            group=opened_group(
                prompts[shown],
                slice(shown * s.group, (shown + 1) * s.group),
                answers,
                terms,
                right,
                grouped[shown],
                advantage[shown],
                sampled,
                reference,
                after,
            ),
        )

    def evaluate(self, n: int | None = None, temperature: float = 1.0, job: Job = NO_JOB) -> float:
        """Mean true score on n held-out prompts (all if None), as ``held_out_score``."""
        seed = self.settings.seed + 1
        return held_out_score(
            self.module, self.task, n, seed=seed, temperature=temperature, job=job
        )

    @property
    def modules(self) -> tuple[Transformer, Transformer]:
        """The policy and the reference."""
        return self.module, self.reference

    def answers(
        self, module: Transformer, prompt: Sequence[int], n: int, job: Job = NO_JOB
    ) -> list[Answer]:
        """n answers of one module to a prompt, the same ones for the same module each time."""
        s = self.settings
        return answers_to(
            module, self.task, prompt, n, seed=s.seed, temperature=s.temperature, job=job
        )

    def first_token(self, module: Transformer, prompt: Sequence[int]) -> Floats:
        """log p of an answer's first token at the run's temperature, (V,)."""
        return first_token_log_probs(module, prompt, self.settings.temperature)

    def optimized(self) -> list[Tensor]:
        """The parameters in the order of the optimizer's own numbers."""
        return [p for group in self._optimizer.param_groups for p in group["params"]]

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any], Tensor, dict[str, Any]]:
        """All that an update changes, copied: parameters, the optimizer's state, the random
        states of sampling and of drawing prompts."""
        return (
            copy.deepcopy(dict(self.module.state_dict())),
            copy.deepcopy(self._optimizer.state_dict()),
            self._sampling.get_state(),
            copy.deepcopy(dict(self._prompts.bit_generator.state)),
        )

    def restore(
        self, state: tuple[dict[str, Tensor], dict[str, Any], Tensor, dict[str, Any]]
    ) -> None:
        """Take back what ``state`` gave."""
        parameters, optimizer, sampling, prompts = state
        self.module.load_state_dict(parameters)
        self._optimizer.load_state_dict(optimizer)
        self._sampling.set_state(sampling)
        self._prompts.bit_generator.state = prompts

    # --------------------------------------------------------------------------------- the work
    def _sample(
        self, module: Transformer, prompts: Sequence[Prompt], group: int, job: Job
    ) -> Answers:
        ids = [self._tokenizer.encode(prompt.text) for prompt in prompts]
        try:
            return sample_answers(
                module, ids, group, self.task.max_answer, self._sampling,
                self.settings.temperature, job,
            )  # fmt: skip
        except RuntimeError as error:  # torch.multinomial, on NaN
            if "probability tensor" not in str(error):
                raise
            raise LabError(
                "The policy has blown up: its probabilities are no longer numbers. "
                "Start again with a lower learning rate."
            ) from error

    def _log_probs(
        self, module: Transformer, pieces: Sequence[Piece], sampled: Answers, job: Job
    ) -> Tensor:
        """log π of the pieces' answers without gradient: (n, L), 0 behind the ends."""
        parts = []
        for piece in pieces:
            job.yield_point()
            with torch.no_grad():
                tokens = sampled.tokens[piece.rows]
                logs = answer_log_probs(module, piece.prompts, tokens, self.settings.temperature)
            parts.append(logs * sampled.mask[piece.rows])
        return torch.cat(parts)

    def _push(
        self,
        pieces: Sequence[Piece],
        sampled: Answers,
        advantage: Tensor,
        reference: Tensor,
        job: Job,
    ) -> GradientStep:
        """One gradient step.

        The batch is worked through in pieces so that others can be served in between; the
        pieces' gradients add up to the whole batch's.
        """
        s = self.settings
        total_tokens, n = float(sampled.mask.sum()), len(sampled.mask)
        whole = total_tokens if s.weights == "tokens" else float(n)
        beta = s.beta if s.penalty == "loss" else 0.0
        self._optimizer.zero_grad(set_to_none=False)
        loss = clipped = kl = 0.0
        for piece in pieces:
            job.yield_point()
            rows = piece.rows
            mask = sampled.mask[rows]
            tokens = float(mask.sum())
            log_probs = answer_log_probs(
                self.module, piece.prompts, sampled.tokens[rows], s.temperature
            )
            part = policy_objective(
                log_probs,
                sampled.log_probs[rows],
                advantage[rows],
                mask,
                clip=s.clip,
                reference=reference[rows],
                beta=0.0,
                weights=s.weights,
            )
            size = tokens if s.weights == "tokens" else float(len(mask))
            share = part.loss * (size / whole)
            if beta:
                k3_share = policy_objective(
                    log_probs,
                    log_probs.detach(),
                    torch.zeros(len(mask)),
                    mask,
                    reference=reference[rows],
                    beta=beta,
                ).loss
                share = share + k3_share * (tokens / total_tokens)
            share.backward()  # type: ignore[no-untyped-call]
            loss += float(share.detach())
            clipped += float(part.clipped) * tokens / total_tokens
            kl += float(part.kl) * tokens / total_tokens
        limit = s.grad_clip or math.inf
        norm = float(torch.nn.utils.clip_grad_norm_(self.module.parameters(), limit))
        if not (math.isfinite(norm) and math.isfinite(loss)):
            raise LabError(
                "The gradient is no longer a number. Start again with a lower learning rate."
            )
        self._optimizer.step()
        return GradientStep(loss, norm, clipped, kl)
