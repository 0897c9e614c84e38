"""Overlap-add convolution by SciPy: what an expert writes without a package."""

from __future__ import annotations

from collections.abc import Callable

import _contender

PACKAGES = ("scipy", "numpy")


def prepare() -> Callable:
    """Import SciPy and return the convolution."""
    import numpy as np
    from scipy.signal import oaconvolve

    def convolve(series, kernel):
        bins, sources = series.shape
        result = np.zeros((bins, sources, kernel.shape[1]))
        for source in range(sources):
            full = oaconvolve(series[:, [source]], kernel, axes=0)
            result[1:, source] = full[: bins - 1]
        return result.reshape(bins, -1)

    return convolve


if __name__ == "__main__":
    _contender.main(prepare, PACKAGES, caches=False)
