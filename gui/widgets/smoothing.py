"""The smoothed line over a noisy curve. No Qt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_BLOCK = 256


class Smoother:
    """The exponentially weighted mean of all values so far:

    sₜ = Σⱼ≤ₜ w^(t−j)·yⱼ ÷ Σⱼ≤ₜ w^(t−j)

    with weight w for each step back. It is unbiased from the first value on (the divisor is
    Adam's bias correction, Kingma and Ba 2015, section 3), and values that are no finite numbers
    are left out of both sums. A curve that only grew is smoothed from where it ended.

    Args:
        weight: w, 0 (no smoothing) ≤ w < 1.
    """

    def __init__(self, weight: float) -> None:
        if not 0.0 <= weight < 1.0:
            raise ValueError("the smoothing weight must be at least 0 and less than 1")
        self.weight = weight
        self._values: Floats = np.empty(0)
        self._smooth: Floats = np.empty(0)
        self._sums = (0.0, 0.0)

    def __call__(self, values: Floats) -> Floats:
        """The smoothed values, (T,); NaN before the first finite one."""
        known = len(self._values)
        if known > len(values) or not np.array_equal(self._values, values[:known], equal_nan=True):
            known, self._sums = 0, (0.0, 0.0)
            self._values = self._smooth = np.empty(0)
        if known < len(values):
            grown = self._extend(values[known:])
            self._smooth = np.concatenate((self._smooth, grown))
            self._values = values.copy()
        return self._smooth

    def _extend(self, values: Floats) -> Floats:
        finite = np.isfinite(values)
        # Both sums of the formula run side by side: of the values, and of their weights.
        terms = np.stack((np.where(finite, values, 0.0), finite.astype(np.float64)))  # (2, n)
        sums = np.empty_like(terms)
        carried = np.asarray(self._sums)
        if self.weight == 0.0:
            with np.errstate(invalid="ignore"):
                return np.where(finite, values, np.nan)
        # Within a block  Σ w^(t−j)·yⱼ = w^t · Σ w^(−j)·yⱼ,  a running sum. Blocks are short
        # enough that w^(−j) stays small.
        block = max(1, min(_BLOCK, int(30.0 / -np.log(self.weight))))
        powers = self.weight ** np.arange(1, block + 1)
        for start in range(0, len(values), block):
            part = terms[:, start : start + block]
            w = powers[: part.shape[1]]
            sums[:, start : start + block] = w * (carried[:, None] + np.cumsum(part / w, axis=1))
            carried = sums[:, start + part.shape[1] - 1]
        self._sums = (float(carried[0]), float(carried[1]))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(sums[1] > 0.0, sums[0] / sums[1], np.nan)
