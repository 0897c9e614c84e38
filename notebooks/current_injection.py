# %% [markdown]
# # From current to spikes
#
# An electrode injects three noisy pulses of current into a cell, and we count its spikes in bins of
# 1 ms. How does the current of the last 200 ms set the rate, and does a spike change what follows?
# The cell is simulated, so that every answer can be held against the truth.

# %%
import altair as alt
import numpy as np
import pandas as pd

import bayeszoo as bz

cell = {"refractory": True, "gain": 1.3}
data, truth = bz.datasets.current_injection(seed=2, **cell)
print(data.assign(pulse=data["current"] > 0).groupby("pulse")["spikes"].agg(["size", "sum"]))
bz.plot.raster(data, spikes="spikes", stimulus="current", window=(2, 10), title="The first pulse")

# %% [markdown]
# ## The current of this very millisecond
#
# The simplest idea: the rate depends on the current now. The fitted line of `log(rate)` against
# current is straight by assumption; a spline, `tuning(current, bspline(5))`, is not. Both are drawn
# over the observed rate at that current, a tuning curve.

# %%
formulas = {"straight": "spikes ~ current", "spline": "spikes ~ tuning(current, bspline(5))"}
now = {
    name: bz.fit(formula, data, family="poisson", method="laplace", progress=False)
    for name, formula in formulas.items()
}
bz.plot.rates(now, over="current", title="Rate at each current")

# %% [markdown]
# Over time both follow the pulses and miss everything inside them: within a pulse the observed rate
# goes up and down by far more than the fitted one.

# %%
bz.plot.rates(now, window=(2, 5), cells=120, title="The rate that the present current predicts")

# %% [markdown]
# ## The current of the last 200 ms
#
# The zoo writes the formula. The current enters through eight bumps, narrow near the present and wide
# in the far past; the default priors are printed, and they scale with the data.

# %%
model = bz.zoo.poisson_glm(data)
print(model)
past = model.fit("laplace", progress=False)

# %% [markdown]
# What the bumps look like: filter a single 1, and the columns of the design are the bumps themselves.

# %%
pulse = {"y": np.arange(200.0), "one": np.r_[1.0, np.zeros(199)]}
design = bz.Model('y ~ conv(one, raised_cos_log(8, 200), lag=0, pad="zero")', pulse).design
bumps = pd.DataFrame(np.asarray(design.predictors["mu"].matrix)[:, -8:]).rename_axis("ms")
alt.Chart(bumps.reset_index().melt("ms", var_name="bump", value_name="height")).mark_line().encode(
    x=alt.X("ms:Q", title="Lag (ms)", scale=alt.Scale(type="symlog", constant=5)),
    y=alt.Y("height:Q", title="Height"),
    color=alt.Color("bump:O", title="Bump"),
).properties(title="Eight bumps, on a stretched axis", width=420, height=180)

# %% [markdown]
# And the filter that is made of them, with its posterior band. The cell adds up some 50 ms of current.
# The true filter is higher at its peak than the band: this model does not know that a cell that has
# just fired cannot fire again, however strong the current, and takes that for a weak current. More
# below.

# %%
bz.plot.kernels(past, truth={"current": truth["kernel"]})

# %%
rivals = {"present current": now["straight"], "last 200 ms": past}
bz.plot.rates(rivals, window=(3, 3.5), cells=50, title="Half a second inside the first pulse")

# %% [markdown]
# In numbers, as McFadden's R2. It looks small and is not: single spikes in bins of 1 ms are mostly
# chance, and even the true rate would not come near 1.

# %%
print({name: round(one.score("mcfadden"), 3) for name, one in rivals.items()})
spikes, mean = data["spikes"].to_numpy()[200:], truth["rate"][200:] * truth["bin_width"]
null = spikes.sum() * (np.log(spikes.mean()) - 1)
best = 1 - (spikes @ np.log(mean) - mean.sum()) / null
print(f"the true rate: {best:.3f}")
assert now["straight"].score("mcfadden") < past.score("mcfadden") < best

# %% [markdown]
# ## How long, how many?
#
# Held-out blocks of the recording decide. Windows first (`pad="zero"`, so that all are scored on the
# same bins), then the number of bumps, with the rule of one standard error.

# %%
held_out = {}
for window in (25, 50, 100, 200, 400):
    formula = f'spikes ~ conv(current, raised_cos_log(6, {window}), pad="zero")'
    folds = bz.cross_validate(formula, data, family="poisson", gap=400, folds=5)
    held_out[window] = folds.loc["mean", "score"]
held_out = pd.Series(held_out).rename_axis("window").reset_index(name="score")
print(held_out.round(5).to_string(index=False))
assert held_out.set_index("window")["score"].idxmax() >= 50, "short windows lose"
alt.Chart(held_out).mark_line(point=True).encode(
    x=alt.X("window:Q", title="Window (ms)", scale=alt.Scale(type="log")),
    y=alt.Y("score:Q", title="Log-likelihood per bin", scale=alt.Scale(zero=False)),
).properties(title="Held-out blocks: how much past is worth having?", width=360, height=200)

# %%
number = bz.choose_basis(
    "spikes ~ conv(current, raised_cos_log({n}, 200))", data, [3, 5, 8, 12], family="poisson"
)
print(number.round(5).to_string())

# %% [markdown]
# Fifty milliseconds matter, and three bumps predict as well as eight: 740 spikes cannot tell finer
# shapes apart. To *see* a shape one may still prefer eight, with their bands.
#
# ## Spike history
#
# A second term lets the cell's own last 20 ms act on its rate.

# %%
with_history = bz.zoo.poisson_glm(data, history="raised_cos_log(5, 20)")
print(with_history.formula)
fit = with_history.fit("laplace", progress=False)
bz.plot.kernels(fit, truth={"current": truth["kernel"], "spikes": truth["history_kernel"]})

# %% [markdown]
# Strongly negative for a few ms: the cell is refractory. And the filter of the current now is the
# true one, up to its band. At lags of 1 and 2 ms the band is wide, for a
# good reason: two spikes so close hardly ever occur, so the data say "very negative" and cannot say how
# much. The likelihood is lopsided there and Laplace's approximation is not, so its upper end is too
# high; NUTS, with the same call, follows the likelihood.

# %%
table = bz.plot.kernels_data(
    fit, truth={"current": truth["kernel"], "spikes": truth["history_kernel"]}
)
covered = table["truth"].between(table["lower"], table["upper"]).groupby(table["term"]).mean()
print(covered.rename("part of the filter inside 95 % intervals"))
assert covered.filter(like="current").min() > 0.7

# %% [markdown]
# Neighbouring lags share their coefficients, so these are few independent checks and not 220.
#
# ## Does the model explain when the spikes come?
#
# Measured in expected spikes, the intervals between spikes are exponential if the model is right; the
# Kolmogorov-Smirnov test compares them. We test on a second recording of the same cell, because a
# test on the data of the fit flatters, and score the same recording.

# %%
second, _ = bz.datasets.current_injection(seed=3, **cell)
fits = {"present current": now["straight"], "last 200 ms": past, "and history": fit}
tests = {}
for name, one in fits.items():
    tests[name] = test = one.rescaling(second)
    print(
        f"{name:16s} KS {test.statistic:.3f} (band {test.band:.3f}), p = {test.p_value:.2g}; "
        f"McFadden's R2 {one.score('mcfadden'):.3f} here, "
        f"{one.score('mcfadden', data=second):.3f} in the second recording"
    )
assert tests["last 200 ms"].p_value < 0.01 < tests["and history"].p_value

# %% [markdown]
# Without history the model expects spikes that the refractory cell cannot fire, and the test says so.
#
# ## Two practical points
#
# **Units.** Whether the current is stored in pA or in A must not matter. The coefficients change by
# the factor of the unit, 1e12, and the predicted rates do not change.

# %%
predicted = {}
for unit in ("pA", "nA", "A"):
    recording, _ = bz.datasets.current_injection(seed=2, unit=unit, **cell)
    mode = bz.zoo.poisson_glm(recording).fit("map", progress=False)
    predicted[unit] = mode.predict().squeeze(["chain", "draw"])
    peak = mode.kernels()["mean"].max()
    apart = float(abs(predicted[unit] / predicted["pA"] - 1).max())
    print(f"in {unit:2s}: peak of the filter {peak:.3g} per {unit}, rates differ by {apart:.0e}")
    assert apart < 1e-3

# %% [markdown]
# **Calibration of the mean.** With flat priors the mode is the maximum of the likelihood, and an
# intercept with the log link makes the mean of the predicted counts equal to that of the observed
# ones. The default priors pull it off by very little.

# %%
flat = {"Intercept": bz.Flat(), "slopes": bz.Flat()}
likely = bz.zoo.poisson_glm(data, priors=flat).fit("map", progress=False)
observed = data["spikes"][200:].mean()  # the first 200 bins have no whole window
for name, mean in (("flat", likely.predict().mean()), ("default", predicted["pA"].mean())):
    print(f"{name:8s} predicted / observed spikes: {float(mean) / observed:.7f}")
assert abs(float(likely.predict().mean()) / observed - 1) < 1e-5
