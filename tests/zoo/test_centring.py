"""Which group effects are sampled centred, and from where they are counted."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.zoo.numbers import numbers


def groups(formula: str, table: pd.DataFrame, family: str) -> list[dict]:
    model = bz.Model(formula, table, family=family)
    return list(numbers(model.spec, model.design)["mu"]["groups"])


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    """Counts of 50 patients at 5 visits; age and base are the patient's own and far from 0."""
    generator = np.random.default_rng(8)
    patient = np.repeat(np.arange(50), 5)
    age, base = generator.normal(40, 6, 50)[patient], generator.normal(3, 0.7, 50)[patient]
    effect = generator.normal(0, 0.6, 50)[patient]
    mean = np.exp(2 + 0.8 * (base - 3) + 0.01 * (age - 40) + effect)
    ward = patient // 5
    return pd.DataFrame(
        {"y": generator.poisson(mean), "age": age, "base": base, "patient": patient, "ward": ward}
    )


def test_rows_that_are_groups_are_not_centred() -> None:
    generator = np.random.default_rng(3)
    plate = np.arange(20)
    table = pd.DataFrame(
        {"r": generator.binomial(40, 0.5, 20), "n": np.full(20, 40), "plate": plate}
    )
    (found,) = groups("prop(r, n) ~ 1 + (1 | plate)", table, "binomial")
    assert not found["centred"].any()


def test_effects_are_counted_from_the_mean_of_the_predictors(visits: pd.DataFrame) -> None:
    (found,) = groups("y ~ age + base + (1 | patient)", visits, "poisson")
    assert found["centred"].any()
    np.testing.assert_allclose(found["absorbs"][0], [1, visits.age.mean(), visits.base.mean()])


def test_coefficients_that_vary_are_absorbed_by_their_own_effect(visits: pd.DataFrame) -> None:
    table = visits.assign(x=np.tile(np.arange(5.0), 50))
    (found,) = groups("y ~ x + base + (1 + x | patient)", table, "poisson")
    wanted = [[1, 0, table.base.mean()], [0, 1, 0]]
    np.testing.assert_allclose(found["absorbs"], wanted, atol=1e-12)


def test_nested_effects_are_not_centred_where_the_coarser_are(visits: pd.DataFrame) -> None:
    coarse, fine = groups("y ~ base + (1 | ward / patient)", visits, "poisson")
    assert not fine["centred"].any()
    assert not fine["absorbs"].any()
    assert coarse["absorbs"].any()


def test_predictors_of_groups_far_from_zero_leave_nuts_quick(visits: pd.DataFrame) -> None:
    model = bz.Model("y ~ age + base + (1 | patient)", visits, family="poisson")
    fit = model.fit("nuts", seed=1, draws=300, tune=300, chains=2, progress=False)
    assert fit.summary()["ess_bulk"].min() > 20
    assert float(fit.idata.sample_stats["n_steps"].mean()) < 60


def test_groups_that_are_singular_in_floating_point_are_told_of():
    data = {"y": np.full(24, 100.0), "x": np.arange(24) % 3, "g": np.arange(24) // 6}
    data["x"] = np.where(data["g"] == 0, 1, data["x"])  # within one group x does not vary
    fit = bz.fit("y ~ x + (x | g)", data, method="lme", progress=False)
    assert any("no noise to measure" in finding for finding in fit.diagnose())
