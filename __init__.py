"""bayeszoo: one formula, every method, for grouped and time-series data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import VERSION as __version__
from .errors import BayeszooError

if TYPE_CHECKING:
    from .inference.comparison.compare import compare
    from .inference.cross_validation import choose_basis, cross_validate
    from .inference.fit import Fit
    from .inference.likelihood_ratio import likelihood_ratio
    from .inference.many import fit_many
    from .inference.model import Model, fit
    from .inference.power import power
    from .inference.storage import load
    from .zoo.family import Family

_HOMES = {
    "Model": "inference.model",
    "fit": "inference.model",
    "Fit": "inference.fit",
    "fit_many": "inference.many",
    "load": "inference.storage",
    "likelihood_ratio": "inference.likelihood_ratio",
    "power": "inference.power",
    "compare": "inference.comparison.compare",
    "cross_validate": "inference.cross_validation",
    "choose_basis": "inference.cross_validation",
    "Family": "zoo.family",
}
_PRIORS = (
    "Normal HalfNormal StudentT HalfStudentT Cauchy HalfCauchy Laplace Exponential Gamma "
    "InverseGamma LogNormal Beta Uniform Flat LKJ Ridge Lasso ElasticNet GroupLasso Smooth Horseshoe"
).split()
_MODULES = {"datasets": "datasets", "plot": "plots", "zoo": "zoo"}

__all__ = [
    "BayeszooError",
    "Family",
    "Fit",
    "Model",
    "__version__",
    "choose_basis",
    "compare",
    "cross_validate",
    "fit",
    "fit_many",
    "likelihood_ratio",
    "load",
    "power",
    *_PRIORS,
]


def __getattr__(name: str) -> Any:
    """Imports the part of bayeszoo that a name lives in, when the name is first used."""
    import warnings
    from importlib import import_module

    with warnings.catch_warnings():  # dependencies add filters of their own when imported
        if name in _HOMES:
            return getattr(import_module(f".{_HOMES[name]}", __name__), name)
        if name in _PRIORS:
            return import_module(".zoo.priors", __name__).CONSTRUCTORS[name]
        if name in _MODULES:
            return import_module(f".{_MODULES[name]}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES])
