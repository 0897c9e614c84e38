"""One NeMoS fit, whichever solver; shared by the `nemos_*` contenders."""

from __future__ import annotations

from collections.abc import Callable

from _contender import Fit

PACKAGES = ("nemos", "jax")


def prepare_nemos(double: bool, **options: object) -> Callable:
    """Import NeMoS and return its fit: `GLM` for one neuron, `PopulationGLM` for several.

    Args:
        double: Switch JAX to float64 first.
        options: Solver options of the model.

    Returns:
        A function of `x` and `spikes`.
    """
    import jax

    jax.config.update("jax_enable_x64", double)
    import numpy as np
    from nemos.glm import GLM, PopulationGLM

    def fit(x, spikes) -> Fit:
        kind = GLM if spikes.ndim == 1 else PopulationGLM
        model = kind(**options).fit(x, spikes)
        intercept, coef = np.asarray(model.intercept_), np.asarray(model.coef_)
        end = model.optim_info_
        verdict = "says converged" if end.converged else "says not converged"
        return Fit(intercept, coef, f"{end.num_steps} steps, {verdict}")

    return fit
