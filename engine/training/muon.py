"""The nearest orthogonal matrix, nearly: Muon's Newton–Schulz iteration."""

from __future__ import annotations

import torch
from torch import Tensor

A, B, C = 3.4445, -4.7750, 2.0315
"""Coefficients of Jordan et al. 2024: chosen so that small singular values grow fastest. Where
they have grown enough all of them lie between about 0.7 and 1.2, which serves as well as 1."""
STEPS = 4
"""Jordan's five, less one: dividing by a closer bound of the largest singular value than the
Frobenius norm lets small ones start about one step's growth further up."""
_TINY = 1e-30


def orthogonalised(stack: Tensor, steps: int = STEPS) -> Tensor:
    """U Vᵀ of each matrix U Σ Vᵀ, up to singular values of about 0.7 to 1.2: (K, m, n) → same.

    Each step applies the odd polynomial A·σ + B·σ³ + C·σ⁵ to every singular value, by matrix
    products alone: X ← A·X + (B·XXᵀ + C·(XXᵀ)²)X. A matrix of zeros stays one.
    """
    tall = stack.shape[1] > stack.shape[2]
    X = stack.transpose(1, 2) if tall else stack  # (K, m, n) with m ≤ n
    # to a largest element of 1 first, lest squares of tiny gradients underflow
    X = X / X.abs().amax(dim=(1, 2), keepdim=True).clamp_min_(_TINY)  # (K, m, n)
    gram = torch.bmm(X, X.transpose(1, 2))  # (K, m, m)
    # σ₁⁴ ≤ Σσᵢ⁴ = ‖XXᵀ‖²: dividing X by ‖XXᵀ‖^½ brings every σ into [0, 1]
    bound = gram.flatten(1).norm(dim=1).clamp_min_(_TINY)[:, None, None]  # (K, 1, 1)
    X.mul_(bound.rsqrt())  # (K, m, n)
    gram.div_(bound)  # (K, m, m)
    for step in range(steps):
        if step:
            gram = torch.bmm(X, X.transpose(1, 2))  # (K, m, m)
        poly = torch.baddbmm(gram, gram, gram, beta=B, alpha=C)  # (K, m, m)
        X = torch.baddbmm(X, poly, X, beta=A)  # (K, m, n)
    return X.transpose(1, 2) if tall else X
