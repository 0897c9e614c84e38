# %% [markdown]
# # One question, every method
#
# Eighteen people slept three hours a night. By how much did their reactions slow per day, given that
# people differ? One formula, `Reaction ~ Days + (Days | Subject)`, asked of every method.

# %%
import bayeszoo as bz

df = bz.datasets.sleepstudy()
model = bz.Model("Reaction ~ Days + (Days | Subject)", df)
print(model)

# %% [markdown]
# The posterior by NUTS, the mode, two approximations, and the frequentist twin: one table each.

# %%
fits = {
    method: model.fit(method, seed=1, progress=False)
    for method in ("nuts", "map", "laplace", "svi", "lme")
}
for fit in fits.values():
    print(fit.verdict())

# %%
for method, fit in fits.items():
    row = fit.summary().loc["Days"]
    print(f"{method:8s} {row['mean']:7.3f}  [{row['lower']:7.3f}, {row['upper']:7.3f}] ms per day")

# %% [markdown]
# What to expect of a person who was measured, and of one who was not.

# %%
new = {"Days": [9, 9], "Subject": ["308", "someone new"]}
known, unknown = (
    fits["nuts"].predict(new, groups="new").quantile([0.025, 0.975], ["chain", "draw"]).T
)
print(f"308 on day 9: {known[0]:.0f} to {known[1]:.0f} ms on average")
print(f"someone new:  {unknown[0]:.0f} to {unknown[1]:.0f} ms on average")

# %% [markdown]
# One effect per person in milliseconds, ready for ArviZ.

# %%
print(fits["nuts"].idata.posterior["Days|Subject"].mean(("chain", "draw")).to_series().round(1))
