# %% [markdown]
# # Who drives whom?
#
# Six neurons share a stimulus and excite or inhibit each other. One formula models all of them:
# `spikes` has two dimensions, so every neuron has coefficients of its own, and `conv(spikes, ...)`
# on the response itself means the past spikes of every neuron. The recording is simulated, with
# known connections.

# %%
import altair as alt
import numpy as np
import pandas as pd

import bayeszoo as bz

data, truth = bz.datasets.population(neurons=6, bins=10_000, trials=3, seed=1)
neurons = data["neuron"].to_numpy()
real = truth["mask"]
apart = ~np.eye(6, dtype=bool)  # connections between two neurons
print(data["spikes"].groupby("trial").sum().to_pandas())
print(f"{(real & apart).sum()} of {apart.sum()} possible connections exist")
bz.plot.raster(data.isel(time=data["trial"] == 0), stimulus="stim", window=(0, 5))

# %% [markdown]
# ## All to all
#
# `by=trial` keeps every window within its trial. Six sources and five functions of the basis are 30
# coefficients for each neuron; the windows hold strictly past spikes.

# %%
options = {"stimulus": "stim", "by": "trial"}
model = bz.zoo.population_glm(data, **options)
print(model)
everyone = model.fit("laplace", seed=1, progress=False)
print("\n" + everyone.verdict())

# %% [markdown]
# What the stimulus does to each neuron, with bands of the posterior; dashed is the truth.

# %%
kernels = {"stim": truth["stim_kernel"], "spikes": truth["coupling_kernel"]}
bz.plot.kernels(everyone, term="stim", truth=kernels)

# %% [markdown]
# And what one spike of a source (rows) does to the rate of each neuron (columns), for three of
# them. The diagonal is each neuron's own history.

# %%
bz.plot.kernels(everyone, term="spikes", truth=kernels, panels=3)

# %%
table = bz.plot.kernels_data(everyone, truth=kernels)
covered = ((table["lower"] <= table["truth"]) & (table["truth"] <= table["upper"])).mean()
print(f"part of all kernels inside their 95 % bands: {covered:.3f}")
assert covered > 0.88, "95 % bands hold about 95 % of the truth"

# %% [markdown]
# ## The network
#
# The sum of a filter over its window says by how much one spike changes the log rate, in all.
# Estimated, then true:


# %%
def strengths(fit):
    """The sum of each coupling filter, shape (source, neuron)."""
    found = fit.kernels().dropna(subset="source")
    summed = found.pivot_table(index="source", columns="neuron", values="mean", aggfunc="sum")
    return summed.fillna(0).to_numpy()  # kernels() has no rows for masked filters


def network(strength, title):
    """Draws the connections between neurons; a neuron's own history is left out."""
    long = pd.DataFrame(np.where(apart, strength, np.nan), neurons, neurons)
    long = long.rename_axis("source").reset_index().melt("source", var_name="neuron")
    return (
        alt.Chart(long.dropna(), title=title)
        .mark_rect()
        .encode(
            x=alt.X("neuron:N", title="Neuron", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("source:N", title="Source"),
            color=alt.Color("value:Q", title="Summed effect").scale(
                scheme="blueorange", reverse=True, domain=[-1.5, 1.5], clamp=True
            ),
            tooltip=["source", "neuron", alt.Tooltip("value:Q", format=".2f")],
        )
        .properties(width=220, height=220)
    )


true = truth["coupling_kernel"].sum(axis=1)
network(strengths(everyone), "Estimated") | network(true, "True")

# %%
likeness = np.corrcoef(strengths(everyone)[apart], true[apart])[0, 1]
print(f"correlation of estimated with true strengths between neurons: {likeness:.2f}")
assert likeness > 0.7, "the network is recovered"

# %% [markdown]
# Which connections are real? A simple rule takes one look at each: does the 95 % interval of its
# filter in the first bin leave out zero? Of connections that do not exist, one in twenty passes on
# average.


# %%
def clear(fit):
    """Whether the interval of the first bin leaves out zero, shape (source, neuron)."""
    first = fit.kernels().dropna(subset="source").query("lag == 1")
    first = first.assign(clear=(first["lower"] > 0) | (first["upper"] < 0))
    return first.pivot(index="source", columns="neuron", values="clear").to_numpy(dtype=bool)


found = clear(everyone)
print(f"{(found & real & apart).sum()} of {(real & apart).sum()} connections found")
print(f"{(found & ~real).sum()} of {(~real).sum()} others taken for connections")
assert (found & real & apart).sum() >= 7, "most connections are found"
assert (found & ~real).sum() <= 5, "few others are"

# %% [markdown]
# ## Masks
#
# Where anatomy, or another recording, says which neurons can reach which, a mask (source, neuron)
# sets all other coefficients to exactly 0. Here we take the truth.

# %%
masked = bz.zoo.population_glm(data, **options, mask=real).fit("laplace", seed=1, progress=False)
bz.plot.masks(masked)

# %%
coupling = "conv(spikes, raised_cos_log(5, 20), by=trial)"
weights = (
    masked.idata.posterior[coupling].to_numpy().reshape(-1, 6, 5, 6)
)  # draw, source, basis, neuron
zero = (weights == 0).all(axis=(0, 2))
assert np.array_equal(zero, ~real), (
    "masked coefficients are exactly 0, in every draw, and no others"
)

# %% [markdown]
# Does a mask predict better? Four networks are fitted to two trials and scored on the third, neuron
# by neuron. The identity is the mask of a network in which each neuron hears only itself.

# %%
train, test = data.isel(time=data["trial"] < 2), data.isel(time=data["trial"] == 2)
networks = {
    "no coupling": {"coupling": None},
    "own history": {"mask": np.eye(6)},
    "all to all": {},
    "true mask": {"mask": real},
}
scores = pd.DataFrame(
    {
        name: bz.zoo.population_glm(train, **options, **more)
        .fit("map", progress=False)
        .score("mcfadden", data=test, per_neuron=True)
        for name, more in networks.items()
    }
)
print(scores.T.round(4).to_string())
(
    alt.Chart(scores.reset_index().melt("neuron", var_name="network", value_name="score"))
    .mark_line(point=True)
    .encode(
        x=alt.X("network:N", sort=list(networks), title=None, axis=alt.Axis(labelAngle=0)),
        y=alt.Y("score:Q", title="McFadden's R² on the held-out trial"),
        color=alt.Color("neuron:N", title="Neuron"),
    )
    .properties(width=380, height=240, title="What coupling adds to the prediction of each neuron")
)

# %%
mean = scores.mean()
assert mean["no coupling"] < mean["own history"] < mean["all to all"], "coupling predicts"
assert mean["true mask"] > mean["all to all"], "what need not be estimated adds no noise"

# %% [markdown]
# With 200 s of data the mask gains little over all connections. With less it gains more.
#
# ## Ridge and group lasso: when no mask is known
#
# Now we have only 20 s. With the default priors, which hardly pull at all, the estimated filters
# are mostly noise. `bz.Ridge(strength)` pulls all of them towards zero; `bz.GroupLasso(strength)`
# can switch a whole connection off, so it finds a mask. Five blocks of the 20 s choose the
# strengths.

# %%
short = data.isel(time=np.flatnonzero(data["trial"].to_numpy() == 0)[:2000])
formula = model.spec.schema.formula.text
strength = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2]
curve = pd.DataFrame(
    [
        {
            "penalty": penalty.__name__,
            "strength": size,
            "score": bz.cross_validate(
                formula, short, family="poisson", priors={coupling: penalty(size)}
            ).loc["mean", "score"],
        }
        for penalty in (bz.Ridge, bz.GroupLasso)
        for size in strength
    ]
)
best = curve.loc[curve.groupby("penalty")["score"].idxmax()].set_index("penalty")
print(best)
(
    alt.Chart(curve, title="How strong a penalty? Held-out blocks of the 20 s decide")
    .mark_line(point=True)
    .encode(
        x=alt.X("strength:Q", title="Strength").scale(type="log"),
        y=alt.Y("score:Q", title="Log-likelihood per bin").scale(zero=False),
        color=alt.Color("penalty:N", title="Penalty"),
    )
    .properties(width=380, height=220)
)

# %%
chosen = {
    "default": None,
    "ridge": {coupling: bz.Ridge(best.loc["Ridge", "strength"])},
    "group lasso": {coupling: bz.GroupLasso(best.loc["GroupLasso", "strength"])},
}
fits = {
    name: bz.zoo.population_glm(short, **options, priors=priors).fit("map", progress=False)
    for name, priors in chosen.items()
}
rows = {}
for name, fit in fits.items():
    part = bz.plot.kernels_data(fit, truth=kernels).dropna(subset="source")
    miss = part["mean"] - part["truth"]
    off = part.groupby(["source", "neuron"])["mean"].agg(lambda kernel: (kernel == 0).all())
    rows[name] = {
        "error of filters": np.sqrt((miss**2).mean()),
        "log-likelihood, unseen trial": fit.score(data=test),
        "connections switched off": int(off.sum()),
    }
summary = pd.DataFrame(rows).T
print(summary.round(4).to_string())
assert summary["error of filters"].idxmax() == "default", "penalties help where data are few"
assert summary["log-likelihood, unseen trial"].idxmin() == "default"
assert summary.loc["group lasso", "connections switched off"] > 0, "the group lasso finds zeros"

# %%
panels = [network(strengths(fit), name) for name, fit in fits.items()]
alt.hconcat(*panels, network(true, "true"))

# %% [markdown]
# ## Pooling over neurons
#
# In ten seconds each neuron says little about its stimulus filter, but the filters are alike. With
# `pooled=True` they are drawn from a common distribution, whose spread is estimated too: a group
# effect like any other, over the response's own dimension. Spreads near zero are where a mode
# misleads, so we sample.

# %%
basis = "raised_cos_log(3, 20)"
brief, known = bz.datasets.population(
    neurons=6, bins=1_000, coupling=0, stimuli_cv=0.3, basis=3, seed=2
)
shape = {"stimulus": "stim", "basis": basis, "coupling": None}
alone, pooled = (bz.zoo.population_glm(brief, **shape, pooled=pool) for pool in (False, True))
print(pooled.spec.schema.formula.text)
sampler = {"chains": 2, "tune": 500, "draws": 500, "target_accept": 0.95, "seed": 1}
pair = {
    "each alone": alone.fit("laplace", seed=1, progress=False),
    "pooled": pooled.fit("nuts", progress=False, **sampler),
}
print(pair["pooled"].verdict())

# %%
parts = []
for name, fit in pair.items():
    part = fit.kernels().dropna(subset="neuron")  # a row without a neuron is the common filter
    order = part.sort_values(["neuron", "lag"])
    parts.append(order.assign(fit=name, truth=known["stim_kernel"].T.ravel()))
both = pd.concat(parts)
line = alt.Chart(both).encode(x=alt.X("seconds:Q", title="Lag (s)"))
colour = alt.Color("fit:N", title=None, sort=list(pair))
(
    line.mark_area(opacity=0.25).encode(
        y=alt.Y("lower:Q", title="Effect on the log rate"), y2="upper:Q", color=colour
    )
    + line.mark_line().encode(y="mean:Q", color=colour)
    + line.mark_line(color="#222222", strokeDash=[5, 3]).encode(y="truth:Q")
).properties(width=180, height=130).facet(
    facet=alt.Facet("neuron:N", title="Neuron"),
    columns=3,
    title="Filters from ten seconds, alone and pooled, 95 % bands; dashed: truth",
)

# %%
both["error"] = (both["mean"] - both["truth"]) ** 2
both["width"] = both["upper"] - both["lower"]
both["covered"] = (both["lower"] <= both["truth"]) & (both["truth"] <= both["upper"])
report = both.groupby("fit")[["error", "width", "covered"]].mean()
report["error"] **= 0.5
print(report.round(3).to_string())
assert report.loc["pooled", "error"] < report.loc["each alone", "error"], "pooling helps"
assert report.loc["pooled", "width"] < report.loc["each alone", "width"], "bands are narrower"
assert report["covered"].min() > 0.75, "and still cover"

# %% [markdown]
# How unlike are the neurons? The standard deviations of the group effects say so, with intervals.
# The true one of the filters' coefficients is the same for all.

# %%
spread = pair["pooled"].summary().filter(like="sd(conv", axis="index")
print(spread[["mean", "lower", "upper"]].round(3).to_string())
print(f"true spread of each coefficient: {known['stim_sd']:.3f}")
inside = (spread["lower"] <= known["stim_sd"]) & (known["stim_sd"] <= spread["upper"])
assert inside.sum() >= 2, "the spread of the filters is recovered"

# %% [markdown]
# **What to conclude.** With minutes of data all connections can be estimated at once, and the clear
# ones are real. With seconds, use what you know: a mask if anatomy gives one, a group lasso if the
# network is sparse, pooling if neurons are alike. Held-out trials say which of these helped.
