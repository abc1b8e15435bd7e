"""Run in a process of its own by ``benchmarks.window``: starts a window and measures itself.

usage: python -m benchmarks.window_probe bare | lab | training SECONDS
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable
from typing import Any

TICK_MS = 4


def bare() -> None:
    """A PySide6 window with one plot and nothing else, up to the moment it can be used."""
    import pyqtgraph
    from PySide6.QtWidgets import QApplication, QMainWindow

    app = QApplication([])
    window = QMainWindow()
    plot = pyqtgraph.PlotWidget()
    plot.plot([1.0, 2.0, 3.0])
    window.setCentralWidget(plot)
    window.resize(1280, 800)
    window.show()
    _until(app, lambda: window.windowHandle().isExposed())
    app.processEvents()
    _usable()


def lab() -> None:
    """The lab, up to the moment its window is on screen with the first tab made."""
    from PySide6.QtWidgets import QApplication

    from gui.application import Application
    from gui.tabs import TABS

    app = QApplication([])
    application = Application(app, TABS)
    started: list[bool] = []
    application.started.connect(lambda: started.append(True))
    application.start()
    _until(app, lambda: bool(started) and application.window.windowHandle().isExposed())
    app.processEvents()
    _usable()


def training(seconds: float) -> None:
    """The lab training and plotting: gaps of the event loop, Stop, Pause, requests, memory."""
    import psutil
    from PySide6.QtCore import QTimer

    from benchmarks.window_life import begin_training
    from gui.offscreen import running_app, settle, wait_until

    found: dict[str, Any] = {}
    process = psutil.Process()
    with running_app() as application:
        window, compute = application.window, application.compute
        window.resize(1280, 800)
        window.show_tab("training")
        settle(application)
        session = window.tab("training").session
        window.tab("training").transport.start.click()
        wait_until(lambda: session.news is not None and session.news.step > 20, 60, "training")

        ticks: list[float] = []
        timer = QTimer()
        timer.setInterval(TICK_MS)
        timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
        timer.start()
        end = time.perf_counter() + seconds
        resident = 0

        def going_on() -> bool:
            nonlocal resident
            resident = max(resident, process.memory_info().rss)
            if not session.can_pause:  # the run came to its end: begin another
                window.tab("training").transport.start.click()
            return time.perf_counter() > end

        wait_until(going_on, seconds + 30, "the measurement's end")
        timer.stop()
        found["gaps_ms"] = [1000 * (b - a) for a, b in itertools.pairwise(ticks)]
        found["resident_mb"] = resident / 1e6
        # From here on a run that cannot come to its end in the middle of a measurement.
        wait_until(lambda: session.can_stop or session.can_start, 30, "a run or its end")
        session.stop()
        wait_until(lambda: session.can_start, 30, "the end of the run")
        begin_training(application)
        found["requests_ms"] = [_request(application) for _ in range(25)]
        found["pause_ms"] = []
        for _ in range(10):
            began = time.perf_counter()
            session.pause()
            acknowledged = time.perf_counter()
            wait_until(lambda: session.phase.name == "PAUSED", 30, "the pause")
            found["pause_ms"].append(1000 * (time.perf_counter() - began))
            found.setdefault("acknowledged_ms", []).append(1000 * (acknowledged - began))
            session.resume()
            step = session.news.step
            wait_until(lambda step=step: session.news.step > step, 30, "another step")
        began = time.perf_counter()
        session.stop()
        wait_until(lambda: compute.running is None, 30, "the stop")
        found["stop_ms"] = 1000 * (time.perf_counter() - began)
    sys.stdout.write(json.dumps(found) + "\n")


def _request(application: Any) -> float:
    """Milliseconds from asking for the n-gram's and the transformer's next-token rows, while a
    model trains, to having them on the GUI thread."""
    from gui.offscreen import wait_until

    lab = application.lab
    models = [lab.ngram.model, *(run.model for run in lab.runs[-1:])]
    context = lab.streams.held_out.ids[1:41].tolist()
    got: list[Any] = []
    began = time.perf_counter()
    application.compute.request(
        "benchmark", lambda: [m.next_log_probs(context) for m in models], on_result=got.append
    )
    wait_until(lambda: bool(got), 30, "the rows")
    return 1000 * (time.perf_counter() - began)


def _until(app: Any, done: Callable[[], bool]) -> None:
    while not done():
        app.processEvents()


def _usable() -> None:
    sys.stdout.write("usable\n")
    sys.stdout.flush()
    import os

    os._exit(0)  # what comes after is not measured


if __name__ == "__main__":
    match sys.argv[1]:
        case "bare":
            bare()
        case "lab":
            lab()
        case "training":
            training(float(sys.argv[2]))
