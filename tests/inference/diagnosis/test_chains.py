"""Chains that diverge, disagree, crawl or lose energy: made so, and counted by hand."""

from dataclasses import replace

import numpy as np
import pytest

import bayeszoo as bz
from bayeszoo.inference.backends import find_backend
from bayeszoo.inference.diagnosis.energy import bfmi

CHAINS, DRAWS = 4, 500


@pytest.fixture(scope="module")
def fit():
    """Independent draws dressed as four chains of NUTS, of which all is well."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    model = bz.Model("y ~ x", {"x": x, "y": x + rng.normal(size=60)})
    fit = model.fit("laplace", draws=CHAINS * DRAWS, progress=False)
    shape = (CHAINS, DRAWS)
    natural = {n: np.reshape(a, (*shape, *a.shape[2:])) for n, a in fit.draws.natural.items()}
    stats = {
        "diverging": np.zeros(shape, dtype=bool),
        "energy": rng.chisquare(6, shape) / 2,
        "n_steps": np.full(shape, 7),
    }
    settings = {"max_tree_depth": 10, "target_accept": 0.8}
    return bz.Fit(
        model,
        find_backend("nuts"),
        replace(fit.draws, natural=natural, stats=stats),
        {"settings": settings},
    )


def changed(fit, stats=None, natural=None, **settings):
    draws = replace(
        fit.draws,
        stats={**fit.draws.stats, **(stats or {})},
        natural={**fit.draws.natural, **(natural or {})},
    )
    info = {**fit.info, "settings": {**fit.info["settings"], **settings}}
    return bz.Fit(fit.model, fit.backend, draws, info).diagnose()


def test_good_chains(fit):
    assert fit.diagnose() == []


@pytest.mark.parametrize(("target", "word"), [(0.8, "0.95"), (0.95, "0.99"), (0.99, "Give")])
def test_divergences(fit, target, word):
    diverging = np.zeros((CHAINS, DRAWS), dtype=bool)
    diverging[1, :3] = True
    (finding,) = changed(fit, {"diverging": diverging}, target_accept=target)
    assert finding.startswith("3 of 2,000 transitions diverged") and word in finding


def test_long_trajectories(fit):
    steps = np.full((CHAINS, DRAWS), 7)
    steps[:, : DRAWS // 10] = 1023
    (finding,) = changed(fit, {"n_steps": steps})
    assert "10% of transitions" in finding and "raise max_tree_depth" in finding


def test_chains_that_disagree(fit):
    values = fit.draws.natural["mu.coefficients"].copy()
    values[0, :, 1] += 5 * values[..., 1].std()
    findings = changed(fit, natural={"mu.coefficients": values})
    assert "the chains disagree on 1 parameter(s)" in findings[0] and "`x`" in findings[0]


def test_few_effective_draws_of_the_bulk_and_of_the_tails(fit):
    rng = np.random.default_rng(1)
    slow = np.cumsum(rng.normal(size=(CHAINS, DRAWS)), axis=1)
    findings = changed(fit, natural={"sigma": np.exp(0.01 * slow)})
    assert any("fewer than 400 effective draws (lowest: `sigma`" in f for f in findings)
    # a bulk that mixes, while the sizes of its excursions come in runs
    size = np.repeat(np.exp(1.2 * rng.normal(size=(CHAINS, DRAWS // 50))), 50, axis=1)
    tails = np.exp(0.01 * size * rng.normal(size=(CHAINS, DRAWS)))
    findings = changed(fit, natural={"sigma": tails})
    assert any("of their tails" in f and "`sigma`" in f for f in findings)


def test_energy(fit):
    rng = np.random.default_rng(2)
    energy = np.array(fit.draws.stats["energy"])
    steps = rng.normal(size=DRAWS)
    for i in range(1, DRAWS):
        steps[i] = 0.95 * steps[i - 1] + np.sqrt(1 - 0.95**2) * steps[i]
    energy[2] = 3 + steps
    (finding,) = changed(fit, {"energy": energy})
    assert "the energy of 1 of 4 chains" in finding and "E-BFMI" in finding
    values = bfmi(energy)  # a first-order process changes by 2 (1 - rho) of its variance
    assert abs(values[2] - 0.1) < 0.08 and (np.delete(values, 2) > 1.5).all()
