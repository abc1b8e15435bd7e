"""Every number that the viewer shows, against the model and against loops in numpy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from engine.errors import LabError
from engine.jobs import NO_JOB
from engine.models.transformer import (
    SwitchedOff,
    TransformerConfig,
    TransformerModel,
)
from engine.models.transformer import (
    inside as inside_module,
)
from engine.models.transformer.inside import logit_lens, look_inside
from engine.models.transformer.inside_ablation import ablate
from engine.models.transformer.inside_arithmetic import Place, explain
from engine.models.transformer.module import NOTHING_OFF
from engine.tokenizers.stream import TokenStream
from tests.engine.transformer.naive import naive_logits
from tests.engine.transformer.test_module import VARIANTS, random_module

CONTEXT = [3, 1, 4, 1, 5]
PER_LAYER_D = ("resid_pre", "attn_in", "attn_out", "resid_mid", "ffn_in", "mlp_out", "resid_post")
PER_HEAD = ("q_raw", "k_raw", "q_normed", "k_normed", "q", "k", "v", "z")
PER_HIDDEN = ("mlp_pre", "mlp_gate", "mlp_post")


def model_of(fields, off=NOTHING_OFF) -> TransformerModel:
    return TransformerModel(random_module(**fields), off=off)


def places(config: TransformerConfig, T: int):
    """A spread of places over every point of a model."""
    for t, i in itertools.product((0, T - 1), (0, 1, config.width - 1)):
        yield Place("embedding", t, i)
        yield Place("final", t, i)
        for layer, point in itertools.product(range(config.layers), PER_LAYER_D):
            yield Place(point, t, i, layer)
    last = config.head_width - 1
    for layer, head in itertools.product(range(config.layers), range(config.heads)):
        for point, t, i in itertools.product(PER_HEAD, (0, T - 1), (0, 1, last)):
            yield Place(point, t, i, layer, head)
        for point, t, j in itertools.product(("scores", "pattern"), range(T), range(T)):
            yield Place(point, t, j, layer, head)
    for layer, point in itertools.product(range(config.layers), PER_HIDDEN):
        if point != "mlp_gate" or config.ffn == "swiglu":
            for i in (0, config.hidden - 1):
                yield Place(point, T - 1, i, layer)
    for token in range(config.vocab_size):
        yield Place("logits", T - 1, token)
        yield Place("probability", T - 1, token)


@pytest.mark.parametrize("fields", VARIANTS[::3], ids=lambda f: "-".join(map(str, f.values())))
def test_every_formula_gives_the_models_number(fields):
    inside = look_inside(model_of(fields), CONTEXT)
    assert inside.ids.tolist() == [6, *CONTEXT]
    for place in places(inside.config, 6):
        a = explain(inside, place)
        assert a.value == pytest.approx(a.model, rel=2e-5, abs=2e-5), place
        assert a.value == a.steps[-1][1]
        assert a.terms.shape == (len(a.labels), len(a.columns)) or not a.labels
        if a.rule in ("products", "score", "mixture"):
            np.testing.assert_allclose(a.terms[:, 0] * a.terms[:, 1], a.terms[:, 2])
            assert a.terms[:, 2].sum() == pytest.approx(a.steps[0][1], rel=1e-9, abs=1e-9)
        if a.rule == "softmax":
            assert a.terms[:, 2].sum() == pytest.approx(1.0)
            assert a.terms[a.labels.index(place.index), 2] == pytest.approx(a.value)


@pytest.mark.parametrize("fields", VARIANTS[::7], ids=lambda f: "-".join(map(str, f.values())))
def test_the_chain_from_embedding_to_logits_equals_the_naive_transformer(fields):
    """The last link, computed by formula, is what a transformer of loops in numpy computes."""
    model = model_of(fields)
    inside = look_inside(model, CONTEXT)
    expected = naive_logits(model.module, inside.ids.tolist())  # (T, V)
    for t, token in itertools.product(range(6), range(7)):
        value = explain(inside, Place("logits", t, token)).value
        assert value == pytest.approx(expected[t, token], rel=2e-5, abs=2e-5)


def test_rotation_and_qk_norm_are_told_as_they_are():
    fields = {"vocab_size": 7, "context": 9, "layers": 1, "heads": 1, "width": 4}
    model = model_of({**fields, "positions": "rotary", "qk_norm": True})
    inside = look_inside(model, CONTEXT)
    layer = inside.layers[0]
    raw = layer["q_raw"][0, 3].astype(float)
    normed = raw / math.sqrt((raw**2).mean() + 1e-6)
    second_pair = complex(normed[2], normed[3]) * np.exp(1j * 3 * 10000 ** (-2 / 4))
    assert explain(inside, Place("q_normed", 3, 2, 0, 0)).value == pytest.approx(
        normed[2], abs=1e-5
    )
    turn = explain(inside, Place("q", 3, 3, 0, 0))
    assert turn.rule == "turn"
    assert turn.value == pytest.approx(second_pair.imag, abs=1e-5)
    plain = look_inside(model.without(SwitchedOff(positions=True)), CONTEXT)
    unturned = explain(plain, Place("q", 3, 3, 0, 0))
    assert unturned.rule == "carried"
    assert "switched off" in unturned.steps[0][0]
    np.testing.assert_array_equal(plain.layers[0]["q"], plain.layers[0]["q_normed"])


@pytest.mark.parametrize("fields", VARIANTS[1::9], ids=lambda f: "-".join(map(str, f.values())))
@pytest.mark.parametrize(
    "off",
    [
        SwitchedOff(heads=frozenset({(1, 0)})),
        SwitchedOff(attentions=frozenset({0}), ffns=frozenset({1})),
        SwitchedOff(residuals=frozenset({0}), positions=True),
    ],
    ids=["head", "sublayers", "residual"],
)
def test_formulas_hold_with_parts_switched_off(fields, off):
    inside = look_inside(model_of(fields, off), CONTEXT)
    for place in places(inside.config, 6):
        a = explain(inside, place)
        assert a.value == pytest.approx(a.model, rel=2e-5, abs=2e-5), place
    lens = logit_lens(inside, 5)
    np.testing.assert_allclose(lens.log_probs[-1], inside.model.next_log_probs(CONTEXT), atol=2e-5)


@pytest.mark.parametrize("fields", VARIANTS[::11], ids=lambda f: "-".join(map(str, f.values())))
def test_the_lens_ends_in_the_models_distribution(fields):
    model = model_of(fields)
    inside = look_inside(model, CONTEXT)
    table = model.log_probs([*CONTEXT, 0])
    for t in range(6):
        lens = logit_lens(inside, t)
        assert lens.log_probs.shape == (3, 7)
        np.testing.assert_allclose(np.exp(lens.log_probs).sum(axis=1), 1.0)
        np.testing.assert_allclose(lens.log_probs[-1], table[t], atol=2e-5)
    with torch.no_grad():
        x = torch.from_numpy(inside.layers[0]["resid_post"][2].copy())
        middle = model.module.unembed(model.module.final_norm(x)).log_softmax(-1)
    np.testing.assert_allclose(logit_lens(inside, 2).log_probs[1], middle, atol=1e-5)


def test_the_window_is_the_models_own():
    model = model_of(VARIANTS[0])  # context 9
    long = [i % 6 for i in range(23)]
    inside = look_inside(model, long)
    assert inside.start > 0
    assert not inside.shortened
    assert inside.ids.tolist() == long[inside.start - 1 :]
    lens = logit_lens(inside, len(inside.ids) - 1)
    np.testing.assert_allclose(lens.log_probs[-1], model.next_log_probs(long), atol=2e-5)
    empty = look_inside(model, [])
    assert empty.ids.tolist() == [6]


def test_a_window_too_large_to_keep_is_cut_and_says_so(monkeypatch):
    monkeypatch.setattr(inside_module, "MOST_SCORES", 2 * 2 * 4 * 4)
    inside = look_inside(model_of(VARIANTS[0]), CONTEXT)
    assert inside.shortened
    assert inside.ids.tolist() == CONTEXT[-4:]


def test_arrays_are_read_only_and_bad_places_refused():
    inside = look_inside(model_of(VARIANTS[0]), CONTEXT)
    for array in (inside.embedding, inside.final, *inside.layers[0].values()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(IndexError):
        logit_lens(inside, 6)
    with pytest.raises(IndexError):
        explain(inside, Place("q", 6, 0, 0, 0))
    with pytest.raises(IndexError):
        explain(inside, Place("resid_mid", 0, 8, 0))
    with pytest.raises(KeyError):
        explain(inside, Place("mlp_gate", 0, 0, 0))
    with pytest.raises(KeyError):
        explain(inside, Place("soul", 0, 0, 0))


def stream_of(documents) -> TokenStream:
    ids = [6]
    for document in documents:
        ids += [*document, 6]
    return TokenStream(np.array(ids, dtype=np.int32), end_of_text=6, n_bytes=1)


def test_ablation_equals_scoring_twice():
    model = model_of(VARIANTS[0])
    documents = [[1, 2, 3], [0, 5], [], [4, 4, 4, 4, 1, 2]]
    stream = stream_of(documents)
    off = SwitchedOff(heads=frozenset({(0, 1)}))
    result = ablate(model, off, stream)
    whole, without = [], []
    for ids in stream.documents():
        whole.append(-model.token_log_probs(ids) / math.log(2))
        without.append(-model.without(off).token_log_probs(ids) / math.log(2))
    a, b = np.concatenate(whole), np.concatenate(without)
    assert (result.tokens, result.documents) == (15, 4)
    assert result.whole == pytest.approx(a.mean(), rel=1e-5)
    assert result.without == pytest.approx(b.mean(), rel=1e-5)
    assert result.difference == pytest.approx((b - a).mean(), abs=1e-5)
    gaps = np.array([(y - x).sum() for x, y in zip(whole, without, strict=True)])
    lengths = np.array([len(x) for x in whole])
    spread = gaps - lengths * (b - a).mean()
    assert result.error == pytest.approx(math.sqrt(4 / 3 * (spread**2).sum()) / 15, rel=1e-3)


def test_nothing_switched_off_costs_nothing_and_a_sample_is_bounded():
    model = model_of(VARIANTS[0])
    stream = stream_of([[1, 2, 3, 4, 5] * 4] * 10)
    result = ablate(model, SwitchedOff(), stream, most_tokens=30, job=NO_JOB)
    assert result.difference == pytest.approx(0.0, abs=1e-5)
    assert 30 <= result.tokens <= 60
    one = ablate(model, SwitchedOff(), stream, most_tokens=3)
    assert one.tokens == 6
    assert math.isnan(one.error)


def test_ablation_refuses_what_makes_no_sense():
    model = model_of(VARIANTS[0])
    with pytest.raises(LabError, match="layers 0 to 1"):
        ablate(model, SwitchedOff(ffns=frozenset({7})), stream_of([[1]]))
    with pytest.raises(ValueError, match="no token"):
        ablate(model, SwitchedOff(), TokenStream(np.array([6], np.int32), 6, 0))
