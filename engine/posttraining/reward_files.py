"""Rewards as data: what reward models and rubrics consist of, to be kept with a run.

A reward model is its weights, means and scales (float64), and what reads: the features by key and
sentence, or a whole transformer (float32). A rubric is its criteria by key and rule, with their
weights. Features and criteria are programs, so they are named, and what they are said to judge is
compared: under another rule the same numbers would be another reward.

Tensors carry the term's place in the reward: "1.weights" (k,), "1.policy.embedding.weight" ….
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from engine.errors import LabError
from engine.models.transformer.files import check_tensors, fill
from engine.models.transformer.model import TransformerModel
from engine.models.transformer.module import Transformer
from engine.posttraining.features import features_of
from engine.posttraining.kept_state import (
    MOST_TERMS,
    KeptLinear,
    KeptMade,
    KeptNeural,
    KeptRubric,
    KeptTerm,
    lost,
)
from engine.posttraining.reward_model import (
    FeatureReader,
    Floats,
    Reader,
    RewardModel,
    as_term,
)
from engine.posttraining.reward_model_neural import PolicyReader
from engine.posttraining.rewards import RewardMix, RewardTerm
from engine.posttraining.rubric import Rubric, criteria_for
from engine.posttraining.tasks.task import Task

_NUMBERS = ("mean", "scale", "weights")
_LEAST_SCALE, _GREATEST = 1e-9, 1e9
"""Bounds of a reward model's numbers: far from what any answer leads to, near enough to each other
that no product of them leaves float64."""

Made = tuple[KeptMade, dict[str, Tensor]]
"""What describes a reward model or a rubric, and its numbers by name."""


def described(term: RewardTerm) -> Made | None:
    """What a term consists of, as copies of its numbers; None where it is a program that its name
    says all about."""
    made = term.made
    if isinstance(made, Rubric):
        lines = tuple((c.key, c.rule, float(weight)) for c, weight in made.used)
        return KeptRubric(lines), {}
    if not isinstance(made, RewardModel):
        return None
    tensors = {name: torch.tensor(getattr(made, name)) for name in _NUMBERS}
    reader = made.reader
    if isinstance(reader, FeatureReader):
        features = tuple((f.key, f.sentence) for f in reader.features)
        return KeptLinear(features, made.comparisons), tensors
    if isinstance(reader, PolicyReader):
        for name, p in reader.module.named_parameters():
            tensors[f"policy.{name}"] = p.detach().clone()
        return KeptNeural(reader.module.config, made.comparisons), tensors
    return None


def content_of(term: RewardTerm) -> str:
    """A fingerprint of what a term consists of: equal exactly where two judge alike. Empty for a
    term that is only named."""
    found = described(term)
    if found is None:
        return ""
    made, tensors = found
    digest = hashlib.sha256(json.dumps(made.to_dict(), sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()


def describe_reward(reward: RewardMix) -> tuple[tuple[KeptTerm, ...], dict[str, Tensor]]:
    """A reward as what ``restore_reward`` takes: its terms, and their numbers by name.

    Raises:
        LabError: if it has more terms than are read again.
    """
    if len(reward.terms) > MOST_TERMS:
        raise LabError(f"A reward of more than {MOST_TERMS} terms can't be kept.")
    rows, numbers = [], {}
    for place, (term, weight) in enumerate(reward.terms):
        found = described(term)
        made, tensors = found if found is not None else (None, {})
        rows.append(KeptTerm(term.key, term.title, float(weight), made))
        numbers.update({f"{place}.{name}": t for name, t in tensors.items()})
    return tuple(rows), numbers


def restore_reward(
    kept: Sequence[KeptTerm],
    numbers: Mapping[str, Tensor],
    task: Task,
    terms: Sequence[RewardTerm],
) -> RewardMix:
    """The reward that ``describe_reward`` described.

    Args:
        kept: its terms.
        numbers: by name; of any origin.
        task: whose answers it judges.
        terms: what there is now. A term that is only named is looked for here; one that was kept
            whole is taken from here where it is the same in content, so that nothing is there
            twice. Of what is named, is not there and has weight 0, nothing is made.

    Raises:
        LabError: if a term that counts is not there, or what was kept is damaged, of another
            task, or judged by rules that are others now.
    """
    if {name.partition(".")[0] for name in numbers} - {str(i) for i in range(len(kept))}:
        raise _damaged()
    known = {term.key: term for term in terms}
    here = [(term, content_of(term)) for term in terms if term.made is not None]
    mix: list[tuple[RewardTerm, float]] = []
    for place, one in enumerate(kept):
        prefix = f"{place}."
        own = {n.removeprefix(prefix): t for n, t in numbers.items() if n.startswith(prefix)}
        if one.made is None:
            if own:
                raise _damaged()
            found = known.get(one.key)
        else:
            used = [term for term, _ in mix]
            made = _restored(one, own, task)
            content = content_of(made)
            same = (t for t, c in here if c == content and all(t is not u for u in used))
            found = next(same, None) or _under_own_key(made, content, {u.key for u in used})
        if found is not None:
            mix.append((found, one.weight))
        elif one.weight:
            raise lost(one.title)
    return RewardMix(tuple(mix))


def _under_own_key(term: RewardTerm, content: str, taken: set[str]) -> RewardTerm:
    """Its key tells it from all that judges otherwise, such as a model that was trained since."""
    key = base = f"{term.kind} {content[:16]}"
    again = 1
    while key in taken:
        again += 1
        key = f"{base} {again}"
    return replace(term, key=key)


def _restored(kept: KeptTerm, numbers: dict[str, Tensor], task: Task) -> RewardTerm:
    made = kept.made
    if isinstance(made, KeptRubric):
        if numbers:
            raise _damaged()
        rubric = _rubric(made, task)
        return replace(rubric.as_term(), title=kept.title)
    assert made is not None
    named = {name: numbers.pop(name, None) for name in _NUMBERS}
    mean, scale, weights = (_vector(t, made.numbers) for t in named.values())
    if not bool((scale > _LEAST_SCALE).all()):
        raise _damaged()
    reader: Reader
    if isinstance(made, KeptLinear):
        if numbers:
            raise _damaged()
        reader = _feature_reader(made, task)
    else:
        policy = {n.removeprefix("policy."): t for n, t in numbers.items()}
        if any(not name.startswith("policy.") for name in numbers):
            raise _damaged()
        reader = _policy_reader(made, policy, task)
    model = RewardModel(reader, mean, scale, weights, made.comparisons)
    return replace(as_term(model), title=kept.title)


def _rubric(kept: KeptRubric, task: Task) -> Rubric:
    known = {c.key: c for c in criteria_for(task)}
    lines = []
    for key, rule, weight in kept.criteria:
        criterion = known.get(key)
        if criterion is None or criterion.rule != rule:
            raise _other_rule(key if criterion is None else criterion.title)
        lines.append((criterion, weight))
    return Rubric(tuple(lines))


def _feature_reader(kept: KeptLinear, task: Task) -> FeatureReader:
    known = {f.key: f for f in features_of(task)}
    features = []
    for key, sentence in kept.features:
        feature = known.get(key)
        if feature is None or feature.sentence != sentence:
            raise _other_rule(key if feature is None else feature.title)
        features.append(feature)
    return FeatureReader(tuple(features))


def _policy_reader(kept: KeptNeural, numbers: dict[str, Tensor], task: Task) -> PolicyReader:
    config = kept.config
    if config.vocab_size != task.tokenizer.vocab_size + 1 or config.context < task.context:
        raise LabError(f"A reward model of this run was not made for the task “{task.title}”.")
    with torch.device("meta"):
        shapes = {name: p.shape for name, p in Transformer(config).named_parameters()}
    check_tensors(numbers, shapes, "the run's reward")  # before the memory for it is taken
    module = Transformer(config)
    fill(module, numbers, "the run's reward")
    return PolicyReader(TransformerModel(module, "Reward model"), task)


def _vector(tensor: Tensor | None, k: int) -> Floats:
    """(k,), in memory of its own."""
    if tensor is None or tensor.shape != (k,) or tensor.dtype != torch.float64:
        raise _damaged()
    numbers = np.array(tensor.numpy(), dtype=np.float64)
    if not bool((np.abs(numbers) <= _GREATEST).all()):  # false for NaN too
        raise _damaged()
    return numbers


def _damaged() -> LabError:
    return LabError("This run's reward can't be read: it is damaged.")


def _other_rule(what: str) -> LabError:
    return LabError(
        f"This run's reward judges by “{what[:80]}” as another version of the lab understood it. "
        "It can't go on here."
    )
