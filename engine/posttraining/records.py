"""What an update of a policy leaves behind, for whoever watches. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.rewards import Floats


@dataclass(frozen=True)
class Group:
    """One prompt and its answers, opened up."""

    prompt: Prompt
    answers: tuple[Answer, ...]
    tokens: tuple[tuple[int, ...], ...]
    """Each answer's token ids, end-of-text included where it was reached."""
    terms: Floats
    """What each term of the reward gave, (G, terms)."""
    true_scores: Floats
    """How good each answer really is, (G,)."""
    rewards: Floats
    """(G,), a penalty on the reward included."""
    advantages: Floats
    """Â, (G,)."""
    before: tuple[Floats, ...]
    """log π of each token when it was sampled, (|yᵢ|,) each."""
    reference: tuple[Floats, ...]
    """log π_ref of the same tokens."""
    after: tuple[Floats, ...]
    """log π of the same tokens after the update."""

    @property
    def penalties(self) -> Floats:
        """What a KL penalty took off each reward, (G,): the terms' sum less the reward."""
        taken: Floats = self.terms.sum(axis=1) - self.rewards
        return taken

    @property
    def even(self) -> bool:
        """Whether all rewards are equal: no spread."""
        return bool((self.rewards == self.rewards[0]).all())

    @property
    def silent(self) -> bool:
        """Whether all advantages are 0, so that they push nothing."""
        return bool((self.advantages == 0).all())


@dataclass(frozen=True)
class UpdateRecord:
    """What one update did. Means are over the batch."""

    update: int
    reward: float
    reward_std: float
    terms: tuple[float, ...]
    """Mean of each term of the reward, its weight included."""
    penalty: float
    """Mean β·log π/π_ref taken off the rewards; 0 where β acts in the loss."""
    reward_mix: tuple[tuple[str, float], ...]
    """Each term's title and weight, as they were in this update."""
    true_score: float
    """Mean true score of the samples, on training prompts."""
    true_error: float
    """Standard error of that mean."""
    tokens: int
    """Σ|yᵢ|: tokens in all answers, end-of-text included."""
    length: float
    """Mean tokens in an answer."""
    entropy: float
    """Mean −log π of the sampled tokens: an estimate of the entropy per token, in nats."""
    kl: float
    """Mean k3 per token against the reference, before the update."""
    answer_kl: float
    """Mean log π/π_ref of whole answers: an unbiased estimate of KL(π ‖ π_ref) in nats per answer,
    before the update. At a temperature other than 1, of both policies at that temperature."""
    silent_groups: float
    """Share of groups whose advantages are all 0."""
    clipped: float
    """Share of tokens whose push was cut off, in the last gradient step."""
    loss: float
    """Before the update's first gradient step."""
    gradient_norm: float
    seconds: float
    group: Group
    """The first group drawn with an advantage that is not 0, to look into; the first of all if
    there is none."""
