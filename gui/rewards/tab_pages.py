"""The pages of the tab "RL reward shaping", in their order under their headings."""

from __future__ import annotations

PAGES: tuple[tuple[str, str, str, str], ...] = (
    ("curves", "Run", "&Curves", "Reward, true score and what else changes, update by update."),
    (
        "samples",
        "Run",
        "Samp&les",
        "Answers to the same prompts over time, policy beside reference.",
    ),
    ("compare", "Run", "Before an&d after", "Policy and reference on the same prompt."),
    ("kept", "Run", "Kept ru&ns", "Runs of before: compare, resume, export."),
    (
        "group",
        "Look inside",
        "One &group",
        "Answers, rewards, advantages, and the push on every token.",
    ),
    ("objective", "Look inside", "For&mula", "What is maximised, with its numbers."),
    (
        "preferences",
        "Reward",
        "Prefere&nces",
        "Compare answers, train a reward model, and see what it has learned.",
    ),
    ("rubric", "Reward", "Rubr&ic", "Criteria with weights, each verdict with its reason."),
    (
        "hacking",
        "Experiments",
        "Reward ha&cking",
        "Careless rewards that go wrong, beside better ones.",
    ),
    (
        "sweep",
        "Experiments",
        "β sw&eep",
        "One run for each price of moving away: the trade-off.",
    ),
    (
        "closed",
        "Experiments",
        "C&losed form",
        "The best policy computed, and training that aims at it.",
    ),
)
"""Key, heading, title and tip of each."""
