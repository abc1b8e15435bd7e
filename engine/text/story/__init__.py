"""The story language: generated English whose true probabilities are known exactly."""

from engine.text.story.consistency import Check, Consistency
from engine.text.story.facts import Dependent, Fact, Question, Story
from engine.text.story.filtering import END, FilterState
from engine.text.story.language import GrammarLanguage, StoryLanguage

__all__ = [
    "END",
    "Check",
    "Consistency",
    "Dependent",
    "Fact",
    "FilterState",
    "GrammarLanguage",
    "Question",
    "Story",
    "StoryLanguage",
]
