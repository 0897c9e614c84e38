"""The machine of calibration: its test is exact, right posteriors stay inside, planted bugs do not.

Bugs are planted around the package, never in it; each is caught in the quantity that it spoils.
"""

from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product
from threading import Lock

import jax
import numpy as np
import pandas as pd
import pytest
from cases import FAMILIES, Case
from ranks import inside, p_value, tails
from sbc import EXACT, TABLE, calibrate, generator, p_values, sampler

import bayeszoo as bz
from bayeszoo.formula.convolution import Filtered
from bayeszoo.inference import nuts_program
from bayeszoo.inference.programs import double_precision
from bayeszoo.zoo.density import log_density

FALSE_ALARM = 1e-4
SETS, FEW = 120, 20


def test_the_p_value_is_that_of_all_possible_ranks():
    size, levels = 5, 4
    z = np.arange(1, levels) / levels

    def least(ranks):
        return tails(np.bincount(ranks, minlength=levels).cumsum()[:-1], size, z).min()

    every = np.array([least(np.array(ranks)) for ranks in product(range(levels), repeat=size)])
    for ranks in ([0, 0, 0, 0, 0], [0, 1, 1, 0, 2], [3, 3, 2, 3, 1], [0, 1, 2, 3, 1]):
        share = np.mean(every <= least(np.array(ranks)) * (1 + 1e-9))
        assert p_value(np.array(ranks), levels) == pytest.approx(share, abs=1e-12)


def test_a_band_is_left_by_ranks_that_are_not_uniform():
    rng = np.random.default_rng(0)
    assert inside(200, 32, 1e-4) > 0.99
    assert p_value(rng.integers(0, 32, 200), 32) > FALSE_ALARM
    assert p_value(rng.integers(0, 26, 200), 32) < FALSE_ALARM
    assert p_value(rng.binomial(31, 0.5, 200), 32) < FALSE_ALARM


def test_exact_methods_are_inside_in_the_table():
    table = pd.read_csv(TABLE)
    exact = table[table["method"].isin(EXACT)]
    assert set(exact["family"]) == {*FAMILIES, "all"} and set(exact["method"]) == set(EXACT)
    assert (exact["verdict"] == "inside").all(), exact.loc[
        exact["verdict"] == "outside"
    ].to_string()


# ------------------------------------------------------------------------------ group effects


def remembering(sample):
    """The sampler with its answers kept, so that bugs around it cost nothing."""
    known = {}

    def once(datasets, seed, length=1):
        key = (len(datasets), seed, length)
        if key not in known:
            known[key] = sample(datasets, seed, length)
        return known[key]

    return once


CASE = Case("normal", "(1 | g)")
right = remembering(sampler(CASE, "nuts"))


def too_narrow(datasets, seed, length=1):
    def narrowed(draws):
        return draws.mean(axis=0) + 0.8 * (draws - draws.mean(axis=0))

    found = right(datasets, seed, length)
    return [{name: narrowed(draws) for name, draws in drawn.items()} for drawn in found]


def swapped_groups(datasets, seed, length=1):
    found = right(datasets, seed, length)
    return [drawn | {"1|g": np.roll(drawn["1|g"], 1, axis=1)} for drawn in found]


def test_right_posteriors_stay_inside():
    assert p_values(calibrate(CASE, right, SETS)).min() > FALSE_ALARM


@pytest.mark.parametrize(
    ("bug", "caught"),
    [(too_narrow, ["log likelihood"]), (swapped_groups, ["1|g[1]", "log likelihood"])],
)
def test_wrong_draws_are_caught(bug, caught):
    found = p_values(calibrate(CASE, bug, SETS))
    assert (found[caught] < FALSE_ALARM).all(), found.to_dict()


def test_a_density_without_its_jacobian_is_caught(monkeypatch):
    compiled, one = cache(lambda name, key: {}), Lock()

    def uncached(name, key, function, arguments):  # nobody else is to find this program
        kept = compiled(name, key)
        with one, double_precision():
            if "program" not in kept:
                kept["program"] = jax.jit(function).lower(*arguments).compile()
        return kept["program"]

    monkeypatch.setattr(nuts_program, "program", uncached)
    monkeypatch.setattr(nuts_program, "log_density", partial(log_density, jacobian=False))
    sample = sampler(CASE, "nuts")
    found = p_values(calibrate(CASE, lambda datasets, seed, length: sample(datasets, seed), FEW))
    assert found["sd(1|g)"] < FALSE_ALARM, found.to_dict()
    assert found["x"] > FALSE_ALARM, found.to_dict()


# ---------------------------------------------------------------------------------------- lags


@dataclass(frozen=True)
class Lagged:
    """Noise of known size around a filtered series, whose posterior is normal."""

    rows: int = 60
    noise: float = 0.5

    def simulate(self, rng):
        values = {"Intercept": rng.normal(0, 1.0), "kernel": rng.normal(0, 0.5, 3)}
        data = {"x": rng.normal(size=self.rows), "se": np.full(self.rows, self.noise)}
        one = {name: np.asarray(value)[None] for name, value in values.items()}
        return values, data | {"y": rng.normal(self.mean(one, data)[0], self.noise)}

    def mean(self, values, data):
        past = np.stack([np.r_[np.zeros(j), data["x"][:-j]] for j in (1, 2, 3)])
        return values["Intercept"][:, None] + values["kernel"] @ past

    def quantities(self, values, data):
        found = {f"kernel[{j}]": values["kernel"][:, j] for j in range(3)}
        residual = (data["y"] - self.mean(values, data)) / self.noise
        return found | {
            "Intercept": values["Intercept"],
            "log likelihood": -(residual**2).sum(axis=1) / 2,
        }


def lagged_draws(datasets, seed, length=1):
    formula = 'measured(y, se) ~ conv(x, history(3), lag=1, pad="zero")'
    priors = {"Intercept": bz.Normal(0, 1), "slopes": bz.Normal(0, 0.5)}
    options = {"method": "laplace", "draws": 400 * length, "progress": False}
    out = []
    for fit in bz.fit_many(formula, datasets, priors=priors, seed=seed, **options):
        posterior = fit.idata.posterior.isel(chain=0)
        kernel = next(posterior[name] for name in posterior if name != "Intercept")
        out.append({"Intercept": posterior["Intercept"].values, "kernel": kernel.values})
    return out


def test_a_lag_is_right_and_one_off_by_one_is_caught(monkeypatch):
    assert p_values(calibrate(Lagged(), lagged_draws, SETS)).min() > FALSE_ALARM
    take = Filtered.take
    monkeypatch.setattr(
        Filtered, "take", lambda self, rows: take(replace(self, lag=self.lag + 1), rows)
    )
    found = p_values(calibrate(Lagged(), lagged_draws, FEW))
    assert found["kernel[0]"] < FALSE_ALARM and found["log likelihood"] < FALSE_ALARM


def test_a_fit_that_is_lost_in_lock_step_is_made_alone():
    """Of these eight the fifth ran away in the company of the others: its effects were no numbers."""
    case = Case("gamma", "(1 | a) + (1 | b)")
    datasets = [case.simulate(generator(case, i))[1] for i in range(192, 200)]
    found = sampler(case, "laplace")(datasets, 0)
    assert all(np.isfinite(draws).all() for drawn in found for draws in drawn.values())
    assert all(drawn["sd(1|a)"].mean() < 2 for drawn in found)
