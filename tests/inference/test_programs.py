"""The programs that a process holds are bounded: too many would exhaust its memory mappings."""

import numpy as np
import pytest

import bayeszoo as bz
from bayeszoo.inference import programs


def _fit(columns):
    generator = np.random.default_rng(columns)
    data = {f"x{i}": generator.normal(size=40) for i in range(columns)}
    data["y"] = generator.normal(size=40)
    formula = "y ~ " + " + ".join(f"x{i}" for i in range(columns))
    return bz.fit(formula, data, method="map", progress=False).summary()["mean"]


def test_the_programs_used_longest_ago_are_dropped(monkeypatch):
    monkeypatch.setattr(programs, "HELD", 3)
    first = _fit(1)
    for columns in (2, 3, 4):
        _fit(columns)
        assert 1 <= len(programs._memory) <= 3
    np.testing.assert_array_equal(_fit(1), first)  # loaded or compiled again


@pytest.mark.skipif(programs._mappings() == 0, reason="the system does not tell of mappings")
def test_programs_are_dropped_before_mappings_run_out(monkeypatch):
    _fit(1)
    before = programs._mappings()
    for columns in (6, 7, 8):
        _fit(columns)
    grown = programs._mappings()
    assert grown > before
    monkeypatch.setattr(programs, "_granted", lambda: 2)
    _fit(5)
    assert len(programs._memory) == 1
    assert programs._mappings() < grown
