"""Speed, memory and quality, side by side: ``python -m benchmarks``.

Each module below has a dictionary BENCHMARKS: name -> function of an optional text file that
returns rows. ``--only NAME`` runs one (a name, or a module for all of its), ``--json FILE``
writes the figures too. Run it on an otherwise idle machine. ``--only soak`` trains for half an hour
(NEXT_TOKEN_LAB_SOAK_MINUTES for another length) and is left out unless it is named.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.row import Row

MODULES = (
    "tokenizers",
    "vocabulary",
    "ngrams",
    "training",
    "generation",
    "language_models",
    "posttraining",
    "reward_hacking",
    "window",
)
ON_REQUEST = ("soak",)
"""Modules that run only when they are asked for by name: they take long."""
Benchmark = Callable[[Path | None], list[Row]]


def all_benchmarks() -> dict[str, dict[str, Benchmark]]:
    """Module -> name -> benchmark, in the order in which they run."""
    return {
        name: importlib.import_module(f"benchmarks.{name}").BENCHMARKS
        for name in (*MODULES, *ON_REQUEST)
    }


def chosen(only: str | None) -> dict[str, Benchmark]:
    """The benchmarks to run.

    Raises:
        SystemExit: if there is none of that name.
    """
    modules = all_benchmarks()
    every = {name: run for runs in modules.values() for name, run in runs.items()}
    every |= importlib.import_module("benchmarks.window").ON_REQUEST
    if only is None:
        return {name: run for m in MODULES for name, run in modules[m].items()}
    if only in modules:
        return modules[only]
    if only in every:
        return {only: every[only]}
    names = "\n  ".join(f"{m}: {', '.join(runs)}" for m, runs in modules.items())
    raise SystemExit(f"There is no benchmark {only!r}. There are:\n  {names}")


def machine() -> dict[str, str | int]:
    """What the figures were measured on."""
    return {
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
    }


def in_words(row: Row) -> str:
    """A row as lines of text."""
    verdict = {True: "kept", False: "MISSED", None: "no budget"}[row.passed]
    lines = [f"{row.name}: {row.measured}", f"    measured   {row.value:.4g} {row.unit}"]
    if row.reference is not None:
        lines.append(f"    reference  {row.reference:.4g} {row.unit}  ({row.reference_name})")
    if row.ratio is not None:
        lines.append(f"    ratio      {row.ratio:.4g}")
    lines.append(f"    budget     {row.budget or '-'}: {verdict}")
    if row.note:
        lines.append(f"    note       {row.note}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Returns 0 where every budget was kept, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="one benchmark, or one module of them")
    parser.add_argument("--list", action="store_true", help="name them all, and run none")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures here too")
    parser.add_argument("--text", metavar="FILE", type=Path, help="measure on this text")
    options = parser.parse_args(arguments)
    if options.list:
        for module, runs in all_benchmarks().items():
            print(f"{module}: {', '.join(runs)}")
        print(f"by name only: {', '.join(importlib.import_module('benchmarks.window').ON_REQUEST)}")
        return 0
    rows: list[Row] = []
    print(", ".join(f"{key}: {value}" for key, value in machine().items()), flush=True)
    for name, run in chosen(options.only).items():
        began = time.perf_counter()
        print(f"\n{name} ...", flush=True)
        for row in run(options.text):
            rows.append(row)
            print(in_words(row), flush=True)
        print(f"    ({time.perf_counter() - began:.1f} s)", flush=True)
    if options.json:
        figures = {"machine": machine(), "rows": [dataclasses.asdict(row) for row in rows]}
        options.json.write_text(json.dumps(figures, indent=2, ensure_ascii=False), "utf-8")
    missed = [row.name for row in rows if row.passed is False]
    print(f"\n{len(rows)} figures, budgets missed: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
