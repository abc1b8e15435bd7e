"""What is said about a merge: what comes next and why, and how a prediction fared. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.tokenizers.merge_walk import MergeState, MergeWalk, PairCount
from gui.widgets.token_text import display_text, isolate

RULES = {
    "first_seen": "the pair that stands first in the text",
    "smallest_ids": "the pair with the smallest token numbers",
}
"""The tie rules in words (keys of engine.tokenizers.bpe_train.TieRule)."""

STOPS = {
    "vocabulary full": "the vocabulary is full",
    "no pair occurs twice": "no pair stands twice any more",
    "tokens too long": "the tokens became too long to keep",
}


def quoted(token: bytes) -> str:
    """A token in a sentence."""
    return f"“{isolate(display_text(token, 24))}”"


def pair_words(tokens: Sequence[bytes], left: int, right: int) -> str:
    """A pair in a sentence: “a” + “t”."""
    return f"{quoted(tokens[left])} + {quoted(tokens[right])}"


def times(count: int) -> str:
    """How often, in words."""
    return "once" if count == 1 else "twice" if count == 2 else f"{count:,} times"


def next_in_words(walk: MergeWalk, state: MergeState) -> str:
    """Which pair is merged next, and by which rule, and what another rule would take."""
    if state.next is None:
        return ended_in_words(walk, state)
    tokens = walk.tokens
    pair = pair_words(tokens, state.next.left, state.next.right)
    ties = state.ties
    if len(ties) < 2:
        return f"Next: {pair}. It stands {times(state.next.count)}, more than any other pair."
    told = (
        f"Next: {pair}. {len(ties):,} pairs stand {times(state.next.count)} each, more than any "
        f"other; of those the rule takes {RULES[walk.tie_rule]}."
    )
    other = "smallest_ids" if walk.tie_rule == "first_seen" else "first_seen"
    choice = state.choice(other)  # type: ignore[arg-type]
    if choice is None:
        return told
    if (choice.left, choice.right) == (state.next.left, state.next.right):
        return f"{told} The rule “{RULES[other]}” would take it too."
    taken = pair_words(tokens, choice.left, choice.right)
    return f"{told} The rule “{RULES[other]}” would take {taken}."


def ended_in_words(walk: MergeWalk, state: MergeState) -> str:
    """What stands at the end of a walk that learns."""
    before = int(walk.lengths[0])
    if before == 0:
        return "There is no text, so there is nothing to merge."
    why = STOPS.get(walk.stop_reason or "", "")
    merges = "1 merge" if len(walk) == 1 else f"{len(walk):,} merges"
    if not len(walk):
        return f"No merge can be learned: {why or 'no pair stands twice'}."
    now = len(state.ids)
    return (
        f"The end: {why}. {merges} made {before:,} tokens into {now:,}: "
        f"{before / now:.2f} symbols per token."
    )


def done_in_words(walk: MergeWalk, state: MergeState) -> str:
    """What the last merge did."""
    if state.last is None:
        return f"{len(state.ids):,} tokens, before any merge."
    made = quoted(walk.tokens[state.last.id])
    pair = pair_words(walk.tokens, state.last.left, state.last.right)
    return (
        f"Merge {state.step:,}: {pair} became {made}, {times(len(state.fresh))}. "
        f"{len(state.ids):,} tokens."
    )


@dataclass(frozen=True)
class Verdict:
    """How a prediction fared."""

    right: bool
    nearly: bool
    """Whether the pair is as frequent as the right one, and only lost by the tie rule."""
    sentence: str


def judge(walk: MergeWalk, state: MergeState, left: int, right: int) -> Verdict:
    """Compare a predicted pair with the one that is merged next (``state.next`` must be one)."""
    assert state.next is not None
    tokens = walk.tokens
    guess = pair_words(tokens, left, right)
    best = state.next
    answer = pair_words(tokens, best.left, best.right)
    ties = len(state.ties)
    if (left, right) == (best.left, best.right):
        if ties > 1:
            why = (
                f"{ties:,} pairs stand {times(best.count)} each, and the rule takes "
                f"{RULES[walk.tie_rule]}."
            )
        else:
            why = f"it stands {times(best.count)}, more than any other pair."
        return Verdict(True, False, f"Right, {guess}: {why}")
    found = find(state, left, right)
    if found is None:
        return Verdict(
            False,
            False,
            f"No: {guess} stand in different words, and no merge crosses from one word to the "
            f"next here. It is {answer}, which stands {times(best.count)}.",
        )
    if found.count == best.count:
        return Verdict(
            False,
            True,
            f"Nearly: {guess} stands {times(found.count)}, as often as {answer}. "
            f"Of equals the rule takes {RULES[walk.tie_rule]}.",
        )
    return Verdict(
        False,
        False,
        f"No: {guess} stands {times(found.count)}; {answer} stands {times(best.count)}.",
    )


def find(state: MergeState, left: int, right: int) -> PairCount | None:
    """The counts of a pair; None if it may not be merged or stands nowhere."""
    return next((p for p in state.pairs if (p.left, p.right) == (left, right)), None)


def occurrences(
    state: MergeState, left: int, right: int, borders: frozenset[int] = frozenset()
) -> list[int]:
    """Indices of the left token wherever the pair would be merged: from left to right, none
    taken twice ("aaa" holds one "aa").

    Args:
        state: the text.
        left: id of the left token.
        right: id of the right token.
        borders: bytes at which a pre-token starts: no merge reaches across.
    """
    found = []
    ids = state.ids.tolist()
    taken = -1
    for i in range(len(ids) - 1):
        if (
            ids[i] == left
            and ids[i + 1] == right
            and i > taken
            and state.byte_spans[i + 1][0] not in borders
        ):
            found.append(i)
            taken = i + 1
    return found
