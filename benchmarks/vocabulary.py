"""Vocabulary sizes: how long measuring all of them takes, and one move of the scrubber."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.row import Row
from benchmarks.text import benchmark_text
from engine.tokenizers.optimal_gap import optimality_gap, words_of
from engine.tokenizers.sweep import sweep_vocabulary
from engine.tokenizers.sweep_bits import measure_sizes

MOVES = 60
SHELLS = "she sells sea shells by the sea shore, the shells she sells are sea shells"


def halves(path: Path | None) -> tuple[list[str], list[str]]:
    """The benchmark text: nine tenths to learn from, one tenth held out."""
    text = benchmark_text(path)
    cut = len(text) * 9 // 10
    return [text[:cut]], [text[cut:]]


def sweeping(path: Path | None) -> list[Row]:
    """Every size up to 32,768 tokens, and the n-gram at two dozen of them."""
    train, held_out = halves(path)
    began = time.perf_counter()
    sweep = sweep_vocabulary(train, held_out)
    swept = time.perf_counter() - began
    began = time.perf_counter()
    measure_sizes(train, held_out)
    measured = time.perf_counter() - began
    what = f"{sweep.n_train_bytes / 1e6:.2f} MB, to {sweep.largest:,} tokens"
    rows = (
        ("sizes-sweep", f"lengths and rare tokens at all sizes, {what}", swept),
        ("sizes-all", f"the same and a trigram's bits per byte at 24 sizes, {what}", measured),
    )
    return [figure(name, said, seconds, sweep.stop_reason) for name, said, seconds in rows]


def figure(name: str, measured: str, seconds: float, note: str) -> Row:
    """Seconds without a budget."""
    return Row(name, measured, seconds, "s", None, "", None, "", None, note)


def scrubbing(path: Path | None) -> list[Row]:
    """One move of the scrubber on the page itself, drawn to the last pixel (offscreen)."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from engine.text import Corpus
    from gui.compute import ComputeThread
    from gui.errors import ErrorSink
    from gui.lab import Lab
    from gui.settings import Preferences
    from gui.theme import Theme
    from gui.tokenization.sizes_page import SizesPage

    train, held_out = halves(path)
    result = measure_sizes(train, held_out)
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    compute = ComputeThread()
    lab = Lab(compute, Preferences(Path(tempfile.mkdtemp())), Theme(app, "light"), ErrorSink())
    page = SizesPage(lab)
    page._corpus = Corpus("text", "Benchmark", "", tuple(train), tuple(held_out))
    page._show(result)
    page._answered(0)
    page.resize(1280, 1600)
    page.show()
    app.processEvents()
    times = []
    for step in range(MOVES):
        size = round(256 * (result.sweep.largest / 256) ** (step / (MOVES - 1)))
        began = time.perf_counter()
        page.choose_size(size)
        app.processEvents()
        times.append(time.perf_counter() - began)
    page.close()
    page.deleteLater()
    compute.shutdown()
    slowest, median = max(times[1:]) * 1000, sorted(times)[MOVES // 2] * 1000
    return [
        Row(
            name="sizes-scrub",
            measured=f"one move of the size, five plots and a sentence, of {MOVES}",
            value=slowest,
            unit="ms",
            reference=None,
            reference_name="",
            ratio=None,
            budget="at most 50 ms a move",
            passed=slowest <= 50,
            note=f"slowest; median {median:.1f} ms",
        )
    ]


def solving(path: Path | None) -> list[Row]:
    """The exact vocabulary search on one of the page's presets."""
    began = time.perf_counter()
    gap = optimality_gap(words_of(SHELLS), 5)
    seconds = time.perf_counter() - began
    note = f"BPE {gap.bpe}, best {gap.optimum.n_tokens}, proved: {gap.optimum.proved}"
    return [figure("optimal", "the best 5 new tokens for 74 characters", seconds, note)]


BENCHMARKS: dict[str, Callable[[Path | None], list[Row]]] = {
    "sizes": sweeping,
    "sizes-scrub": scrubbing,
    "optimal": solving,
}
