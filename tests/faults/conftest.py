"""Small models, and what tells whether two fits are the same to the last bit."""

import numpy as np
import pytest

import bayeszoo as bz


def _same(one, other):
    assert set(one.draws.natural) == set(other.draws.natural)
    for name, values in one.draws.natural.items():
        np.testing.assert_array_equal(values, other.draws.natural[name], err_msg=name)
    for name, values in one.draws.stats.items():
        np.testing.assert_array_equal(values, other.draws.stats[name], err_msg=name)
    if one.draws.trace is not None:
        np.testing.assert_array_equal(one.draws.trace, other.draws.trace)


@pytest.fixture(scope="session")
def same():
    """Compares all that a method returned."""
    return _same


@pytest.fixture(scope="session")
def table():
    generator = np.random.default_rng(0)
    x = generator.normal(size=40)
    return {"x": x, "y": 1 + x + generator.normal(size=40)}


@pytest.fixture(scope="session")
def model(table):
    return bz.Model("y ~ x", table)
