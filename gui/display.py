"""Says in one sentence that there is no screen to open a window on, and what to do then."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

ADVICE = (
    "Next Token Lab found no display to open its window on. Set DISPLAY or WAYLAND_DISPLAY, or "
    "run without a screen: “python main.py --self-check”, “python main.py --screenshots DIR”, "
    "or QT_QPA_PLATFORM=offscreen."
)

_FATAL = ("could not connect to display", "no qt platform plugin could be initialized")


def missing_display(
    platform: str = sys.platform, environment: Mapping[str, str] = os.environ
) -> str | None:
    """What to tell the person if there is no display; None if there seems to be one.

    Only Linux and its like can be without; where Qt was told what to draw on, it is believed.
    """
    if platform in ("win32", "darwin") or environment.get("QT_QPA_PLATFORM"):
        return None
    if environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"):
        return None
    return ADVICE


def guard() -> None:
    """Call before the application is made: where Qt is about to abort because the display that
    was named cannot be reached, say the sentence and leave with status 2 instead."""
    from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

    def on_message(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        if any(sign in message.lower() for sign in _FATAL):
            sys.stderr.write(f"{ADVICE}\nQt says: {message.splitlines()[0]}\n")
            sys.stderr.flush()
            os._exit(2)  # Qt would abort, with a core file and no sentence
        sys.stderr.write(f"{message}\n")

    qInstallMessageHandler(on_message)
