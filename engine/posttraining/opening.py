"""Taking one group out of a batch, to be looked into."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.reading import Piece
from engine.posttraining.records import Group
from engine.posttraining.rewards import Floats
from engine.posttraining.sampling import Answers


def piece_of_prompt(pieces: Sequence[Piece], prompt: int, group: int) -> Piece:
    """The piece with one prompt of the batch alone.

    Raises:
        IndexError: if no piece holds it.
    """
    for piece in pieces:
        at = prompt - piece.rows.start // group
        if at < len(piece.prompts):
            rows = slice(prompt * group, (prompt + 1) * group)
            return Piece(piece.prompts[at : at + 1], rows)
    raise IndexError(prompt)


def opened_group(
    prompt: Prompt,
    rows: slice,
    answers: Sequence[Answer],
    terms: Floats,
    true_scores: Floats,
    rewards: Tensor,
    advantage: Tensor,
    sampled: Answers,
    reference: Tensor,
    after: Tensor,
) -> Group:
    """The group in those rows of the batch.

    Args:
        prompt: what was asked.
        rows: the group's G rows of the batch.
        answers: the batch's N.
        terms: what each term gave, (N, terms).
        true_scores: (N,).
        rewards: the group's own, (G,).
        advantage: the group's own, (G,).
        sampled: the batch's answers, with log π of each token when it was sampled.
        reference: log π_ref of the batch's tokens, (N, L).
        after: log π of the group's tokens after the update, (G, L).
    """
    lengths = sampled.lengths[rows].int().tolist()

    def cut(table: Tensor) -> tuple[Floats, ...]:
        return tuple(row[:n].double().numpy() for row, n in zip(table, lengths, strict=True))

    tokens = sampled.tokens[rows].tolist()
    return Group(
        prompt=prompt,
        answers=tuple(answers[rows]),
        tokens=tuple(tuple(row[:n]) for row, n in zip(tokens, lengths, strict=True)),
        terms=terms[rows],
        true_scores=true_scores[rows],
        rewards=rewards.double().numpy(),
        advantages=advantage.double().numpy(),
        before=cut(sampled.log_probs[rows]),
        reference=cut(reference[rows]),
        after=cut(after),
    )
