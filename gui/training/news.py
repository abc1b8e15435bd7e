"""What a training run is asked for, and what it tells: immutable values, no Qt, no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from engine.runs import Catalogue
from engine.tokenizers import TokenStream
from engine.training import Recipe
from engine.training.tables import View
from engine.workspace import MadeTokenizer, Streams

if TYPE_CHECKING:
    from engine.models.transformer import TransformerModel

MOST_NAMED = 2
"""So many turned knobs are named in a run's title."""


@dataclass(frozen=True)
class Order:
    """What is to be trained, on what."""

    recipe: Recipe
    size: str
    """A key of SIZES, or "" for a shape of one's own."""
    streams: Streams
    tokenizer: MadeTokenizer
    prompt: str = ""
    """What the samples continue."""
    sample_tokens: int = 60
    sample_seed: int = 0
    usual_rate: float = math.inf
    """The recipe's learning rate before anyone turned it: what is safe to go back to."""
    catalogue: Catalogue | None = None
    """Where the run is kept; None keeps it nowhere."""
    key: str = ""
    """The kept run to go on with; empty for a new one."""
    spared: tuple[str, ...] = ()
    """Keys of other runs that are in use: they stay, however old."""
    name: str = ""
    """What a person called the run; empty for its title."""
    turned: tuple[str, ...] = ()
    """Knobs that are not as recipe and size say, such as "optimizer sgd"."""
    seconds: float | None = None
    """Measure first how many steps fit into so long a time; None takes the recipe's steps."""

    @property
    def title(self) -> str:
        """What the run is called, such as "Modern, small"."""
        if self.name:
            return self.name
        shown = self.turned if len(self.turned) <= MOST_NAMED else (f"{len(self.turned)} changes",)
        return ", ".join((self.recipe.name, self.size or "own shape", *shown))

    def details(self) -> dict[str, Any]:
        """What else to keep of it than recipe, text and tokenizer, as JSON values."""
        return {
            "size": self.size,
            "turned": list(self.turned),
            "prompt": self.prompt,
            "sample_tokens": self.sample_tokens,
            "sample_seed": self.sample_seed,
            "usual_rate": self.usual_rate if math.isfinite(self.usual_rate) else None,
        }

    @property
    def scored(self) -> TokenStream:
        """What the run is scored on: the held-out text or, where there is none, all of it."""
        return self.streams.held_out if self.has_held_out else self.streams.train

    @property
    def has_held_out(self) -> bool:
        """Whether there is text that nothing is trained on."""
        return self.streams.held_out.n_targets > 0


@dataclass(frozen=True)
class Sample:
    """What the model wrote after some steps, from the same prompt and seed each time."""

    step: int
    prompt: str
    text: str
    """The continuation."""
    ended: bool
    """Whether the model ended the document by itself."""


@dataclass(frozen=True)
class Event:
    """Something that happened to the run after ``step`` steps."""

    step: int
    kind: Literal["rate", "back", "plan"]
    text: str


@dataclass(frozen=True)
class News:
    """All there is to know of a run at one moment. Immutable."""

    recipe: Recipe
    steps: View
    evaluations: View
    updates: View
    """``step``, and for each part of the model how far that step moved it, as a share of its
    size; of some of the steps."""
    samples: tuple[Sample, ...] = ()
    """Oldest first."""
    events: tuple[Event, ...] = ()
    rate_scale: float = 1.0
    """What the recipe's learning rates are multiplied with from the next step on."""
    flops_per_step: int = 0
    model: TransformerModel | None = None
    """The model as it was at ``model_step``; nothing trains it any more."""
    model_step: int = 0
    runaway: str = ""
    """A sentence, while the loss is far above where it was."""
    checkpoints: tuple[int, ...] = ()
    """Steps that the run can be taken back to."""
    checkpoint: Path | None = None
    """The newest checkpoint's folder."""
    unsaved: str = ""
    """What could not be written or read, and what was deleted to make room; mostly empty."""
    key: str = ""
    """The run's key in its catalogue, once it is kept."""

    @property
    def step(self) -> int:
        """Steps taken."""
        return len(self.steps)

    @property
    def finished(self) -> bool:
        """Whether the recipe's steps have been taken."""
        return self.step >= self.recipe.steps


@dataclass(frozen=True)
class Ended:
    """How a job of training ended of itself."""

    news: News
    reason: Literal["finished", "paused", "diverged"]
    sentence: str = ""
    """What to tell, after a divergence."""
