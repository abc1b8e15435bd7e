"""The formula of an update under given settings, and the numbers of one update. No Qt.

Follows ``engine.posttraining.grpo``: what is written here is what ``_push`` ascends.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.posttraining.records import UpdateRecord
from engine.posttraining.settings import GRPOSettings
from gui.widgets.numbers import format_number

AIM = (
    r"\max_\theta \; \mathbb{E}_{p_\theta(y \mid x)}\left[ r(x, y) \right] - "
    r"\beta \, \mathrm{KL}\left[ p_\theta(y \mid x) \,\|\, p_{\mathrm{LM}}(y \mid x) \right]"
)
STEP = (
    r"\frac{1}{\sum_i |y_i|} \sum_i \sum_k \hat{A}_{i,k} \, \gamma_{i,k}(\theta) \, "
    r"\nabla \log \pi_\theta(y_{i,k} \mid x, y_{i,<k})"
)
SPOKEN_AIM = (
    "Maximise the expected reward under the policy, less beta times the KL divergence of the "
    "policy from the language model it started from."
)
SPOKEN_STEP = (
    "One over the number of tokens, times the sum over answers and tokens of advantage times "
    "gamma times the gradient of the log-probability of the token."
)
_LOG = r"\log \pi_\theta(y_{i,k} \mid x, y_{i,<k})"


@dataclass(frozen=True)
class Line:
    """One typeset line."""

    latex: str
    spoken: str


def priced(settings: GRPOSettings) -> bool:
    """Whether β is taken off the reward."""
    return settings.beta > 0 and settings.penalty == "reward"


def pulled(settings: GRPOSettings) -> bool:
    """Whether β acts as a term of the loss."""
    return settings.beta > 0 and settings.penalty == "loss"


def clips(settings: GRPOSettings) -> bool:
    """Whether γ can differ from 1, so that clipping can act."""
    return settings.updates_per_batch > 1


def lines_of(settings: GRPOSettings) -> tuple[Line, ...]:
    """The step that these settings take, and what each sign in it stands for; the step first."""
    lines = [_step(settings), _advantage(settings)]
    if priced(settings):
        lines.append(
            Line(
                r"r_i = r(x, y_i) - \beta \log \frac{\pi_{\mathrm{old}}(y_i \mid x)}"
                r"{\pi_{\mathrm{ref}}(y_i \mid x)}",
                "r i is the reward less beta times the log of the ratio of the policy that wrote "
                "the answer to the reference.",
            )
        )
    if clips(settings):
        lines.append(
            Line(
                r"\gamma_{i,k} = \frac{\pi_\theta(y_{i,k} \mid x, y_{i,<k})}"
                r"{\pi_{\mathrm{old}}(y_{i,k} \mid x, y_{i,<k})}",
                "gamma is the token's probability now over that when it was sampled.",
            )
        )
    if pulled(settings):
        lines.append(
            Line(
                r"k_3 = \rho - \log \rho - 1, \quad \rho = \frac{\pi_{\mathrm{ref}}"
                r"(y_{i,k} \mid x, y_{i,<k})}{\pi_\theta(y_{i,k} \mid x, y_{i,<k})}",
                "k 3 is rho less log rho less 1, rho the reference's probability of the token "
                "over the policy's.",
            )
        )
    return tuple(lines)


def _step(s: GRPOSettings) -> Line:
    tokens = s.weights == "tokens"
    share = r"\frac{1}{\sum_i |y_i|}" if tokens else r"\frac{1}{N}"
    spoken = "One over the number of " + ("tokens" if tokens else "answers")
    if clips(s):
        push = (
            r"\nabla \min\left( \gamma_{i,k} \hat{A}_i, \; \mathrm{clip}(\gamma_{i,k}, "
            r"1 - \varepsilon, 1 + \varepsilon) \, \hat{A}_i \right)"
        )
        told = "the gradient of the lesser of gamma A and gamma clipped to 1 ± epsilon, times A"
    else:
        push = rf"\hat{{A}}_i \, \nabla {_LOG}"
        told = "advantage times the gradient of the log-probability of the token"
    latex = rf"{share} \sum_i \sum_k {push}"
    spoken += f", times the sum over answers and tokens of {told}"
    if pulled(s):
        latex += r" \; - \; \beta \, \frac{1}{\sum_i |y_i|} \sum_i \sum_k \nabla k_3(y_{i,k})"
        spoken += ", less beta times the mean gradient of k 3 over all tokens"
    return Line(latex, f"{spoken}.")


def _advantage(s: GRPOSettings) -> Line:
    if s.baseline == "none":
        return Line(r"\hat{A}_i = r_i", "The advantage is the reward.")
    if s.baseline == "mean":
        return Line(
            r"\hat{A}_i = r_i - \bar{r}", "The advantage is the reward less its group's mean."
        )
    return Line(
        r"\hat{A}_i = \frac{r_i - \bar{r}}{\sigma + 10^{-4}}",
        "The advantage is the reward less its group's mean, over its group's standard deviation "
        "plus 0.0001.",
    )


def differences(s: GRPOSettings) -> tuple[str, ...]:
    """Where these settings differ from the tutorial's form, a sentence each."""
    found = []
    if s.weights == "sequences":
        found.append("Every answer weighs the same: 1/N, N answers, in place of 1/Σ|yᵢ|.")
    if s.baseline == "none":
        found.append("No baseline (REINFORCE): Â is the reward itself.")
    elif s.baseline == "mean":
        found.append("Â is not divided by the group's standard deviation, as GRPO's is.")
    if pulled(s):
        found.append(
            "β KL is estimated by k3, a term of the loss, and averaged over tokens whatever "
            "the weights are."
        )
    elif priced(s):
        found.append("β KL is taken off each answer's reward, so it is part of Â.")
    else:
        found.append("β = 0: there is no price on moving away from the reference.")
    if clips(s):
        found.append(f"γ is cut to 1 − ε … 1 + ε, in {s.updates_per_batch} steps on each batch.")
    else:
        found.append("One step a batch: γ = 1 throughout, so it is left out and nothing is cut.")
    return tuple(found)


def numbers_of(record: UpdateRecord, s: GRPOSettings) -> list[tuple[str, str, str]]:
    """The signs of the formula with their meaning and their value in an update."""
    group = record.group
    n = s.prompts * s.group
    low, high = (_number(float(f())) for f in (group.advantages.min, group.advantages.max))
    rows = [
        ("N", "answers: prompts × G", f"{s.prompts:,} × {s.group:,} = {n:,}"),
        ("Σ|yᵢ|", "tokens of all answers, end-of-text included", f"{record.tokens:,}"),
        ("r", "reward, mean of all answers" + (", price taken off" if priced(s) else ""),
         _number(record.reward)),
    ]  # fmt: skip
    if s.baseline != "none":
        rows.append(("r̄", "mean reward of the group shown", _number(float(group.rewards.mean()))))
    if s.baseline == "mean_std":
        std = float(group.rewards.std(ddof=1)) if len(group.rewards) > 1 else 0.0
        rows.append(("σ", "standard deviation of its rewards, with G − 1", _number(std)))
    rows.append(("Â", "advantages of the group shown, least … greatest", f"{low} … {high}"))
    if clips(s):
        rows += [
            ("ε", "how far γ may go from 1", _number(s.clip)),
            ("γ", "share of tokens whose push is cut off, last step", f"{record.clipped:.1%}"),
        ]
    else:
        rows.append(("γ", "probability now ÷ when sampled; one step a batch", "1"))
    rows.append(("β", "price of moving away", _number(s.beta)))
    if priced(s):
        rows.append(
            ("β log π/π_ref", "taken off the rewards, mean of all answers", _number(record.penalty))
        )
    if pulled(s):
        rows.append(("β k₃", "KL term of the loss, nats per token", _number(s.beta * record.kl)))
    rows += [
        ("KL", "k₃, mean of all tokens, before the update (nats per token)", _number(record.kl)),
        ("‖∇‖", "length of the gradient", _number(record.gradient_norm)),
        ("Â = 0", "share of groups without signal: all their advantages are 0",
         f"{record.silent_groups:.0%}"),
    ]  # fmt: skip
    return rows


def _number(value: float) -> str:
    return format_number(value, 3)
