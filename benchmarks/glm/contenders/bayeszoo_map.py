"""bayeszoo through the front door: flat priors, so that the mode is the maximum likelihood."""

from __future__ import annotations

from collections.abc import Callable

import _contender

PACKAGES = ("bayeszoo", "jax")


def prepare() -> Callable:
    """Import bayeszoo and return its fit."""
    import bayeszoo as bz

    flat = {"Intercept": bz.Flat(), "x": bz.Flat()}

    def fit(x, spikes) -> _contender.Fit:
        data = {"spikes": spikes, "x": x}
        options = {"family": "poisson", "method": "map", "priors": flat, "progress": False}
        mean = bz.fit("spikes ~ x", data, **options).summary()["mean"].to_numpy()
        neurons = spikes[0].size
        return _contender.Fit(mean[:neurons], mean[neurons:].reshape(-1, neurons))

    return fit


if __name__ == "__main__":
    _contender.main(prepare, PACKAGES)
