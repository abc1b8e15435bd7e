"""The models that need torch load when they are first asked for."""

from __future__ import annotations

import pytest

import engine.models


def test_the_other_models_load_when_asked_for() -> None:
    from engine.models.transformer import TransformerModel

    assert engine.models.TransformerModel is TransformerModel
    with pytest.raises(AttributeError, match="NoSuchModel"):
        engine.models.NoSuchModel  # noqa: B018
