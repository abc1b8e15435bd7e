"""What a step's numbers look like as a grid of cells, and which number each cell is. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gui.transformer.looking import Look
from gui.transformer.steps import Stage, Step
from gui.widgets.token_text import Vocabulary

if TYPE_CHECKING:
    from engine.models.transformer.inside_arithmetic import Place

PER_LINE = 32
"""Numbers of a vector on one line."""
MOST_TOKENS = 40
"""Of a vocabulary, the tokens that are shown: the most probable."""
_TOKENS_PER_LINE = 8
_HEADLESS = {"embedding", "final", "logits", "probability"}


@dataclass(frozen=True, eq=False)
class Cells:
    """A grid of numbers; NaN where a line is not full."""

    values: npt.NDArray[np.float64]
    """(R, C)"""
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    row_title: str
    column_title: str
    signed: bool
    """Whether the colours go from negative over 0 to positive; else from 0 up."""
    texts: tuple[tuple[str, ...], ...] = ()
    """(R, C) what stands in each cell besides its number; may be empty."""
    marked_row: int = -1
    """The row that belongs to the position looked at."""
    tokens: tuple[int, ...] = ()
    """For a step over the vocabulary: the ids, line by line."""
    blank_future: bool = False
    """Whether cells above the diagonal are masked."""


def token_names(look: Look) -> tuple[str, ...]:
    """The window's tokens as text, the first of a document as begin-of-text."""
    tokenizer = look.run.tokenizer.tokenizer
    unknown = () if tokenizer.unknown_id is None else (tokenizer.unknown_id,)
    vocabulary = Vocabulary(
        tokenizer.token_bytes, unknown_ids=unknown, names={tokenizer.vocab_size: "begin"}
    )
    return tuple(vocabulary.text(int(i), 12) for i in look.inside.ids)


def cells_of(look: Look, stage: Stage, step: Step, head: int) -> Cells:
    """The grid of a step, at the position and head looked at."""
    if step.kind == "tokens":
        return _tokens(look, step)
    array = look.inside.at(step.point, _layer(stage, step))
    if step.kind == "vector":
        return _vector(array[look.position])
    names = token_names(look)
    values = array[head].astype(np.float64)  # (T, d) or (T, T)
    if step.kind == "rows":
        columns = tuple(str(i + 1) for i in range(values.shape[1]))
        return Cells(values, names, columns, "token", "number", True, marked_row=look.position)
    pattern = step.point == "pattern"
    return Cells(
        values, names, names, "query t", "key j", not pattern,
        marked_row=look.position, blank_future=pattern,
    )  # fmt: skip


def first_cell(cells: Cells, step: Step, look: Look) -> tuple[int, int]:
    """The cell to begin with: the largest of those that belong to the position."""
    if step.kind == "vector" or step.kind == "tokens":
        flat = np.nan_to_num(np.abs(cells.values), nan=-1.0)
        place = 0 if step.kind == "tokens" else int(flat.argmax())
        return place // flat.shape[1], place % flat.shape[1]
    row = cells.values[look.position]
    visible = row[: look.position + 1] if step.kind == "square" else row
    best = visible if step.kind == "square" else np.abs(visible)
    return look.position, int(best.argmax())


def make_place(
    cells: Cells, stage: Stage, step: Step, head: int, position: int, row: int, column: int
) -> Place:
    """The number in a cell. Imports torch: call it on the compute thread."""
    from engine.models.transformer.inside_arithmetic import Place

    if step.kind == "tokens":
        return Place(step.point, position, cells.tokens[row * cells.values.shape[1] + column])
    layer = _layer(stage, step)
    if step.kind == "vector":
        return Place(step.point, position, row * cells.values.shape[1] + column, layer)
    return Place(step.point, row, column, layer, head)


def _layer(stage: Stage, step: Step) -> int:
    if step.point in _HEADLESS:
        return -1
    return max(0, stage.layer)


def _vector(vector: npt.NDArray[np.float32]) -> Cells:
    n = len(vector)
    width = min(n, PER_LINE)
    lines = math.ceil(n / width)
    values = np.full(lines * width, np.nan)
    values[:n] = vector
    rows = tuple(f"{i * width + 1}–{min(n, (i + 1) * width)}" for i in range(lines))
    columns = tuple(f"+{i}" if lines > 1 else str(i + 1) for i in range(width))
    return Cells(values.reshape(lines, width), rows, columns, "numbers", "place", True)


def _tokens(look: Look, step: Step) -> Cells:
    logits = step.point == "logits"
    log_probs = look.log_probs
    order = np.argsort(-log_probs, kind="stable")[:MOST_TOKENS]  # (≤ MOST_TOKENS,)
    chosen = tuple(int(i) for i in order)
    if logits:
        from engine.models.transformer.inside_arithmetic import Place, explain

        values = np.array(
            [explain(look.inside, Place("logits", look.position, i)).model for i in chosen]
        )
    else:
        values = np.exp(log_probs[order])
    width = min(len(chosen), _TOKENS_PER_LINE)
    lines = math.ceil(len(chosen) / width)
    padded = np.full(lines * width, np.nan)
    padded[: len(chosen)] = values
    vocabulary = Vocabulary.of(look.run.tokenizer.tokenizer)
    texts = [vocabulary.text(i, 12) for i in chosen] + [""] * (lines * width - len(chosen))
    return Cells(
        padded.reshape(lines, width),
        tuple(f"rank {i * width + 1}–{min(len(chosen), (i + 1) * width)}" for i in range(lines)),
        ("",) * width,
        "rank",
        "token",
        logits,
        tuple(tuple(texts[i * width : (i + 1) * width]) for i in range(lines)),
        tokens=chosen,
    )
