# %% [markdown]
# # Which method to trust?
#
# Trust is two numbers: how often does a method see an effect where there is none, and how often does it
# miss one that is there? Both need the truth, so we simulate: 450 recordings of six mice with 20 trials
# each, a third of them without any effect, the rest with light raising the power by about 10 or 22 %.
# Every method gets the same recordings.

# %%
import dataclasses
from pathlib import Path

import pandas as pd
from PIL import Image
from scipy import stats

import bayeszoo as bz

simulated = {"mice": 6, "trials": 20}
df, truth = bz.datasets.lfp(effect=0.2, seed=1, **simulated)
print(f"true effect {truth['stim']} (log ratio), {len(df)} rows")
bz.plot.data(df, x="stim", y="Power", facet="mouse", columns=6, units={"Power": "uV²"})

# %% [markdown]
# The methods are named once, as the arguments of a fit. All Bayesian ones use Laplace's approximation,
# which takes milliseconds here.

# %%
grouped = {"formula": "Power ~ stim + (1 | mouse)", "term": "stim"}
methods = {
    "gamma": {**grouped, "family": "gamma", "method": "laplace"},
    "normal": {**grouped, "family": "normal", "method": "laplace"},
    "student": {**grouped, "family": "student", "method": "laplace"},
    "LME": {**grouped, "method": "lme"},
    "OLS": {"formula": "Power ~ stim", "method": "ols"},
}
study = bz.power(
    bz.datasets.lfp, methods, n=150, effects=[0, 0.1, 0.2], seed=1, progress=False, **simulated
)
print(f"{len(study.table):,} fits, {len(study.errors)} failed")
assert not study.errors

# %%
chart = bz.plot.roc(study, alpha=0.05)
small = dataclasses.replace(study, table=study.table[study.table["effect"] != 0.1])
path = Path(__file__).resolve().parent.parent / "docs" / "charts" / "roc.png"
path.parent.mkdir(parents=True, exist_ok=True)
bz.plot.roc(small, alpha=0.05).save(path, scale_factor=2)
Image.open(path).convert("RGB").quantize(64).save(path, optimize=True)  # a small file
chart

# %% [markdown]
# ## False alarms
#
# At a level of 5 %, five of a hundred null recordings are called by chance. 150 recordings tell that
# rate only so well, hence the intervals (Wilson's).


# %%
def false_alarms(study, level=0.05):
    """Share of null recordings in which each method finds an effect, with a binomial interval."""
    null = study.table[study.table["effect"] == 0]
    rows = {}
    for method, p in null.groupby("method", sort=False)["p"]:
        test = stats.binomtest(int((p < level).sum()), len(p), level)
        low, high = test.proportion_ci(method="wilson")
        rows[method] = {"share": test.statistic, "lower": low, "upper": high, "p": test.pvalue}
    return pd.DataFrame(rows).T


alarms = false_alarms(study)
print(alarms.round(3).to_string())
mixed = alarms.drop(index="OLS")
assert (mixed["p"] > 1e-3).all(), "every mixed model keeps the level"
assert alarms.loc["OLS", "upper"] < 0.05, "OLS is far too careful: it takes mice for noise"

# %% [markdown]
# OLS errs on the safe side *here*, since every mouse has trials of both kinds: what mice differ in adds
# to the noise and not to the effect. Do not rely on it: where the treatment is given to whole mice, or
# several samples come from one trial, the same mistake goes the other way.
#
# ## Hits

# %%
auc = study.auc().unstack("effect").loc[list(methods)]
power = study.power()
print("area under the curve\n" + auc.round(3).to_string())
print("\nfound at the 5 % level\n" + power.round(2).to_string())
assert auc[0.2].idxmax() == "gamma" == power[0.2].idxmax(), "the true model finds most"
assert power.loc["OLS", 0.2] < 0.6 * power.loc["LME", 0.2], "OLS misses most"

# %% [markdown]
# Is gamma's lead more than luck? The recordings are the same, so the right comparison is paired: those
# that only gamma found against those that only LME found (McNemar's test).

# %%
called = study.table[study.table["effect"] == 0.2].pivot(
    index="dataset", columns="method", values="p"
)
called = called < 0.05
only_gamma = int((called["gamma"] & ~called["LME"]).sum())
only_lme = int((called["LME"] & ~called["gamma"]).sum())
test = stats.binomtest(only_gamma, only_gamma + only_lme)
print(f"only gamma: {only_gamma}, only LME: {only_lme}, p = {test.pvalue:.1g}")
assert test.pvalue < 0.01

# %% [markdown]
# OLS ranks recordings about as well as LME (the areas are alike) and still finds far fewer at 5 %: a
# ROC curve forgives a wrong scale of p-values, a paper does not. Look at both panels.
#
# ## What if the model is wrong?
#
# Nobody's noise is quite gamma. We put artefacts into the same recordings: one trial in twenty has its
# power multiplied by ten. The gamma model's light tail has no room for them. Student's t, on the log of
# the power, has.


# %%
def with_artefacts(effect, seed):
    """Recordings in which one trial in twenty has ten times its power, whatever the light."""
    table, truth = bz.datasets.lfp(effect=effect, seed=seed, baseline_sd=0.3, **simulated)
    struck = table.sample(frac=0.05, random_state=seed).index
    table.loc[struck, "Power"] *= 10
    return table, truth


logged = {"formula": "log(Power) ~ stim + (1 | mouse)", "term": "stim"}
rough = bz.power(
    with_artefacts,
    {
        "gamma": methods["gamma"],
        "LME": methods["LME"],
        "LME of log": {**logged, "method": "lme"},
        "student of log": {**logged, "family": "student", "method": "laplace"},
    },
    n=150,
    effects=[0, 0.3],
    seed=2,
    progress=False,
)
bz.plot.roc(rough, alpha=0.05, title="With artefacts in one trial of twenty")

# %%
alarms, power = false_alarms(rough), rough.power()
print(alarms.round(3).to_string())
print("\nfound at the 5 % level\n" + power.round(2).to_string())
assert alarms.loc["student of log", "p"] > 1e-3, "student keeps the level"
assert alarms.loc["gamma", "lower"] > 0.1, "gamma takes artefacts for effects"
assert power[0.3].idxmax() == "student of log"
assert power.loc["student of log", 0.3] > power.loc["gamma", 0.3] + 0.15

# %% [markdown]
# Now the best method of the first half cannot be trusted: artefacts pull the means, and the gamma
# model, sure that such trials do not happen, is too sure of what it sees. It finds effects in
# recordings without any. LME notices the noise, so it raises no false alarms, and finds next to
# nothing. A method that expects outliers keeps both promises.
#
# So: group the data as they were made, take the family from the noise that you see, and check it (a
# posterior predictive check, `bz.plot.predictive`, shows artefacts at once). `bz.power` with your own
# numbers of mice and trials, and your own simulator, answers for your experiment.
