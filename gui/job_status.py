"""The status bar's account of the running job: how far, how fast, how long, Pause and Stop."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from gui import theme
from gui.compute import ComputeThread
from gui.job_handle import JobHandle, JobState


class JobStatus(QWidget):
    """Listens to the compute thread. Hidden while nothing runs."""

    def __init__(self, compute: ComputeThread, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("job_status")
        self._compute = compute
        self.label = QLabel()
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the running job")
        self.figures = QLabel()
        self.figures.setTextFormat(Qt.TextFormat.PlainText)
        theme.set_text_role(self.figures, "body", "muted")
        self.pause_button = QPushButton("Pause")
        self.pause_button.setToolTip("Let the job wait, or go on (Ctrl+Shift+P).")
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip("Stop the job (Ctrl+.).")
        self._row = QHBoxLayout(self)
        for widget in (self.label, self.bar, self.figures, self.pause_button, self.stop_button):
            self._row.addWidget(widget)
        self.pause_button.clicked.connect(self.toggle_pause)
        self.stop_button.clicked.connect(self.stop)
        compute.state_changed.connect(self._refresh)
        compute.job_progress.connect(self._refresh)
        compute.job_finished.connect(self._refresh)
        compute.job_failed.connect(self._refresh)
        compute.job_cancelled.connect(self._refresh)
        theme.current().changed.connect(self._dress)
        self._dress()
        self._refresh()

    @property
    def job(self) -> JobHandle | None:
        """The job in question: the running one, or the first that waits."""
        jobs = self._compute.jobs
        return self._compute.running or (jobs[0] if jobs else None)

    @Slot()
    def toggle_pause(self) -> None:
        """Pause the running job, or let it go on."""
        job = self.job
        if job is None:
            return
        if job.state in (JobState.PAUSED, JobState.PAUSING):
            job.resume()
        else:
            job.pause()

    @Slot()
    def stop(self) -> None:
        """Stop the running job."""
        if self.job is not None:
            self.job.stop()

    @Slot()
    def _refresh(self, _: object = None) -> None:
        job = self.job
        self.setVisible(job is not None)
        if job is None:
            return
        waits = job.state in (JobState.PAUSED, JobState.PAUSING)
        self.label.setText(describe(job, len(self._compute.jobs) - 1))
        self.figures.setText(figures(job))
        fraction = job.fraction
        if fraction is None:
            # An empty range shows a bar that only says "busy"; a waiting job isn't.
            self.bar.setRange(0, 1 if waits or job.state is JobState.QUEUED else 0)
            self.bar.setValue(0)
        else:
            self.bar.setRange(0, 1000)
            self.bar.setValue(round(fraction * 1000))
        self.pause_button.setText("Resume" if waits else "Pause")
        stopping = job.state is JobState.STOPPING
        self.pause_button.setEnabled(not stopping)
        self.stop_button.setEnabled(not stopping)

    @Slot()
    def _dress(self) -> None:
        look = theme.current()
        self.bar.setMinimumWidth(look.px(32))
        self.bar.setMaximumWidth(look.px(160))
        self.bar.setFixedHeight(look.px(10))
        self._row.setContentsMargins(0, look.space(0.5), look.space(1), look.space(0.5))


_WORDS = {
    JobState.QUEUED: "waiting",
    JobState.PAUSING: "pausing …",
    JobState.PAUSED: "paused",
    JobState.STOPPING: "stopping …",
}


def describe(job: JobHandle, others: int) -> str:
    """The job's title, what it is doing, and how many others there are."""
    parts = [job.title]
    word = _WORDS.get(job.state, job.progress.message)
    if word and word != job.title:
        parts.append(word)
    if others > 0:
        parts.append(f"{others} more waiting")
    return " · ".join(parts)


def figures(job: JobHandle) -> str:
    """The rate and the time left, as far as they are known."""
    parts = []
    rate, left = job.rate, job.seconds_left
    if job.unit and rate is not None:
        shown = f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"
        parts.append(f"{shown} {job.unit}/s")
    if left is not None and job.state is JobState.RUNNING:
        parts.append(f"{duration(left)} left")
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """A length of time as a person says it.

    >>> duration(4.2), duration(83), duration(3700)
    ('4 s', '1 min 23 s', '1 h 1 min')
    """
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
