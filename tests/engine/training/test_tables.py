"""Tables that grow on one thread while another reads them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.training.tables import Table


def test_views_stay_as_they_were() -> None:
    table = Table("a", "b")
    views = []
    for i in range(1000):
        table.append((i, -i))
        views.append(table.view())
    for rows, view in enumerate(views, 1):
        assert len(view) == rows
        np.testing.assert_array_equal(view["a"], np.arange(rows))
        np.testing.assert_array_equal(view["b"], -np.arange(rows))


def test_a_cut_does_not_reach_views_handed_out_before() -> None:
    table = Table("a")
    for i in range(10):
        table.append((i,))
    before = table.view()
    table.cut(4)
    for i in range(20):
        table.append((100 + i,))
    np.testing.assert_array_equal(before["a"], np.arange(10))
    np.testing.assert_array_equal(table.view()["a"][:6], [0, 1, 2, 3, 100, 101])
    table.cut(1000)
    assert len(table) == 24


def test_nobody_can_write_into_a_view() -> None:
    table = Table("a")
    table.append((1.0,))
    with pytest.raises(ValueError, match="read-only"):
        table.view()["a"][0] = 2.0
    with pytest.raises(ValueError, match="not in"):
        table.view()["b"]
