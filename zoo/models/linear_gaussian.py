"""Linear-Gaussian model: the response as a weighted sum of the last frames of a stimulus."""

from __future__ import annotations

from ..entry import Entry
from ..temporal import lagged_recipe

LINEAR_GAUSSIAN = Entry(
    name="linear_gaussian",
    recipe=lagged_recipe("normal"),
    story=(
        "The filter of a cell under white noise by least squares: fast and with a closed form, but "
        "it may predict negative counts."
    ),
    equation="y[t] ~ Normal(mu[t], sigma), mu[t] = a + sum_j f[j] x[t-j], j from 0",
    pattern="spikes ~ lags(stim, 25)",
    source="Wu, David and Gallant (2006), Annu. Rev. Neurosci. 29:477",
)
