# %% [markdown]
# # Does light change the power of the field potential?
#
# Eight mice, sixty trials each, half of them with light on; in every trial the gamma-band power of the
# local field potential. The mice differ tenfold in baseline, and those with a high baseline respond
# less. The recording is simulated, so that every answer can be held against the truth.

# %%
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
from PIL import Image
from scipy import stats

import bayeszoo as bz

units = {"Power": "uV²"}

df, truth = bz.datasets.lfp(
    mice=8, trials=60, effect=0.25, correlation=-0.7, seed=4, labels=("off", "on")
)
df = df.rename(columns={"stim": "light"})
print(df.head().round(2).to_string(index=False))
print(
    f"\ntrue effect of light on log power: {truth['stim[on]']}, sd of mice {truth['sd(1|mouse)']}"
)

# %% [markdown]
# ## Look
#
# Before any model: every trial, a panel for each mouse, in the data's own units.

# %%
bz.plot.data(df, x="light", y="Power", facet="mouse", columns=4, units=units)

# %% [markdown]
# Two things strike the eye. Mice differ far more than light does, and the mice with more power also
# have more *noise*: the spread grows with the mean. A model with one sigma for all cannot say that. A
# gamma model with a log link can, and its effect is a ratio, the same for quiet mice and loud ones.
#
# ## Three lines


# %%
def keep(chart, name):
    """Saves a chart for the README, in few colours, so that the file is small."""
    folder = Path(__file__).resolve().parent.parent / "docs" / "charts"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    chart.save(path, scale_factor=2)
    Image.open(path).convert("RGB").quantize(64).save(path, optimize=True)


model = bz.Model("Power ~ light + (1 + light | mouse)", df, family="gamma")
fit = model.fit("nuts", seed=1, target_accept=0.95, progress=False)
means = bz.plot.means(fit, "light", facet="mouse", columns=4, units=units)
keep(means, "lfp-means")
means

# %%
print(fit.verdict())
print(fit.summary()[["mean", "sd", "lower", "upper", "r_hat"]].round(3).to_string())
low, high = fit.summary().loc["light[on]", ["lower", "upper"]]
assert low < truth["stim[on]"] < high, "the interval covers the true effect"
assert low > 0, "light raises the power"

# %% [markdown]
# On the scale of the response: the power of a typical mouse with light, divided by that without. And
# for those who do not like formulas, the zoo writes the same model.

# %%
print(fit.contrasts("light", scale="ratio").round(3).to_string(index=False))
print(f"truth: {np.exp(truth['stim[on]']):.3f}")
same = bz.zoo.hierarchical_gamma(df, y="Power", treatment="light", group="mouse", group_slope=True)
print(same.formula)
assert same.formula == model.formula

# %% [markdown]
# Would such a model make such data? Trials drawn from the fit lie on the observed ones. Trials drawn
# from a normal model with the same terms are too wide for quiet mice, some below zero, and too narrow
# for loud ones.

# %%
normal = bz.Model("Power ~ light + (1 + light | mouse)", df).fit("laplace", seed=1, progress=False)
quiet, loud = truth["baselines"].idxmin(), truth["baselines"].idxmax()
rows = df.reset_index(drop=True)
drawn = {
    name: one.predict(kind="response", draws=500).stack(sample=("chain", "draw")).to_numpy()
    for name, one in {"gamma": fit, "normal": normal}.items()
}
spread = pd.DataFrame(
    {
        mouse: {
            "observed": rows.loc[rows["mouse"] == mouse, "Power"].std(),
            **{name: y[rows["mouse"] == mouse].std() for name, y in drawn.items()},
        }
        for mouse in (quiet, loud)
    }
)
print(f"sd of trials of the quietest and the loudest mouse (uV²)\n{spread.round(1).to_string()}")
for mouse in (quiet, loud):
    ratios = spread[mouse] / spread.loc["observed", mouse]
    assert 0.6 < ratios["gamma"] < 1.6, "the gamma model draws what was observed"
    assert not 0.6 < ratios["normal"] < 1.6, "one sigma for all mice fits none"
assert (drawn["normal"] < 0).mean() > 0.02, "the normal model draws negative power"

# %%
bz.plot.predictive(fit, by="mouse", style="ecdf", columns=4, units=units)

# %% [markdown]
# ## Every method, side by side
#
# The same question to ordinary least squares, to least squares with standard errors that allow for
# unequal variance (HC3), to a linear mixed model, and to the gamma model fitted by maximum
# likelihood. All answer in uV², averaged over these eight mice, so that all mean the same number.

# %%
formula = "Power ~ light + (1 + light | mouse)"
fits = {
    "gamma, NUTS": fit,
    "gamma, GLMM": model.fit("glmm", progress=False),
    "normal, LME": bz.fit(formula, df, method="lme", progress=False),
    "OLS": bz.fit("Power ~ light", df, method="ols", progress=False),
    "OLS, HC3": bz.fit("Power ~ light", df, method="ols", robust="HC3", progress=False),
}
for name, one in fits.items():
    print(f"{name:12s} {one.verdict().splitlines()[0]}")

# %%
true = float((truth["baselines"] * (np.exp(truth["effects"]) - 1)).mean())
answers = bz.plot.slopes_data(fits, "light", by=[], groups="fitted")
print(answers[["fit", "mean", "sd", "lower", "upper"]].round(2).to_string(index=False))
print(f"truth: {true:.2f} uV²")
answers = answers.set_index("fit")
width = answers["upper"] - answers["lower"]
assert answers["lower"].max() < true < answers["upper"].min(), "all intervals cover the truth"
assert width["OLS"] > 1.5 * width["gamma, NUTS"], "OLS calls the mice's differences noise"

# %%
methods = bz.plot.slopes(
    fits,
    "light",
    by=[],
    groups="fitted",
    units="uV²",
    title="Light on minus light off, by five methods",
)
mark = alt.Chart(pd.DataFrame({"truth": [true]})).mark_rule(strokeDash=[2, 2], color="#222222")
label = mark.mark_text(align="left", dx=4, y=8, text="truth", color="#222222")
methods = methods + mark.encode(x="truth:Q") + label.encode(x="truth:Q")
keep(methods, "lfp-methods")
methods

# %% [markdown]
# OLS counts the differences between mice as noise, so its interval is far wider than it need be; HC3
# cannot help, for unequal variance is not the trouble. The mixed models know which trial came from
# which mouse.
#
# ## Baselines against data
#
# Diamonds are raw means of the trials without light. The gamma model tells the quiet mice's baselines
# precisely and the loud mice's loosely, as the noise demands; the normal one gives all the same error.

# %%
intercepts = bz.plot.intercepts_data({name: fits[name] for name in ("gamma, NUTS", "normal, LME")})
intercepts["width"] = intercepts["upper"] - intercepts["lower"]
widths = intercepts.pivot(index="mouse", columns="fit", values="width")
print(widths.assign(truth=truth["baselines"]).round(2).to_string())
ratio = widths.max() / widths.min()
assert ratio["gamma, NUTS"] > 5 > 2 > ratio["normal, LME"]
gamma = intercepts[intercepts["fit"] == "gamma, NUTS"].set_index("mouse")
inside = (gamma["lower"] < truth["baselines"]) & (truth["baselines"] < gamma["upper"])
assert inside.sum() >= 6, "95 % intervals cover at least six of eight true baselines"
bz.plot.intercepts({name: fits[name] for name in ("gamma, NUTS", "normal, LME")}, units="uV²")

# %% [markdown]
# ## And if light does nothing?
#
# With `effect=0` the simulated effect is exactly 0 in every mouse. A method that calls effects at 5 %
# should be wrong in 5 % of such recordings: five hundred of them, fitted in one go.

# %%
nulls = [
    bz.datasets.lfp(mice=8, trials=30, effect=0, seed=seed, labels=("off", "on"))[0].rename(
        columns={"stim": "light"}
    )
    for seed in range(500)
]
found = bz.fit_many(
    "Power ~ light + (1 | mouse)",
    nulls,
    family="gamma",
    method="laplace",
    reduce=lambda one: one.summary().loc["light[on]", ["mean", "lower", "upper"]],
    progress=False,
)
alarms = int(((found["lower"] > 0) | (found["upper"] < 0)).sum())
low, high = stats.binomtest(alarms, len(nulls)).proportion_ci()
print(f"{alarms} false alarms in {len(nulls)}; 95 % interval {low:.1%} to {high:.1%}")
assert stats.binomtest(alarms, len(nulls), 0.05).pvalue > 1e-3, "false alarms at the nominal rate"

# %% [markdown]
# ## All samples instead of one number per trial
#
# The power of a trial can be sampled many times. Ten samples per trial look like ten times the data;
# but light was switched once per *trial*, and the samples of a trial go up and down together.

# %%
sampled, true_model = bz.datasets.lfp(mice=8, trials=20, effect=0.25, samples=10, seed=3)
loudest = true_model["baselines"].nlargest(2).index
bz.plot.data(
    sampled[sampled["mouse"].isin(loudest) & (sampled["trial"] < 12)],
    x="trial",
    y="Power",
    color="stim",
    facet="mouse",
    units=units,
    title="Ten samples of each trial",
)

# %%
each = "Power ~ stim + (1 | mouse)"
whole = sampled.groupby(["mouse", "trial", "stim"], as_index=False)["Power"].mean()
three = {
    "samples as if independent": bz.Model(each, sampled, family="gamma"),
    "mean of each trial": bz.Model(each, whole, family="gamma"),
    "samples and (1 | mouse:trial)": bz.Model(
        f"{each} + (1 | mouse:trial)", sampled, family="gamma"
    ),
}
three = {name: one.fit("laplace", seed=1, progress=False) for name, one in three.items()}
spread = pd.Series({name: one.summary().loc["stim", "sd"] for name, one in three.items()})
print(spread.rename("posterior sd of the effect").round(3).to_string())
assert spread.iloc[0] < 0.7 * spread.iloc[2], "independent samples pretend to know more"
assert abs(spread.iloc[1] / spread.iloc[2] - 1) < 0.3, "trial means and a trial effect agree"
sds = three["samples and (1 | mouse:trial)"].summary().loc["sd(1|mouse:trial)"]
assert sds["lower"] < true_model["sd(1|mouse:trial)"] < sds["upper"]
bz.plot.forest(three, "stim", title="Effect of light on log power")

# %% [markdown]
# The narrow interval is wrong, as recordings without any effect show.

# %%
study = bz.power(
    bz.datasets.lfp,
    {
        name: {"formula": formula, "family": "gamma", "method": "laplace", "term": "stim"}
        for name, formula in (
            ("samples as if independent", each),
            ("samples and (1 | mouse:trial)", f"{each} + (1 | mouse:trial)"),
        )
    },
    n=100,
    effects=[0, 0.3],
    mice=6,
    trials=20,
    samples=10,
    progress=False,
)
rates = study.power()
print(rates.map("{:.0%}".format).to_string())
naive, right = rates[0.0]
assert naive > 0.2, "independent samples see effects where there are none"
assert stats.binomtest(round(100 * right), 100, 0.05).pvalue > 1e-3, "the trial effect does not"

# %% [markdown]
# What to take home: write down how the data came about. Mice differ, so `(1 + light | mouse)`; noise
# grows with the mean, so `gamma`; samples share their trial, so `(1 | mouse:trial)`. Each of the three
# is one piece of the formula, and each changes what can be concluded.
