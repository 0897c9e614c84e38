"""Mixed models of the shapes of lme4's examples against lme4 and glmmTMB; see shapes.csv."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz

FOLDER = Path(__file__).parent
SHAPES = pd.read_csv(FOLDER / "shapes.csv")
VERSIONS = "R 4.2.2, lme4 1.1-31, glmmTMB 1.1.5"
METHODS = {
    "lme_reml": ("lme", {"reml": True}),
    "lme_ml": ("lme", {"reml": False}),
    "glmer": ("glmm", {}),
    "glmmTMB": ("glmm", {}),
}
RELATIVE = 5e-5
"""Of an estimate: relative to its standard error. The other program's optimisers differ by as much."""


QUICK = ("lme_reml", "lme_ml", "glmer")
CASES = [
    pytest.param(*pair, marks=() if pair[1] in QUICK else pytest.mark.slow)
    for pair in SHAPES.groupby(["case", "method"]).groups
]


@pytest.mark.parametrize(("case", "theirs"), CASES)
def test_agrees_with_lme4_and_glmmtmb(case, theirs, ledger):
    rows = SHAPES[(SHAPES["case"] == case) & (SHAPES["method"] == theirs)]
    data = pd.read_csv(FOLDER / rows["data"].iloc[0])
    formula, family = rows[["formula", "family"]].iloc[0]
    method, options = METHODS[theirs]
    fit = bz.fit(formula, data, family=family, method=method, progress=False, **options)
    table = fit.summary()
    rows = rows.assign(
        value=np.where(rows["value"] < 1e-5, rows["value"].clip(upper=0), rows["value"])
    )
    found, scale = [], []
    errors = rows[rows["quantity"] == "se"].set_index("term")["value"]
    for row in rows.itertuples():
        if row.quantity == "loglik":
            found.append(fit.draws.log_likelihood)
            scale.append(row.value)
        else:
            found.append(table.loc[row.term, "se" if row.quantity == "se" else "mean"])
            alone = row.value or table["mean"].iloc[-1]
            scale.append(errors[row.term] if row.quantity == "estimate" else alone)
    threshold = 2e-4 if method == "glmm" else RELATIVE  # glmmTMB's errors are finite differences
    ledger.relative(
        f"R {theirs}", f"{case}: {formula} ({family})", method, found, rows["value"], threshold,
        VERSIONS, scale,
    )  # fmt: skip
    zero = rows.loc[(rows["quantity"] == "sd") & (rows["value"] == 0), "term"]
    assert all(any(f"`{name}`" in finding for finding in fit.diagnose()) for name in zero)
