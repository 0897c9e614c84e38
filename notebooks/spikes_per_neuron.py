# %% [markdown]
# # Which neuron of which mouse responds?
#
# Thirty neurons of six mice fire at rates from 1 to 20 Hz. In half of the trials a light is on.
# Some neurons are excited, some hardly respond. Which ones, and by how much? The recording is
# simulated, so every answer is held against the truth.

# %%
import altair as alt
import numpy as np
import pandas as pd

import bayeszoo as bz

data, truth = bz.datasets.spikes(
    mice=6, neurons=5, trials=40, effect=0.3, effect_cv=1, rates=(1, 20), alpha=5, seed=2
)
true = np.exp(truth["effects"])  # ratio of rates, light on / off
print(data.head())
bz.plot.data(
    data, x="stim", y="rate", facet="mouse", color="neuron", columns=3, units={"rate": "Hz"}
)

# %% [markdown]
# ## A rate is a count over a duration
#
# Trials last 0.5 to 1.5 s. The count goes on the left of the formula and the duration into an
# offset, `offset(log(duration))`: the model then is about spikes per second, and a long trial
# weighs more than a short one. With a mean for each cell its estimate is all spikes over all
# seconds.

# %%
cells = bz.fit(
    "count ~ 0 + neuron:C(stim) + offset(log(duration))",
    data,
    family="poisson",
    method="glm",
    progress=False,
)
sums = data.groupby(["neuron", "stim"])[["count", "duration"]].sum()
by_hand = (sums["count"] / sums["duration"]).to_numpy()
fitted = cells.means(by=["neuron", "stim"], at={"duration": 1}).sort_values(["neuron", "stim"])
apart = np.abs(fitted["mean"].to_numpy() / by_hand - 1).max()
print(f"largest relative difference from count / duration: {apart:.0e}")
assert apart < 1e-6

# %% [markdown]
# What is *not* a rate is the mean of 1 / interval. Short intervals dominate it, and its expectation
# is infinite: for random spikes at 10 Hz it is far too high, and more data do not help.

# %%
intervals = np.random.default_rng(1).exponential(0.1, size=100_000)
for n in (100, 10_000, 100_000):
    some = intervals[:n]
    print(
        f"{n:7,} intervals: count / duration {n / some.sum():5.1f} Hz, mean of 1 / interval "
        f"{(1 / some).mean():6.1f} Hz"
    )
assert (1 / intervals).mean() > 50

# %% [markdown]
# ## Poisson or negative binomial?
#
# Poisson counts have a variance equal to their mean. Real neurons vary more from trial to trial,
# and the negative binomial has a parameter for that. Each neuron has its own baseline and its own
# effect, both drawn towards those of the population.

# %%
formula = "count ~ stim + (1 | mouse) + (1 + stim | neuron) + offset(log(duration))"
fits = {
    family: bz.fit(formula, data, family=family, method="laplace", seed=1, progress=False)
    for family in ("poisson", "negative_binomial")
}
print(fits["negative_binomial"].model)
for fit in fits.values():
    print(fit.verdict())

# %%
table = bz.compare(fits, progress=False)
print(table[["rank", "elpd_loo", "elpd_diff", "dse"]].round(1).to_string())
assert table.index[0] == "negative_binomial"
assert table["elpd_diff"].iloc[1] > 4 * table["dse"].iloc[1], "by far more than its error"
bz.plot.compare(table)

# %%
checks = {name: fit.checks() for name, fit in fits.items()}
for name, check in checks.items():
    print(f"\n{name}\n{check.round(3).to_string(index=False)}")
spread = {name: check.set_index("statistic").loc["sd"] for name, check in checks.items()}
assert spread["poisson"]["observed"] > spread["poisson"]["upper"], "Poisson counts vary too little"
assert spread["negative_binomial"]["observed"] < spread["negative_binomial"]["upper"]

# %% [markdown]
# Counts that the Poisson model draws vary less than those observed (`sd`, `max`), those of the
# negative binomial do not. This is no matter of taste. With Poisson counts the intervals are too
# narrow, and miss true effects far more often than one time in twenty.

# %%
rows = {}
for name, fit in fits.items():
    found = fit.contrasts("stim", by=["mouse", "neuron"], scale="ratio")
    target = true[found["neuron"]].to_numpy()
    covered = ((found["lower"] <= target) & (target <= found["upper"])).mean()
    rows[name] = {"covered": covered, "width": (found["upper"] / found["lower"]).median()}
coverage = pd.DataFrame(rows).T
print(coverage.round(2).to_string())
assert coverage.loc["negative_binomial", "covered"] >= 0.85
assert coverage.loc["poisson", "covered"] < coverage.loc["negative_binomial", "covered"]

# %% [markdown]
# ## The effect in every neuron
#
# The ratio of rates, light on over light off, with the truth beside it as a diamond. The shaded
# band is the population.

# %%
pooled = fits["negative_binomial"]
answer = pooled.contrasts("stim", by=["mouse", "neuron"], scale="ratio")
answer["truth"] = true[answer["neuron"]].to_numpy()
order = answer.sort_values("mean", ascending=False)["neuron"].tolist()
diamonds = (
    alt.Chart(answer)
    .mark_point(shape="diamond", size=60, filled=True, color="#D55E00")
    .encode(x="truth:Q", y=alt.Y("neuron:N", sort=order), tooltip=["neuron", "truth"])
)
bz.plot.slopes(pooled, "stim", by="neuron", scale="ratio") + diamonds

# %%
shown = ["mouse", "neuron", "mean", "lower", "upper", "p_positive", "truth"]
print(answer[shown].sort_values("mean").round(2).to_string(index=False))
responds = answer[answer["p_direction"] > 0.975]
wrong = (responds["mean"] > 1) != (responds["truth"] > 1)
print(f"{len(responds)} of 30 neurons respond clearly, {wrong.sum()} with the wrong sign")
assert len(responds) >= 5
assert wrong.sum() <= 1

# %% [markdown]
# ## Pooled or each alone?
#
# A neuron alone with 40 trials says little when it fires once a second. The model draws each
# towards the population by as much as its data are weak: the arrows are longest for the slow
# neurons.

# %%
bz.plot.shrinkage(pooled, "neuron", names="stim")

# %%
alone = bz.fit(
    "count ~ 0 + neuron + stim:neuron + offset(log(duration))",
    data,
    family="negative_binomial",
    method="laplace",
    seed=1,
    progress=False,
)
separate = alone.contrasts("stim", by="neuron", scale="ratio").set_index("neuron")
together = answer.set_index("neuron")
errors = pd.DataFrame(
    {
        "alone": np.log(separate["mean"]) - truth["effects"],
        "pooled": np.log(together["mean"]) - truth["effects"],
    }
)
off = np.sqrt((errors**2).mean())
print("root mean square error of the log ratio\n" + off.round(3).to_string())
assert off["pooled"] < off["alone"], "pooling comes closer to the truth"

# %%
points = pd.DataFrame(
    {
        "truth": np.r_[true[separate.index], true[together.index]],
        "estimate": np.r_[separate["mean"], together["mean"]],
        "model": ["alone"] * len(separate) + ["pooled"] * len(together),
        "neuron": np.r_[separate.index, together.index],
    }
)
scale = alt.Scale(type="log", domain=[0.4, 4], nice=False)
line = alt.Chart(pd.DataFrame({"x": [0.4, 4]})).mark_line(color="#8C8C8C", strokeDash=[4, 3])
(
    line.encode(x=alt.X("x:Q", scale=scale), y=alt.Y("x:Q", scale=scale))
    + alt.Chart(points)
    .mark_point(filled=True, size=50, clip=True)
    .encode(
        x=alt.X("truth:Q", title="True ratio of rates", scale=scale),
        y=alt.Y("estimate:Q", title="Estimated ratio", scale=scale),
        color=alt.Color("model:N", title=None).scale(range=["#D55E00", "#0072B2"]),
        tooltip=["neuron", "truth", "estimate"],
    )
).properties(width=300, height=300, title="Estimates against the truth")

# %% [markdown]
# ## A trap: slopes per neuron without baselines per neuron
#
# Three neurons with baselines of 5, 10 and 20 Hz, and no effect at all. `rate ~ stim:neuron` gives
# each a slope but all one intercept. The slopes must then make up for the baselines: the slow
# neuron seems inhibited and the fast one excited, both with certainty.

# %%
null, _ = bz.datasets.spikes(
    mice=2, neurons=3, trials=200, effect=0, rates=(5, 20), mouse_sd=0, seed=3
)
three = null[null["mouse"] == "m01"].reset_index(drop=True)
print(three.groupby(["neuron", "stim"])["rate"].mean().unstack().round(1))
trap = {
    "one intercept": bz.fit("rate ~ stim:neuron", three, method="ols", progress=False),
    "one per neuron": bz.fit("rate ~ neuron + stim:neuron", three, method="ols", progress=False),
}
bz.plot.slopes(trap, "stim", by="neuron", title="Effects in neurons that have none (Hz)")

# %%
slopes = {name: fit.slopes("stim", by="neuron").set_index("neuron") for name, fit in trap.items()}
for name, found in slopes.items():
    print(f"\n{name}\n{found[['mean', 'lower', 'upper']].round(2).to_string()}")
misled, right = slopes.values()
assert misled["upper"].iloc[0] < 0, "seems inhibited"
assert misled["lower"].iloc[2] > 0, "seems excited"
wide = bz.fit("rate ~ neuron + stim:neuron", three, method="ols", progress=False).slopes(
    "stim", by="neuron", prob=0.999
)
assert ((wide["lower"] < 0) & (wide["upper"] > 0)).all(), "intervals cover the true 0"

# %% [markdown]
# Baselines for each neuron, common (`0 + neuron + stim:neuron`) or drawn from a population (`(1 +
# stim | neuron)`), are what keeps effects and baselines apart.
#
# ## Spikes of one trial are not independent
#
# It is tempting to feed every interval between spikes as a row of its own: thousands of rows, tiny
# intervals. But trials differ, in arousal for one, and all intervals of a trial share that. We
# simulate 100 recordings of one neuron with *no* effect of the light, whose rate varies from trial
# to trial.


# %%
def recording(seed):
    """Intervals (s) between 20 spikes in each of 30 trials; the light does nothing."""
    rng = np.random.default_rng(seed)
    trial = np.repeat(np.arange(30), 20)
    rate = 10 * np.exp(0.5 * rng.standard_normal(30))[trial]
    stim = rng.permuted(np.arange(30) % 2)[trial]
    return pd.DataFrame({"isi": rng.exponential(1 / rate), "stim": stim, "trial": trial})


recordings = [recording(seed) for seed in range(100)]
questions = {
    "every interval": ("log(isi) ~ stim", "ols"),
    "with a trial effect": ("log(isi) ~ stim + (1 | trial)", "lme"),
}
false = {}
for name, (text, method) in questions.items():
    many = bz.fit_many(text, recordings, method=method, progress=False)
    tables = [fit.summary().loc["stim"] for fit in many]
    false[name] = {
        "false positives": np.mean([row["p_value"] < 0.05 for row in tables]),
        "mean standard error": np.mean([row["se"] for row in tables]),
    }
false = pd.DataFrame(false).T
print(false.round(3).to_string())
assert false.loc["every interval", "false positives"] > 0.15, "far above 1 in 20"
assert false.loc["with a trial effect", "false positives"] < 0.13, "1 in 20, within its error"

# %% [markdown]
# `(1 | trial)` says that intervals of a trial belong together; one row per trial, with the count
# and the duration as above, says the same and is smaller. With several neurons in several mice the
# term is `(1 | mouse:neuron:trial)`.
#
# **What to conclude.** Model counts, with the duration as offset. Allow more variance than
# Poisson's. Give every neuron a baseline before you give it a slope, and let both be drawn from a
# population. Then read the ratio of each neuron off with its interval, and believe the interval.
