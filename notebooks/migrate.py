# %% [markdown]
# # Coming from another tool
#
# What you wrote in bayes-window, NeMoS, bambi or lme4, and what to write here. And, since old results
# will be compared with new ones: where the numbers should differ, shown with simulated truth. (Versions
# meant: bayes-window 0.1, NeMoS 0.2.9, bambi 0.17.2, lme4 1.1.)

# %%
import numpy as np
import pandas as pd
from scipy import stats

import bayeszoo as bz

# %% [markdown]
# ## The calls side by side
#
# | bayes-window | here |
# | --- | --- |
# | `y="Power", treatment="stim", group="mouse"` | `"Power ~ stim + (1 \| mouse)"` |
# | the same with `add_group_slope=True` | `"Power ~ stim + (1 + stim \| mouse)"` |
# | `condition="neuron"` (a slope per neuron, as meant) | `"isi ~ 0 + neuron + stim:neuron + (1 \| mouse)"` |
# | the same, with neurons that inform each other | `"isi ~ stim + (1 + stim \| mouse/neuron)"` |
# | `Conditions` | `"y ~ 1 + (1 \| stim:cond) + (1 \| mouse)"`, then `fit.means`, `fit.contrasts` |
# | all samples, `detail="trial"` | `... + (1 \| mouse:neuron:trial)` |
# | `dist_y="gamma"`, `"student"` | `family="gamma"`, `family="student"` |
# | `LMERegression` | `method="lme"` |
# | `window.plot(...)`, `.facet(...)` | `bz.plot.data(...)`, `bz.plot.means(fit, ...)`, `bz.plot.slopes(fit, ...)` |
#
# | NeMoS | here |
# | --- | --- |
# | `RaisedCosineLogConv(8, window_size=200)` | `conv(current, raised_cos_log(8, 200))` |
# | `BSplineEval(8)` | `tuning(x, bspline(8))` |
# | `GLM(observation_model="Poisson").fit(X, y)` | `bz.fit("spikes ~ conv(current, raised_cos_log(8, 200))", data, family="poisson")` |
# | `PopulationGLM(feature_mask=...)` | the same with two-dimensional `spikes`, and `mask={term: ...}` |
# | `regularizer="Ridge", regularizer_strength=lam` | `priors={"slopes": bz.Normal(0, 1 / sqrt(T * lam))}` |
# | `regularizer="Lasso"` | `priors={"slopes": bz.Laplace(0, 1 / (T * lam))}` |
# | `model.score(X, y, score_type="pseudo-r2-McFadden")` | `fit.score("mcfadden")` |
#
# | bambi, lme4 | here |
# | --- | --- |
# | lme4 `lmer(y ~ x + (x \| g))` | `bz.fit("y ~ x + (x \| g)", df, method="lme")` |
# | lme4 `glmer(y ~ x + (1 \| g), family=poisson)` | `bz.fit("y ~ x + (1 \| g)", df, family="poisson", method="glmm")` |
# | lme4 `(x \|\| g)`, **bambi `(x \| g)`** | `(x \|\| g)` |
# | bambi `Model(..., priors={"x": Prior("Normal", mu=0, sigma=1)})` | `priors={"x": bz.Normal(0, 1)}` |
# | bambi `model.predict(idata, data=new, sample_new_groups=True)` | `fit.predict(new, groups="new")` |
# | bambi `interpret.comparisons`, R's `emmeans` | `fit.contrasts("x", by=...)`, `fit.means("x")` |
# | R `anova(a, b)`, `AIC` | `bz.compare({"a": a, "b": b}, by="lr")`, `by="aic"` |
#
# The ridge's rule is worth a check: NeMoS minimises the *mean* negative log-likelihood plus
# lam / 2 * sum(w^2), so that its prior tightens with the number of rows T.

# %%
rng = np.random.default_rng(1)
rows, strength = 400, 0.02
x = rng.normal(size=(rows, 2))
table = {"a": x[:, 0], "b": x[:, 1], "y": rng.poisson(np.exp(0.3 + x @ [0.4, -0.2]))}
ridge = {"Intercept": bz.Flat(), "slopes": bz.Normal(0, 1 / np.sqrt(rows * strength))}
fit = bz.fit("y ~ a + b", table, family="poisson", priors=ridge, method="map", progress=False)
weights = fit.summary().loc[["a", "b"], "mean"].to_numpy()
mean = np.exp(fit.summary().loc["Intercept", "mean"] + x @ weights)
gradient = x.T @ (mean - table["y"]) / rows + strength * weights
print(f"weights {weights.round(4)}, gradient of NeMoS's objective {np.abs(gradient).max():.0e}")
assert np.abs(gradient).max() < 1e-6, "the mode is the optimum of the ridge's objective"

# %% [markdown]
# And lme4's own example, whose REML estimates are known to three digits:

# %%
sleep = bz.datasets.sleepstudy()
lme = bz.fit("Reaction ~ Days + (Days | Subject)", sleep, method="lme", progress=False)
lmer = pd.Series(
    {
        "Intercept": 251.405,
        "Days": 10.467,
        "sd(1|Subject)": 24.741,
        "sd(Days|Subject)": 5.922,
        "corr(Subject)[Intercept,Days]": 0.066,
        "sigma": 25.592,
    },
    name="lme4",
)
ours = lme.summary()["mean"].rename("here")
print(pd.concat([ours, lmer], axis=1).round(3).to_string())
assert np.allclose(ours[lmer.index], lmer, rtol=1e-3, atol=1e-3)

# %% [markdown]
# ## Where old numbers were wrong
#
# ### Slopes per condition without intercepts per condition
#
# Three neurons with baselines of 5, 10 and 20, and a stimulation that does *nothing*. With one
# intercept for all (bayes-window's `condition=`), each neuron's slope has to make up for its
# baseline.

# %%
rng = np.random.default_rng(0)
null = pd.DataFrame({"neuron": np.repeat(["a", "b", "c"], 60), "stim": np.tile([0, 1], 90)})
null["rate"] = null["neuron"].map({"a": 5, "b": 10, "c": 20}) + rng.normal(0, 1, len(null))
slopes = [f"stim:neuron[{name}]" for name in "abc"]
old = bz.fit("rate ~ stim:neuron", null, method="ols", progress=False).summary()
new = bz.fit("rate ~ 0 + neuron + stim:neuron", null, method="ols", progress=False)
shown = ["mean", "lower", "upper"]
print("one intercept\n" + old.filter(like="stim", axis=0)[shown].round(2).to_string())
print("\nown intercepts\n" + new.summary().filter(like="stim", axis=0)[shown].round(2).to_string())
wrong = old.filter(like="stim", axis=0)
right = new.summary().filter(like="stim", axis=0)
assert ((wrong["lower"] > 0) | (wrong["upper"] < 0)).sum() >= 2, "effects from nothing"
assert ((right["lower"] < 0.2) & (right["upper"] > -0.2)).all(), "no effect where there is none"

# %% [markdown]
# ### `1 | mouse` as arithmetic
#
# Its LME handed `(1 | mouse)` to a parser in which a bar is Python's bitwise *or*. With mice numbered
# 0, 1, 2, ... the model got a covariate `1 | mouse`, and its table a line for it.

# %%
import patsy

mice = pd.DataFrame({"mouse": np.arange(6)})
column = patsy.dmatrix("1 | mouse", mice, return_type="dataframe").iloc[:, -1]
print(column.to_frame().assign(mouse=mice["mouse"]).to_string(index=False))
assert column.tolist() == [1 | mouse for mouse in range(6)] == [1, 1, 3, 3, 5, 5]

data, _ = bz.datasets.lfp(mice=6, seed=1)
group = bz.fit("Power ~ stim + (1 | mouse)", data, method="lme", progress=False)
print(f"\nhere: {group.summary().index.tolist()}")
assert "sd(1|mouse)" in group.summary().index and len(group.summary()) == 4

# %% [markdown]
# ### Signs and shapes of families
#
# Where the mean is doubled, the slope of a log link is log 2, in every family. bayes-window's
# `exponential` modelled the rate, and so had the sign flipped; its `gamma` had a variance proportional
# to the mean, where a gamma GLM has a constant coefficient of variation.

# %%
rng = np.random.default_rng(2)
stim = np.tile([0, 1], 1000)
mean = np.where(stim == 1, 6.0, 3.0)
draws = {
    "exponential": rng.exponential(mean),
    "gamma": rng.gamma(4, mean / 4),
    "lognormal": np.exp(np.log(mean) + rng.normal(0, 0.5, stim.size)),
    "poisson": rng.poisson(mean),
    "negative_binomial": rng.poisson(mean * rng.gamma(3, 1 / 3, stim.size)),
}
for family, y in draws.items():
    doubled = bz.fit(
        "y ~ stim", {"y": y, "stim": stim}, family=family, method="laplace", progress=False
    )
    row = doubled.summary().loc["stim"]
    print(f"{family:18s} exp(slope) = {np.exp(row['mean']):.2f}")
    assert abs(row["mean"] - np.log(2)) < 4 * row["sd"], "a doubled mean has slope log 2"

# %% [markdown]
# Nor does a name of a family get lost on the way to the comparison (in bayes-window's, student, gamma
# and normal came out the same). On noise with heavy tails, Student's t wins on the same rows:

# %%
heavy = pd.DataFrame({"x": rng.normal(size=200)})
heavy["y"] = 1 + heavy["x"] + stats.t(2).rvs(200, random_state=3)
rivals = {
    name: bz.fit("y ~ x", heavy, family=name, method="laplace", progress=False)
    for name in ("normal", "student")
}
table = bz.compare(rivals, by="kfold", progress=False)
print(table[["elpd_kfold", "elpd_diff", "dse"]].round(1).to_string())
assert table.index[0] == "student"
assert table.loc["normal", "elpd_diff"] > 2 * table.loc["normal", "dse"]

# %% [markdown]
# ### Every interval between spikes as a trial of its own
#
# Spikes of one trial share that trial's rate, so ten of them are not ten trials. In recordings without
# any effect, the model without `(1 | mouse:trial)` finds one again and again. Nor is the mean of
# 1 / ISI a firing rate: for a Poisson neuron its expectation is infinite.


# %%
def intervals(effect, seed):
    """Ten intervals between spikes in each trial, whose rate drifts from trial to trial."""
    options = {"mice": 6, "trials": 20, "samples": 10, "trial_sd": 0.4, "alpha": 1.0}
    return bz.datasets.lfp(effect=effect, seed=seed, **options)[0].rename(columns={"Power": "isi"})


independent = "log(isi) ~ stim + (1 | mouse)"
study = bz.power(
    intervals,
    {
        "intervals as trials": {"formula": independent, "method": "lme", "term": "stim"},
        "and (1 | mouse:trial)": {
            "formula": f"{independent} + (1 | mouse:trial)",
            "method": "lme",
            "term": "stim",
        },
    },
    n=200,
    effects=[0, 0.4],
    progress=False,
)
alarms = study.power()[0.0]
print(alarms.rename("false alarms").map("{:.1%}".format).to_string())
assert alarms["intervals as trials"] > 0.1
assert stats.binomtest(round(200 * alarms["and (1 | mouse:trial)"]), 200, 0.05).pvalue > 1e-3

isi = np.random.default_rng(4).exponential(1 / 20, 2000)
rate, reciprocal = len(isi) / isi.sum(), (1 / isi).mean()
print(f"\ntrue rate 20 Hz; spikes / time {rate:.1f}, mean 1 / ISI {reciprocal:.0f}")
assert abs(rate / 20 - 1) < 0.1 and reciprocal > 60

# %% [markdown]
# ### A predictor that is a year
#
# bambi scales the prior of a group's standard deviation with that of the intercept at year *zero*: for
# years around 2000 it is HalfNormal(937), where the response varies by one or two. With few groups
# such a prior lets the sd run away. Here predictors are centred first, so that it makes no difference
# when time began.

# %%
rng = np.random.default_rng(5)
sites = pd.DataFrame({"site": np.repeat(list("abc"), 10), "year": rng.normal(2000, 5, 30)})
offsets = np.repeat([-1.0, 0.0, 1.0], 10)  # their standard deviation is 1
sites["y"] = 0.05 * (sites["year"] - 2000) + offsets + rng.normal(0, 1, 30)
since = sites.assign(year=sites["year"] - 2000)
draw = {"method": "nuts", "seed": 1, "target_accept": 0.95, "progress": False}
sd = {}
for name, used, priors in (
    ("year", sites, None),
    ("year - 2000", since, None),
    ("HalfNormal(937)", sites, {"sd(1|site)": bz.HalfNormal(937)}),
):
    fit = bz.fit("y ~ year + (1 | site)", used, priors=priors, **draw)
    sd[name] = fit.idata.posterior["sd(1|site)"].quantile([0.5, 0.975]).to_numpy()
sd = pd.DataFrame(sd, index=["median", "97.5 %"]).T
print(sd.round(2).to_string())
assert abs(sd.loc["year", "median"] / sd.loc["year - 2000", "median"] - 1) < 0.15
assert sd.loc["HalfNormal(937)", "97.5 %"] > 2 * sd.loc["year", "97.5 %"]

# %% [markdown]
# ### Slopes that are silently uncorrelated
#
# In bambi `(x | g)` estimates no correlation between intercepts and slopes. Where high baselines go
# with small effects the correlation is a finding, and a model without it predicts worse.

# %%
data, truth = bz.datasets.lfp(
    mice=40, trials=40, effect=0.5, effect_cv=0.8, correlation=-0.8, seed=6
)
both = {
    bar: bz.fit(f"log(Power) ~ stim + (stim {bar} mouse)", data, method="lme", progress=False)
    for bar in ("|", "||")
}
print(bz.compare(both, by="aic").round(1).to_string())
name = "corr(mouse)[Intercept,stim]"
row = both["|"].summary().loc[name]
print(f"\n{name}: {row['mean']:.2f}, truth {truth[name]}")
assert name not in both["||"].summary().index
assert row["mean"] < -0.5
assert bz.compare(both, by="aic").index[0] == "|"

# %% [markdown]
# ### Stopping early
#
# NeMoS stops when its parameters move by less than a fixed amount, in whatever units they are. On a
# current in pA its tutorial's model stopped after a few steps, said `converged=True`, and predicted
# 25.8 Hz where 13.1 were observed. The rule does it, not the optimiser; in a few lines, for a drive of
# some hundred pA:

# %%
recording, _ = bz.datasets.current_injection(seed=2, refractory=True, gain=1.3)
formula = "spikes ~ conv(current, raised_cos_log(8, 200))"
flat = {"Intercept": bz.Flat(), "slopes": bz.Flat()}
model = bz.Model(formula, recording, family="poisson", priors=flat)
matrix = model.design.predictors["mu"].matrix
filtered = np.column_stack([np.ones(len(matrix)), matrix[:, -8:]])
spikes = recording["spikes"].to_numpy()[-len(filtered) :]
weights, steps, moved = np.zeros(9), 0, np.inf
while np.abs(moved).max() > 1e-6:
    gradient = filtered.T @ (np.exp(filtered @ weights) - spikes) / len(spikes)
    length = (
        0.01 / np.linalg.norm(filtered, 2) ** 2 * len(spikes)
    )  # small enough never to overshoot
    moved = length * gradient
    weights, steps = weights - moved, steps + 1
early = np.exp(filtered @ weights).mean()
fit = model.fit("map", progress=False)
here = float(fit.predict().mean())
print(f"'converged' at step {steps}: predicts {early / spikes.mean():.1f} times the observed rate")
print(f"here: {here / spikes.mean():.6f} times; {fit.verdict()}")
assert abs(early / spikes.mean() - 1) > 0.5
assert abs(here / spikes.mean() - 1) < 1e-4, "at the maximum the mean rate is the observed one"

# %% [markdown]
# Here convergence is judged in units of the posterior's own width, so amperes do as well as
# picoamperes:

# %%
amperes = recording.assign(current=recording["current"] * 1e-12)
again = bz.fit(formula, amperes, family="poisson", priors=flat, method="map", progress=False)
apart = float(abs(again.predict() / fit.predict() - 1).max())
print(f"rates differ by {apart:.0e}")
assert apart < 1e-4

# %% [markdown]
# ### Your table is yours
#
# bayes-window z-scored columns in the caller's frame. No call here changes what it is given.

# %%
data, _ = bz.datasets.lfp(mice=4, trials=20, seed=7)
before = data.copy(deep=True)
bz.fit("Power ~ stim + (1 | mouse)", data, family="gamma", method="map", progress=False)
pd.testing.assert_frame_equal(data, before)
