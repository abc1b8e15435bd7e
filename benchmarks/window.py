"""The window: start-up, event-loop gaps while training, answers, memory. Each in own processes."""

from __future__ import annotations

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

from benchmarks.row import Row

ROOT = Path(__file__).resolve().parents[1]
STARTS = 7
TRAINING_SECONDS = 40


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


def _training_figures(seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as home:
        answer = subprocess.run(
            [sys.executable, "-m", "benchmarks.window_probe", "training", str(seconds)],
            cwd=ROOT,
            env=_environment(home),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    figures: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return figures


def _row(name: str, measured: str, value: float, unit: str, limit: float) -> Row:
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
    figures = _training_figures(seconds)
    gaps = np.array(figures["gaps_ms"])
    return [
        _row("loop-gap-p99", "event-loop gap, 99th percentile", np.percentile(gaps, 99), "ms", 17),
        _row("loop-gap-max", f"event-loop gap, longest in {seconds:g} s", gaps.max(), "ms", 50),
        _row("pause-acknowledged", "Pause acknowledged", max(figures["acknowledged_ms"]), "ms", 50),
        _row(
            "pause-effective", "Pause effective, slowest of 10", max(figures["pause_ms"]), "ms", 300
        ),
        _row("stop-effective", "Stop effective", figures["stop_ms"], "ms", 300),
        _row(
            "request-while-training",
            "next-token rows of n-gram and transformer while training, slowest of 25",
            max(figures["requests_ms"]),
            "ms",
            150,
        ),
        _row(
            "memory",
            "largest resident memory with a model training",
            figures["resident_mb"],
            "MB",
            700,
        ),
    ]


BENCHMARKS = {"window-start": start, "window-training": while_training}
