"""The policies that come with the lab, one for each task (made by scripts/make_policies.py)."""

from __future__ import annotations

from pathlib import Path

from engine.errors import LabError
from engine.models.transformer.files import load_transformer
from engine.models.transformer.model import TransformerModel
from engine.posttraining.tasks import Task

POLICIES_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "policies"


def bundled_policy(task: Task, folder: Path = POLICIES_FOLDER) -> TransformerModel:
    """The pre-trained policy of a task: it does the task now and then.

    Raises:
        LabError: if its file is missing, damaged, or of another task.
    """
    module = load_transformer(folder / task.key)
    vocab_size, context = module.config.vocab_size, module.config.context
    if vocab_size != task.tokenizer.vocab_size + 1 or context < task.context:
        raise LabError(f"The policy in assets/policies/{task.key} is not one for this task.")
    return TransformerModel(module.requires_grad_(False), "Reference policy")
