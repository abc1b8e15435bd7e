"""torch's library is opened by a call that leaves the interpreter to others."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

from gui import torch_library

AFRESH = """
import sys
from pathlib import Path
from gui import torch_library

def mapped():
    return "libtorch_cpu" in Path("/proc/self/maps").read_text()

torch_library.open_when_imported()
torch_library.open_when_imported()
finders = [f for f in sys.meta_path if isinstance(f, torch_library.TorchFinder)]
assert len(finders) == 1
import json.tool
import os
assert os.environ["GOMP_SPINCOUNT"] == torch_library.SPINS
assert not mapped()
assert finders[0].find_spec("torch", None) is None
assert mapped() and "torch" not in sys.modules
assert finders[0] not in sys.meta_path
import torch
assert float(torch.ones(3).sum()) == 3.0
torch_library.open_when_imported()
assert not any(isinstance(f, torch_library.TorchFinder) for f in sys.meta_path)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_first_import_opens_the_library_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AFRESH],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")},
    )
    assert done.returncode == 0, done.stderr


def test_a_choice_of_how_to_wait_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_library.sys, "meta_path", [])
    monkeypatch.setattr(torch_library.sys, "modules", {})
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    torch_library.open_when_imported()
    assert "GOMP_SPINCOUNT" not in os.environ


def test_without_torch_nothing_is_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(PathFinder, "find_spec", lambda name: None)
    assert torch_library.library() is None
    assert not torch_library.open_library()


def test_a_library_that_cannot_be_opened_is_left_to_the_import(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "libtorch_cpu.so"
    broken.write_text("no library")
    monkeypatch.setattr(torch_library, "library", lambda: broken)
    assert not torch_library.open_library()
