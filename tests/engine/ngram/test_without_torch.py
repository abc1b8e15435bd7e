"""Who needs counts alone imports neither torch nor Qt."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

SCRIPT = """
import sys
for barred in ("torch", "PySide6", "pyqtgraph"):
    sys.modules[barred] = None  # importing it raises ImportError
from engine.generation import SamplingRules, generate
from engine.models import LanguageModel, NGramModel
from engine.models.landmarks import landmarks
from engine.models.scores import held_out_score
from engine.tokenizers import CharacterTokenizer, encode_documents
documents = ["abab abba", "baab"]
tokenizer = CharacterTokenizer.train(documents)
stream = encode_documents(tokenizer, documents)
model = NGramModel.train(stream, 3)
assert isinstance(model, LanguageModel)
written = [token.id for token in generate(model, [], SamplingRules(0.9), seed=1)]
assert len(landmarks(stream, stream)) == 4
assert held_out_score(model, stream).tokens == stream.n_targets
print(len(written))
"""


def test_n_grams_run_where_torch_and_qt_cannot_be_imported() -> None:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
