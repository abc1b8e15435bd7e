"""How numbers are written on screen, the same in every tab. No Qt."""

from __future__ import annotations

import math

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
UNDEFINED = "–"


def format_number(value: float, digits: int = 4) -> str:
    """A number with about ``digits`` significant digits, in the shortest readable way.

    Whole numbers below 10¹⁵ are written out with thousands separated; very large and very small
    ones with a power of ten; what is no number in words.

    >>> format_number(1234567), format_number(2.34567), format_number(0.00000123)
    ('1,234,567', '2.346', '1.23×10⁻⁶')
    """
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    magnitude = math.floor(math.log10(abs(value)))
    if -4 <= magnitude < 6:
        decimals = max(0, digits - 1 - magnitude)
        text = f"{value:,.{decimals}f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return text.replace("-", "−")
    return scientific(value, digits)


def scientific(value: float, digits: int = 3) -> str:
    """A finite number as mantissa × power of ten: 1.23×10⁻⁶."""
    mantissa, _, exponent = f"{value:.{max(0, digits - 1)}e}".partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa.replace('-', '−')}×10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def format_probability(probability: float) -> str:
    """A probability to three digits; a small one keeps its exponent and is never "0.000"."""
    if math.isnan(probability):
        return "undefined"
    if probability == 0.0:
        return "0"
    if probability < 0.001:
        return scientific(probability)
    return f"{probability:.3f}"


def format_log_probability(log_probability: float) -> str:
    """A probability given as its natural logarithm, also where exp() would underflow.

    >>> format_log_probability(-2000.0)
    '2.58×10⁻⁸⁶⁹'
    """
    if math.isnan(log_probability) or log_probability == -math.inf or log_probability > -600:
        return format_probability(math.exp(min(log_probability, 0.0)))
    tens = log_probability / math.log(10.0)
    exponent = math.floor(tens)
    mantissa = round(10.0 ** (tens - exponent), 2)
    if mantissa >= 10.0:
        mantissa, exponent = 1.0, exponent + 1
    return f"{mantissa:g}×10{str(exponent).translate(_SUPERSCRIPTS)}"
