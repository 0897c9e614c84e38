"""Rows in pieces: each row once, each piece of one group, and the same density."""

import jax
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bayeszoo as bz
from bayeszoo.inference.layout import best_width, cut, lay_out
from bayeszoo.zoo.density import log_density, site_shapes
from bayeszoo.zoo.statistics import bucket


@given(st.integers(0, 10**7))
def test_buckets_are_few_and_waste_little(count):
    found = bucket(count)
    assert count <= found <= count + count / 8
    assert bucket(found) == found


@given(st.lists(st.integers(0, 6), min_size=1, max_size=300))
def test_every_row_has_one_place_and_every_piece_one_group(groups):
    index = np.array(groups)
    pieces = cut(index)
    assert sorted(pieces.rows[pieces.real].tolist()) == list(range(len(index)))
    held = pieces.constant(index)
    assert held is not None and len(held) == pieces.count
    assert pieces.rows.shape == (pieces.count * pieces.width,)


def test_width_follows_the_groups():
    assert best_width(np.full(50, 8)) == 8
    assert best_width(np.full(50, 64)) == 64
    assert best_width(np.full(50, 3)) == 4


FORMULAS = (
    ("y ~ x + (1 + x | m)", "student"),
    ("y ~ x + (1 | m/k) + student(1 | d)", "normal"),
    ("weighted(y, w) ~ x + (1 | m) + (x | d)", "normal"),
    ("y ~ x\nsigma ~ x + (1 | m)", "normal"),
    ("y ~ x", "student"),
)


@pytest.mark.parametrize(("formula", "family"), FORMULAS)
def test_the_density_is_the_same(formula, family):
    rng = np.random.default_rng(1)
    n = 101
    data = pd.DataFrame(
        {
            "y": rng.normal(size=n),
            "x": rng.normal(size=n),
            "w": rng.uniform(0.5, 2, n),
            "m": rng.integers(0, 5, n).astype(str),
            "k": rng.integers(0, 3, n).astype(str),
            "d": rng.integers(0, 9, n).astype(str),
        }
    )
    problem = bz.Model(formula, data, family=family).problem
    laid = lay_out(problem)
    shapes = site_shapes(problem.structure, problem.numbers)
    raw = {name: 0.5 * rng.normal(size=shape) for name, shape in shapes.items()}
    with jax.enable_x64(True):
        plain, pieces = (
            float(log_density(p.structure, raw, p.design, p.numbers)) for p in (problem, laid)
        )
    np.testing.assert_allclose(pieces, plain, rtol=1e-12)
