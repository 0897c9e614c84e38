"""Scores: NeMoS's numbers, densities by hand, the same rows for all, and clear refusals."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.zoo.families import FAMILIES

# NeMoS 0.2.8, float64, PopulationGLM(solver_name="LBFGS", tol 1e-12).fit(X, y).score(X, y, score_type),
# deviance: mean of observation_model.deviance(y, predict(X)); per neuron: GLM of each column
NEMOS = pd.DataFrame(
    {
        "log_likelihood": [-1.3108172305807546, -1.2548116075487106, -1.3668226128527989],
        "mcfadden": [0.06458735620120593, 0.074572812352942, 0.055228587933109474],
        "cohen": [0.14158273575324334, 0.16609354172080457, 0.11930241458027213],
        "deviance": [1.0975000598022490, 1.0153397340453998, 1.179660385559098],
    },
    index=["both", 0, 1],
)
NEMOS.loc[1, "log_likelihood"] = -1.3668228536127989
COEFFICIENTS = [
    [0.47374445, -0.10797816, 0.79005082, 0.06143026, 0.00867851],
    [0.32110223, 0.60048468, 0.15582287, -0.21601633, 0.26191347],
]
MASKED = {"log_likelihood": -1.3037000446522486, "mcfadden": 0.01940840023532342}
MASKED["cohen"] = 0.044498934462664105
# the same, trained on the first 300 rows and scored on the last 200
HELD_OUT = {"log_likelihood": -1.3421874679461512, "mcfadden": 0.056889448117668495}
HELD_OUT["cohen"] = 0.12431038208638395
FLAT = {"Intercept": bz.Flat(), "x": bz.Flat()}


@pytest.fixture(scope="module")
def example():
    """The data of NeMoS's guide to populations: X, y, and y of neurons that use other features."""
    state = np.random.RandomState(123)
    x = 0.5 * state.normal(size=(500, 5))
    weights = state.uniform(size=(5, 2))
    y = state.poisson(np.exp(x @ weights))
    first, second = x[:, [0, 1]] @ weights[:2, 0], x[:, [0, 2]] @ weights[[0, 2], 1]
    return x, y, state.poisson(np.exp(np.stack([first, second], axis=1)))


@pytest.fixture(scope="module")
def fit(example):
    x, y, _ = example
    model = bz.Model("y ~ x", {"y": y, "x": x}, family="poisson", priors=FLAT)
    return model.fit("map", progress=False)


def test_the_population_of_nemos(fit):
    posterior = fit.idata.posterior
    np.testing.assert_allclose(posterior["x"][0, 0].T, COEFFICIENTS, atol=1e-7)
    np.testing.assert_allclose(posterior["Intercept"][0, 0], [-0.04621994, 0.05966669], atol=1e-7)
    for kind in NEMOS:
        assert fit.score(kind) == pytest.approx(NEMOS.loc["both", kind], abs=1e-8)
        by_neuron = fit.score(kind, per_neuron=True)
        assert by_neuron.name == kind and by_neuron.index.name == "neuron"
        np.testing.assert_allclose(by_neuron, NEMOS.loc[[0, 1], kind], atol=1e-7)


def test_the_masked_population_of_nemos(example):
    x, _, y = example
    mask = np.array([[1, 1], [1, 0], [0, 1]])
    data = {"y": y, "x": x[:, :3]}
    fit = bz.fit(
        "y ~ x", data, family="poisson", priors=FLAT, mask=mask, method="map", progress=False
    )
    expected = [[0.5628307, 0.02549857, 0], [0.2565422, 0, 0.16695638]]
    np.testing.assert_allclose(fit.idata.posterior["x"][0, 0].T, expected, atol=1e-6)
    np.testing.assert_allclose(
        fit.idata.posterior["Intercept"][0, 0], [-0.00595824, 0.03346377], atol=1e-6
    )
    for kind, value in MASKED.items():
        assert fit.score(kind) == pytest.approx(value, abs=1e-8)


def test_held_out_rows_by_data_or_by_labels(example):
    x, y, _ = example
    train = {"y": y[:300], "x": x[:300]}
    fit = bz.fit("y ~ x", train, family="poisson", priors=FLAT, method="map", progress=False)
    for kind, value in HELD_OUT.items():
        assert fit.score(kind, {"y": y[300:], "x": x[300:]}) == pytest.approx(value, abs=1e-7)
        rows = np.arange(300, 500)
        assert fit.score(kind, {"y": y, "x": x}, rows=rows) == pytest.approx(value, abs=1e-7)


def test_rows_without_predictor_or_response_are_left_out(fit, example):
    x, y, _ = example
    x, y = x.copy(), y.astype(float)
    y[7, 1] = x[11, 3] = np.nan
    rows = np.setdiff1d(np.arange(500), [7, 11])
    data = {"y": y, "x": x}
    assert fit.score("cohen", data) == pytest.approx(fit.score("cohen", rows=rows), abs=1e-12)
    with pytest.raises(bz.BayeszooError, match=r"names 2 of 3 rows .* \(first: 7, 11\)"):
        fit.score("cohen", data, rows=[7, 8, 11])


def _family_data(name):
    rng = np.random.default_rng(4)
    x = rng.normal(size=150)
    mu = np.exp(0.3 * x + 1)
    chance = 1 / (1 + np.exp(-x))
    drawn = {
        "normal": lambda: x + rng.normal(size=150),
        "student": lambda: x + rng.standard_t(3, size=150),
        "poisson": lambda: rng.poisson(mu),
        "negative_binomial": lambda: rng.negative_binomial(2, 2 / (2 + mu)),
        "zero_inflated_poisson": lambda: rng.poisson(mu) * (rng.random(150) < 0.7),
        "bernoulli": lambda: (rng.random(150) < chance).astype(int),
        "binomial": lambda: rng.binomial(7, chance),
        "beta": lambda: rng.beta(3, 2, size=150),
    }
    y = drawn.get(name, lambda: rng.gamma(2, mu / 2))()
    return {"y": y, "x": x, "n": np.full(150, 7)}


UNDEFINED = ("lognormal", "zero_inflated_poisson", "beta")


@pytest.mark.parametrize("name", sorted({family.name for family in FAMILIES.values()}))
def test_every_family(name):
    formula = "prop(y, n) ~ x" if FAMILIES[name].required else "y ~ x"
    fit = bz.fit(formula, _family_data(name), family=name, method="map", progress=False)
    expected = fit.log_likelihood().mean().item()
    assert fit.score() == pytest.approx(expected, rel=1e-6)
    assert fit.score("mcfadden") < 1
    if name in UNDEFINED:
        for kind in ("cohen", "deviance"):
            with pytest.raises(bz.BayeszooError, match="is not defined"):
                fit.score(kind)
    else:
        assert 0 < fit.score("cohen") < 1
        assert fit.score("deviance") > 0


@pytest.mark.parametrize(
    ("name", "total"),
    [
        (
            "poisson",
            lambda y, mu: 2 * (np.where(y > 0, y * np.log(np.maximum(y, 1) / mu), 0) - y + mu),
        ),
        ("bernoulli", lambda y, mu: -2 * np.log(np.where(y == 1, mu, 1 - mu))),
        ("exponential", lambda y, mu: 2 * (y / mu - 1 - np.log(y / mu))),
    ],
)
def test_deviance_by_hand(name, total):
    data = _family_data(name)
    fit = bz.fit("y ~ x", data, family=name, method="map", progress=False)
    mu = fit.predict()[0, 0].to_numpy()
    assert fit.score("deviance") == pytest.approx(total(data["y"], mu).mean(), rel=1e-9)
    null = total(data["y"], data["y"].mean()).mean()
    cohen = 1 - total(data["y"], mu).mean() / null
    assert fit.score("cohen") == pytest.approx(cohen, rel=1e-9)


def test_weights_count_rows():
    data = pd.DataFrame(_family_data("poisson"))
    data["w"] = np.tile([1, 2, 3], 50)
    many = data.loc[np.repeat(data.index, data["w"])].reset_index(drop=True)
    options = {"family": "poisson", "method": "map", "progress": False, "priors": FLAT}
    one, other = bz.fit("weighted(y, w) ~ x", data, **options), bz.fit("y ~ x", many, **options)
    for kind in ("log_likelihood", "mcfadden", "cohen", "deviance"):
        assert one.score(kind) == pytest.approx(other.score(kind), rel=1e-7)


def test_frequentist_fits_are_scored_at_their_estimates():
    fit = bz.fit("y ~ x", _family_data("poisson"), family="poisson", method="glm", progress=False)
    assert fit.score() == pytest.approx(fit.result.llf / 150, rel=1e-10)
    assert fit.score("deviance") == pytest.approx(fit.result.deviance / 150, rel=1e-9)
    expected = 1 - fit.result.llf / fit.result.llnull
    assert fit.score("mcfadden") == pytest.approx(expected, rel=1e-7)


def test_draws_are_scored_at_their_mean():
    data = _family_data("normal")
    fit = bz.fit("y ~ x", data, method="nuts", draws=60, tune=60, chains=1, progress=False)
    post = fit.idata.posterior.mean()
    residual = data["y"] - post["Intercept"].item() - post["x"].item() * data["x"]
    sigma = post["sigma"].item()
    expected = -0.5 * np.log(2 * np.pi * sigma**2) - (residual**2).mean() / (2 * sigma**2)
    assert fit.score() == pytest.approx(expected, rel=1e-10)
    assert fit.score("deviance") == pytest.approx((residual**2).mean() / sigma**2, rel=1e-10)


def test_groups_can_be_left_out(sleepstudy):
    fit = bz.fit("Reaction ~ Days + (1 | Subject)", sleepstudy, method="lme", progress=False)
    stranger = sleepstudy.assign(Subject="nobody")
    assert fit.score(groups="population") < fit.score()
    with pytest.raises(bz.BayeszooError, match="not in training"):
        fit.score(data=stranger)
    expected = fit.score(groups="population")
    assert fit.score(data=stranger, groups="population") == pytest.approx(expected, abs=1e-12)


def test_clear_refusals(fit, example):
    with pytest.raises(bz.BayeszooError, match="mcfaden"):
        fit.score("mcfaden")
    with pytest.raises(bz.BayeszooError, match="no column `y`"):
        fit.score(data={"x": example[0]})
    with pytest.raises(bz.BayeszooError, match="whole numbers >= 0"):
        fit.score(data={"x": example[0], "y": example[1] + 0.5})
    with pytest.raises(bz.BayeszooError, match="from 0 to 499"):
        fit.score(data={"x": example[0], "y": example[1]}, rows=[500])
    with pytest.raises(bz.BayeszooError, match="no row"):
        fit.score(data={"x": example[0] * np.nan, "y": example[1]})
    one = bz.fit("y ~ x", _family_data("normal"), method="map", progress=False)
    with pytest.raises(bz.BayeszooError, match="`y` has one"):
        one.score(per_neuron=True)


def test_censored_responses_have_a_likelihood_but_no_null_model():
    data = _family_data("normal")
    data["status"] = (np.arange(150) % 10 == 0).astype(int)
    fit = bz.fit("censored(y, status) ~ x", data, method="map", progress=False)
    assert fit.score() == pytest.approx(fit.log_likelihood().mean().item(), rel=1e-9)
    with pytest.raises(bz.BayeszooError, match="censored"):
        fit.score("mcfadden")


def test_a_silent_neuron_has_no_share_explained_and_others_keep_theirs():
    rng = np.random.default_rng(0)
    data = {"x": rng.normal(size=60), "spikes": rng.poisson(2.0, (60, 3))}
    whole = bz.fit("spikes ~ x", data, family="poisson", method="map", progress=False)
    rows = np.flatnonzero(data["spikes"][:, 1] == 2)
    for kind in ("mcfadden", "cohen"):
        share = whole.score(kind, per_neuron=True, rows=rows).to_numpy()
        assert np.isfinite(share).tolist() == [True, kind == "mcfadden", True]
