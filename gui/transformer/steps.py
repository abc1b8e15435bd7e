"""The way through the model, step by step: what is computed, by which formula. No Qt.

Symbols are the tutorial's: W, xₜ, qₜ = xₜW_Q, attention, oₜ, FFN(oₜ) + oₜ. Where the model does
more than the slide (a norm before each sublayer, 1/√d, W_O), there is a step that says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.models.transformer.config import TransformerConfig

Kind = Literal["vector", "rows", "square", "tokens"]
"""How a point is drawn: the vector at t wrapped over lines; one row a position; every pair of
positions; the most probable tokens."""


@dataclass(frozen=True)
class Step:
    """One formula, and the numbers that come out of it."""

    point: str
    """A point of ``Inside``, or "logits" or "probability"."""
    title: str
    latex: str
    spoken: str
    caption: str
    kind: Kind = "vector"


@dataclass(frozen=True)
class Stage:
    """A block of the overview: the steps between two places of the residual stream."""

    key: Literal["embedding", "attention", "ffn", "output"]
    layer: int
    title: str
    steps: tuple[Step, ...]


def stages(config: TransformerConfig) -> tuple[Stage, ...]:
    """Every block of a model with this config, in the order of computation."""
    found = [Stage("embedding", -1, "Embedding", _embedding(config))]
    for layer in range(config.layers):
        title = f"Layer {layer + 1}"
        found.append(Stage("attention", layer, f"{title}: attention", _attention(config)))
        found.append(Stage("ffn", layer, f"{title}: FFN", _ffn(config)))
    found.append(Stage("output", config.layers, "Next token", _output(config)))
    return tuple(found)


def _embedding(config: TransformerConfig) -> tuple[Step, ...]:
    look_up = Step(
        "embedding",
        "Embedding row",
        r"x_t = W_{\mathrm{token}_t}",
        "x t is the row of W that belongs to the token at t",
        "The token's row of the embedding matrix W: learned numbers that stand for the token. "
        "This vector is where the residual stream begins.",
    )
    if config.positions != "learned":
        return (look_up,)
    added = Step(
        "resid_pre",
        "Position added",
        r"x_t = W_{\mathrm{token}_t} + P_t",
        "x t is the embedding plus the vector of position t",
        "A learned vector for the place t is added: without it, attention could not tell the "
        "order of the tokens.",
    )
    return (look_up, added)


def _norm_latex(config: TransformerConfig, x: str, hat: str) -> str:
    gain = r" \odot g" if config.norm_gain else ""
    shift = " + b" if config.norm_gain and config.bias and config.norm == "layernorm" else ""
    if config.norm == "layernorm":
        fraction = (
            rf"\frac{{{x} - \mathrm{{mean}}({x})}}{{\sqrt{{\mathrm{{var}}({x}) + \varepsilon}}}}"
        )
    else:
        fraction = rf"\frac{{{x}}}{{\sqrt{{\mathrm{{mean}}({x}^2) + \varepsilon}}}}"
    return rf"{hat} = {fraction}{gain}{shift}"


def _norm(config: TransformerConfig, point: str, x: str, what: str) -> Step:
    name = "LayerNorm" if config.norm == "layernorm" else "RMSNorm"
    return Step(
        point,
        name,
        _norm_latex(config, x, rf"\hat {x}"),
        f"{name} of {what}",
        f"{what} is brought to a common size before it is read ({name}). The tutorial's slide "
        "leaves this out; nearly every model does it.",
    )


def _attention(config: TransformerConfig) -> tuple[Step, ...]:
    bias = " + b" if config.bias else ""
    steps = [_norm(config, "attn_in", "x_t", "The residual stream xₜ")]
    for letter, capital, role in (
        ("q", "Q", "what position t looks for"),
        ("k", "K", "what each position offers to be found by"),
    ):
        steps += _query_or_key(config, letter, capital, role, bias)
    d = config.head_width
    steps += [
        Step(
            "v",
            "v",
            rf"v_t = \hat x_t W_V{bias}",
            "v t is x hat t times W V",
            "Values: what each position hands over where it is read. One row a position.",
            "rows",
        ),
        Step(
            "scores",
            "Scores",
            r"s_{tj} = \frac{q_t^\top k_j}{\sqrt{d}}",
            "the score of t and j is q t times k j divided by the square root of d",
            f"How well each query (row t) and key (column j) fit, d = {d}. The slide leaves out "
            "1/√d. Scores of the future (j > t) are computed too, and masked in the next step.",
            "square",
        ),
        Step(
            "pattern",
            "Attention",
            r"a_{tj} = \frac{\exp(s_{tj})}{\sum_{l \leq t} \exp(s_{tl})}",
            "attention of t to j: exp of the score, divided by the sum of all up to t",
            "Mask, then softmax: the future counts as −∞, and each row sums to 1. This shows "
            "where information is read from, not why, nor whether it matters in the end.",
            "square",
        ),
        Step(
            "z",
            "Weighted sum",
            r"z_t = \sum_{j \leq t} a_{tj} v_j",
            "z t is the sum of the values, each times its attention",
            "What this head read: the values, mixed in the proportions of the attention.",
            "rows",
        ),
        Step(
            "attn_out",
            "W_O",
            rf"\mathrm{{out}}_t = [z_t^1, \ldots, z_t^H]\, W_O{bias}",
            "all heads side by side times W O",
            "All heads' sums side by side, through the output projection W_O (left out on the "
            "slide): from here on the heads can no longer be told apart.",
        ),
        _residual_step(config, "resid_mid"),
    ]
    return tuple(steps)


def _query_or_key(
    config: TransformerConfig, letter: str, capital: str, role: str, bias: str
) -> list[Step]:
    name = {"q": "Queries", "k": "Keys"}[letter]
    steps = [
        Step(
            f"{letter}_raw",
            letter,
            rf"{letter}_t = \hat x_t W_{capital}{bias}",
            f"{letter} t is x hat t times W {capital}",
            f"{name}: {role}. One row a position; each head has its own part of W_{capital}.",
            "rows",
        )
    ]
    if config.qk_norm:
        steps.append(
            Step(
                f"{letter}_normed",
                f"{letter} normed",
                rf"\hat {letter}_t = \frac{{{letter}_t}}"
                rf"{{\sqrt{{\mathrm{{mean}}({letter}_t^2) + \varepsilon}}}}",
                f"{letter} t divided by its root mean square",
                "This model has QK-norm: only the direction counts, so scores cannot explode.",
                "rows",
            )
        )
    if config.positions == "rotary":
        hat = rf"\hat {letter}" if config.qk_norm else letter
        steps.append(
            Step(
                letter,
                f"{letter} turned",
                rf"\tilde {letter}_t = R(t \theta)\, {hat}_t",
                f"{letter} t, turned by an angle that grows with t",
                "Rotary positions: each pair of numbers is turned by t times its own angle. "
                "A product of a turned q and a turned k then depends on their distance alone.",
                "rows",
            )
        )
    return steps


def _residual_step(config: TransformerConfig, point: str) -> Step:
    middle = point == "resid_mid"
    out, kept = (r"\mathrm{out}_t", "x_t") if middle else (r"\mathrm{FFN}(o_t)", "o_t")
    left = "o_t" if middle else r"x_t^{\mathrm{next}}"
    if not config.residual:
        return Step(
            point,
            "oₜ" if middle else "Next xₜ",
            f"{left} = {out}",
            "the output alone",
            "This model was made without residual connections: the output replaces its input.",
        )
    return Step(
        point,
        "+ xₜ" if middle else "+ oₜ",
        f"{left} = {out} + {kept}",
        "the output plus its input",
        "The residual connection: the output is added to what was there. Nothing is "
        "overwritten, so every later layer can still read it.",
    )


def _ffn(config: TransformerConfig) -> tuple[Step, ...]:
    bias = " + b" if config.bias else ""
    hidden, words, note = {
        "relu": (
            r"\mathrm{ReLU}(h_t) = \max(0, h_t)",
            "ReLU of h",
            "ReLU: negative numbers become 0.",
        ),
        "gelu": (
            r"\mathrm{GELU}(h_t) = h_t\, \Phi(h_t)",
            "GELU of h",
            "GELU: h times the share of a normal distribution below h. A soft ReLU.",
        ),
        "relu2": (
            r"\mathrm{ReLU}(h_t)^2 = \max(0, h_t)^2",
            "ReLU of h, squared",
            "ReLU squared: negative numbers become 0, the others are squared.",
        ),
        "swiglu": (
            r"\mathrm{Swish}(h_t) \odot g_t = h_t\, \sigma(h_t) \odot g_t",
            "Swish of h times the gate",
            "Gated: each hidden number is let through by another, the gate.",
        ),
    }[config.ffn]
    gated = config.ffn == "swiglu"
    steps = [
        _norm(config, "ffn_in", "o_t", "The residual stream oₜ"),
        Step(
            "mlp_pre",
            "W₁",
            rf"h_t = \hat o_t W_1{bias}",
            "h t is o hat t times W 1",
            f"The vector is spread over {config.hidden} hidden numbers. The FFN works on each "
            "position by itself.",
        ),
    ]
    if gated:
        steps.append(
            Step(
                "mlp_gate",
                "Gate W₂",
                rf"g_t = \hat o_t W_2{bias}",
                "g t is o hat t times W 2",
                "The gate: a second product, which the activation is multiplied with.",
            )
        )
    names = {"relu": "ReLU", "gelu": "GELU", "relu2": "ReLU²", "swiglu": "Swish ⊙ gate"}
    act = {
        "relu": r"\mathrm{ReLU}(h_t)",
        "gelu": r"\mathrm{GELU}(h_t)",
        "relu2": r"\mathrm{ReLU}(h_t)^2",
        "swiglu": r"(\mathrm{Swish}(h_t) \odot g_t)",
    }[config.ffn]
    matrix = "W_3" if gated else "W_2"
    steps += [
        Step("mlp_post", names[config.ffn], hidden, words, note),
        Step(
            "mlp_out",
            "W₃" if gated else "W₂",
            rf"\mathrm{{FFN}}(o_t) = {act}\, {matrix}{bias}",
            "the hidden numbers times the last matrix",
            "Back to the width of the residual stream.",
        ),
        _residual_step(config, "resid_post"),
    ]
    return tuple(steps)


def _output(config: TransformerConfig) -> tuple[Step, ...]:
    matrix = r"W^\top" if config.tied else r"W_{\mathrm{out}}^\top"
    which = (
        "the embedding matrix used a second time" if config.tied else "a matrix of its own (untied)"
    )
    return (
        _norm(config, "final", "x_t", "The last residual stream"),
        Step(
            "logits",
            "Unembedding",
            rf"\ell_t = \hat x_t\, {matrix}",
            "the logits are x hat t times the output matrix transposed",
            f"One score for each token of the vocabulary, by {which}. The highest are shown.",
            "tokens",
        ),
        Step(
            "probability",
            "Softmax",
            r"p(x_{t+1} = i \mid x_{1:t}) = \frac{\exp(\ell_{t,i})}{\sum_{j} \exp(\ell_{t,j})}",
            "p of token i: exp of its logit, divided by the sum over all tokens",
            "The distribution over the next token: positive numbers that sum to 1.",
            "tokens",
        ),
    )
