"""The window at work; run in a process of its own by ``benchmarks.window`` and ``benchmarks.soak``.

usage: python -m benchmarks.window_life curves | rewards | soak SECONDS
       python -m benchmarks.window_life answers SIZE [TEXT]

Prints its figures as one line of JSON.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

TICK_MS = 4
CURVES, POINTS = 10, 10_000
ASKED = 12
"""Times that each question is asked."""
POLL_MS = 2
SAMPLE_SECONDS = 1.0
"""Between two looks at the memory."""
_PATIENCE = 120.0


class Ticks:
    """The moments at which a timer of a few milliseconds was served: the gaps between them are
    how long the window let a person wait."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.times: list[float] = []
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(lambda: self.times.append(time.perf_counter()))

    def start(self) -> None:
        """Begin to listen."""
        self._timer.start()

    def stop(self) -> list[float]:
        """The gaps since the start, in milliseconds."""
        self._timer.stop()
        gaps = [1000 * (b - a) for a, b in itertools.pairwise(self.times)]
        self.times = []
        return gaps


@contextmanager
def training_window(size: str = "small") -> Iterator[tuple[Any, Any]]:
    """The app with the training tab in front and a run under way that does not end by itself:
    (application, session)."""
    from gui.offscreen import running_app, settle

    with running_app() as application:
        application.window.resize(1280, 800)
        application.window.show_tab("training")
        settle(application)
        yield application, begin_training(application, size)


def begin_training(application: Any, size: str = "small") -> Any:
    """Start a run of a million steps; returns its session."""
    from engine.training.recipes import modern, sized
    from gui.offscreen import wait_until

    tab = application.window.tab("training")
    order = tab.setup.order("Once")
    recipe = sized(modern(), size).but(steps=1_000_000, eval_every=500, schedule="constant")
    order = dataclasses.replace(order, recipe=recipe, size=size, seconds=None)
    if not tab.session.start(order, None):
        raise RuntimeError("the training could not begin: another run is under way")
    wait_until(lambda: tab.session.news is not None and tab.session.news.step > 5, 300, "training")
    return tab.session


def curves(seconds: float) -> None:
    """Ten curves of 10,000 points redrawn 15 times a second, the last points new each time,
    while a model trains."""
    from PySide6.QtCore import QTimer

    from gui.offscreen import wait_until
    from gui.widgets.curve_plot import CurvePlot

    with training_window() as (application, session):
        plot = CurvePlot("Ten runs", "steps", "loss (nats per token)")
        plot.resize(900, 600)
        plot.show()
        random = np.random.default_rng(0)
        x = np.arange(1, POINTS + 1, dtype=np.float64)
        runs = [3 * x**-0.1 + 0.1 * random.standard_normal(POINTS) for _ in range(CURVES)]
        frame = itertools.count(1)

        def draw() -> None:
            end = POINTS - 1000 + next(frame) % 1000  # the curves grow, as those of a run
            for number, y in enumerate(runs):
                plot.set_series(f"run {number}", x[:end], y[:end], kind="transformer", smooth=True)

        painter = QTimer()
        painter.setInterval(67)
        painter.timeout.connect(draw)
        draw()
        painter.start()
        wait_until(lambda: next(frame) > 30, 30, "the first frames")
        ticks, step = Ticks(), session.news.step
        ticks.start()
        _pass(seconds)
        gaps = ticks.stop()
        painter.stop()
        plot.close()
        _tell({"gaps_ms": gaps, "steps": session.news.step - step})
        _end(application, session)


def rewards(seconds: float) -> None:
    """A policy is rewarded, with its curves in view."""
    from gui.offscreen import running_app, settle, wait_until

    with running_app() as application:
        application.window.resize(1280, 800)
        application.window.show_tab("rewards")
        settle(application)
        tab: Any = application.window.tab("rewards")
        session = tab.session

        def began() -> None:
            tab.transport.start.click()
            wait_until(lambda: session.news is not None and session.can_pause, _PATIENCE, "a run")

        began()
        ticks = Ticks()
        gaps: list[float] = []
        runs, end = 1, time.perf_counter() + seconds
        ticks.start()
        while time.perf_counter() < end:
            _pass(0.2)
            if not session.can_pause:  # the run came to its end: begin another
                gaps += ticks.stop()
                began()
                runs += 1
                ticks.start()
        gaps += ticks.stop()
        _tell({"gaps_ms": gaps, "runs": runs})
        _end(application, session)


def answers(text: str, size: str) -> None:
    """What the pages of "N-gram vs transformer" ask, on a text of the person's own (a file),
    while a model of that size trains: from the page's question to what it shows, in
    milliseconds."""
    from gui.offscreen import running_app, settle, wait_until

    found: dict[str, Any] = {}
    with running_app() as application:
        lab, window = application.lab, application.window
        window.resize(1280, 800)
        if text:
            before = lab.ngram
            lab.choose_corpus(text)
            wait_until(
                lambda: lab.ngram is not None and lab.ngram is not before and not lab.preparing,
                600,
                "the text",
            )
        found["n_bytes"] = 0 if lab.streams is None else lab.streams.train.n_bytes
        window.show_tab("training")
        settle(application)
        session = begin_training(application, size)  # its model stands in the lab from step 0 on
        window.show_tab("language_models")
        # a tab is made in a moment of rest, which the training may delay
        wait_until(lambda: hasattr(window.tab("language_models"), "pages"), 60, "the tab")
        tab: Any = window.tab("language_models")
        line = "" if lab.corpus is None else lab.corpus.held_out[0][:200]
        for key, shown in _SHOWN.items():
            tab.pages.show_page(key)
            page = tab.pages.page(key)
            wait_until(lambda p=page, s=shown: s(p) is not None, 60, f"the page {key}")  # type: ignore[misc]
            settle_requests(application)
            found[f"{key}_ms"] = [
                _answered(page, shown, key, line[: 40 + 10 * i]) for i in range(ASKED)
            ]
        if not session.can_pause:
            raise RuntimeError("the training had ended before the last answer came")
        found["step_ms"] = 1000 * float(np.median(np.diff(session.news.steps["seconds"])))
        _tell(found)
        _end(application, session)


_SHOWN: dict[str, Callable[[Any], Any]] = {
    "next": lambda page: page.answers,
    "ledger": lambda page: page.sentence,
    "inside": lambda page: page.look,
}
"""Pages, and what each shows once it was answered."""


def settle_requests(application: Any) -> None:
    """Let what was asked before be answered."""
    done: list[bool] = []
    application.compute.request("benchmark", lambda: True, on_result=done.append)
    _until(lambda: bool(done))


def _answered(page: Any, shown: Callable[[Any], Any], key: str, text: str) -> float:
    """Change the text, ask at once instead of after the pause in typing, wait for the answer."""
    from PySide6.QtCore import QSignalBlocker

    before = shown(page)
    began = time.perf_counter()
    if key == "ledger":
        with QSignalBlocker(page.field):
            page.field.setText(text)
        page.refresh()
    else:
        page.context.set_text(text)
    _until(lambda: shown(page) is not before)
    return 1000 * (time.perf_counter() - began)


def soak(seconds: float) -> None:
    """A model trains with the window open; memory and gaps all the while."""
    import psutil

    process = psutil.Process()
    with training_window() as (application, session):
        ticks = Ticks()
        # the greatest of every second only: half an hour of gaps would be memory by itself
        worst: list[float] = []
        resident: list[tuple[float, float]] = []
        began = time.perf_counter()
        ticks.start()
        while (passed := time.perf_counter() - began) < seconds:
            _pass(SAMPLE_SECONDS)
            worst.append(max(ticks.stop(), default=0.0))
            resident.append((passed, process.memory_info().rss / 1e6))
            ticks.start()
        ticks.stop()
        _tell({"worst_ms": worst, "resident_mb": resident, "steps": session.news.step})
        _end(application, session)


def _end(application: Any, session: Any) -> None:
    """Stop the run and let what it still has to write be written, so that its folder can go."""
    from gui.offscreen import settle, wait_until

    wait_until(lambda: session.can_stop or session.can_start, 60, "a running session")
    session.stop()
    wait_until(lambda: session.can_start, 60, "the stop")
    settle(application)


def _pass(seconds: float) -> None:
    """Let the event loop run for a time."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def _until(done: Callable[[], bool]) -> None:
    """Let the event loop run until something is so, looked at every POLL_MS. In between the
    thread sleeps: ``processEvents`` does not when told to wait, and would take a core from the
    training."""
    from PySide6.QtCore import QEventLoop, Qt, QTimer

    end = time.perf_counter() + _PATIENCE
    loop, poll = QEventLoop(), QTimer()
    poll.setTimerType(Qt.TimerType.PreciseTimer)
    poll.timeout.connect(lambda: done() and loop.quit())
    poll.timeout.connect(lambda: time.perf_counter() > end and loop.quit())
    poll.start(POLL_MS)
    loop.exec()
    poll.stop()
    if not done():
        raise TimeoutError("no answer came")


def _tell(found: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    match sys.argv[1]:
        case "curves":
            curves(float(sys.argv[2]))
        case "rewards":
            rewards(float(sys.argv[2]))
        case "answers":
            answers(sys.argv[3] if len(sys.argv) > 3 else "", sys.argv[2])
        case "soak":
            soak(float(sys.argv[2]))
