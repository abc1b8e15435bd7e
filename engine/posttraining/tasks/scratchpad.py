"""Sums that are easier with a scratchpad, which nothing but the answer's reward asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np

from engine.posttraining.prompts import Answer, Criterion, Prompt, Verdict
from engine.posttraining.settings import GRPOSettings
from engine.posttraining.tasks.task import Split, Task, split_prompts

N_PROMPTS: Final = 8_000
_ANSWER: Final = re.compile(r"(?:(\d+)\+(\d+)=)?(\d+)")


class Scratchpad(Task):
    """Three numbers of two digits: "37+48+25=" → "110", or worked out: "85+25=110"."""

    key = "scratchpad"
    title = "Sums with a scratchpad"
    description = (
        "Add three numbers. Only the final answer counts. The policy has read pupils who write it "
        "down at once, mostly wrong, and a few who first add two of the numbers and write "
        "that down."
    )
    alphabet = "0123456789+="
    max_answer = 12
    scratchpad = True
    right_share = 0.9
    worked_share = 0.2
    """Share of the careless texts it is pre-trained on that use the scratchpad."""
    textbook_worked_share = 0.8
    """The same in the textbook."""
    careless_rate = 0.3
    textbook_steps = 800
    steps = 100

    def prompts(self, held_out: bool) -> Sequence[Prompt]:
        return _split()[int(held_out)]

    def settings(self) -> GRPOSettings:
        return GRPOSettings()

    def answer_of(self, text: str) -> str:
        """What stands behind the last "="."""
        return text.rpartition("=")[2]

    @staticmethod
    def uses_scratchpad(text: str) -> bool:
        """Whether an answer is worked out before it is given."""
        return "=" in text

    def true_score(self, prompt: Prompt, answer: str) -> float:
        """1 if the final answer is right; what stands on the scratchpad is not judged."""
        return float(self.answer_of(answer) == prompt.target)

    def is_well_formed(self, prompt: Prompt, text: str) -> bool:
        return _ANSWER.fullmatch(text) is not None

    def good_answer(self, prompt: Prompt, rng: np.random.Generator) -> str:
        """Worked out or not."""
        return _worked(prompt) if rng.random() < self.worked_share else prompt.target

    def textbook_documents(self, n: int, seed: int) -> list[str]:
        """Right answers alone, most of them worked out."""
        rng = np.random.default_rng(seed)
        pool = self.prompts(held_out=False)
        chosen = [pool[i] for i in rng.integers(len(pool), size=n).tolist()]
        worked = (rng.random(n) < self.textbook_worked_share).tolist()
        return [
            p.text + (_worked(p) if how else p.target)
            for p, how in zip(chosen, worked, strict=True)
        ]

    def mistake(self, prompt: Prompt, rng: np.random.Generator) -> str:
        """A slip in the final answer, worked out or not."""
        total = int(prompt.target)
        slip = (-10, -1, 1, 10)[int(rng.integers(4))]
        right = self.good_answer(prompt, rng)
        return right.removesuffix(prompt.target) + str(total + slip)

    def criteria(self) -> tuple[Criterion, ...]:
        return (
            Criterion(
                "works_out",
                "Shows the work",
                "2 if one sum stands before the final answer, 0 if none does; 1 for anything "
                "else with a “=”. It does not check the sum.",
                _works_out,
            ),
            Criterion(
                "sound",
                "The work is right",
                "2 if the sum on the scratchpad has the prompt's own numbers and leads to what "
                "is written; 1 if one of the two; 0 otherwise, or if there is none.",
                _sound,
            ),
        )


@cache
def _split() -> Split:
    rng = np.random.default_rng(2028)
    drawn = rng.integers(10, 100, size=(N_PROMPTS, 3)).tolist()
    sums = dict.fromkeys((a, b, c) for a, b, c in drawn)
    every = [Prompt(f"{a}+{b}+{c}=", str(a + b + c)) for a, b, c in sums]
    return split_prompts(every, seed=2028)


def numbers(prompt: str) -> tuple[int, ...]:
    """The numbers that a prompt asks to add; empty if it is none of this task."""
    if re.fullmatch(r"\d+\+\d+\+\d+=", prompt) is None:
        return ()
    return tuple(int(n) for n in prompt[:-1].split("+"))


def _worked(prompt: Prompt) -> str:
    a, b, c = numbers(prompt.text)
    return f"{a + b}+{c}={prompt.target}"


def _works_out(prompt: Prompt, answer: Answer) -> Verdict:
    if not Scratchpad.uses_scratchpad(answer.text):
        return Verdict(0, "It gives an answer without showing how.")
    match = _ANSWER.fullmatch(answer.text)
    if match is None or match[1] is None:
        return Verdict(1, "There is a “=”, but no single sum before the answer.")
    return Verdict(2, f"It writes {match[1]}+{match[2]} down first.")


def _sound(prompt: Prompt, answer: Answer) -> Verdict:
    match, asked = _ANSWER.fullmatch(answer.text), numbers(prompt.text)
    if match is None or match[1] is None or not asked:
        return Verdict(0, "There is no sum before the answer.")
    first, second, total = (int(n) for n in match.groups())
    a, b, c = asked
    leads, adds = first == a + b and second == c, first + second == total
    found = f"{a}+{b} {'is' if first == a + b else 'is not'} {first}, and {first}+{second} " + (
        f"is {total}." if adds else f"is not {total}."
    )
    return Verdict(int(leads) + int(adds), found)
