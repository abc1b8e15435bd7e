"""The transformer as a language model: windows, caches, files."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import LabError
from engine.jobs import Job, JobCancelled
from engine.models.transformer import Recorder, SwitchedOff, TransformerConfig, TransformerModel
from engine.models.transformer.files import CONFIG_FILE, TENSOR_FILE, read_tensors
from engine.models.transformer.model import window_start
from tests.engine.transformer.naive import naive_logits

SHAPES = {
    "learned": {"positions": "learned"},
    "rotary": {"positions": "rotary", "norm": "rmsnorm", "qk_norm": True, "ffn": "relu2"},
    "odd": {"positions": "rotary", "context": 5, "tied": False},
    "shortest": {"context": 1},
}


def make(**fields) -> TransformerModel:
    config = TransformerConfig(
        **{"vocab_size": 6, "context": 8, "width": 8, "layers": 2, "heads": 2, **fields}
    )
    model = TransformerModel.untrained(config)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for p in model.module.parameters():
            p.normal_(0, 0.4, generator=generator)
    return model


IDS = np.random.default_rng(0).integers(0, 6, 41).astype(np.int32)


@given(st.integers(1, 40), st.integers(0, 400))
def test_every_position_sees_half_a_context_or_all_that_went_before(context, t):
    start = window_start(t, context)
    seen = t - start + 1
    assert seen <= context
    assert start == 0 or seen >= context // 2 + (context > 1)


@pytest.mark.parametrize("fields", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("length", [0, 1, 4, 7, 8, 9, 12, 41])
def test_three_ways_to_the_same_probabilities(fields, length):
    model, ids = make(**fields), IDS[:length]
    table = model.log_probs(ids)
    assert table.shape == (length, 6)
    assert table.dtype == np.float64
    np.testing.assert_allclose(np.exp(table).sum(axis=1), 1, rtol=0, atol=1e-12)
    expected = [model.next_log_probs(ids[:t]) for t in range(length)]
    np.testing.assert_allclose(table, np.reshape(expected, (length, 6)), atol=1e-5)
    picked = model.token_log_probs(ids)
    np.testing.assert_allclose(picked, table[np.arange(length), ids], atol=1e-12)
    writing = model.continuation([])
    for t in range(length):
        np.testing.assert_allclose(writing.next_log_probs(), table[t], atol=1e-5)
        writing.append(int(ids[t]))
    np.testing.assert_allclose(writing.next_log_probs(), model.next_log_probs(ids), atol=1e-5)


def test_rows_are_those_of_the_naive_transformer_after_begin_of_text():
    model = make(**SHAPES["rotary"])
    logits = naive_logits(model.module, [5, *IDS[:6].tolist()])
    expected = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(model.log_probs(IDS[:7]), expected, atol=1e-5)
    # beyond the context: position 10 is read in the window that starts at 4
    stream = [5, *IDS.tolist()]
    late = naive_logits(model.module, stream[4:11])[-1]
    np.testing.assert_allclose(
        model.next_log_probs(IDS[:10]), late - np.log(np.exp(late).sum()), atol=1e-5
    )


def test_a_continuation_starts_anywhere_and_what_it_returns_is_the_callers():
    model = make()
    for start in (0, 3, 8, 20):
        writing = model.continuation(IDS[:start])
        writing.next_log_probs()[:] = 0
        np.testing.assert_allclose(
            writing.next_log_probs(), model.next_log_probs(IDS[:start]), atol=1e-5
        )


def test_foreign_ids_are_refused():
    model = make()
    for bad in ([6], [-1], [0, 99]):
        with pytest.raises(ValueError, match="0 … 5"):
            model.next_log_probs(bad)
        with pytest.raises(ValueError, match="0 … 5"):
            model.token_log_probs(bad)
    writing = model.continuation([1])
    with pytest.raises(ValueError, match="0 … 5"):
        writing.append(6)


def test_recording_tells_which_tokens_the_positions_are():
    model = make()
    record = Recorder(["logits", "0.pattern"])
    assert model.record([1, 2], record) == [5, 1, 2]
    assert record["0.pattern"].shape == (1, 2, 3, 3)
    last = record["logits"][0, -1].double().log_softmax(-1).numpy()
    np.testing.assert_allclose(last, model.next_log_probs([1, 2]), atol=1e-5)


def test_without_leaves_the_model_itself_alone():
    model = make()
    before = model.next_log_probs([1, 2])
    less = model.without(SwitchedOff(ffns=frozenset({0})))
    assert not np.allclose(less.next_log_probs([1, 2]), before)
    np.testing.assert_array_equal(model.next_log_probs([1, 2]), before)
    np.testing.assert_allclose(
        less.continuation([1, 2]).next_log_probs(), less.next_log_probs([1, 2]), atol=1e-6
    )


def test_scoring_can_be_cancelled():
    class Stop(Job):
        def yield_point(self) -> None:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        make().token_log_probs(IDS, Stop())


# --- files


@pytest.mark.parametrize("fields", SHAPES.values(), ids=SHAPES)
def test_saved_and_loaded_it_is_the_same(fields, tmp_path):
    model = make(**fields)
    model.save(tmp_path / "new" / "folder")
    again = TransformerModel.load(tmp_path / "new" / "folder", "Mine")
    assert again.config == model.config
    assert again.name == "Mine"
    np.testing.assert_array_equal(again.log_probs(IDS), model.log_probs(IDS))
    assert sorted(p.name for p in (tmp_path / "new" / "folder").iterdir()) == [
        CONFIG_FILE, TENSOR_FILE,
    ]  # fmt: skip


def test_any_truncated_file_is_refused(tmp_path):
    make().save(tmp_path)
    for name in (CONFIG_FILE, TENSOR_FILE):
        data = (tmp_path / name).read_bytes()
        for length in (0, 1, 7, 8, 9, len(data) // 2, len(data) - 1):
            (tmp_path / name).write_bytes(data[:length])
            with pytest.raises(LabError):
                TransformerModel.load(tmp_path)
        (tmp_path / name).unlink()
        with pytest.raises(LabError, match="couldn't be read"):
            TransformerModel.load(tmp_path)
        (tmp_path / name).write_bytes(data)
    TransformerModel.load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 99},
        {"format": "pickle"},
        {"config": None},
        {"config": {"vocab_size": 6}},
        {"config.width": 16},
        {"config.layers": 10**9},
        {"config.vocab_size": "6"},
        {"config.surprise": 1},
    ],
    ids=str,
)
def test_hostile_descriptions_are_refused(change, tmp_path):
    make().save(tmp_path)
    described = json.loads((tmp_path / CONFIG_FILE).read_text())
    for key, value in change.items():
        where, _, field = key.rpartition(".")
        (described[where] if where else described)[field] = value
    (tmp_path / CONFIG_FILE).write_text(json.dumps(described))
    with pytest.raises(LabError):
        TransformerModel.load(tmp_path)


def test_hostile_tensor_files_are_refused(tmp_path):
    from safetensors.torch import save_file

    model = make()
    model.save(tmp_path)
    good, _ = read_tensors(tmp_path / TENSOR_FILE)

    def refused(tensors):
        save_file(tensors, tmp_path / TENSOR_FILE)
        with pytest.raises(LabError):
            TransformerModel.load(tmp_path)

    refused({**good, "extra": torch.zeros(1)})
    refused({name: t for name, t in good.items() if name != "embedding"})
    refused({**good, "embedding": good["embedding"].double()})
    refused({**good, "embedding": good["embedding"].t().contiguous()})
    refused({**good, "embedding": torch.full_like(good["embedding"], math.nan)})
    refused({**good, "extra": torch.zeros(10**6)})
    for junk in (b"\x80\x04.", b"\xff" * 64, (2**63).to_bytes(8, "little") + b"{}", b"[" * 10**6):
        (tmp_path / TENSOR_FILE).write_bytes(junk)
        with pytest.raises(LabError):
            TransformerModel.load(tmp_path)
        (tmp_path / CONFIG_FILE).write_bytes(junk)
        with pytest.raises(LabError):
            TransformerModel.load(tmp_path)


def test_a_place_that_cannot_be_written_is_explained(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LabError, match="could not be written"):
        make().save(tmp_path / "file" / "model")


def test_a_full_disk_leaves_the_old_file_as_it_was(tmp_path, monkeypatch):
    model = make()
    model.save(tmp_path)
    before = (tmp_path / TENSOR_FILE).read_bytes()

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with torch.no_grad():
        model.module.embedding.add_(1)
    with pytest.raises(LabError, match="No space left"):
        model.save(tmp_path)
    assert (tmp_path / TENSOR_FILE).read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2
