"""The import rules of the house, each proved: what may not lean on what."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import engine

ROOT = Path(__file__).resolve().parents[2]
TAB_PACKAGES = ("tokenization", "language_models", "transformer", "training", "rewards")
QT = {"PySide6", "shiboken6", "pyqtgraph", "superqt"}
NETWORK = {"socket", "http", "urllib", "ssl", "ftplib", "requests", "httpx", "asyncio"}
UNSAFE = {"pickle", "shelve", "marshal", "dill", "cloudpickle"}


def imported_modules(path: Path) -> set[str]:
    """Absolute names of all that a file imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = list(path.relative_to(ROOT).parent.parts)
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names.add(module)
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def tops(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported_modules(path)}


def files_below(*parts: str) -> list[Path]:
    files = sorted((ROOT.joinpath(*parts)).rglob("*.py"))
    assert files, f"no files below {parts}: the rule would prove nothing"
    return files


@pytest.mark.parametrize("path", files_below("engine"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_engine_imports_no_qt_and_no_gui(path: Path) -> None:
    assert not tops(path) & (QT | {"gui"})


@pytest.mark.parametrize(
    "path",
    [p for part in ("text", "tokenizers", "generation") for p in files_below("engine", part)],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_texts_and_tokenizers_import_no_torch(path: Path) -> None:
    assert "torch" not in tops(path)


def test_widgets_know_no_tab_and_tabs_no_other_tab() -> None:
    for path in files_below("gui", "widgets"):
        for tab in TAB_PACKAGES:
            assert not any(n.startswith(f"gui.{tab}") for n in imported_modules(path)), path
    for tab in TAB_PACKAGES:
        if not (ROOT / "gui" / tab).is_dir():
            continue
        others = [f"gui.{other}" for other in TAB_PACKAGES if other != tab]
        for path in files_below("gui", tab):
            found = [n for n in imported_modules(path) if n.startswith(tuple(others))]
            assert not found, f"{path} imports {found}"


@pytest.mark.parametrize("package", ["engine", "gui"])
def test_nothing_reaches_for_the_network_or_runs_data_as_code(package: str) -> None:
    for path in files_below(package):
        assert not tops(path) & (NETWORK | UNSAFE), path


def all_engine_modules() -> list[str]:
    return [m.name for m in pkgutil.walk_packages(engine.__path__, "engine.")]


def run_blocked(code: str, *blockers: str) -> subprocess.CompletedProcess[str]:
    blocked = "".join(f"import tests.{blocker}\n" for blocker in blockers)
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", blocked + code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=100,
        check=False,
    )


def test_the_blockers_block() -> None:
    for blocker, module in [("without_qt", "PySide6.QtCore"), ("without_torch", "torch")]:
        answer = run_blocked(f"import {module}", blocker)
        assert answer.returncode == 1
        assert "ModuleNotFoundError" in answer.stderr


def test_every_engine_module_imports_where_qt_cannot_be_imported() -> None:
    imports = "\n".join(f"import {name}" for name in all_engine_modules())
    answer = run_blocked(imports, "without_qt")
    assert answer.returncode == 0, answer.stderr


@pytest.mark.timeout(420)  # a test suite by itself, on a slow machine
def test_tokenizers_and_ngrams_pass_their_tests_without_qt_and_without_torch() -> None:
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-x"),
            *("-p", "no:pytest-qt", "-p", "tests.without_qt", "-p", "tests.without_torch"),
            *("-p", "no:cacheprovider"),
            *("tests/engine/tokenizers", "tests/engine/ngram"),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=400,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-1000:]
    assert " passed" in answer.stdout
