"""Loads torch's largest library without holding Python's interpreter.

``import torch`` maps a library of some hundred megabytes and lets the dynamic linker work through
it, and Python's own import keeps the interpreter's lock all the while: the first import on the
compute thread was seen to hold the window for 160 to 200 ms. A foreign call through ctypes gives
the lock up (``ctypes.CDLL`` itself does not). So the library is opened by such a call first; the
import then finds it in place. The longest hold that is left is about 40 ms.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

log = logging.getLogger(__name__)

NAMES = {"linux": "libtorch_cpu.so", "darwin": "libtorch_cpu.dylib"}
"""The library by ``sys.platform``. It knows nothing of Python, so its start-up code needs no lock.
On Windows torch is imported before there is a window."""

SPINS = "5000"
"""How often a thread of GNU OpenMP, torch's on Linux, looks for work before it sleeps; 300,000
without a setting. On a computer that is busy with other things a thread that spins uses up the
share of the one it waits for: two threads then took 1.4 to 4 s over a step of the smallest
experiment, 0.15 to 0.6 s with fewer spins, and no longer than before on an idle one."""


class TorchFinder(MetaPathFinder):
    """Finds nothing; when torch is first looked for, opens its library and steps back."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """None, always: the usual finders go on."""
        if fullname == "torch":
            sys.meta_path.remove(self)
            open_library()
        return None


def open_when_imported() -> None:
    """From now on, the first ``import torch``, wherever it stands, opens the library first, and
    its threads spin for a short while only (``SPINS``), unless the environment says otherwise."""
    if "torch" in sys.modules or any(isinstance(f, TorchFinder) for f in sys.meta_path):
        return
    if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
        os.environ["GOMP_SPINCOUNT"] = SPINS  # read once, when the library is loaded
    sys.meta_path.insert(0, TorchFinder())


def open_library() -> bool:
    """Open torch's library. Returns whether that went well; where it did not, the import itself
    will load it, or say what is wrong."""
    path = library()
    if path is None:
        return False
    try:
        dlopen = ctypes.CDLL(None).dlopen
    except (OSError, AttributeError) as error:
        log.info("The system's dlopen cannot be called: %s", error)
        return False
    dlopen.argtypes = [ctypes.c_char_p, ctypes.c_int]
    dlopen.restype = ctypes.c_void_p
    return dlopen(os.fsencode(path), os.RTLD_NOW) is not None


def library() -> Path | None:
    """Where the library lies; None where torch is not installed or looks otherwise."""
    name = NAMES.get(sys.platform)
    spec = PathFinder.find_spec("torch")
    if name is None or spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "lib" / name
    return path if path.is_file() else None
