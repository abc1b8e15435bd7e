"""Texts for the tokenizers' tests: hypothesis strategies, and a few fixed ones."""

from __future__ import annotations

from hypothesis import strategies as st

TUTORIAL = "The feral cat attacked my cat. My cat bit the attacking cat."

HOSTILE = {
    "empty": "",
    "one character": "x",
    "one space": " ",
    "NUL": "a\x00b\x00\x00",
    "emoji with joiners": "👩‍👩‍👧‍👦 and 🏳️‍🌈 and 👍🏽",
    "combining marks": "e\u0301 a\u0300\u0323 Z̴̧̛͉a̸l̶g̵o̷",
    "lone surrogates": "\ud800 high, low \udfff, and a pair in two halves \ud83d\ude00",
    "right to left": "שלום עולם — مرحبا بالعالم",
    "no spaces": "我喜欢吃苹果昨日友達と映画を見に行きました",
    "devanagari": "नमस्ते दुनिया",
    "white space": " \t\n\r\n \u00a0\u2003\u3000\x85  \x1c\x1f ",
    "contractions": "I'll say we've 'tis don't 's''re'm 'd 'LL 've",
    "beyond the BMP": "\U0001f600\U00010000\U0010ffff",
    "one long word": "a" * 500,
    "alternating": "ab" * 300,
    "code": "def f(x):\n\treturn {'a': x**2, \"b\": [1, 2, 3]}\n\n\n# done\n",
}

PROSE = (
    "It was the miller's youngest daughter who found the lantern, half buried in the reeds "
    "where the river turns. She didn't know, of course, what it was; nobody did. She'd rubbed "
    "the mud away with her sleeve, and the little flame inside – it had been burning there for "
    "who knows how long – leaned towards her as if to listen.\n\n"
    "“Who's there?” asked the flame. The daughter wasn't afraid. Flames had spoken to her "
    "grandmother, and to her grandmother's grandmother; in 1784, and again in 1812, they had "
    "warned the whole valley of the flood.\n\tSo she sat down on the bank and listened,  and "
    "the flame told her all that the river had told it: where the old mill stood, what the "
    "stones were called, who had walked here and who had not come back.\n"
)

any_text = st.text(max_size=80)
"""Any scalar values."""

assigned_text = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=80)
"""Any text of characters that Python's Unicode knows. Against another library's rule: which of
the code points not assigned there are letters depends on how new each library's tables are."""

any_string = st.text(
    alphabet=st.one_of(st.characters(), st.characters(categories=["Cs"])), max_size=60
)
"""Any str at all, surrogates too."""

few_letters = st.one_of(
    st.text(alphabet="ab", max_size=60),
    st.text(alphabet="abc", max_size=60),
    st.text(alphabet="ab ", max_size=60),
    st.text(alphabet="the cat.\n", max_size=80),
)
"""Texts full of repeated and overlapping pairs."""

rule_breakers = st.text(
    alphabet=st.sampled_from(list("ab's'tTrelvmdD  \n\t1²!?é中\u00a0\u2003\u0301\u0660😀")),
    max_size=40,
)
"""Texts that exercise every branch of the pre-tokenization rule."""
