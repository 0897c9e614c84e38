"""One scikit-learn fit, whichever solver; shared by the `sklearn_*` contenders."""

from __future__ import annotations

from collections.abc import Callable

from _neurons import each

PACKAGES = ("scikit-learn",)
MODULES = ("sklearn",)


def prepare_sklearn(solver: str) -> Callable:
    """Import scikit-learn and return its unpenalised Poisson regression.

    Args:
        solver: Name of the solver.

    Returns:
        A function of `x` and `spikes`.
    """
    from sklearn.linear_model import PoissonRegressor

    def fit_one(x, counts) -> tuple:
        model = PoissonRegressor(alpha=0, solver=solver, tol=1e-8, max_iter=1000).fit(x, counts)
        return model.intercept_, model.coef_, model.n_iter_

    return each(fit_one)
