"""NUTS against rstanarm's posteriors under the same priors; see posteriors.csv."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz

from .quadrature import size

FOLDER = Path(__file__).parent
POSTERIORS = pd.read_csv(FOLDER / "posteriors.csv")
VERSIONS = "R 4.2.2, rstanarm 2.21.3, rstan 2.21.7"
PRIORS = {
    "Intercept": bz.Normal(0, 2),
    "center(x)": bz.Normal(0, 1),
    "sd(1|group)": bz.Exponential(1),
}
FAMILIES = {"binomial": "bernoulli"}
"""What rstanarm calls otherwise."""


def numbers(posterior):
    """Draws, shape (chain, draw), of every quantity by printed name."""
    for name in PRIORS:
        yield name, posterior[name].to_numpy()
    for label in posterior["group"].to_numpy():
        yield f"1|group[{label}]", posterior["1|group"].sel(group=label).to_numpy()


@pytest.mark.slow
@pytest.mark.parametrize("case", POSTERIORS["case"].unique())
def test_posterior_is_that_of_rstanarm(case, ledger):
    rows = POSTERIORS[POSTERIORS["case"] == case]
    formula, family = rows[["formula", "family"]].iloc[0]
    family = FAMILIES.get(family, family)
    data = pd.read_csv(FOLDER / rows["data"].iloc[0])
    fit = bz.fit(
        formula, data, family=family, priors=PRIORS, method="nuts", seed=8, draws=2500,
        target_accept=0.95, progress=False,
    )  # fmt: skip
    theirs = rows.set_index(["term", "quantity"])[["value", "mcse"]]
    z = []
    for name, draws in numbers(fit.idata.posterior):
        about = (draws - draws.mean()) ** 2
        spread = np.sqrt(about.mean())
        ours = {
            "mean": (draws.mean(), draws.std() / np.sqrt(size(draws))),
            "sd": (spread, about.std() / np.sqrt(size(about)) / (2 * spread)),
        }
        for quantity, (value, error) in ours.items():
            wanted, mcse = theirs.loc[(name, quantity)]
            z.append((value - wanted) / np.hypot(error, mcse))
    assert len(z) == len(theirs)
    ledger.sampled("R rstanarm", f"{family}: {formula}", "nuts", z, VERSIONS)
