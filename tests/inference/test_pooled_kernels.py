"""Kernels that share strength over neurons predict better than separate ones where trials are few."""

import numpy as np

import bayeszoo as bz

TERM = "conv(stim, raised_cos_log(5, 20))"


def test_pooled_kernels_predict_better_from_few_bins():
    gains = []
    for seed in range(4):
        data, _ = bz.datasets.population(
            neurons=8, bins=2_500, seed=seed, coupling=0.0, stimuli=0.8, stimuli_cv=0.3, rate=5.0
        )
        few, held_out = data.isel(time=slice(0, 500)), data.isel(time=slice(500, None))
        scores = []
        for formula in (f"spikes ~ {TERM}", f"spikes ~ {TERM} + ({TERM} || neuron)"):
            fit = bz.fit(
                formula, few, family="poisson", method="laplace", progress=False, seed=seed
            )
            scores.append(fit.score("log_likelihood", data=held_out))
        gains.append(scores[1] - scores[0])
    assert min(gains) > 0, gains
    assert np.mean(gains) > 0.002, gains  # nats per bin and neuron; a spike comes every 20 bins
