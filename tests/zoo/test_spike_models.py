"""The entries for spikes: what they write, what they refuse, and the laws that their fits obey."""

import re

import numpy as np
import pytest

import bayeszoo as bz

FLAT = {"Intercept": bz.Flat(), "slopes": bz.Flat()}
LAGS = 25


@pytest.fixture(scope="module")
def cell():
    return bz.datasets.lnp_cell(bins=20_000, lags=LAGS, seed=1)


@pytest.fixture(scope="module")
def linear(cell):
    return bz.zoo.linear_gaussian(cell[0]).fit("ols", progress=False)


@pytest.fixture(scope="module")
def linear_map(cell):
    priors = FLAT | {"sigma": bz.Flat(low=0)}
    return bz.zoo.linear_gaussian(cell[0], priors=priors).fit("map", progress=False)


@pytest.fixture(scope="module")
def lnp(cell):
    return bz.zoo.lnp(cell[0]).fit("map", progress=False)


@pytest.fixture(scope="module")
def recording():
    return bz.datasets.current_injection(pulse=2.0, pause=0.5)[0]


@pytest.fixture(scope="module")
def network():
    return bz.datasets.population(neurons=3, bins=2_000, trials=2, seed=3)


def design(stim):
    """The intercept, then the present frame and those before it, zeros before the start."""
    past = [np.concatenate([np.zeros(j), stim[: len(stim) - j]]) for j in range(LAGS)]
    return np.column_stack([np.ones(len(stim)), *past])


def filter_of(fit):
    return fit.summary()["mean"].filter(like="lags(stim").to_numpy()


def alike(one, other):
    return np.corrcoef(one, other)[0, 1]


def fitted(fit):
    return fit.predict().mean(("chain", "draw")).to_numpy()


# What they write


@pytest.mark.parametrize(
    ("options", "right"),
    [
        ({}, "conv(current, raised_cos_log(8, 200))"),
        (
            {"history": "raised_cos_log( 5,20 )"},
            "conv(current, raised_cos_log(8, 200)) + conv(spikes, raised_cos_log(5, 20))",
        ),
        ({"stimulus": None, "history": "history(3)"}, "conv(spikes, history(3))"),
        (
            {"stimulus": ["current", "a__b"], "basis": 'bspline(4, "40ms")', "by": "class"},
            "conv(current, bspline(4, '40ms'), by=`class`)"
            " + conv(`a__b`, bspline(4, '40ms'), by=`class`)",
        ),
        (
            {"basis": "history(3)", "by": ["class", "day 1"]},
            "conv(current, history(3), by=(`class`, `day 1`))",
        ),
        ({"stimulus": None}, "1"),
    ],
)
def test_poisson_glm_writes_the_terms_of_one_neuron(recording, options, right):
    rng = np.random.default_rng(0)
    data = recording.assign(a__b=rng.normal(size=len(recording)), **{"class": "x", "day 1": 1})
    model = bz.zoo.poisson_glm(data, **options)
    assert model.spec.schema.formula.text == f"spikes ~ {right}"
    assert model.spec.family.name == "poisson"


def test_kernels_of_ones_own_come_with_functions(recording):
    boxes = np.kron(np.eye(2), np.ones((10, 1)))
    model = bz.zoo.poisson_glm(recording, basis="boxes", functions={"boxes": boxes})
    assert model.spec.schema.formula.text == "spikes ~ conv(current, boxes)"


def test_population_glm_writes_the_true_model_with_its_mask(network):
    data, truth = network
    model = bz.zoo.population_glm(data, stimulus="stim", mask=truth["mask"], by="trial")
    assert model.spec.schema.formula.text == truth["formula"]
    fit = model.fit("map", progress=False)
    term = f"conv(spikes, raised_cos_log({truth['basis']}, {truth['window']}), by=trial)"
    found = fit.idata.posterior[term][0, 0].to_numpy()
    masked = np.repeat(~truth["mask"], truth["basis"], axis=0)
    assert masked.any() and (found[masked] == 0).all() and (found[~masked] != 0).all()


def test_other_terms_are_masked_by_name(network):
    data, _ = network
    term = "conv(stim, raised_cos_log(5, 20))"
    model = bz.zoo.population_glm(data, stimulus="stim", mask={term: ["n02"]}, coupling=None)
    assert np.array_equal(np.array(model.spec.mask), [[False, True, False]] * 5)


def test_pooling_is_over_the_dimension_of_the_response(network):
    data = network[0].rename(neuron="cell")
    model = bz.zoo.population_glm(data, stimulus="stim", pooled=True, coupling=None)
    kernel = "conv(stim, raised_cos_log(5, 20))"
    assert model.spec.schema.formula.text == f"spikes ~ {kernel} + ({kernel} | cell)"
    plain = {"spikes": network[0]["spikes"].to_numpy(), "stim": network[0]["stim"].to_numpy()}
    text = bz.zoo.population_glm(plain, stimulus="stim", pooled=True).spec.schema.formula.text
    assert text.endswith(f" + ({kernel} | neuron)")


def test_lags_are_bins_or_times(cell):
    data = cell[0].iloc[:200].assign(block=np.repeat([0, 1], 100))
    for lags, written in ((np.int64(5), "5"), ("50ms", "'50ms'")):
        for entry, family in ((bz.zoo.linear_gaussian, "normal"), (bz.zoo.lnp, "poisson")):
            model = entry(data, lags=lags, by="block")
            assert model.spec.schema.formula.text == f"spikes ~ lags(stim, {written}, by=block)"
            assert model.spec.family.name == family
            assert model.design.predictors["mu"].matrix.shape[1] == (5 if lags == 5 else 6)


# What they refuse


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stimulus": "curent"}, "no column `curent`.*Nearest: `current`"),
        ({"y": "spike"}, "no column `spike`.*Nearest: `spikes`"),
        ({"y": 3}, "name is a text, not 3"),
        ({"stimulus": 3}, "a list of some, is wanted, not 3"),
        ({"stimulus": []}, "a list of some, is wanted"),
        ({"by": "trail"}, "no column `trail`"),
        ({"basis": "raised_cos_lg(8, 200)"}, "Nearest: `raised_cos_log`"),
        ({"basis": "raised_cos_log(8, 200"}, "basis= is one basis"),
        ({"basis": "raised_cos_log(8, 200), lag=0"}, "basis= is one basis"),
        ({"basis": "history(3)) + log(current"}, "basis= is one basis"),
        ({"basis": np.ones((3, 2))}, 'functions={"mine": array}'),
        ({"basis": "current"}, "`current` is no basis"),
        ({"basis": "raised_cos_log(8)"}, "needs a window"),
        ({"history": True}, "history= is one basis"),
        ({"family": "poison"}, "Nearest: `poisson`"),
        ({"mask": np.eye(1)}, "It takes y, stimulus"),
    ],
)
def test_poisson_glm_explains_what_is_wrong(recording, options, message):
    with pytest.raises(bz.BayeszooError, match=f"(?s){_escaped(message)}"):
        bz.zoo.poisson_glm(recording, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"coupling": "history()"}, "window"),
        ({"coupling": 20}, "coupling= is one basis"),
        ({"mask": np.ones((2, 3))}, "shape (2, 3)"),
        ({"mask": ["n09"]}, "neuron 'n09'"),
        ({"mask": np.eye(3), "coupling": None}, "leaves no coupling"),
        ({"mask": {"conv(spike)": ["n01"]}}, "no term of the model"),
        ({"pooled": True}, "needs stimulus="),
        ({"pooled": "yes"}, "True or False, not 'yes'"),
    ],
)
def test_population_glm_explains_what_is_wrong(network, options, message):
    with pytest.raises(bz.BayeszooError, match=f"(?s){_escaped(message)}"):
        bz.zoo.population_glm(network[0], **options)


def test_one_neuron_and_several_have_entries_of_their_own(recording, network):
    with pytest.raises(bz.BayeszooError, match=r"`spikes` has 3.*population_glm"):
        bz.zoo.poisson_glm(network[0], stimulus="stim")
    with pytest.raises(bz.BayeszooError, match=r"one dimension.*poisson_glm"):
        bz.zoo.population_glm(recording)


@pytest.mark.parametrize("lags", [2.5, True, None, 0, -3, "25 hours", "25"])
def test_lags_that_are_none_are_explained(cell, lags):
    with pytest.raises(bz.BayeszooError, match=r"lags=|window|no time"):
        bz.zoo.lnp(cell[0], lags=lags)


def _escaped(message):
    """The message as a pattern, in which `.*` stays what it is."""
    return ".*".join(re.escape(part) for part in message.split(".*"))


# What their fits obey


def test_the_linear_model_is_the_closed_form(cell, linear, linear_map):
    data, _ = cell
    matrix = design(data["stim"].to_numpy())
    closed = np.linalg.solve(matrix.T @ matrix, matrix.T @ data["spikes"].to_numpy())
    for fit in (linear, linear_map):
        found = fit.summary()["mean"].to_numpy()[: LAGS + 1]
        assert np.abs(found - closed).max() < 1e-8 * np.abs(closed).max()
    np.testing.assert_allclose(fitted(linear_map), matrix @ closed, rtol=0, atol=1e-8)


def test_the_spike_triggered_average_is_the_linear_filter(cell, linear):
    data, _ = cell
    stimuli, spikes = design(data["stim"].to_numpy())[:, 1:], data["spikes"].to_numpy()
    average = spikes @ stimuli / spikes.sum()
    assert alike(average, filter_of(linear)) > 0.99


def test_both_filters_have_one_shape_and_the_poisson_one_is_larger(cell, linear, lnp):
    data, truth = cell
    assert alike(filter_of(linear), filter_of(lnp)) > 0.99
    assert alike(filter_of(lnp), truth["filter"]) > 0.97
    # for normal white noise the least-squares filter is the mean count times that of the log rate
    ratio = np.linalg.norm(filter_of(lnp)) / np.linalg.norm(filter_of(linear))
    assert ratio > 1
    np.testing.assert_allclose(ratio, 1 / data["spikes"].mean(), rtol=0.1)


def test_only_the_linear_model_predicts_negative_counts(linear_map, lnp):
    assert (fitted(linear_map) < 0).any()
    assert (fitted(lnp) > 0).all()


@pytest.mark.parametrize("priors", [{}, FLAT], ids=["default", "flat"])
def test_units_of_the_current_do_not_matter(recording, priors):
    rates = {}
    for unit in ("pA", "nA", "A"):
        data, _ = bz.datasets.current_injection(pulse=2.0, pause=0.5, unit=unit)
        fit = bz.zoo.poisson_glm(data, priors=priors).fit("map", progress=False)
        assert fit.diagnose() == []
        rates[unit] = fitted(fit)
    for unit in ("nA", "A"):
        np.testing.assert_allclose(rates[unit], rates["pA"], rtol=1e-6)
    if priors:
        used = recording["spikes"].to_numpy()[200:]
        np.testing.assert_allclose(rates["pA"].mean(), used.mean(), rtol=1e-6)


def test_a_refractory_neuron_is_found_to_be_so():
    data, truth = bz.datasets.current_injection(refractory=True)
    basis = "raised_cos_log(5, 20)"
    fits = [
        bz.zoo.poisson_glm(data, history=history).fit("map", progress=False)
        for history in (None, basis)
    ]
    weights = fits[1].summary()["mean"].filter(like="conv(spikes").to_numpy()
    assert (weights[:3] < -1).all() and (truth["history_weights"][:3] < -1).all()
    spikes = data["spikes"].to_numpy()[200:]
    log_likelihoods = [(spikes * np.log(fitted(fit)) - fitted(fit)).sum() for fit in fits]
    assert log_likelihoods[1] > log_likelihoods[0] + 10


def test_neurons_that_only_hear_themselves_are_neurons_on_their_own(network):
    data, _ = network
    options = {"stimulus": "stim", "by": "trial", "priors": FLAT}
    basis = "raised_cos_log(5, 20)"
    together = bz.zoo.population_glm(data, mask=np.eye(3), **options).fit("map", progress=False)
    rates = fitted(together)
    for n, label in enumerate(data["neuron"].to_numpy()):
        alone = data.assign(spikes=data["spikes"].sel(neuron=label)).drop_vars("neuron")
        model = bz.zoo.poisson_glm(alone, basis=basis, history=basis, **options)
        fit = model.fit("map", progress=False)
        np.testing.assert_allclose(rates[:, n], fitted(fit), rtol=1e-5)
