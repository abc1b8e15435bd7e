"""Verifiable rewards (RLVR): programs that check an answer."""

from __future__ import annotations

from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.rewards.term import RewardTerm
from engine.posttraining.words import words_of


def exact(prompt: Prompt, answer: Answer) -> float:
    """1 if the answer is right to the last character and then ends, else 0 (RLVR)."""
    return float(answer.finished and answer.text == prompt.target)


def partial_credit(prompt: Prompt, answer: Answer) -> float:
    """The share of places, counted from the left, that hold the right character."""
    right = sum(a == b for a, b in zip(answer.text, prompt.target, strict=False))
    return right / max(len(prompt.target), len(answer.text), 1)


def well_formed(prompt: Prompt, answer: Answer) -> float:
    """1 if the answer ends by itself and uses only characters that a right answer has."""
    allowed = set("0123456789") if prompt.target.isdigit() else set(prompt.target)
    return float(answer.finished and answer.text != "" and set(answer.text) <= allowed)


def length(prompt: Prompt, answer: Answer) -> float:
    """The number of tokens; a positive weight asks for longer answers, a negative for shorter."""
    return float(answer.length)


def letters_anywhere(prompt: Prompt, answer: Answer) -> float:
    """Characters that a right answer has too, wherever they stand and however often."""
    wanted = set(prompt.target) - {" "}
    return float(sum(character in wanted for character in answer.text))


def word_overlap(prompt: Prompt, answer: Answer) -> float:
    """How well the words agree with the model answer's: F₁, twice the words in common (each
    counted as often as both have it) ÷ the words of both."""
    ours, theirs = words_of(answer.text), words_of(prompt.target)
    if not ours or not theirs:
        return 0.0
    common = sum(min(ours.count(w), theirs.count(w)) for w in set(ours))
    return 2 * common / (len(ours) + len(theirs))


def _why_exact(prompt: Prompt, answer: Answer) -> str:
    if not answer.finished:
        return "It was cut off at the limit, so it counts as wrong."
    if answer.text == prompt.target:
        return "It is the right answer, to the last character."
    return f"The right answer is “{prompt.target}”."


def _why_partial(prompt: Prompt, answer: Answer) -> str:
    right = sum(a == b for a, b in zip(answer.text, prompt.target, strict=False))
    places = max(len(prompt.target), len(answer.text), 1)
    return f"{right} of {places} places hold the character of “{prompt.target}”."


def _why_formed(prompt: Prompt, answer: Answer) -> str:
    if not answer.finished:
        return "It does not end by itself."
    if not answer.text:
        return "It is empty."
    if well_formed(prompt, answer):
        return "It ends by itself and uses only characters that a right answer has."
    return "It holds characters that a right answer does not have."


def _why_length(prompt: Prompt, answer: Answer) -> str:
    end = ", end-of-text included" if answer.finished else ""
    return f"{answer.length} tokens{end}."


def _why_anywhere(prompt: Prompt, answer: Answer) -> str:
    n = int(letters_anywhere(prompt, answer))
    return f"{n} of its characters also stand in “{prompt.target}”, wherever and however often."


TERMS: tuple[RewardTerm, ...] = (
    RewardTerm(
        "exact", "Exactly right", "1 if the answer is right, else 0.", exact, reason=_why_exact
    ),
    RewardTerm(
        "partial",
        "Partial credit",
        "The share of characters that are right in their place.",
        partial_credit,
        reason=_why_partial,
    ),
    RewardTerm(
        "format",
        "Format",
        "1 if the answer ends by itself and looks like one.",
        well_formed,
        reason=_why_formed,
    ),
    RewardTerm("length", "Length", "1 for every token written.", length, reason=_why_length),
)
"""What suits every task whose answer is one short string."""

ANYWHERE = RewardTerm(
    "anywhere",
    "Right letters anywhere",
    "1 for every character that also stands in the right answer, wherever and however often. "
    "Careless: writing one right letter again and again is rewarded without end.",
    letters_anywhere,
    reason=_why_anywhere,
)
"""A careless form of partial credit, to be hacked."""
