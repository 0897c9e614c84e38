# %% [markdown]
# # Three filters of one cell
#
# A visual cell is shown white noise, one frame every 1/120 s, and we count its spikes. Which frames of
# the last 0.2 s drive it? The spike-triggered average, least squares and a Poisson model answer
# alike, and differ where it matters. The cell is simulated, so that the true filter is known.

# %%
import numpy as np
import pandas as pd

import bayeszoo as bz

data, truth = bz.datasets.lnp_cell(bins=20_000, lags=25, seed=1)
stim, spikes = data["stim"].to_numpy(), data["spikes"].to_numpy()
print(f"{spikes.sum():,} spikes in {len(spikes):,} frames, at most {spikes.max()} in one")

# %% [markdown]
# ## The spike-triggered average
#
# The mean stimulus before a spike, frame by frame, with zeros before the first frame.

# %%
past = np.column_stack([np.r_[np.zeros(j), stim[: len(stim) - j]] for j in range(25)])
average = spikes @ past / spikes.sum()

# %% [markdown]
# ## Linear-Gaussian
#
# Least squares, with a closed form that we check: (X'X)^-1 X'y with an intercept.

# %%
linear_model = bz.zoo.linear_gaussian(data)
print(linear_model)
linear = linear_model.fit("ols", progress=False)

design = np.column_stack([np.ones(len(stim)), past])
closed = np.linalg.solve(design.T @ design, design.T @ spikes)
apart = np.abs(linear.summary()["mean"].to_numpy()[:26] - closed).max()
print(f"\nlargest difference from the closed form: {apart:.0e}")

# %% [markdown]
# ## Linear-nonlinear-Poisson
#
# The same columns drive the log of the expected count, and the counts are Poisson. Spikes per frame are
# now positive by construction.

# %%
lnp = bz.zoo.lnp(data).fit("laplace", progress=False)
print(lnp.verdict())

# %% [markdown]
# ## Side by side

# %%
filters = pd.DataFrame(
    {
        "average": average,
        "linear": linear.kernels()["mean"].to_numpy(),
        "poisson": lnp.kernels()["mean"].to_numpy(),
        "lower": lnp.kernels()["lower"].to_numpy(),
        "upper": lnp.kernels()["upper"].to_numpy(),
        "truth": truth["filter"],
    },
    index=lnp.kernels()["lag"],
)
print(filters.iloc[:12].round(3))
print("\ncorrelations\n", filters[["average", "linear", "poisson", "truth"]].corr().round(3))

# %% [markdown]
# All have one shape. White noise makes X'X nearly a multiple of the identity, which is why the
# average needs no inversion; a correlated stimulus would blur it, and the two regressions would not
# mind. The scales differ since the units do: the linear filter is in spikes per frame, the Poisson one
# in the log of that. For normal white noise the former is the latter times the mean count.

# %%
sizes = filters[["linear", "poisson", "truth"]].apply(np.linalg.norm)
print(sizes.round(3).to_string())
print(f"linear / mean count: {sizes['linear'] / spikes.mean():.3f}")
inside = filters["truth"].between(filters["lower"], filters["upper"]).sum()
print(f"true weights inside the 95 % intervals of the Poisson model: {inside} of 25")

# %% [markdown]
# The linear model predicts negative counts; the Poisson one cannot. The score is that of frames
# which the models have not seen.

# %%
half = len(data) // 2
first, second = data.iloc[:half], data.iloc[half:]
entries = {"linear-Gaussian": bz.zoo.linear_gaussian, "LNP": bz.zoo.lnp}
for name, entry in entries.items():
    fit = entry(first).fit("map", progress=False)
    mean = fit.predict(second).squeeze(["chain", "draw"]).to_numpy()
    seen = second["spikes"].to_numpy()
    print(
        f"{name:16s} {(mean < 0).mean():6.1%} of predicted counts are negative, "
        f"correlation with the spikes {np.corrcoef(mean, seen)[0, 1]:.3f}, "
        f"log-likelihood per frame {fit.score(data=second):.3f}"
    )

# %% [markdown]
# The log-likelihoods are those of a density and of a probability, so they do not compare; the
# correlations do. The gain of the Poisson model is modest here because this cell's rate is mild; it
# grows with the spread of the log rate.

# %%
steep, _ = bz.datasets.lnp_cell(bins=20_000, seed=1, gain=1.2)
first, second = steep.iloc[:half], steep.iloc[half:]
for name, entry in entries.items():
    mean = entry(first).fit("map", progress=False).predict(second).squeeze(["chain", "draw"])
    found = np.corrcoef(mean.to_numpy(), second["spikes"])[0, 1]
    print(f"gain 1.2, {name:16s} correlation with the spikes {found:.3f}")
