"""Texts to look at: from the tutorial's two words to scripts that tokenizers stumble over."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_TEXT = 20_000
"""UTF-16 units that the fields for a text of one's own take. Longer texts are corpora."""


@dataclass(frozen=True)
class Preset:
    """A text with a name, and what to look for in it."""

    title: str
    text: str
    hint: str


PRESETS: tuple[Preset, ...] = (
    Preset(
        "Hello world!",
        "Hello world!",
        "12 characters, 3 words: the sign at the end is a word of its own.",
    ),
    Preset(
        "A sentence",
        "The government shutdown was delayed indefinitely",
        "Frequent words stay whole, rare ones fall into pieces.",
    ),
    Preset(
        "A number never seen",
        "In 2093 they counted 48,271,905 snails.",
        "A word vocabulary knows no such number; pieces can always spell it.",
    ),
    Preset(
        "A coined word",
        "She unsnailed the doorlings, gloopily.",
        "Words nobody has written before, made of parts that everybody knows.",
    ),
    Preset(
        "Chinese",
        "我喜欢吃苹果",
        "No spaces between words, and three bytes for each character. (“I like to eat apples.”)",
    ),
    Preset(
        "Japanese",
        "昨日友達と映画を見に行きました",
        "Three scripts in one sentence. (“Yesterday I went to see a film with a friend.”)",
    ),
    Preset(
        "Emoji",
        "Snails 🐌 ❤️ 👩‍👩‍👧‍👦 👍🏽 🇺🇳",
        "One picture may be several code points, held together by invisible joiners.",
    ),
    Preset(
        "Code",
        "def area(r):\n\treturn 3.14 * r**2  # πr²\n",
        "Tabs, newlines and runs of spaces are characters too.",
    ),
    Preset(
        "Accents",
        "café cafe\u0301 naïve Ångström Tiếng Việt",
        "“é” twice: first one code point, then a letter and an accent that sits on it.",
    ),
    Preset(
        "Arabic",
        "أحب أكل التفاح",
        "Written from right to left; the chips keep the order in which it is stored. "
        "(“I like to eat apples.”)",
    ),
    Preset(
        "Hindi",
        "मुझे सेब खाना पसंद है",
        "Vowel signs join the letter before them. (“I like to eat apples.”)",
    ),
)
