"""What the page asks of the compute thread. No Qt."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.jobs import NO_JOB, Job
from engine.models.base import LogProbs
from engine.workspace.made import TrainedRun

if TYPE_CHECKING:
    from engine.models.transformer.inside import Inside, Lens
    from engine.models.transformer.inside_ablation import Ablation
    from engine.models.transformer.inside_arithmetic import Arithmetic, Place
    from engine.models.transformer.points import SwitchedOff
    from engine.tokenizers.stream import TokenStream

LONGEST_TEXT = 20_000
"""Characters of a text that are read, the last of them: more than any window here holds."""
SAMPLE_TOKENS = 1500
"""Held-out tokens that a first answer about the loss is taken from."""


@dataclass(frozen=True)
class Switches:
    """What is switched off, without torch: the GUI thread makes these."""

    heads: frozenset[tuple[int, int]] = frozenset()
    ffns: frozenset[int] = frozenset()
    residuals: frozenset[int] = frozenset()
    positions: bool = False

    def __bool__(self) -> bool:
        return bool(self.heads or self.ffns or self.residuals or self.positions)

    def parts(self) -> SwitchedOff:
        """The same for the engine. Imports torch: call it on the compute thread."""
        from engine.models.transformer.points import SwitchedOff

        return SwitchedOff(
            heads=self.heads, ffns=self.ffns, residuals=self.residuals, positions=self.positions
        )


@dataclass(frozen=True, eq=False)
class Look:
    """One look into a run's model."""

    run: TrainedRun
    text: str
    switches: Switches
    inside: Inside
    lens: Lens
    """At the position looked at."""
    whole: LogProbs | None
    """(V,) the whole model's distribution at that position, where parts are switched off."""

    @property
    def position(self) -> int:
        """The position looked at."""
        return self.lens.position

    @property
    def log_probs(self) -> LogProbs:
        """(V,) what the model says after that position."""
        last: LogProbs = self.lens.log_probs[-1]
        return last


def look(run: TrainedRun, text: str, position: int | None, switches: Switches) -> Look:
    """Look into a run's model while it reads a text.

    Args:
        run: the model and its tokenizer.
        text: the context.
        position: where in the window to look; the last token if None or beyond it.
        switches: what to leave out.
    """
    from engine.models.transformer.inside import logit_lens, look_inside

    model = run.model
    ids = run.tokenizer.tokenizer.encode_array(text[-LONGEST_TEXT:])
    inside = look_inside(model.without(switches.parts()) if switches else model, ids)
    last = len(inside.ids) - 1
    at = last if position is None else max(0, min(position, last))
    lens = logit_lens(inside, at)
    whole = None
    if switches:
        whole = logit_lens(look_inside(model, ids), at).log_probs[-1]
    return Look(run, text, switches, inside, lens, whole)


def move(before: Look, position: int) -> Look:
    """The same look at another position."""
    from dataclasses import replace

    from engine.models.transformer.inside import logit_lens

    if before.switches:
        return look(before.run, before.text, position, before.switches)
    return replace(before, lens=logit_lens(before.inside, position))


def explained(inside: Inside, place: Callable[[], Place]) -> Arithmetic:
    """A number's arithmetic; ``place`` is called here because its class comes with torch."""
    from engine.models.transformer.inside_arithmetic import explain

    return explain(inside, place())


def held_out(
    run: TrainedRun,
    switches: Switches,
    stream: TokenStream,
    most_tokens: int | None,
    job: Job = NO_JOB,
) -> Ablation:
    """The held-out loss with and without what is switched off."""
    from engine.models.transformer.inside_ablation import ablate

    return ablate(run.model, switches.parts(), stream, most_tokens, job)


@dataclass(frozen=True)
class Worth:
    """What the held-out loss says of one part that is switched off alone."""

    kind: str
    """ "positions", "head", "ffn" or "residual"."""
    name: str
    """Which one, such as "head 2, layer 1"."""
    ablation: Ablation


def parts_of(run: TrainedRun) -> tuple[tuple[str, str, Switches], ...]:
    """Kind, name and switch of every part of a run's model that can be switched off alone."""
    config = run.model.config
    found: list[tuple[str, str, Switches]] = []
    if config.positions != "none":
        found.append(("positions", "positions", Switches(positions=True)))
    for layer in range(config.layers):
        where = f"layer {layer + 1}"
        for head in range(config.heads):
            off = Switches(heads=frozenset({(layer, head)}))
            found.append(("head", f"head {head + 1}, {where}", off))
        found.append(("ffn", f"FFN, {where}", Switches(ffns=frozenset({layer}))))
        if config.residual:
            off = Switches(residuals=frozenset({layer}))
            found.append(("residual", f"residual connection, {where}", off))
    return tuple(found)


def worth_of_parts(
    run: TrainedRun, stream: TokenStream, most_tokens: int, job: Job = NO_JOB
) -> tuple[Worth, ...]:
    """Switch off every part in turn, alone, and score the same held-out text; the worst loss
    first. The whole model is scored once. Publishes what is known after each part.

    Raises:
        ValueError: if the stream has no token to predict, or other tokens.
    """
    from engine.models.transformer.inside_ablation import compared, document_losses, sample
    from engine.models.transformer.module import NOTHING_OFF

    parts, found = parts_of(run), []
    documents = sample(stream, most_tokens)
    tokens = sum(map(len, documents))
    total = (1 + len(parts)) * tokens
    whole = document_losses(run.model.without(NOTHING_OFF), documents, job, 0, total)
    for number, (kind, name, off) in enumerate(parts, 1):
        lacking = run.model.without(off.parts())
        losses = document_losses(lacking, documents, job, number * tokens, total)
        found.append(Worth(kind, name, compared(off.parts(), documents, whole, losses)))
        found.sort(key=lambda worth: -worth.ablation.difference)
        job.publish(tuple(found))
    return tuple(found)


def most_missed(found: tuple[Worth, ...]) -> tuple[list[str], str]:
    """The kinds of parts that are missed most, and a sentence with figures.

    Several, where the 95 % interval of a kind's worst loss reaches the worst of all.
    """
    worst: dict[str, Worth] = {}
    for worth in found:  # the worst loss first
        worst.setdefault(worth.kind, worth)
    top = found[0].ablation.difference

    def reach(worth: Worth) -> float:
        error = worth.ablation.error
        return worth.ablation.difference + (0.0 if math.isnan(error) else 1.96 * error)

    kinds = [kind for kind, worth in worst.items() if reach(worth) >= top]
    told = "; ".join(f"{w.name} {w.ablation.difference:+.2f}" for w in worst.values())
    why = (
        f"Bits per token that each kind's most missed part costs: {told}. The rest of the model "
        "has never met such inputs: the damage is an upper bound of what the part is worth."
    )
    return kinds, why.replace("-", "−")
