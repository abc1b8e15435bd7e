"""A trained policy as a run of the lab, with its task's own tokenizer. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from engine.posttraining.tasks import Task
from engine.workspace.choices import TokenizerKind, TokenizerSpec
from engine.workspace.made import MadeFrom, MadeTokenizer, TrainedRun, tokenizer_fingerprint
from gui.rewards.news import News, Order

if TYPE_CHECKING:
    from engine.models.transformer.model import TransformerModel


def task_tokenizer(task: Task) -> MadeTokenizer:
    """The task's tokenizer as the lab keeps one: it came with the task, not from a text."""
    tokenizer = task.tokenizer
    spec = TokenizerSpec(
        kind=cast(TokenizerKind, tokenizer.kind),
        vocab_size=tokenizer.vocab_size,
        source=task.title,
    )
    made_from = MadeFrom(corpus="", corpus_title=task.title)
    return MadeTokenizer(tokenizer, spec, tokenizer_fingerprint(tokenizer), made_from)


def policy_run(
    model: TransformerModel, order: Order, updates: int, news: News | None
) -> TrainedRun:
    """The policy after some updates, for the other tabs."""
    tokenizer = task_tokenizer(order.task)
    facts = {"Task": order.task.title, "Reward": order.reward.words(), "Updates": f"{updates:,}"}
    if news is not None and news.scores and news.scores[-1].update == updates:
        facts["Held-out true score"] = f"{news.scores[-1].value:.0%}"
    made_from = MadeFrom("", order.task.title, tokenizer.fingerprint, tokenizer.label)
    return TrainedRun(
        name=f"Policy: {order.task.title}",
        model=model,
        tokenizer=tokenizer,
        made_from=made_from,
        facts=facts,
    )
