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
    rewards: Floats
    """(G,), a penalty on the reward included."""
    advantages: Floats
    """Â, (G,)."""
    before: tuple[Floats, ...]
    """log π of each token when it was sampled, (|yᵢ|,) each."""
    after: tuple[Floats, ...]
    """log π of the same tokens after the update."""

    @property
    def silent(self) -> bool:
        """Whether all rewards are equal: no spread, no learning."""
        return bool((self.rewards == self.rewards[0]).all())


@dataclass(frozen=True)
class UpdateRecord:
    """What one update did. Means are over the batch."""

    update: int
    reward: float
    reward_std: float
    terms: tuple[float, ...]
    """Mean of each term of the reward, its weight included."""
    reward_mix: tuple[tuple[str, float], ...]
    """Each term's title and weight, as they were in this update."""
    true_score: float
    """Mean true score of the samples, on training prompts."""
    tokens: int
    """Σ|yᵢ|: tokens in all answers, end-of-text included."""
    length: float
    """Mean tokens in an answer."""
    entropy: float
    """Mean −log π of the sampled tokens: an estimate of the entropy per token, in nats."""
    kl: float
    """Mean k3 per token against the reference."""
    silent_groups: float
    """Share of groups without spread."""
    clipped: float
    """Share of tokens whose push was cut off, in the last gradient step."""
    loss: float
    gradient_norm: float
    seconds: float
    group: Group
    """The first group of the batch, to look into."""
