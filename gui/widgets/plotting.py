"""The one place where widgets import pyqtgraph.

Parts of pyqtgraph replace the exception hooks when they are imported; whatever hooks were in
force are put back. Its defaults for colours stay: every plot here dresses itself.
"""

from __future__ import annotations

import sys
import threading

_hooks = (sys.excepthook, threading.excepthook)
import pyqtgraph as pg  # noqa: E402

sys.excepthook, threading.excepthook = _hooks

__all__ = ["pg"]
