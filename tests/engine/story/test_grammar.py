"""The machinery against brute force on a grammar small enough to list."""

import itertools
import math

import numpy as np
import pytest

from engine.text.story import END
from engine.text.story.automaton import Automaton
from engine.text.story.grammar import Domain, GrammarError, Variable, parse, table, units
from engine.text.story.language import GrammarLanguage
from tests.engine.story.oracle import (
    TEMPLATE,
    VARIABLES,
    texts_by_brute_force,
    tiny_language,
    words_of,
)

TINY = tiny_language()
TEXTS = texts_by_brute_force()


def test_the_oracle_is_a_distribution_worth_testing() -> None:
    assert sum(TEXTS.values()) == pytest.approx(1.0, abs=1e-12)
    assert len(TEXTS) > 100
    assert any(text.startswith("Once Al met Bo again.") for text in TEXTS)
    assert "Alma was wet, a wet one. Cats sat! Only Alma." in TEXTS
    assert 'Al met Alma. Alma let him be. "No," Alma said. "Dry!"' in TEXTS


def test_the_automaton_says_the_same_texts_with_the_same_probabilities() -> None:
    found: dict[str, float] = {}
    for words, p in TINY.automaton.strings():
        assert list(words) == words_of("".join(words))
        found["".join(words)] = found.get("".join(words), 0.0) + p
    assert found == pytest.approx(TEXTS, rel=1e-12)


def test_log_prob_sums_over_derivations() -> None:
    for text, p in TEXTS.items():
        assert TINY.log_prob(text) == pytest.approx(math.log(p), abs=1e-12)


def test_conditionals_are_ratios_of_sums() -> None:
    """p(w | h) = Σ p(texts that begin with h w) / Σ p(texts that begin with h), at every h."""
    begins: dict[tuple[str, ...], float] = {}
    after: dict[tuple[str, ...], dict[str, float]] = {}
    for text, p in TEXTS.items():
        words = (*words_of(text), END)
        for t in range(len(words)):
            begins[words[:t]] = begins.get(words[:t], 0.0) + p
            nexts = after.setdefault(words[:t], {})
            nexts[words[t]] = nexts.get(words[t], 0.0) + p
    for history, nexts in after.items():
        state = TINY.start()
        for word in history:
            state = state.advance(word)
        expected = {word: p / begins[history] for word, p in nexts.items()}
        assert state.next_words() == pytest.approx(expected, rel=1e-12)
        for word, p in expected.items():
            assert state.probability(word) == pytest.approx(p, rel=1e-12)


def test_a_word_known_only_to_be_one_of_several() -> None:
    """advance_any's next words are the mixture of what follows each of them."""
    state = TINY.start()
    first = state.next_words()
    for chosen in itertools.combinations(first, 2):
        total = sum(first[word] for word in chosen)
        expected: dict[str, float] = {}
        for word in chosen:
            for then, p in state.advance(word).next_words().items():
                expected[then] = expected.get(then, 0.0) + p * first[word] / total
        assert state.advance_any(chosen).next_words() == pytest.approx(expected, rel=1e-12)


def test_what_cannot_follow() -> None:
    state = TINY.start()
    with pytest.raises(KeyError):
        state.advance(" Zoe")
    with pytest.raises(KeyError):
        state.advance_any(["x", "y"])
    for word in ["Al", " met", " Bo", "."]:
        state = state.advance(word)
    assert state.probability(" Al") == 0.0
    with pytest.raises(KeyError):
        state.advance(" Al")
    for word in [" Bo", " left", "."]:
        state = state.advance(word)
    assert state.next_words()[END] > 0
    assert state.advance_any([END]).next_words() == {}
    for outside in ("", "Al", "Al met Al. Al left.", " Al met Bo. Bo left.", "Äl met Bo."):
        assert TINY.log_prob(outside) == -math.inf
        assert TINY.read(outside) is None


def test_samples_follow_the_distribution() -> None:
    rng = np.random.default_rng(7)
    n = 20_000
    counts: dict[str, int] = {}
    for _ in range(n):
        text = TINY.sample(rng).text
        counts[text] = counts.get(text, 0) + 1
    assert set(counts) <= set(TEXTS)
    common = [text for text, p in TEXTS.items() if p * n >= 5]
    rest = n - sum(counts.get(text, 0) for text in common)
    expected_rest = n - n * sum(TEXTS[text] for text in common)
    chi2 = sum((counts.get(t, 0) - n * TEXTS[t]) ** 2 / (n * TEXTS[t]) for t in common)
    chi2 += (rest - expected_rest) ** 2 / expected_rest
    df = len(common)
    assert abs(chi2 - df) < 4 * math.sqrt(2 * df)


def test_reading_finds_the_most_probable_derivation() -> None:
    for text in TEXTS:
        story = TINY.read(text)
        assert story is not None
        assert story.text == text
        assert story.value("hero") in text
    story = TINY.read("Al met Bo. Bo left.")
    assert story is not None
    assert {fact.variable: fact.value for fact in story.facts} == {
        "hero": "Al",
        "friend": "Bo",
        "holder": "Bo",
    }


def test_forms_of_words() -> None:
    nouns = table("noun", "name | loud\nowl | it hooted\ncat | it meowed")
    assert nouns.texts("a") == ("an owl", "a cat")
    assert nouns.texts("The") == ("The owl", "The cat")
    assert nouns.texts("Cap") == ("Owl", "Cat")
    assert nouns.texts("Loud") == ("It hooted", "It meowed")
    assert nouns.weights[0] / nouns.weights[1] == pytest.approx(4 / 3)
    with pytest.raises(GrammarError, match="no form"):
        nouns.texts("soft")
    with pytest.raises(GrammarError, match="does not fit"):
        table("noun", "name | loud\nowl")


def test_spaces_and_punctuation_become_units() -> None:
    assert units('Al said, "No!" He left.') == [
        "Al", " said", ",", ' "', "No", '!"', " He", " left", ".",
    ]  # fmt: skip
    language = GrammarLanguage(Automaton(VARIABLES, " [|Then] {hero} [ slept | ] , [|and] left ."))
    assert set(dict.fromkeys("".join(w) for w, _ in language.automaton.strings())) == {
        f"{start}{name}{slept}, {joined}left."
        for start in ("", "Then ")
        for name in ("Al", "Alma", "Bo")
        for slept in ("", " slept")
        for joined in ("", "and ")
    }


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("[a|b", "not closed"),
        ("a]", "stray"),
        ("{hero", "not closed"),
        ("{@nobody}", "no fragment"),
        ("{nobody}", "no variable"),
        ("{hero.its}", "no form"),
        ("{hero=Zoe}", "no key"),
        ("[<sky=damp> x|y]", "no key"),
        ("[<damp> x|y]", "no variable"),
    ],
)
def test_a_grammar_written_wrongly_is_refused(template: str, message: str) -> None:
    with pytest.raises(GrammarError, match=message):
        Automaton(VARIABLES, template)


def test_a_choice_that_can_be_empty_handed_says_so() -> None:
    one = Domain("one", ("x",), (1.0,), {"": ("x",)})
    pair = (Variable("a", one, ("b",)), Variable("b", one, ("a",)))
    with pytest.raises(GrammarError, match="no value is left"):
        list(Automaton(pair, "{a} {b}").strings())
    with pytest.raises(GrammarError, match="no alternative is open"):
        list(Automaton(pair, "[<a> x]").strings())


def test_weights_and_fragments() -> None:
    automaton = Automaton(VARIABLES, "{@greeting} you", {"greeting": "[3*Hi|1*Hello] to"})
    assert dict(automaton.strings()) == pytest.approx(
        {("Hi", " to", " you"): 0.75, ("Hello", " to", " you"): 0.25}
    )
    assert parse(TEMPLATE) == parse(TEMPLATE)
