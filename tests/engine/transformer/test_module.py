"""The transformer against one written out in numpy, and against itself by other routes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from engine.errors import LabError
from engine.models.transformer import (
    KVCache,
    Recorder,
    SwitchedOff,
    Transformer,
    TransformerConfig,
    flops_per_token,
    functions,
    initialise,
    parameter_counts,
    point_names,
)
from tests.engine.transformer.naive import naive_logits

TINY = {"vocab_size": 7, "context": 9, "layers": 2, "heads": 2, "width": 8}
EXTRAS = [
    {},
    {"norm": "rmsnorm", "tied": False, "qk_norm": True, "bias": True},
    {"norm": "layernorm", "bias": True, "ffn_width": 12, "heads": 4},
    {"norm": "rmsnorm", "norm_gain": False, "residual": False, "heads": 1},
]
VARIANTS = [
    {**TINY, "ffn": ffn, "positions": positions, **extra}
    for ffn, positions, extra in itertools.product(
        ("relu", "gelu", "swiglu", "relu2"), ("learned", "rotary", "none"), EXTRAS
    )
]


def random_module(seed: int = 0, **fields) -> Transformer:
    """A module in which every parameter, also gains and biases, is random and matters."""
    module = Transformer(TransformerConfig(**fields))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            p.normal_(0, 0.4, generator=generator)
    return module


def random_ids(shape, vocab=7, seed=3) -> torch.Tensor:
    return torch.randint(vocab, shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("fields", VARIANTS, ids=lambda f: "-".join(str(v) for v in f.values()))
def test_equals_the_naive_transformer(fields):
    module = random_module(**fields)
    ids = random_ids((2, 9))
    with torch.no_grad():
        logits = module(ids)
    for row in range(2):
        expected = naive_logits(module, ids[row].tolist())
        np.testing.assert_allclose(logits[row].numpy(), expected, rtol=2e-5, atol=2e-5)
    counts = parameter_counts(module.config)
    named = dict(module.named_parameters())
    assert counts["total"] == sum(p.numel() for p in named.values())
    part = {"attention": ".attention.", "ffn": ".ffn.", "norms": "norm", "output": "output"}
    for name, piece in part.items():
        assert counts[name] == sum(p.numel() for n, p in named.items() if piece in n)
    for name in ("embedding", "positions"):
        assert counts[name] == (named[name].numel() if name in named else 0)


@pytest.mark.parametrize("fields", VARIANTS[::5], ids=str)
def test_recording_changes_nothing_and_keeps_every_point(fields):
    module = random_module(**fields)
    ids = random_ids((2, 6))
    record = Recorder()
    with torch.no_grad():
        plain, recorded = module(ids), module(ids, record=record)
    torch.testing.assert_close(plain, recorded, rtol=1e-5, atol=1e-5)
    assert set(record.activations) == set(point_names(module.config))
    config = module.config
    for layer in range(config.layers):
        at = {name: record[f"{layer}.{name}"] for name in ("pattern", "scores", "q", "k", "v", "z")}
        torch.testing.assert_close(at["pattern"].sum(-1), torch.ones(2, config.heads, 6))
        assert bool((at["pattern"].triu(1) == 0).all())
        torch.testing.assert_close(
            at["scores"], at["q"] @ at["k"].mT / math.sqrt(config.head_width)
        )
        torch.testing.assert_close(at["z"], at["pattern"] @ at["v"])
        mid = record[f"{layer}.attn_out"] + (record[f"{layer}.resid_pre"] if config.residual else 0)
        torch.testing.assert_close(record[f"{layer}.resid_mid"], mid)
    lens = module.unembed(module.final_norm(record["1.resid_post"]))
    torch.testing.assert_close(lens.detach(), record["logits"])


def test_a_recorder_keeps_only_what_was_asked_for():
    module = random_module(**TINY)
    record = Recorder(["1.pattern"])
    module(random_ids((1, 4)), record=record)
    assert list(record.activations) == ["1.pattern"]
    assert not record["1.pattern"].requires_grad


@pytest.mark.parametrize("fields", VARIANTS[1::7], ids=str)
@pytest.mark.parametrize("cuts", [(1,) * 9, (4, 1, 3, 1), (9,)])
def test_kv_cache_equals_recomputation(fields, cuts):
    module = random_module(**fields)
    ids = random_ids((3, 9))
    cache = KVCache(module.config, batch=3)
    with torch.no_grad():
        pieces = [module(piece, cache=cache) for piece in ids.split(cuts, dim=1)]
        torch.testing.assert_close(torch.cat(pieces, 1), module(ids), rtol=1e-5, atol=1e-5)
    assert cache.length == 9
    with pytest.raises(ValueError, match="don't fit"):
        module(ids[:, :1], cache=cache)


def test_a_position_sees_nothing_that_comes_after_it():
    module = random_module(**TINY)
    ids = random_ids((1, 9))
    changed = ids.clone()
    changed[0, 5] = (changed[0, 5] + 1) % 7
    with torch.no_grad():
        a, b = module(ids), module(changed)
    assert torch.equal(a[:, :5], b[:, :5])
    assert not torch.allclose(a[:, 5:], b[:, 5:])


@pytest.mark.parametrize("fields", VARIANTS[2::6], ids=str)
def test_gradients_agree_with_finite_differences(fields):
    module = random_module(**fields).double()
    if "turns" in dict(module.named_buffers()):
        module.turns = module.turns.to(torch.complex128)
    ids, targets = random_ids((2, 6)), random_ids((2, 6), seed=4)
    module.loss(ids, targets).backward()
    generator = torch.Generator().manual_seed(1)
    for name, p in module.named_parameters():
        direction = torch.randn(p.shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            p.add_(direction, alpha=1e-5)
            above = module.loss(ids, targets)
            p.sub_(direction, alpha=2e-5)
            below = module.loss(ids, targets)
            p.add_(direction, alpha=1e-5)
        slope = float((above - below) / 2e-5)
        assert slope == pytest.approx(float((p.grad * direction).sum()), rel=1e-4, abs=1e-6), name


@pytest.mark.parametrize("fields", VARIANTS[::4], ids=str)
def test_attention_for_long_texts_has_the_same_values_and_gradients(fields, monkeypatch):
    module = random_module(**fields)
    ids, targets = random_ids((2, 9)), random_ids((2, 9), seed=4)
    results = []
    for most in (10**6, 0):
        monkeypatch.setattr(functions, "PATTERN_LIMIT", most)
        module.zero_grad()
        loss = module.loss(ids, targets)
        loss.backward()
        results.append([loss.detach(), *(p.grad.clone() for p in module.parameters())])
    for short, long in zip(*results, strict=True):
        torch.testing.assert_close(short, long, rtol=1e-4, atol=1e-5)


def test_switching_off():
    module = random_module(**TINY, positions="rotary", qk_norm=True)
    ids = random_ids((2, 8))
    with torch.no_grad():
        whole = module(ids)

        def without(**parts):
            return module(ids, off=SwitchedOff(**parts))

        # both heads of a layer = its attention (there is no bias)
        torch.testing.assert_close(
            without(heads=frozenset({(0, 0), (0, 1)})), without(attentions=frozenset({0}))
        )
        assert not torch.allclose(without(heads=frozenset({(1, 0)})), whole)
        # everything off: only the embedding goes through
        alone = without(attentions=frozenset({0, 1}), ffns=frozenset({0, 1}))
        direct = module.unembed(module.final_norm(module.embedding[ids]))
        torch.testing.assert_close(alone, direct)
        # without positions the order of earlier tokens is invisible to the last one in layer 0
        bare = SwitchedOff(positions=True)
        one = random_module(**{**TINY, "layers": 1}, positions="rotary")
        a = torch.tensor([[1, 2, 3, 4]])
        b = torch.tensor([[3, 1, 2, 4]])
        torch.testing.assert_close(one(a, off=bare)[0, -1], one(b, off=bare)[0, -1])
        assert not torch.allclose(one(a)[0, -1], one(b)[0, -1])
        # no residuals: the FFN's output replaces the stream
        record = Recorder()
        module(ids, record=record, off=SwitchedOff(residuals=frozenset({1})))
        torch.testing.assert_close(record["1.resid_post"], record["1.mlp_out"])
    with pytest.raises(LabError, match="layers 0 to 1"):
        SwitchedOff(ffns=frozenset({2})).check(module.config)
    with pytest.raises(LabError, match="heads 0 to 1"):
        SwitchedOff(heads=frozenset({(0, 2)})).check(module.config)


def test_initialisation_is_the_seeds():
    def numbers(scheme, seed):
        module = Transformer(TransformerConfig(**TINY))
        initialise(module, scheme, seed)
        return torch.cat([p.detach().flatten() for p in module.parameters()])

    for scheme in ("gpt2", "modern"):
        assert torch.equal(numbers(scheme, 1), numbers(scheme, 1))
        assert not torch.equal(numbers(scheme, 1), numbers(scheme, 2))
    module = Transformer(TransformerConfig(**{**TINY, "tied": False}))
    initialise(module, "modern", 0)
    ids = random_ids((2, 5))
    assert module.loss(ids, ids).item() == pytest.approx(math.log(7), abs=1e-6)


def test_flops_of_a_known_shape():
    # nanoGPT's CPU demo: matrices 4·12·128² + head 66·128; half of 2·2·64(+1)·128 a layer
    config = TransformerConfig(vocab_size=66)
    weights = 4 * 12 * 128**2 + 66 * 128
    assert flops_per_token(config) == 3 * (2 * weights + 4 * 4 * 128 * 65 // 2)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"vocab_size": 1}, "vocab_size"),
        ({"width": 10, "heads": 4}, "multiple of the number of heads"),
        ({"width": 6, "heads": 2, "positions": "rotary"}, "even number"),
        ({"ffn": "tanh"}, "relu, gelu, swiglu, relu2"),
        ({"layers": True}, "whole number"),
        ({"width": 8.0}, "whole number"),
        ({"bias": 1}, "true or false"),
        ({"width": 8192, "layers": 64}, "parameters"),
    ],
)
def test_impossible_shapes_are_explained(change, sentence):
    with pytest.raises(LabError, match=sentence):
        TransformerConfig(**{**TINY, **change})


def test_swiglu_has_as_many_parameters_as_the_others():
    for width in (64, 128, 192, 256):
        plain = parameter_counts(TransformerConfig(66, width=width, ffn="relu"))["total"]
        gated = parameter_counts(TransformerConfig(66, width=width, ffn="swiglu"))["total"]
        assert abs(gated / plain - 1) < 0.02
