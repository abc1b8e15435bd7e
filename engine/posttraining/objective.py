"""The arithmetic of group-relative policy optimization (GRPO), as small pure functions.

The tutorial's objective, with r the reward, π_θ the policy and p_LM = π_ref the model it started
from: maximise E_{y ~ π_θ(·|x)}[r(x, y)] − β KL(π_θ ‖ π_ref), by ascending

    1/Σᵢ|yᵢ| · Σᵢ Σₖ Âᵢ γᵢₖ(θ) ∇ log π_θ(yᵢₖ | x, yᵢ,<ₖ),     γᵢₖ = π_θ(yᵢₖ|·) / π_old(yᵢₖ|·)

Sources: Shao et al. 2024, "DeepSeekMath" (GRPO, eq. 3 and 4); Yu et al. 2025, "DAPO" (one sum
over the tokens of the whole batch, 1/Σ|yᵢ|); Williams 1992 (REINFORCE); Schulman 2020,
"Approximating KL divergence" (the k3 estimator). Where they differ from one another, each choice
is an argument.

Shapes: P prompts, G samples of each, N = P·G samples, L tokens of the longest answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.posttraining.settings import Baseline, Weights

STD_EPSILON = 1e-4
"""Added to the standard deviation, as in trl: a group without spread divides 0 by this."""


def advantages(rewards: Tensor, baseline: Baseline) -> Tensor:
    """How much better each sample did than its group: rewards (P, G) → Â (P, G).

    "none" is REINFORCE's Â = r; "mean" subtracts the group's mean; "mean_std" then divides by
    the group's standard deviation (of the sample, with G − 1) plus 1e-4, as GRPO does. With either
    a group without spread gets exactly 0, whatever rounding its mean has.

    >>> advantages(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), "mean")
    tensor([[-0.5000, -0.5000,  0.5000,  0.5000]])
    """
    if baseline == "none":
        return rewards.clone()  # (P, G)
    centred = rewards - rewards.mean(dim=1, keepdim=True)  # (P, G)
    centred = centred.masked_fill(no_spread(rewards)[:, None], 0.0)  # (P, G)
    if baseline == "mean":
        return centred
    if rewards.shape[1] < 2:
        return centred
    return centred / (rewards.std(dim=1, keepdim=True) + STD_EPSILON)  # (P, G)


def no_spread(rewards: Tensor) -> Tensor:
    """Which groups have equal rewards throughout: (P, G) → (P,)."""
    return (rewards == rewards[:, :1]).all(dim=1)


def without_signal(advantage: Tensor) -> Tensor:
    """Which groups push nothing, since all their advantages are 0: (P, G) → (P,).

    With a baseline these are the groups without spread. Without one (Â = r) equal rewards push
    too, unless they are 0.

    >>> even = torch.tensor([[1.0, 1.0]])
    >>> without_signal(advantages(even, "mean")), without_signal(advantages(even, "none"))
    (tensor([True]), tensor([False]))
    """
    return (advantage == 0).all(dim=1)


def token_log_probs(logits: Tensor, tokens: Tensor, temperature: float = 1.0) -> Tensor:
    """log π(token) of the policy that samples at a temperature.

    logits (N, L, V), tokens (N, L) → (N, L). The temperature belongs to the policy that is
    improved, since it is what wrote the samples.
    """
    log_probs = (logits / temperature).log_softmax(dim=-1)  # (N, L, V)
    return log_probs.gather(2, tokens[..., None])[..., 0]  # (N, L)


def k3(log_probs: Tensor, reference: Tensor) -> Tensor:
    """Schulman's k3, an unbiased estimate of KL(π ‖ π_ref) per token that is never negative.

    With ρ = π_ref/π at the sampled token: ρ − log ρ − 1. Same shapes in and out.
    """
    log_ratio = reference - log_probs
    return log_ratio.exp() - log_ratio - 1


@dataclass(frozen=True)
class Objective:
    """The loss to be descended, and what it is made of. All are scalars in nats."""

    loss: Tensor
    policy: Tensor
    """The part from advantages, before the penalty."""
    kl: Tensor
    """Mean k3 per token; 0 without a reference."""
    clipped: Tensor
    """Share of tokens whose push is cut off by the clipping."""


def policy_objective(
    log_probs: Tensor,
    old_log_probs: Tensor,
    advantage: Tensor,
    mask: Tensor,
    *,
    clip: float = 0.2,
    reference: Tensor | None = None,
    beta: float = 0.0,
    weights: Weights = "tokens",
) -> Objective:
    """GRPO's loss for one batch.

    Args:
        log_probs: log π_θ of the sampled tokens, (N, L), with gradient.
        old_log_probs: those under the policy that sampled them, (N, L), without.
        advantage: Â of each sample, (N,).
        mask: 1 for tokens of the answer, its end-of-text included, 0 behind it, (N, L).
        clip: ε; γ is cut to 1 − ε … 1 + ε where that lowers the objective (Schulman et al. 2017,
            eq. 7). With one update per batch γ = 1 throughout, and clipping never acts.
        reference: log π_ref of the same tokens, (N, L); needed where β > 0.
        beta: weight of the k3 penalty.
        weights: "tokens" divides by Σ|yᵢ| over the batch, so that long answers weigh more;
            "sequences" divides by N, the plain policy gradient of the mean reward.

    Raises:
        ValueError: if β > 0 without a reference.
    """
    n = mask.sum() if weights == "tokens" else torch.as_tensor(float(len(mask)))
    n = n.clamp(min=1.0)
    ratio = (log_probs - old_log_probs).exp()  # γ: (N, L)
    a = advantage[:, None]  # (N, 1)
    plain, cut = ratio * a, ratio.clamp(1 - clip, 1 + clip) * a  # (N, L) each
    policy = -(torch.minimum(plain, cut) * mask).sum() / n
    tokens = mask.sum().clamp(min=1.0)
    clipped = ((cut < plain) * mask).sum() / tokens
    kl = torch.zeros(())
    if reference is not None:
        kl = (k3(log_probs, reference) * mask).sum() / tokens
    elif beta > 0:
        raise ValueError("a KL penalty needs the reference's log-probabilities")
    return Objective(policy + beta * kl, policy.detach(), kl.detach(), clipped.detach())
