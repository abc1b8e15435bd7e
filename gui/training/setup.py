"""What to train: recipe, size, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.errors import LabError
from engine.models.transformer.config import parameter_counts
from engine.training import SIZES, Recipe, gpt2_style, modern, sized
from engine.training.fitting import refusal, this_machine
from engine.training.pace import recipe_for, run_seconds, with_steps
from gui import theme
from gui.job_status import duration
from gui.kept_runs import catalogue
from gui.lab import Lab
from gui.training.knobs import ELSEWHERE
from gui.training.labelled import labelled, labelled_choice
from gui.training.news import Order
from gui.training.paces import Paces
from gui.training.prompts import sample_tokens
from gui.training.whole_box import WholeBox
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label, plain_tooltip

RECIPES = {
    "modern": (
        modern,
        "Modern",
        "What has been learned since GPT-2: rotary positions, RMSNorm, ReLU² and the Muon "
        "optimizer. Learns faster.",
    ),
    "gpt2": (
        gpt2_style,
        "GPT-2 style",
        "GPT-2's design on a small scale: learned positions, LayerNorm, GELU and the AdamW "
        "optimizer, as in nanoGPT's demo.",
    ),
}
"""Recipes by key: how each is made, its name, and a sentence or two."""

TIMES = {"30 seconds": 30.0, "2 minutes": 120.0, "10 minutes": 600.0}
BY_STEPS = "a number of steps"
MOST_STEPS = 1_000_000


class SetupPanel(QWidget):
    """Three choices and what they come to on this computer."""

    changed = Signal()

    def __init__(self, lab: Lab, paces: Paces, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab, self._paces = lab, paces
        self._asks = self._quiet = self._next = False
        self._turned: dict[str, Any] = {}
        row = FlowRow(self)
        self.size_box = labelled_choice(row, "Si&ze", "How large the transformer is.")
        for name in SIZES:
            self.size_box.addItem(name.capitalize(), name)
        self.recipe = labelled_choice(row, "R&ecipe", "How the transformer is built and trained.")
        for key, (_, name, sentence) in RECIPES.items():
            self.recipe.addItem(name, key)
            tip = plain_tooltip(sentence)
            self.recipe.setItemData(self.recipe.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.time = labelled_choice(
            row, "Trai&n for", "How long. How many steps that is, is measured on this computer."
        )
        for text, seconds in TIMES.items():
            self.time.addItem(text, seconds)
        self.time.addItem(BY_STEPS, None)
        self.steps = WholeBox(1, MOST_STEPS, 500)
        self.steps.setAccessibleName("Steps")
        self.steps.setToolTip("How many steps to train: each reads one batch of text.")
        self._steps_cell = labelled("Ste&ps:", self.steps, row)
        self._steps_cell.hide()
        row.add(self._steps_cell)
        self.size_box.setCurrentIndex(list(SIZES).index("small"))

        self.about = plain_label("", self, wrap=True)
        self.about.setObjectName("about_setup")
        theme.set_text_role(self.about, "body", "muted")
        self.wrong = plain_label("", self, wrap=True)
        self.wrong.setObjectName("wrong_settings")
        theme.set_text_role(self.wrong, "body", "bad")
        self.wrong.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(row)
        column.addWidget(self.about)
        column.addWidget(self.wrong)

        self.size_box.currentIndexChanged.connect(self.put_back)
        self.recipe.currentIndexChanged.connect(self.put_back)
        self.time.currentIndexChanged.connect(self._chosen)
        self.steps.value_changed.connect(self._chosen)
        self.steps.problem_changed.connect(self._chosen)
        lab.streams_changed.connect(self._chosen)
        lab.tokenizer_changed.connect(self._chosen)
        paces.changed.connect(self._describe)
        self._chosen()

    # ----------------------------------------------------------------------------- what it is
    @property
    def plain(self) -> Recipe:
        """The recipe and size chosen, with the shared seed, no knob turned."""
        make = RECIPES[self.recipe.currentData()][0]
        return sized(make(), self.size_box.currentData()).but(seed=self._lab.seed)

    @property
    def base(self) -> Recipe:
        """The same with the knobs as they are turned; its length is still the recipe's own."""
        return self.plain.but(**self._turned)

    @property
    def turned_knobs(self) -> dict[str, Any]:
        """The values of the knobs that are not as the recipe and the size say."""
        return dict(self._turned)

    @property
    def vocab_size(self) -> int | None:
        """V of the text in force, end-of-text included; None in the first moments."""
        tokenizer = self._lab.tokenizer
        return None if tokenizer is None else tokenizer.tokenizer.vocab_size + 1

    @Slot(str, object)
    def turn(self, name: str, value: object) -> None:
        """Turn a knob."""
        if getattr(self.plain, name) == value:
            self._turned.pop(name, None)
        else:
            self._turned[name] = value
        self._chosen()

    @Slot()
    def put_back(self, _: object = None) -> None:
        """Turn all knobs back to what the recipe and the size say."""
        self._turned.clear()
        self._chosen()

    def adopt(self, recipe: Recipe) -> None:
        """Choose the settings of a recipe, and as many steps as it has. The seed stays the one
        that all tabs share."""
        key = next((k for k, (make, _, _) in RECIPES.items() if make().name == recipe.name), "")
        size = next((n for n, s in SIZES.items() if _has(recipe, s)), "small")
        blockers = [QSignalBlocker(box) for box in (self.recipe, self.size_box, self.time)]
        self.recipe.setCurrentIndex(max(0, self.recipe.findData(key)))
        self.size_box.setCurrentIndex(self.size_box.findData(size))
        self.time.setCurrentIndex(self.time.findText(BY_STEPS))
        for blocker in blockers:
            blocker.unblock()
        plain = self.plain
        self._turned = {
            name: getattr(recipe, name)
            for name in Recipe.knobs()
            if name not in ELSEWHERE and getattr(recipe, name) != getattr(plain, name)
        }
        self.steps.setValue(recipe.steps)
        self._chosen()

    @property
    def seconds(self) -> float | None:
        """How long to train, or None where steps are counted."""
        value = self.time.currentData()
        return None if value is None else float(value)

    def order(self, prompt: str) -> Order:
        """What is chosen, to be trained on the text in force.

        Raises:
            LabError: if there is no text yet, the choices don't go together, or they are too much
                for this computer.
        """
        streams, tokenizer = self._lab.streams, self._lab.tokenizer
        if streams is None or tokenizer is None:
            raise LabError("The text is still being prepared. Wait a moment.")
        problem = self._problem()
        if problem:
            raise LabError(problem)
        recipe, seconds = self.base, self.seconds
        if seconds is None:
            recipe = with_steps(recipe, self.steps.value())
        else:
            known = self._paces.pace(recipe, streams)
            if known is not None and (known[1] or not self._paces.can_measure(recipe, streams)):
                recipe, seconds = recipe_for(seconds, recipe, known[0]), None
        recipe.validated(streams.train.vocab_size)
        return Order(
            recipe=recipe,
            size=self._size_word(),
            turned=tuple(f"{knob} {value}" for knob, value in self._turned.items()),
            streams=streams,
            tokenizer=tokenizer,
            prompt=prompt,
            sample_tokens=sample_tokens(streams),
            sample_seed=self._lab.seed,
            seconds=seconds,
            usual_rate=self.plain.learning_rate,
            catalogue=catalogue(),
            spared=tuple(r.folder.parent.name for r in self._lab.runs if r.folder is not None),
        )

    def _size_word(self) -> str:
        """The size's name; empty once its shape was changed."""
        name = self.size_box.currentData()
        return "" if SIZES[name].keys() & self._turned.keys() else str(name)

    def want_devices(self, on_result: Callable[[tuple[str, ...]], object]) -> None:
        """Find out which devices work here; ``on_result``, a bound method, takes their names."""
        self._lab.compute.request(
            "training: devices", _devices, title="Looking for a GPU", on_result=on_result
        )

    # --------------------------------------------------------------------------------- showing
    def measure(self, wanted: bool) -> None:
        """Whether to measure what the present choices come to."""
        self._asks = wanted
        self._ask()

    def _ask(self) -> None:
        streams = self._lab.streams
        usable = streams is not None and streams.train.n_targets and not self.wrong.text()
        if self._asks and streams is not None and usable:
            self._paces.want(self.base, streams)

    @Slot()
    def _chosen(self, _: object = None) -> None:
        self._steps_cell.setVisible(self.seconds is None)
        self._name_sizes()
        self._check()
        self._describe()
        self._ask()
        self.changed.emit()

    def _name_sizes(self) -> None:
        """Say how many parameters each size has, with the vocabulary in force."""
        tokenizer = self._lab.tokenizer
        if tokenizer is None:
            return
        vocab = tokenizer.tokenizer.vocab_size + 1
        blocker = QSignalBlocker(self.size_box)
        for index in range(self.size_box.count()):
            name = self.size_box.itemData(index)
            recipe = sized(RECIPES[self.recipe.currentData()][0](), name)
            total = parameter_counts(recipe.model_config(vocab))["total"]
            self.size_box.setItemText(index, f"{name.capitalize()}, {total / 1e6:.1f} M parameters")
        blocker.unblock()

    def _check(self) -> None:
        """Say at once what would be wrong at the start."""
        problem = self._problem()
        self.wrong.setText(problem)
        self.wrong.setVisible(bool(problem))

    def _problem(self) -> str:
        """Why the choices can't be trained here; empty if they can."""
        if self.seconds is None and self.steps.problem:
            return self.steps.problem
        vocab, streams = self.vocab_size, self._lab.streams
        try:
            recipe = self.base.validated(vocab or 2)
            if vocab is None:
                return ""
            rate = None if streams is None else self._paces.rate(recipe, streams)
            return refusal(recipe, vocab, this_machine(), rate)
        except LabError as error:
            return str(error)

    def stand_back(self, *, quiet: bool, after_a_run: bool) -> None:
        """Let a run have the room and the attention.

        Args:
            quiet: leave out what the choices mean and come to.
            after_a_run: say that they are about the next run, since there is one already.
        """
        if (quiet, after_a_run) != (self._quiet, self._next):
            self._quiet, self._next = quiet, after_a_run
            if not quiet:
                self._ask()  # a run begun before the computer was measured left that undone
            self._describe()

    @Slot()
    def _describe(self) -> None:
        sentences = ["These settings are for the next run."] if self._next else []
        sentences.append(RECIPES[self.recipe.currentData()][2])
        if self._turned:
            knobs = Recipe.knobs()
            shown = ", ".join(f"{knobs[n].label} {_said(v)}" for n, v in self._turned.items())
            sentences.append(f"Turned by you: {shown}.")
        if not self.wrong.text():
            sentences.append(self._estimate())
        self.about.setText(" ".join(filter(None, sentences)))
        self.about.setVisible(not self._quiet)

    def _estimate(self) -> str:
        """What the choices come to, in a sentence."""
        streams, recipe = self._lab.streams, self.base
        if streams is None:
            return ""
        known, tried = self._paces.pace(recipe, streams), self._paces.can_measure(recipe, streams)
        if known is None:
            if not tried:
                return "A step of this is too long to be tried out before."
            return "This computer's speed is about to be measured."
        pace, measured = known
        how = "measured on this computer" if measured else "estimated; about to be measured"
        if not measured and not tried:
            how = "estimated"
        seconds = self.seconds
        if seconds is None:
            recipe = with_steps(recipe, self.steps.value())
            took = duration(run_seconds(recipe, pace))
            return f"This will take about {took}, scoring included ({how})."
        steps = recipe_for(seconds, recipe, pace).steps
        return f"{duration(seconds)} are about {steps:,} steps ({how})."


def _has(recipe: Recipe, shape: dict[str, int]) -> bool:
    return all(getattr(recipe, name) == value for name, value in shape.items())


def _devices() -> tuple[str, ...]:
    from engine.training.devices import available  # loads torch, which the compute thread owns

    return available()


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
