"""NeMoS's convolutional basis; shared by the `nemos_*` contenders."""

from __future__ import annotations

from collections.abc import Callable

PACKAGES = ("nemos", "jax")


def prepare_nemos(double: bool) -> Callable:
    """Import NeMoS and return its convolution; it evaluates the kernels itself.

    Args:
        double: Switch JAX to float64 first.

    Returns:
        A function of `series` and `kernel`; of the latter only the shape is used.
    """
    import jax

    jax.config.update("jax_enable_x64", double)
    import numpy as np
    from nemos.basis import RaisedCosineLogConv

    def convolve(series, kernel):
        window, count = kernel.shape
        basis = RaisedCosineLogConv(count, window_size=window)
        return np.asarray(basis.compute_features(series))

    return convolve
