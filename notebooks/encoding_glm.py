# %% [markdown]
# # What in the stimulus makes this cell fire?
#
# A visual cell watches a flickering screen, one brightness every 1/120 s, and we count its spikes.
# Which frames of the last 0.2 s drive it? The spike-triggered average, least squares and a Poisson
# model answer alike, and differ where it matters: in what they predict. The cell is simulated, so
# the true filter is known.

# %%
import itertools

import altair as alt
import numpy as np
import pandas as pd

import bayeszoo as bz

data, truth = bz.datasets.lnp_cell(bins=20_000, lags=25, seed=1, gain=1)
stim, spikes = data["stim"].to_numpy(), data["spikes"].to_numpy()
print(f"{spikes.sum():,} spikes in {len(spikes):,} frames, at most {spikes.max()} in one")
bz.plot.raster(data, stimulus="stim", window=(0, 4), title="The first four seconds")

# %% [markdown]
# ## The design matrix
#
# A model of the past needs the past in every row. `lags(stim, 25)` puts it there: column j is the
# stimulus j frames earlier, so each brightness moves down its diagonal. Frames before the first are
# 0.

# %%
model = bz.zoo.lnp(data)
print(model)

# %%
rows = 60
past = model.design.predictors["mu"].matrix[:, :25]
frames, lags = np.indices((rows, 25))
cells = {"frame": frames.ravel(), "lag": lags.ravel(), "stim": past[:rows].ravel()}
picture = (
    alt.Chart(pd.DataFrame(cells), title=f"{model.spec.schema.formula.text}: the first {rows} rows")
    .mark_rect()
    .encode(
        x=alt.X("lag:O", title="Frames before the present", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("frame:O", title="Frame", axis=alt.Axis(values=list(range(0, rows, 10)))),
        color=alt.Color("stim:Q", title="Brightness").scale(scheme="blueorange", domainMid=0),
        tooltip=["frame", "lag", alt.Tooltip("stim:Q", format=".2f")],
    )
    .properties(width=340, height=360)
)
response = (
    alt.Chart(pd.DataFrame({"frame": range(rows), "spikes": spikes[:rows]}), title="spikes")
    .mark_bar(color="#222222")
    .encode(
        x=alt.X("spikes:Q", title="Count", axis=alt.Axis(tickMinStep=1)),
        y=alt.Y("frame:O", title=None, axis=None),
    )
    .properties(width=60, height=360)
)
picture | response

# %%
shifted = [np.r_[np.zeros(j), stim[: len(stim) - j]] for j in range(25)]
assert np.array_equal(past, np.column_stack(shifted)), "column j is the stimulus j frames earlier"

# %% [markdown]
# ## Three filters
#
# The spike-triggered average is the mean stimulus before a spike. Least squares takes the count as
# a weighted sum of the past, plus noise:
#
#     spikes[t] = a + sum_j f[j] stim[t - j] + normal noise
#
# The Poisson model takes the *log* of the expected count to be that sum, and the count to be
# Poisson:
#
#     log mean[t] = a + sum_j f[j] stim[t - j],   spikes[t] ~ Poisson(mean[t])

# %%
average = spikes @ past / spikes.sum()
linear = bz.zoo.linear_gaussian(data).fit("ols", progress=False)
poisson = model.fit("laplace", seed=1, progress=False)
print(linear.verdict(), poisson.verdict(), sep="\n")

design = np.column_stack([np.ones(len(stim)), past])
by_hand = np.linalg.solve(design.T @ design, design.T @ spikes)
apart = np.abs(linear.summary()["mean"].to_numpy()[:26] - by_hand).max()
assert apart < 1e-10, "least squares is (X'X)^-1 X'y"

# %% [markdown]
# The intervals of the Poisson filter come from the curvature at the mode; the dashed line is the
# filter that made the spikes.

# %%
bz.plot.kernels(poisson, truth=truth["filter"], title="Poisson filter")

# %%
kernels = poisson.kernels()
true = truth["filter"]
inside = int(((kernels["lower"] <= true) & (true <= kernels["upper"])).sum())
print(f"true weights inside their 95 % intervals: {inside} of 25")
assert inside >= 20, "intervals that cover 95 % miss more than 5 of 25 once in 5,000 times"

# %% [markdown]
# All three have one shape. Drawn at unit length they lie on each other:

# %%
filters = pd.DataFrame(
    {
        "spike-triggered average": average,
        "least squares": linear.kernels()["mean"].to_numpy(),
        "Poisson": kernels["mean"].to_numpy(),
        "truth": true,
    },
    index=pd.Index(kernels["seconds"].to_numpy() * 1000, name="lag"),
)
unit = (filters / np.sqrt((filters**2).sum())).reset_index()
(
    alt.Chart(
        unit.melt("lag", var_name="filter", value_name="weight"), title="Filters at unit length"
    )
    .mark_line(strokeWidth=2)
    .encode(
        x=alt.X("lag:Q", title="Lag (ms)"),
        y=alt.Y("weight:Q", title="Weight (unit length)"),
        color=alt.Color("filter:N", sort=list(filters), title=None).scale(
            range=["#E69F00", "#009E73", "#0072B2", "#222222"]
        ),
        strokeDash=alt.condition("datum.filter == 'truth'", alt.value([5, 3]), alt.value([1, 0])),
    )
    .properties(width=440, height=260)
)

# %%
alike = filters.corr()["truth"].drop("truth")
sizes = np.sqrt((filters**2).sum())
print(alike.round(3).to_string(), "\n")
print(sizes.round(3).to_string())
assert alike.min() > 0.95, "all three have the shape of the true filter"
assert filters.corr().loc["spike-triggered average", "least squares"] > 0.99
assert sizes["least squares"] < sizes["Poisson"], "spikes per frame against log of them"

# %% [markdown]
# White noise makes X'X nearly a multiple of the identity, so the average needs no inversion. The
# scales differ since the units do: spikes per frame for least squares, their *logarithm* for the
# Poisson model. For normal white noise theory says that the first is the second times the mean
# count.

# %%
ratio = sizes["least squares"] / sizes["Poisson"]
print(f"least squares / Poisson {ratio:.3f}, mean count {spikes.mean():.3f}")
assert abs(ratio / spikes.mean() - 1) < 0.15, "the filters' ratio is the mean count"

# %% [markdown]
# Natural stimuli are not white. We average the same noise over nine frames and let the same cell
# fire. The stimulus's own correlations now blur the average. A regression with 25 free weights
# undoes the blur and amplifies the noise instead; a prior that asks neighbours to be alike has
# neither fault.

# %%
blurred = np.convolve(stim, np.ones(9) / 3, "full")[: len(stim)]
drive = np.convolve(blurred, true, "full")[: len(stim)]
rate = np.exp(drive / drive.std() + truth["Intercept"])
natural = data.assign(stim=blurred, spikes=np.random.default_rng(1).poisson(rate))
free = bz.zoo.lnp(natural).fit("map", progress=False)
smooth = bz.zoo.lnp(natural, priors={"lags(stim, 25)": bz.Smooth(0.05)}).fit(
    "laplace", progress=False
)

columns = bz.zoo.lnp(natural).design.predictors["mu"].matrix[:, :25]
likeness = pd.Series(
    {
        "spike-triggered average": np.corrcoef(natural["spikes"] @ columns, true)[0, 1],
        "Poisson, free weights": np.corrcoef(free.kernels()["mean"], true)[0, 1],
        "Poisson, smooth prior": np.corrcoef(smooth.kernels()["mean"], true)[0, 1],
    }
)
print("correlation with the true filter\n" + likeness.round(3).to_string())
others = likeness.drop("Poisson, smooth prior")
assert likeness["Poisson, smooth prior"] > others.max() + 0.02, "the smooth prior does best"

# %%
factor = 1 / drive.std()
bz.plot.kernels(
    {"free weights": free, "smooth prior": smooth},
    truth=factor * true,
    title="Filters from a stimulus that is not white",
)

# %% [markdown]
# ## Predictions
#
# Trained on the first four fifths, asked about the last. Both models follow the cell, but the
# straight line falls below zero, where no spike count can be, and misses the peaks.

# %%
cut = 16_000
train, test = data.iloc[:cut], data.iloc[cut:]
fits = {
    "linear-Gaussian": bz.zoo.linear_gaussian(train).fit("map", progress=False),
    "Poisson": bz.zoo.lnp(train).fit("map", progress=False),
}
predicted = pd.DataFrame(
    {name: fit.predict(test).squeeze(["chain", "draw"]).to_numpy() for name, fit in fits.items()}
).assign(time=test["time"].to_numpy(), spikes=test["spikes"].to_numpy())
negative = (predicted[list(fits)] < 0).mean()
print("predicted counts below zero\n" + negative.map("{:.1%}".format).to_string())
assert negative["linear-Gaussian"] > 0.02, "the linear model predicts negative counts"
assert negative["Poisson"] == 0, "the Poisson model cannot"

# %%
shown = predicted[predicted["time"].between(140, 142)]
lines = shown.melt("time", list(fits), "model", "count")
time = alt.X("time:Q", title="Time (s)", scale=alt.Scale(zero=False, nice=False))
zero = alt.Chart(pd.DataFrame({"count": [0]})).mark_rule(color="#8C8C8C").encode(y="count:Q")
bars = (
    alt.Chart(shown[shown["spikes"] > 0])
    .mark_tick(color="#8C8C8C", thickness=3, orient="horizontal", width=4)
    .encode(x=time, y="spikes:Q", tooltip=["time", "spikes"])
)
curves = (
    alt.Chart(lines)
    .mark_line()
    .encode(
        x=time,
        y=alt.Y("count:Q", title="Spikes per frame"),
        color=alt.Color("model:N", title=None).scale(
            domain=list(fits), range=["#D55E00", "#0072B2"]
        ),
    )
)
(zero + bars + curves).properties(
    width=640, height=240, title="Held-out frames: predicted and observed (grey) counts"
)

# %% [markdown]
# ## How much better?
#
# A score on one held-out block is one number; on eight blocks it has an error. A density and a
# probability have no common likelihood, so the two models are compared by the part of the variance
# of unseen counts that they explain, block by block, each time trained on the other blocks.


# %%
def explained(entry, recording, blocks=8):
    """Part of the variance of each held-out block that the mean of the others' fit explains."""
    edges = np.linspace(0, len(recording), blocks + 1).astype(int)
    out = []
    for start, stop in itertools.pairwise(edges):
        # Rows that are left out lose their counts, not their stimulus: it is the past of others.
        seen = recording["spikes"].astype(float).mask(recording.index.isin(range(start, stop)))
        fit = entry(recording.assign(spikes=seen)).fit("map", progress=False)
        mean = fit.predict(recording.iloc[max(0, start - 24) : stop]).squeeze(["chain", "draw"])
        count = recording["spikes"].to_numpy()[start:stop]
        missed = ((count - mean.to_numpy()[-len(count) :]) ** 2).mean()
        out.append(1 - missed / count.var())
    return np.array(out)


entries = {"linear-Gaussian": bz.zoo.linear_gaussian, "Poisson": bz.zoo.lnp}
r2 = pd.DataFrame({name: explained(entry, data) for name, entry in entries.items()})
gain = r2["Poisson"] - r2["linear-Gaussian"]
error = gain.std(ddof=1) / np.sqrt(len(gain))
print(r2.mean().round(3).to_string())
print(f"Poisson - linear: {gain.mean():.3f}, standard error {error:.3f}")
assert gain.mean() > 2 * error, "the Poisson model predicts unseen counts better"

# %% [markdown]
# How far back does the cell look, and in how much detail? These are all models of the same counts,
# so their probabilities compare: `elpd` is the log probability of held-out blocks. The present
# frame alone explains little. Eight bumps say nearly the same as 25 free weights with a third of
# the numbers.

# %%
formulas = {
    "this frame": "spikes ~ stim",
    "25 free weights": "spikes ~ lags(stim, 25)",
    "8 bumps": "spikes ~ conv(stim, raised_cos_log(8, 25), lag=0, pad='zero')",
}
rivals = {
    name: bz.fit(formula, data, family="poisson", method="laplace", seed=1, progress=False)
    for name, formula in formulas.items()
}
table = bz.compare(rivals, by="kfold", folds=8, progress=False)
print(table[["rank", "elpd_kfold", "elpd_diff", "dse"]].round(1).to_string())
assert table.index[-1] == "this frame"
assert table.loc["this frame", "elpd_diff"] > 5 * table.loc["this frame", "dse"], "the past matters"
assert table.loc["8 bumps", "elpd_diff"] < 30, "eight bumps lose little"
bz.plot.compare(table)

# %% [markdown]
# On the scales that papers report, over the same blocks:

# %%
for kind in ("mcfadden", "cohen"):
    scores = bz.cross_validate(
        formulas["25 free weights"], data, family="poisson", folds=8, kind=kind
    )
    print(f"{kind:9s} R2 of held-out blocks {scores.loc['mean', 'score']:.3f}")
    assert scores.loc["mean", "score"] > 0.1

# %% [markdown]
# **What to conclude.** For the shape of a filter under white noise any of the three will do. For a
# stimulus with correlations take a regression, with a prior or few bumps. For predicted counts, and
# for their uncertainty, take the Poisson model: it cannot go below zero, it follows the peaks, and
# here the gain on unseen blocks is several times its own error.
