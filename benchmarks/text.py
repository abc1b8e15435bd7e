"""The text that benchmarks run on."""

from __future__ import annotations

from pathlib import Path

SHAKESPEARE = Path(__file__).resolve().parents[2] / "shared" / "data" / "tinyshakespeare.txt"


def benchmark_text(path: Path | None = None) -> str:
    """The file given; else tiny Shakespeare where it lies beside the project; else 1 MB of the
    story language."""
    if path is None and SHAKESPEARE.is_file():
        path = SHAKESPEARE
    if path is not None:
        return path.read_text(encoding="utf-8")
    from engine.text.story import StoryLanguage

    return "\n\n".join(StoryLanguage().generate(1_000_000, seed=0))
