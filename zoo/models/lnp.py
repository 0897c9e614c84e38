"""Linear-nonlinear-Poisson model: a filter, an exponential, Poisson counts."""

from __future__ import annotations

from ..entry import Entry
from ..temporal import lagged_recipe

LNP = Entry(
    name="lnp",
    recipe=lagged_recipe("poisson"),
    story=(
        "The filter of a cell whose rate is the exponential of the filtered stimulus; expected "
        "counts are never negative."
    ),
    equation="y[t] ~ Poisson(mu[t]), log mu[t] = a + sum_j f[j] x[t-j], j from 0",
    pattern="spikes ~ lags(stim, 25)",
    source="Chichilnisky (2001), Network 12:199; Paninski (2004), Network 15:243",
)
