"""The window: start-up, event-loop gaps while training, answers, memory. Each in own processes."""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ngrams import megabyte
from benchmarks.row import Row

ROOT = Path(__file__).resolve().parents[1]
STARTS = 7
TRAINING_SECONDS = 40
PLOTTING_SECONDS = 20


def _environment(home: str) -> dict[str, str]:
    given = {**os.environ, "NEXT_TOKEN_LAB_HOME": home}
    if not given.get("DISPLAY") and not given.get("WAYLAND_DISPLAY"):
        given.setdefault("QT_QPA_PLATFORM", "offscreen")
    return given


def _seconds_to_usable(mode: str, home: str) -> float:
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.window_probe", mode],
        cwd=ROOT,
        env=_environment(home),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "usable":
            break
    seconds = time.perf_counter() - began
    process.stdout.close()
    if process.wait() != 0:
        raise RuntimeError(f"the window probe {mode!r} failed")
    return seconds


def start(_: Path | None) -> list[Row]:
    """Start-up beside a bare window, in turns, after one warm-up each."""
    with tempfile.TemporaryDirectory() as home:
        times: dict[str, list[float]] = {"lab": [], "bare": []}
        for turn in range(STARTS + 1):
            for mode, seconds in times.items():
                taken = _seconds_to_usable(mode, home)
                if turn:
                    seconds.append(taken)
    ours, theirs = statistics.median(times["lab"]), statistics.median(times["bare"])
    return [
        Row(
            name="window-start",
            measured="process start to a usable window, warm (median of 7)",
            value=ours,
            unit="s",
            reference=theirs,
            reference_name="bare PySide6 window with one plot",
            ratio=ours / theirs,
            budget="≤ 3× the bare window",
            passed=ours <= 3 * theirs,
        )
    ]


def figures_of(module: str, *arguments: str) -> dict[str, Any]:
    """What a probe found, run in a process and a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        answer = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{module}", *arguments],
            cwd=ROOT,
            env=_environment(home),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    figures: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return figures


def row(name: str, measured: str, value: float, unit: str, limit: float) -> Row:
    value = float(value)  # numpy's own numbers are no JSON
    return Row(
        name=name,
        measured=measured,
        value=value,
        unit=unit,
        reference=None,
        reference_name="",
        ratio=None,
        budget=f"≤ {limit:g} {unit}",
        passed=value <= limit,
    )


def while_training(_: Path | None, seconds: float = TRAINING_SECONDS) -> list[Row]:
    """What a person feels while a model trains and its curves are drawn."""
    figures = figures_of("window_probe", "training", str(seconds))
    gaps = np.array(figures["gaps_ms"])
    return [
        row("loop-gap-p99", "event-loop gap, 99th percentile", np.percentile(gaps, 99), "ms", 17),
        row("loop-gap-max", f"event-loop gap, longest in {seconds:g} s", gaps.max(), "ms", 50),
        row("pause-acknowledged", "Pause acknowledged", max(figures["acknowledged_ms"]), "ms", 50),
        row(
            "pause-effective", "Pause effective, slowest of 10", max(figures["pause_ms"]), "ms", 300
        ),
        row("stop-effective", "Stop effective", figures["stop_ms"], "ms", 300),
        row(
            "request-while-training",
            "next-token rows of n-gram and transformer while training, slowest of 25",
            max(figures["requests_ms"]),
            "ms",
            150,
        ),
        row(
            "memory",
            "largest resident memory with a model training",
            figures["resident_mb"],
            "MB",
            700,
        ),
    ]


def _gap_rows(name: str, what: str, figures: dict[str, Any]) -> list[Row]:
    gaps = np.array(figures["gaps_ms"])
    return [
        row(f"{name}-gap-p99", f"event-loop gap {what}, p99", np.percentile(gaps, 99), "ms", 17),
        row(f"{name}-gap-max", f"event-loop gap {what}, longest", gaps.max(), "ms", 50),
    ]


def while_plotting(_: Path | None, seconds: float = PLOTTING_SECONDS) -> list[Row]:
    """Ten curves of 10,000 points, smoothed, redrawn while a model trains."""
    figures = figures_of("window_life", "curves", str(seconds))
    return _gap_rows("curves", "while training and plotting 10 × 10,000 points", figures)


def while_rewarding(_: Path | None, seconds: float = PLOTTING_SECONDS) -> list[Row]:
    """The window while a policy is rewarded."""
    figures = figures_of("window_life", "rewards", str(seconds))
    return _gap_rows("rewards", "while a policy is rewarded", figures)


def answers_while_training(path: Path | None) -> list[Row]:
    """Bars, ledger and the inside of the transformer while a model trains: on the stories, with a
    larger model, and on 10 MB of a person's own text."""
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "ten_megabytes.txt"
        own.write_text(ten_megabytes(path), encoding="utf-8")
        rows = []
        for name, size, text in (
            ("stories", "small", ""),
            ("medium", "medium", ""),
            ("10mb", "small", str(own)),
        ):
            figures = figures_of("window_life", "answers", size, text)
            for page, what in (
                ("next", "bars of n-gram and transformer"),
                ("ledger", "ledger of a sentence, and of those it is compared with"),
                ("inside", "attention and every other number inside"),
            ):
                times = figures[f"{page}_ms"]
                made = row(
                    f"answer-{page}-{name}",
                    f"{what} while training, slowest of {len(times)}",
                    max(times),
                    "ms",
                    150,
                )
                note = (
                    f"{figures['n_bytes'] / 1e6:.1f} MB, median {statistics.median(times):.0f} ms; "
                    f"a step of training takes {figures['step_ms']:.0f} ms"
                )
                rows.append(dataclasses.replace(made, note=note))
    return rows


def ten_megabytes(path: Path | None) -> str:
    """The benchmark's megabyte ten times, each time with its paragraphs in another order, so that
    no document is there twice in the same words."""
    paragraphs = megabyte(path).split("\n\n")
    random = np.random.default_rng(0)
    return "\n\n".join(
        "\n\n".join(paragraphs[i] for i in random.permutation(len(paragraphs))) for _ in range(10)
    )


BENCHMARKS = {
    "window-start": start,
    "window-training": while_training,
    "window-curves": while_plotting,
    "window-rewards": while_rewarding,
}
ON_REQUEST = {"window-answers": answers_while_training}
"""Run by name only."""
