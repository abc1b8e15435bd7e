"""Training: maximum likelihood by stochastic gradient ascent on log p(text), step by step.

θ ← θ + η ∇ log p(text), which is gradient descent on the loss −log p(text) per token.
The trainer knows no window. All its methods must be called from one thread at a time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.transformer.config import flops_per_token
from engine.models.transformer.initial import initialise
from engine.models.transformer.model import TransformerModel
from engine.models.transformer.module import Transformer
from engine.models.transformer.products import fast_products
from engine.tokenizers.stream import TokenStream
from engine.training import checkpoint
from engine.training.batches import Batches
from engine.training.devices import usable
from engine.training.flat import FlatParameters
from engine.training.optimizers import make_optimizer
from engine.training.recipe import Recipe
from engine.training.records import Diverged, Evaluation, History, Snapshot, StepRecord
from engine.training.timetable import Timetable
from engine.training.yielding import BlockYields

_THREADS = min(4, torch.get_num_threads())
"""Threads where the recipe leaves the choice: as many as there are cores, but small products
gain nothing beyond four. Taken at import, before anybody changes torch's setting."""
_FEW_FLOPS = 2e8
"""A step of so few operations is over sooner on one thread than on two: one layer of width 24
and 1,024 tokens, 1.3e8 operations, took 4.6 ms on one and 7.5 ms on two."""
_FLOPS_AT_ONCE = 2e9
"""Work between two yield points of an evaluation: 10 to 30 ms on two cores."""
_SCORES_AT_ONCE = 2**22
"""Logits of an evaluation's piece, 16 MB of them: a small model with a large vocabulary would
otherwise hold more than all else that it needs."""
_GOOD_EVERY = 25
"""Steps between two copies of the state to go back to."""
_GOOD_MARGIN = 0.25
"""Nats by which a batch's loss may exceed the best mean so far in a state that counts as good."""
_LEARNED = 0.01
"""Nats below blind guessing, ln V, from which on a network has learned something. One whose
numbers have run away until it tells nothing apart stays at ln V."""


class Trainer:
    """One run: a transformer, the text it learns from, and the text it is tested on.

    >>> trainer = Trainer(modern(), train, held_out)
    >>> for snapshot in trainer.run(max_steps=100):
    ...     print(snapshot.record.loss)
    """

    def __init__(
        self,
        recipe: Recipe,
        train: TokenStream,
        held_out: TokenStream,
        timetable: Timetable | None = None,
    ) -> None:
        """Build the transformer and fill it with the seed's random numbers.

        Args:
            recipe: how it is trained.
            train: what it learns from.
            held_out: what it is tested on.
            timetable: how the schedule is spread over the steps, of a run whose steps were
                planned anew on the way; its steps stand for the recipe's.

        Raises:
            LabError: if the recipe isn't valid, a text is empty, the two texts have different
                vocabularies, or there is no such device.
        """
        self._take_timetable(recipe.validated(), timetable or Timetable(recipe.steps))
        if train.vocab_size != held_out.vocab_size:
            raise LabError("Training and held-out text must be cut by the same tokenizer.")
        if held_out.n_targets < 1:
            raise LabError("The held-out text is empty. Choose a longer text.")
        if not usable(recipe.device):
            raise LabError("There is no GPU that can be used here. Choose the processor instead.")
        per_token = flops_per_token(recipe.model_config(train.vocab_size))
        self._flops = per_token * recipe.batch_size * recipe.context
        self._use_threads()
        self.train, self.held_out = train, held_out
        self.module = Transformer(recipe.model_config(train.vocab_size))
        initialise(self.module, recipe.init, recipe.seed)
        self.module.to(recipe.device)
        self._flat = FlatParameters(self.module)
        self._yields = BlockYields(self.module)
        self._optimizer = make_optimizer(self._flat, recipe)
        self._batches = Batches(
            train, recipe.context, recipe.batch_size, recipe.seed, recipe.sampling
        )
        self.history = History()
        self.step_count = 0
        """Steps taken."""
        self.learning_rate_scale = 1.0
        """What the recipe's learning rates are multiplied with; see the setter."""
        self._good: tuple[int, list[Tensor], int] | None = None
        self._lowest = math.inf
        self._keep_good_state()

    # --- what a run is asked for

    @property
    def model(self) -> TransformerModel:
        """The model as it is now. It changes as training goes on; see ``frozen_model``."""
        return TransformerModel(self.module)

    def frozen_model(self) -> TransformerModel:
        """A copy of the model that stays as it is; on the processor, wherever it is trained."""
        copy = Transformer(self.module.config)
        with torch.no_grad():
            for p, q in zip(copy.parameters(), self.module.parameters(), strict=True):
                p.copy_(q)
        return TransformerModel(copy)

    @property
    def finished(self) -> bool:
        """Whether the recipe's steps have been taken. A run may go on after that."""
        return self.step_count >= self.recipe.steps

    @property
    def tokens_per_step(self) -> int:
        """Tokens predicted in each step."""
        return self._batches.batch_size * self._batches.length

    @property
    def flops_per_step(self) -> int:
        """Floating-point operations of the model in each step (the optimizer's not counted)."""
        return flops_per_token(self.module.config) * self.tokens_per_step

    def set_learning_rate_scale(self, scale: float) -> None:
        """Multiply the recipe's learning rates from the next step on.

        Raises:
            LabError: if it isn't a number from 0 to 10⁹.
        """
        if not 0 <= scale <= 1e9:
            raise LabError("The learning rate can be multiplied by 0 up to 1,000,000,000.")
        self.learning_rate_scale = float(scale)

    def replan(self, steps: int) -> None:
        """End after another number of steps in all. What is left of the learning rate's schedule is
        spread over what is left of them; see ``timetable``.

        Raises:
            ValueError: if more were taken already, or none yet.
        """
        self._take_timetable(self.recipe, self.timetable.replanned(self.step_count, steps))

    def _take_timetable(self, recipe: Recipe, timetable: Timetable) -> None:
        self.timetable = timetable
        """How the schedule is spread over the steps."""
        self.recipe = recipe.but(steps=timetable.steps)
        self._schedule = recipe.but(steps=timetable.first)

    # --- the work

    def step(self, job: Job = NO_JOB) -> StepRecord:
        """Take one step. What passes at the job's yield points is no part of its seconds.

        Raises:
            Diverged: if the loss or gradient isn't finite; then nothing has been changed.
            JobCancelled: between two blocks of the network; then nothing has been changed.
        """
        started = time.perf_counter()
        self._use_threads()
        inputs, targets = self._batches.batch(self.step_count)  # (B, T) each
        with self._yields.within(job):
            loss = self._gradients(inputs.to(self.recipe.device), targets.to(self.recipe.device))
            norm = _number(self._flat.gradients.norm())
            if not (math.isfinite(loss) and math.isfinite(norm)):
                assert self._good is not None
                raise Diverged(self.step_count + 1, self._good[0])
            if 0 < self.recipe.grad_clip < norm:
                self._flat.gradients.mul_(self.recipe.grad_clip / norm)
            with fast_products():
                self._optimizer.prepare(self._yields.breathe)
        if self.step_count % _GOOD_EVERY == 0 and self.step_count:
            self._lowest = min(self._lowest, self._mean_before(self.step_count))
            if self._is_good(loss):
                self._keep_good_state()
        # read only now: at a yield point the rate may have been changed for this very step
        place = self.timetable.position(self.step_count)
        factor = self._schedule.learning_rate_factor(place) * self.learning_rate_scale
        self._optimizer.step(factor)
        self.step_count += 1
        seconds = time.perf_counter() - started - self._yields.away_seconds
        record = StepRecord(
            step=self.step_count,
            loss=loss,
            learning_rate=self.recipe.learning_rate * factor,
            gradient_norm=norm,
            seconds=seconds,
            tokens=self.step_count * self.tokens_per_step,
            tokens_per_second=self.tokens_per_step / seconds,
        )
        self.history.add(record)
        return record

    def run(self, job: Job = NO_JOB, max_steps: int | None = None) -> Iterator[Snapshot]:
        """Train to the recipe's end, or ``max_steps`` further; a snapshot after every step.

        The held-out text is scored before the first step, every ``eval_every`` steps and after
        the recipe's last. Stop by no longer asking for snapshots, or through the job; either
        way the run can go on later from where it is.

        Raises:
            Diverged: see ``step``.
            JobCancelled: at a yield point; only whole steps are then taken.
        """
        last = self.recipe.steps if max_steps is None else self.step_count + max_steps
        if self.step_count == 0 and not self.history.evaluations and last > 0:
            self.evaluate(job)
        while self.step_count < last:
            job.progress(self.step_count, max(last, self.recipe.steps), "Training")
            record = self.step(job)
            yield Snapshot(record, self.evaluate(job) if self.evaluation_due else None)

    @property
    def evaluation_due(self) -> bool:
        """Whether the held-out text is to be scored after the present step."""
        step, every = self.step_count, self.recipe.eval_every
        if step in (0, self.recipe.steps):
            return True
        return every > 0 and self.timetable.passes(step, every)

    def evaluate(self, job: Job = NO_JOB) -> Evaluation:
        """Score the whole held-out text: nats per token, every token predicted once.

        The text is cut into windows of one context each that don't overlap, as in training, so
        on average a token is predicted from half a context.
        ``TransformerModel.token_log_probs``, whose windows overlap, gives a lower loss.

        Raises:
            JobCancelled: if cancelled; the run is as it was.
        """
        self._use_threads()
        ids = torch.from_numpy(self.held_out.ids).long()  # (N,)
        C = self.recipe.context
        whole = self.held_out.n_targets // C * C
        inputs, targets = ids[:whole].view(-1, C), ids[1 : whole + 1].view(-1, C)  # (W, C)
        n = self._windows_at_once
        pieces = [(inputs[i : i + n], targets[i : i + n]) for i in range(0, len(inputs), n)]
        if whole < self.held_out.n_targets:
            pieces.append((ids[None, whole:-1], ids[None, whole + 1 :]))
        total = 0.0
        for x, y in pieces:
            job.yield_point()
            with torch.no_grad(), fast_products():
                loss = self.module.loss(x.to(self.recipe.device), y.to(self.recipe.device))
            total += _number(loss) * y.numel()
        evaluation = Evaluation(
            self.step_count, total / self.held_out.n_targets, self.history.seconds
        )
        if not self.history.evaluations or self.history.evaluations[-1].step != self.step_count:
            self.history.evaluations.append(evaluation)
        return evaluation

    @property
    def _windows_at_once(self) -> int:
        forward = flops_per_token(self.module.config) / 3 * self.recipe.context
        scores = self.recipe.context * self.module.config.vocab_size
        return max(1, int(min(_FLOPS_AT_ONCE / forward, _SCORES_AT_ONCE / scores)))

    def _gradients(self, inputs: Tensor, targets: Tensor) -> float:
        """Fill the gradients of mean −log p(target); return it."""
        self._flat.gradients.zero_()
        with fast_products():
            loss = self.module.loss(inputs, targets)
            loss.backward()  # type: ignore[no-untyped-call]
        return _number(loss)

    def _use_threads(self) -> None:
        wanted = self.recipe.threads or (1 if self._flops <= _FEW_FLOPS else _THREADS)
        if torch.get_num_threads() != wanted:
            torch.set_num_threads(wanted)

    # --- going back after the loss has blown up

    def _is_good(self, loss: float) -> bool:
        """Whether a state with this loss on the next batch is worth going back to."""
        guessing = math.log(self.module.config.vocab_size)
        return loss <= min(self._lowest + _GOOD_MARGIN, guessing - _LEARNED)

    def _mean_before(self, step: int) -> float:
        """The mean loss of the _GOOD_EVERY steps up to ``step``, which is no less than that."""
        losses = [r.loss for r in self.history.steps[step - _GOOD_EVERY : step]]
        return sum(losses) / len(losses)

    def _recall_lowest(self) -> None:
        """Find the lowest mean again in a history that was cut or loaded."""
        ends = range(_GOOD_EVERY, self.step_count + 1, _GOOD_EVERY)
        self._lowest = min((self._mean_before(end) for end in ends), default=math.inf)

    def _state(self) -> list[Tensor]:
        return [self._flat.values, *self._optimizer.state().values()]

    def _keep_good_state(self) -> None:
        self._good = (
            self.step_count,
            [t.clone() for t in self._state()],
            self._optimizer.steps,
        )

    def go_back(self) -> int:
        """Restore the last good state; return its step.

        That is one whose loss was near the lowest so far (a mean over 25 steps) and clearly
        below guessing; the state at the start, or the one loaded, if there was none since.
        Lower the learning rate before going on: the same steps would fail again.
        """
        assert self._good is not None
        self.step_count, tensors, self._optimizer.steps = self._good
        for current, kept in zip(self._state(), tensors, strict=True):
            current.copy_(kept)
        self.history.cut(self.step_count)
        self._recall_lowest()
        return self.step_count

    # --- checkpoints

    def save(self, folder: Path) -> None:
        """Write everything from which the run goes on bit for bit.

        Raises:
            LabError: if it can't be written; what was there before is then untouched.
        """
        parameters = {name: p.detach() for name, p in self.module.named_parameters()}
        checkpoint.save_checkpoint(
            folder,
            checkpoint.Checkpoint(
                recipe=self.recipe,
                config=self.module.config,
                parameters=parameters,
                optimizer=self._optimizer.state(),
                optimizer_steps=self._optimizer.steps,
                step_count=self.step_count,
                learning_rate_scale=self.learning_rate_scale,
                history=self.history,
                texts=(checkpoint.fingerprint(self.train), checkpoint.fingerprint(self.held_out)),
                timetable=self.timetable,
            ),
        )

    @classmethod
    def load(cls, folder: Path, train: TokenStream, held_out: TokenStream) -> Trainer:
        """The run that was saved in a folder, on the same texts; on the processor, where the
        device that it was trained on is not here.

        Raises:
            LabError: if the checkpoint is missing or damaged, or made from other texts.
        """
        kept = checkpoint.load_checkpoint(folder)
        if kept.texts != (checkpoint.fingerprint(train), checkpoint.fingerprint(held_out)):
            raise LabError(
                "This run was trained on another text or with another tokenizer. "
                "Choose those it was started with, then load it again."
            )
        recipe = kept.recipe if usable(kept.recipe.device) else kept.recipe.but(device="cpu")
        trainer = cls(recipe, train, held_out, kept.timetable)
        with torch.no_grad():
            for name, p in trainer.module.named_parameters():
                p.copy_(kept.parameters[name])
        checkpoint.fill_state(trainer._optimizer.state(), kept.optimizer, folder)
        trainer._optimizer.steps = kept.optimizer_steps
        trainer.step_count = kept.step_count
        trainer.learning_rate_scale = kept.learning_rate_scale
        trainer.history = kept.history
        trainer._recall_lowest()
        trainer._keep_good_state()
        return trainer


def _number(value: Tensor) -> float:
    """A tensor's one number, fetched from its device: the only place where training waits."""
    return float(value.item())
