"""``python main.py --self-check``: does each tab's real work on this machine, without a screen.

For whoever must know before class that thirty machines are fine. Each check does what a learner
will do, on the same engine and in the same window, and compares the outcome with what is known.
"""

from __future__ import annotations

import argparse
import math
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from engine.generation import SamplingRules, generate
from engine.jobs import NO_JOB, Job
from engine.models import NGramModel, StoryModel
from engine.models.scores import held_out_score
from engine.tokenizers import BPETokenizer
from gui.application import Application
from gui.offscreen import running_app, settle, wait_until

TUTORIAL = "The feral cat attacked my cat. My cat bit the attacking cat."
TUTORIAL_MERGES = [
    *("at", " c", " cat", "he", "he ", " cat ", "att", "atta", "attac", "attack", " cat."),
]
STEPS = 60


class CheckFailedError(Exception):
    """A check came out otherwise than it must."""


def expect(holds: bool, otherwise: str) -> None:
    """Raises:
    CheckFailedError: saying what is wrong, if it does not hold.
    """
    if not holds:
        raise CheckFailedError(otherwise)


@dataclass(frozen=True)
class Check:
    """What is checked, and how; returns what was found, in a few words."""

    title: str
    run: Callable[[Application], str]


def on_compute_thread(app: Application, function: Callable[..., Any], *args: Any) -> Any:
    """Run a function there, as the tabs do; give its result or raise its error."""
    outcome: list[Any] = []
    failures: list[Any] = []
    app.compute.submit(
        function, *args, title="Self-check", on_result=outcome.append, on_error=failures.append
    )
    wait_until(lambda: bool(outcome or failures), 120, "a result")
    if failures:
        raise CheckFailedError(f"{failures[0].sentence}\n{failures[0].details}")
    return outcome[0]


def check_tutorial(app: Application) -> str:
    """The tutorial's own example of byte-pair encoding."""
    bpe = BPETokenizer.train(TUTORIAL, 1_000, base="characters", pre_tokenize=False)
    merges = [bpe.token_bytes(merge.id).decode() for merge in bpe.merges]
    expect(merges == TUTORIAL_MERGES, f"the merges are {merges}")
    tokens = bpe.encode(TUTORIAL)
    expect(len(TUTORIAL) == 60 and len(tokens) == 30, f"{len(tokens)} tokens, not 30")
    return "eleven merges, 60 characters become 30 tokens"


def check_tokenizer(app: Application) -> str:
    """The shared tokenizer gives back any text that is put in."""
    made = app.lab.tokenizer
    expect(made is not None, "there is no shared tokenizer")
    assert made is not None
    texts = ["", "Hello world!", "我喜欢吃苹果", "👩‍👩‍👧‍👦 e\u0301", "\x00\t\r\n", "مرحبا بالعالم"]
    for text in texts:
        expect(made.tokenizer.decode(made.tokenizer.encode(text)) == text, f"{text!r} is changed")
    return f"{made.label}: {len(texts)} difficult texts come back unchanged"


def check_ngram(app: Application) -> str:
    """Probabilities add up, and no model beats the truth on held-out text."""
    streams = app.lab.streams
    expect(streams is not None, "there is no encoded text")
    assert streams is not None
    model = NGramModel.train(streams.train, 3)
    for context in ([], streams.train.ids[1:9].tolist(), [0, 1, 0, 1]):
        total = float(np.exp(model.next_log_probs(context)).sum())
        expect(abs(total - 1) < 1e-9, f"the probabilities after {context} add up to {total}")
    ours = held_out_score(model, streams.held_out).bits_per_byte
    corpus, made = app.lab.corpus, app.lab.tokenizer
    assert corpus is not None and made is not None
    if corpus.language is None:
        return f"held-out text at {ours:.3f} bits per byte"
    truth = StoryModel(corpus.language, made.tokenizer)
    floor = held_out_score(truth, streams.held_out).bits_per_byte
    expect(0 < floor < ours, f"the n-gram is below the true entropy: {ours} < {floor}")
    return f"3-gram {ours:.3f}, truth {floor:.3f} bits per byte of held-out text"


def check_training(app: Application) -> str:
    """A transformer learns, and goes on bit for bit from a checkpoint."""
    streams = app.lab.streams
    assert streams is not None

    def train(job: Job = NO_JOB) -> tuple[float, float, float]:
        from engine.training import Trainer
        from engine.training.recipes import modern, sized

        recipe = sized(modern(), "tiny").but(steps=STEPS, eval_every=STEPS, seed=1)
        trainer = Trainer(recipe, streams.train, streams.held_out)
        losses = [s.evaluation.loss for s in trainer.run(job, STEPS - 1) if s.evaluation]
        with tempfile.TemporaryDirectory() as folder:
            trainer.save(Path(folder) / "run")
            again = Trainer.load(Path(folder) / "run", streams.train, streams.held_out)
        expect(trainer.step().loss == again.step().loss, "a resumed run takes another step")
        losses.append(trainer.evaluate(job).loss)
        rates = [record.tokens_per_second for record in trainer.history.steps[5:]]
        return losses[-1], math.log(streams.train.vocab_size), float(np.median(rates))

    loss, blind, rate = on_compute_thread(app, train)
    expect(loss < blind - 1, f"after {STEPS} steps the held-out loss is {loss:.2f}")
    return f"{STEPS} steps: loss {blind:.2f} to {loss:.2f} nats a token, {rate:,.0f} tokens/s"


def check_generation(app: Application) -> str:
    """The n-gram writes; the same seed writes the same."""
    ngram, made = app.lab.ngram, app.lab.tokenizer
    assert ngram is not None and made is not None
    written = [
        [token.id for token in generate(ngram.model, [], SamplingRules(0.8), seed=3, max_tokens=40)]
        for _ in range(2)
    ]
    expect(bool(written[0]) and written[0] == written[1], "the same seed writes another text")
    return f"“{made.tokenizer.decode(written[0])[:48]} …”"


def check_tab(key: str) -> Callable[[Application], str]:
    """A check that a tab opens, works and settles without an error."""

    def run(app: Application) -> str:
        app.window.show_tab(key)
        tab = app.window.tab(key)
        pages = tuple(getattr(tab, "page_keys", ()))
        for page in pages:
            tab.show_page(page)  # type: ignore[attr-defined]
            settle(app)
        settle(app)
        return f"{len(pages)} pages" if pages else "opens"

    return run


def checks(app: Application) -> list[Check]:
    """All checks, in order."""
    titles = {key: app.window.tabs.tabText(i) for i, key in enumerate(app.window.keys)}
    return [
        Check("Byte-pair encoding of the tutorial's example", check_tutorial),
        Check("Texts survive the tokenizer", check_tokenizer),
        Check("N-grams and the truth", check_ngram),
        Check("Training and resuming a transformer", check_training),
        Check("Generation", check_generation),
        *(Check(f"Tab “{title}”", check_tab(key)) for key, title in titles.items()),
    ]


def main(args: argparse.Namespace) -> int:
    """Run every check. Returns 0 if all passed, else 1."""
    say = sys.stdout.write
    memory = psutil.virtual_memory().total / 2**30
    say(f"Next Token Lab self-check: {platform.platform()}, Python {platform.python_version()}, ")
    say(f"{psutil.cpu_count()} cores, {memory:.0f} GB\n")
    passed = failed = 0
    began = time.perf_counter()
    reports: list[Any] = []
    with running_app() as app:
        app.lab.errors.reported.connect(reports.append)
        say(f"passed  The window opens ({time.perf_counter() - began:.1f} s)\n")
        for check in checks(app):
            start = time.perf_counter()
            try:
                found = check.run(app)
                expect(not reports, "; ".join(str(r.sentence) for r in reports))
            except Exception as error:
                failed += 1
                reports.clear()
                say(f"FAILED  {check.title}: {type(error).__name__}: {error}\n")
            else:
                passed += 1
                say(f"passed  {check.title}: {found} ({time.perf_counter() - start:.1f} s)\n")
            sys.stdout.flush()
        resident = psutil.Process().memory_info().rss / 2**20
    passed += 1
    say(f"{passed} passed, {failed} failed in {time.perf_counter() - began:.0f} s, ")
    say(f"{resident:.0f} MB of memory in use\n")
    return 1 if failed else 0
