# %% [markdown]
# # From current to spikes
#
# An electrode injects three noisy pulses of current into a cell, and we count its spikes in bins of
# 1 ms. How does the current of the last 200 ms set the rate, and does a spike change what follows?
# The cell is simulated, so that every answer can be held against the truth.

# %%
import numpy as np

import bayeszoo as bz

cell = {"refractory": True, "gain": 1.3}
data, truth = bz.datasets.current_injection(seed=2, **cell)
print(data.assign(pulse=data["current"] > 0).groupby("pulse")["spikes"].agg(["size", "sum"]))

# %% [markdown]
# The zoo writes the formula. The current enters through eight bumps, narrow near the present and wide
# in the far past; the default priors are printed, and they scale with the data.

# %%
model = bz.zoo.poisson_glm(data)
print(model)

# %% [markdown]
# ## Units
#
# Whether the current is stored in pA or in A must not matter. The coefficients change by the factor of
# the unit, 1e12, and the predicted rates do not change.

# %%
predicted = {}
for unit in ("pA", "nA", "A"):
    recording, _ = bz.datasets.current_injection(seed=2, unit=unit, **cell)
    fit = bz.zoo.poisson_glm(recording).fit("map", progress=False)
    predicted[unit] = fit.predict().squeeze(["chain", "draw"])
    peak = fit.kernels()["mean"].max()
    apart = float(abs(predicted[unit] / predicted["pA"] - 1).max())
    print(f"in {unit:2s}: peak of the kernel {peak:.3g} per {unit}, rates differ by {apart:.0e}")

# %% [markdown]
# With flat priors the mode is the maximum of the likelihood. An intercept and the log link then make
# the mean of the predicted counts equal to the mean of the observed ones. The default priors pull it
# off by very little.

# %%
flat = {"Intercept": bz.Flat(), "slopes": bz.Flat()}
likely = bz.zoo.poisson_glm(data, priors=flat).fit("map", progress=False)
observed = data["spikes"][200:].mean()  # the first 200 bins have no whole window
for name, mean in (("flat", likely.predict().mean()), ("default", predicted["pA"].mean())):
    print(f"{name:8s} predicted / observed spikes: {float(mean) / observed:.7f}")

# %% [markdown]
# ## Spike history, and the kernels with intervals
#
# A second term lets the cell's own last 20 ms act on its rate. The Laplace approximation gives
# intervals: the curvature at the mode, and draws from the normal distribution that it implies.

# %%
with_history = bz.zoo.poisson_glm(data, history="raised_cos_log(5, 20)")
fit = with_history.fit("laplace", progress=False)
kernels = fit.kernels()
print(fit.model.spec.schema.formula.text)
kernels["truth"] = np.concatenate([truth["kernel"], truth["history_kernel"]])
kernels["covered"] = kernels["truth"].between(kernels["lower"], kernels["upper"])
shown = kernels[kernels["lag"].isin([1, 2, 5, 10, 20, 50, 100])].drop(columns=["seconds"])
for term, rows in shown.groupby("term"):
    print(f"\n{term}\n{rows.drop(columns='term').round(4).to_string(index=False)}")

# %% [markdown]
# The kernel of the current is largest 5 to 10 ms after it and has faded by 50 ms; that of the history
# is strongly negative for a few ms. At lags of 1 and 2 ms its interval is wide, for a good reason: two
# spikes so close hardly ever occur, so the data say "very negative" and cannot say how much. The
# likelihood is lopsided there and the approximation is not, so its upper end is too high.

# %%
print(kernels.groupby("term")["covered"].mean().rename("part of the kernel inside 95 % intervals"))

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
fits = {"current": bz.zoo.poisson_glm(data).fit("map", progress=False), "and history": fit}
for name, one in fits.items():
    test = one.rescaling(second)
    print(
        f"{name:12s} KS {test.statistic:.3f} (band {test.band:.3f}), p = {test.p_value:.2g}; "
        f"McFadden's R2 {one.score('mcfadden'):.3f} here, "
        f"{one.score('mcfadden', data=second):.3f} in the second recording"
    )

# %% [markdown]
# Without history the model expects spikes that the refractory cell cannot fire, and the test says so.
# Such an R2 looks small and is not: single spikes in bins of 1 ms are mostly chance, and even the true
# rate would not come near 1.

# %%
_, true = bz.datasets.current_injection(seed=3, **cell)
spikes, mean = second["spikes"].to_numpy()[200:], true["rate"][200:] * true["bin_width"]
log_likelihood = spikes @ np.log(mean) - mean.sum()
null = spikes.sum() * (np.log(spikes.mean()) - 1)
print(f"McFadden's R2 of the true rate: {1 - log_likelihood / null:.3f}")
