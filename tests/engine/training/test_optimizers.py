"""Optimizers against torch's own and against what they are defined to do."""

from __future__ import annotations

import pytest
import torch

from engine.models.transformer import Transformer, TransformerConfig, initialise
from engine.training import Recipe
from engine.training.flat import FlatParameters
from engine.training.muon import A, B, C, orthogonalised
from engine.training.optimizers import make_optimizer

CONFIG = TransformerConfig(9, context=6, layers=2, heads=2, width=8, bias=True, tied=False)


def model_and_batches():
    module = Transformer(CONFIG)
    initialise(module, "gpt2", 3)
    generator = torch.Generator().manual_seed(1)
    return module, [torch.randint(9, (4, 7), generator=generator) for _ in range(6)]


def train_ours(recipe):
    module, batches = model_and_batches()
    flat = FlatParameters(module)
    optimizer = make_optimizer(flat, recipe)
    for step, ids in enumerate(batches):
        flat.gradients.zero_()
        module.loss(ids[:, :-1], ids[:, 1:]).backward()
        optimizer.prepare()
        optimizer.step(1.0 if step % 2 else 0.5)
    return module


def train_torchs(make, rate):
    module, batches = model_and_batches()
    named = dict(module.named_parameters())
    optimizers = make(named)
    for step, ids in enumerate(batches):
        module.zero_grad()
        module.loss(ids[:, :-1], ids[:, 1:]).backward()
        for optimizer, base in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = (rate if base is None else base) * (1.0 if step % 2 else 0.5)
            optimizer.step()
    return module


def same(a, b, **tolerance):
    for (name, p), q in zip(a.named_parameters(), b.parameters(), strict=True):
        torch.testing.assert_close(p.detach(), q.detach(), msg=lambda m, n=name: f"{n}: {m}",
                                   **tolerance)  # fmt: skip


def split(named):
    tall = [p for p in named.values() if p.dim() == 2]
    flat = [p for p in named.values() if p.dim() == 1]
    return tall, flat


def test_flattening_keeps_every_number_and_shares_memory():
    module, _ = model_and_batches()
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    flat = FlatParameters(module)
    for name, p in module.named_parameters():
        assert torch.equal(p, before[name])
    flat.values.zero_()
    assert all(bool((p == 0).all()) for p in module.parameters())
    assert len(flat) == sum(p.numel() for p in before.values())
    matrices = [p for n, p in before.items() if n.startswith("blocks") and p.dim() == 2]
    assert flat.matrices == sum(p.numel() for p in matrices)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_is_torchs(momentum):
    recipe = Recipe(optimizer="sgd", learning_rate=0.3, momentum=momentum, weight_decay=0.0)

    def make(named):
        return [(torch.optim.SGD(named.values(), momentum=momentum), None)]

    same(train_ours(recipe), train_torchs(make, 0.3), rtol=1e-5, atol=1e-6)


def test_adamw_is_torchs_with_decay_on_matrices_only():
    recipe = Recipe(optimizer="adamw", learning_rate=0.01, beta2=0.95, weight_decay=0.3)

    def make(named):
        tall, flat = split(named)
        options = {"betas": (0.9, 0.95)}
        return [
            (torch.optim.AdamW(tall, weight_decay=0.3, **options), None),
            (torch.optim.AdamW(flat, weight_decay=0.0, **options), None),
        ]

    same(train_ours(recipe), train_torchs(make, 0.01), rtol=1e-4, atol=1e-5)


def test_muon_is_its_definition_with_adam_beside_it():
    recipe = Recipe(
        optimizer="muon", learning_rate=0.02, embedding_learning_rate=0.01, momentum=0.9,
        beta2=0.95, weight_decay=0.1,
    )  # fmt: skip
    ours = train_ours(recipe)
    module, batches = model_and_batches()
    named = dict(module.named_parameters())
    matrices = {n: p for n, p in named.items() if n.startswith("blocks") and p.dim() == 2}
    rest = [p for n, p in named.items() if n not in matrices]
    adam = torch.optim.Adam(rest, betas=(0.9, 0.95))
    velocity = {n: torch.zeros_like(p) for n, p in matrices.items()}
    for step, ids in enumerate(batches):
        factor = 1.0 if step % 2 else 0.5
        module.zero_grad()
        module.loss(ids[:, :-1], ids[:, 1:]).backward()
        adam.param_groups[0]["lr"] = 0.01 * factor
        adam.step()
        with torch.no_grad():
            for name, p in matrices.items():
                velocity[name] = 0.9 * velocity[name] + 0.1 * p.grad
                u = 0.9 * velocity[name] + 0.1 * p.grad
                p.mul_(1 - 0.02 * factor * 0.1)
                pieces = u.chunk(3) if "qkv" in name else (u,)
                turned = torch.cat([orthogonalised(piece[None])[0] for piece in pieces])
                rows, columns = pieces[0].shape
                p.sub_(turned * 0.02 * factor * max(1, rows / columns) ** 0.5)
    same(ours, module, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("shape", [(3, 16, 16), (2, 32, 8), (2, 8, 32), (1, 2, 2)])
def test_orthogonalised_acts_on_singular_values_alone(shape):
    stack = torch.randn(shape, generator=torch.Generator().manual_seed(2))
    result = orthogonalised(stack, steps=5).double()
    U, sigma, Vh = torch.linalg.svd(stack.double(), full_matrices=False)
    # the definition: the polynomial applied to each singular value, after normalisation
    sigma = sigma / (sigma**4).sum(-1, keepdim=True) ** 0.25
    for _ in range(5):
        sigma = A * sigma + B * sigma**3 + C * sigma**5
    expected = U @ torch.diag_embed(sigma) @ Vh
    torch.testing.assert_close(result, expected, rtol=1e-3, atol=1e-4)
    assert float(sigma.max()) < 1.25


def test_orthogonalised_is_near_the_polar_factor_where_no_singular_value_is_tiny():
    generator = torch.Generator().manual_seed(4)
    U, _ = torch.linalg.qr(torch.randn(5, 24, 24, generator=generator))
    V, _ = torch.linalg.qr(torch.randn(5, 24, 24, generator=generator))
    sigma = torch.rand(5, 24, generator=generator) * 0.9 + 0.1
    for scale in (1e-28, 1e-19, 1e-6, 1.0, 1e6, 1e30):
        values = torch.linalg.svdvals(orthogonalised(scale * (U * sigma[:, None]) @ V.mT))
        assert 0.6 < float(values.min()) <= float(values.max()) < 1.25
    assert bool((orthogonalised(torch.zeros(1, 4, 4)) == 0).all())


def test_newton_schulz_agrees_with_torchs_muon_in_direction():
    # torch.optim.Muon iterates in bfloat16 from another normalisation: near, not equal
    gradient = torch.randn(32, 48, generator=torch.Generator().manual_seed(6))
    p = torch.nn.Parameter(torch.zeros(32, 48))
    p.grad = gradient.clone()
    torch.optim.Muon([p], lr=1.0, weight_decay=0.0, momentum=0.0, nesterov=False).step()
    theirs, ours = -p.detach(), orthogonalised(gradient[None], steps=5)[0]
    cosine = (theirs * ours).sum() / theirs.norm() / ours.norm()
    assert float(cosine) > 0.97
