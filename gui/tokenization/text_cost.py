"""What a text's length in tokens costs a transformer. No Qt.

Counting a multiplication and an addition as two operations, one forward pass over T tokens of a
transformer with L layers of width d and feed-forward width 4·d takes

    L · (24·T·d² + 4·T²·d)  +  2·T·d·V

operations: per layer 8·T·d² for queries, keys, values and the output projection, 16·T·d² for the
feed-forward part, 4·T²·d for attention scores and their weighted sums; then the product with the
V rows of the output embedding. (Narayanan et al. 2021, "Efficient Large-Scale Language Model
Training on GPU Clusters Using Megatron-LM", appendix; the same terms as Kaplan et al. 2020,
table 1.) Norms, biases and the softmax are left out, as there.
"""

from __future__ import annotations

from dataclasses import dataclass

FORMULA = "L·(24·T·d² + 4·T²·d) + 2·T·d·V"
EXPLANATION = (
    "Operations of one forward pass over the text, a multiplication and an addition counting as "
    "two.\n"
    "T: tokens of the text. V: vocabulary size. L: layers. d: width of a token’s vector.\n"
    "Per layer: 24·T·d² for the matrix products (queries, keys, values, output, and a "
    "feed-forward part four times as wide), 4·T²·d for every token looking at every other. "
    "Then 2·T·d·V for the scores of all V tokens.\n"
    "Source: Narayanan et al. 2021 (Megatron-LM), appendix; Kaplan et al. 2020, table 1."
)


@dataclass(frozen=True)
class Size:
    """A transformer's size, as far as its cost depends on it."""

    layers: int = 12
    """L."""
    width: int = 768
    """d."""


def forward_operations(tokens: int, vocab_size: int, size: Size) -> int:
    """Floating-point operations of one forward pass.

    Args:
        tokens: T.
        vocab_size: V.
        size: L and d.
    """
    d = size.width
    per_layer = 24 * tokens * d**2 + 4 * tokens**2 * d
    return size.layers * per_layer + 2 * tokens * d * vocab_size


def operations_in_words(operations: int) -> str:
    """A count of operations with a metric prefix, to three digits: "2.06 billion".

    >>> operations_in_words(2_062_000_000), operations_in_words(950)
    ('2.06 billion', '950')
    """
    for power, word in ((15, "quadrillion"), (12, "trillion"), (9, "billion"), (6, "million")):
        if operations >= 0.9995 * 10**power:
            return f"{_three_digits(operations / 10**power)} {word}"
    return f"{operations:,}"


def _three_digits(value: float) -> str:
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"
