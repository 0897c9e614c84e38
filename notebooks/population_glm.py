# %% [markdown]
# # Who drives whom
#
# Six neurons share a stimulus and excite or inhibit each other. One formula models all of them:
# `spikes` has two dimensions, so every neuron has coefficients of its own, and `conv(spikes, ...)` on
# the response itself means the past spikes of every neuron. The recording is simulated, with known
# connections.

# %%
import numpy as np
import pandas as pd

import bayeszoo as bz

data, truth = bz.datasets.population(neurons=6, bins=10_000, trials=3, seed=1)
neurons = data["neuron"].to_numpy()
print(data)
print("\n", data["spikes"].groupby("trial").sum().to_pandas())

# %% [markdown]
# ## All to all
#
# `by="trial"` keeps every window within its trial. Six sources and five functions of the basis are 30
# coefficients for each neuron.

# %%
options = {"stimulus": "stim", "by": "trial"}
model = bz.zoo.population_glm(data, **options)
print(model)
everyone = model.fit("laplace", seed=1, progress=False)
print("\n" + everyone.verdict())

# %% [markdown]
# The sum of a coupling filter over its window says by how much one spike of the source changes the log
# rate, in all. Rows are sources, columns the neurons they reach; the true connections stand beside.


# %%
def strengths(fit):
    """The sum of each coupling filter, shape (source, neuron)."""
    kernels = fit.kernels().dropna(subset="source")
    return kernels.pivot_table(index="source", columns="neuron", values="mean", aggfunc="sum")


true = pd.DataFrame(truth["coupling_kernel"].sum(axis=1), neurons, neurons)
print("estimated\n", strengths(everyone).round(1), "\n\ntrue\n", true.round(1))

# %% [markdown]
# Which connections are real? A simple rule takes one look at each: does the 95 % interval of its filter
# in the first bin leave out zero? Of connections that do not exist, one in twenty passes on average.

# %%
first = everyone.kernels().dropna(subset="source").query("lag == 1")
clear = first.assign(clear=(first["lower"] > 0) | (first["upper"] < 0))
found = clear.pivot(index="source", columns="neuron", values="clear").to_numpy(dtype=bool)
real = truth["mask"]
print(f"{(found & real).sum()} of {real.sum()} connections found")
print(f"{(found & ~real).sum()} of {(~real).sum()} others taken for connections")

# %% [markdown]
# ## Masks
#
# Where anatomy, or another recording, says which neurons can reach which, a mask (source, neuron)
# sets all other coefficients to exactly 0. Here we take the truth. The identity is the mask of a
# network in which each neuron hears only itself. The last trial is held out.

# %%
train, test = data.isel(time=data["trial"] < 2), data.isel(time=data["trial"] == 2)
scores = {}
for name, more in {
    "no coupling": {"coupling": None},
    "own history": {"mask": np.eye(6)},
    "all to all": {},
    "masked": {"mask": truth["mask"]},
}.items():
    fit = bz.zoo.population_glm(train, **options, **more).fit("map", progress=False)
    scores[name] = fit.score("mcfadden", data=test, per_neuron=True)
print("McFadden's R2 on the held-out trial\n", pd.DataFrame(scores).T.round(4))

# %% [markdown]
# What need not be estimated adds no noise: with the true mask nearly all neurons are predicted better
# than with all connections, by little, since 20,000 bins say enough. A neuron that hears only itself
# has the same score under its true mask and the identity.
#
# ## Pooling over neurons
#
# In ten seconds each neuron says little about its filter, but the filters are alike. With
# `pooled=True` they are drawn from a common distribution, whose spread is estimated too: a group
# effect like any other, over the response's own dimension. Spreads near zero are where a mode
# misleads, so we sample.

# %%
basis = "raised_cos_log(3, 20)"
short, known = bz.datasets.population(
    neurons=6, bins=1_000, coupling=0, stimuli_cv=0.3, basis=3, seed=2
)
shape = {"stimulus": "stim", "basis": basis, "coupling": None}
alone, pooled = (bz.zoo.population_glm(short, **shape, pooled=pool) for pool in (False, True))
print(pooled.spec.schema.formula.text)
sampler = {"chains": 2, "tune": 500, "draws": 500, "target_accept": 0.95, "seed": 1}
fits = {
    "each alone": alone.fit("map", progress=False),
    "pooled": pooled.fit("nuts", progress=False, **sampler),
}
print(fits["pooled"].verdict())

# %%
for name, fit in fits.items():
    kernels = fit.kernels().dropna(subset="neuron")  # a row without a neuron is the common filter
    table = kernels.pivot(index="lag", columns="neuron", values="mean")
    error = np.sqrt(((table.to_numpy() - known["stim_kernel"]) ** 2).mean())
    print(f"{name:10s} root mean square error of the filters {error:.3f}")
print(
    f"root mean square of the true filters      {np.sqrt((known['stim_kernel'] ** 2).mean()):.3f}"
)

# %% [markdown]
# How unlike are the neurons? The standard deviations of the group effects say so, with intervals. The
# true one of the filters' coefficients is the same for all.

# %%
spread = fits["pooled"].summary().filter(like="sd(", axis="index")
print(spread[["mean", "lower", "upper"]].round(3).to_string())
print(f"true spread of each coefficient: {known['stim_sd']:.3f}")
