"""Tabs and a lab for the shell's tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QSplitter, QVBoxLayout, QWidget

from gui.lab import Lab
from gui.tabs import TabSpec


class ProbeTab(QWidget):
    """A tab that only remembers that it was made."""

    def __init__(self, lab: Lab, title: str) -> None:
        super().__init__()
        self.lab = lab
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName(f"{title}_split")
        for name in ("left", "right"):
            self.splitter.addWidget(QLabel(name))
        column = QVBoxLayout(self)
        column.addWidget(self.splitter)
        column.addWidget(QPushButton("Press"))


def probe_tabs(made: list[str] | None = None) -> tuple[TabSpec, ...]:
    """Four tabs, A to D; the keys of those made are appended to the list."""

    def factory(key: str) -> Callable[[Lab], QWidget]:
        def make(lab: Lab) -> QWidget:
            if made is not None:
                made.append(key)
            return ProbeTab(lab, key)

        return make

    return tuple(TabSpec(key, key.upper(), f"Tab {key}.", factory(key)) for key in "abcd")


def endless(job: Any) -> None:
    """Work that ends only by being stopped."""
    done = 0
    while True:
        done += 1
        job.progress(done, None, "Going on")
