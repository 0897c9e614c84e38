"""Slopes against finite differences of predictions."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.inference.effects.contrasts import contrasts
from bayeszoo.inference.effects.slopes import slopes


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(1)
    n = 150
    out = pd.DataFrame({"x": rng.uniform(0, 10, n), "z": rng.normal(size=n)})
    out["g"], out["m"] = rng.choice(list("ab"), n), rng.choice(list("pqrst"), n)
    out["y"] = np.sin(out["x"] / 2) + (out["g"] == "b") + 0.5 * rng.normal(size=n)
    out["pos"], out["k"] = np.exp(0.4 * out["y"]), rng.poisson(np.exp(0.4 * out["y"]))
    return out


CASES = [
    ("y ~ bs(x, df=5) * g + (x | m)\nsigma ~ z", "normal"),
    ("y ~ poly(z, 3) + tuning(x, bspline(6))", "normal"),
    ("pos ~ x * z + offset(log(x + 1))\nsigma ~ x", "lognormal"),
    ("k ~ x + g\npsi ~ x", "zero_inflated_poisson"),
    ("k ~ log(x + 1):g + x + (x || m)", "poisson"),
]


@pytest.mark.parametrize(("formula", "family"), CASES)
def test_slopes_are_derivatives_of_predictions(table, formula, family):
    fit = bz.fit(formula, table, family=family, method="map", progress=False)
    step = 1e-3
    for groups in ("population", "fitted"):
        found = fit.slopes("x", "m" if "m)" in formula else None, average="rows", groups=groups)
        # Richardson's extrapolation of central differences inside the range of x
        inner = table[table["x"].between(0.2, 9.8)]
        exact = _slopes_of_rows(fit, table, inner.index)
        ends = {
            k: fit.predict(inner.assign(x=inner["x"] + k * step), groups="fitted").to_numpy()[0, 0]
            for k in (-2, -1, 1, 2)
        }
        wanted = (8 * (ends[1] - ends[-1]) - (ends[2] - ends[-2])) / (12 * step)
        np.testing.assert_allclose(exact, wanted, rtol=1e-5, atol=1e-6)
        assert np.isfinite(found["mean"]).all()


def _slopes_of_rows(fit, table, rows):
    """The slope of every row with fitted effects."""
    from bayeszoo.inference.effects.averages import directional, rows_of
    from bayeszoo.inference.effects.derivatives import still
    from bayeszoo.inference.effects.grid import plan
    from bayeszoo.inference.effects.request import ask
    from bayeszoo.inference.evaluate import linear_predictors
    from bayeszoo.inference.point import point_values

    request = ask(fit, None, None, "fitted", "rows")
    part = next(plan(request).parts)
    found, flat = rows_of(fit, part, "x"), point_values(fit)
    structure = fit.model.spec.structure
    etas = linear_predictors(structure, found.design, flat)
    along = linear_predictors(structure, found.moved, still(structure, flat))
    return directional(structure, etas, along, flat, found.design)[0][np.asarray(rows)]


def test_slopes_at_the_edges_of_splines_are_one_sided(table):
    fit = bz.fit("y ~ bs(x, df=6)", table, method="map", progress=False)
    for edge, sign in ((table["x"].min(), 1), (table["x"].max(), -1)):
        slope = fit.slopes("x", at={"x": edge})["mean"][0]
        h = sign * 1e-4
        f = [fit.means(at={"x": edge + k * h})["mean"][0] for k in range(3)]
        np.testing.assert_allclose(slope, (-3 * f[0] + 4 * f[1] - f[2]) / (2 * h), rtol=1e-4)


def test_slopes_of_groups_add_their_effects(table):
    fit = bz.fit("y ~ x + (x | m)", table, method="map", progress=False)
    posterior = fit.idata.posterior
    wanted = float(posterior["x"].squeeze()) + posterior["x|m"].squeeze().to_numpy()
    np.testing.assert_allclose(fit.slopes("x", by="m")["mean"], wanted, rtol=1e-9)
    assert slopes(fit, "x").equals(fit.slopes("x"))
    assert contrasts(fit, "x").equals(fit.contrasts("x"))
