"""The nearest orthogonal matrix, nearly: Muon's Newton–Schulz iteration."""

from __future__ import annotations

import torch
from torch import Tensor

A, B, C = 3.4445, -4.7750, 2.0315
"""Coefficients of Jordan et al. 2024: chosen so that small singular values grow fastest; after
five steps all of them lie between about 0.7 and 1.2, which serves as well as exactly 1."""


def orthogonalised(stack: Tensor, steps: int = 5) -> Tensor:
    """U Vᵀ of each matrix U Σ Vᵀ, up to singular values of about 0.7 to 1.2: (K, m, n) → same.

    Each step applies the odd polynomial A·σ + B·σ³ + C·σ⁵ to every singular value, by matrix
    products alone: X ← A·X + (B·XXᵀ + C·(XXᵀ)²)X.
    """
    tall = stack.shape[1] > stack.shape[2]
    X = stack.transpose(1, 2) if tall else stack  # (K, m, n) with m ≤ n
    # the Frobenius norm bounds the largest singular value; all start in [0, 1]
    X = X / X.flatten(1).norm(dim=1).add(1e-7)[:, None, None]  # (K, m, n)
    for _ in range(steps):
        gram = torch.bmm(X, X.transpose(1, 2))  # (K, m, m)
        poly = torch.baddbmm(gram, gram, gram, beta=B, alpha=C)  # (K, m, m)
        X = torch.baddbmm(X, poly, X, beta=A)  # (K, m, n)
    return X.transpose(1, 2) if tall else X
