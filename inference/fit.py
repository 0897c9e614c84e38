"""Fit: a model with its draws, and thin doors to the verbs that answer questions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from .backend import Backend, Draws
from .diagnose import diagnose
from .effects.intervals import check_interval
from .evaluate import flatten, linear_predictors, log_likelihood
from .idata import build, dataset, row_coordinates
from .options import asked, flag
from .predict import predict
from .summary import summarize

if TYPE_CHECKING:
    import arviz

    from .model import Model
    from .rescaling import Rescaling

EAGER = 20_000_000
"""Up to this many numbers, the pointwise log-likelihood is part of `idata` from the start."""


class Fit:
    """The result of fitting a model, by any method.

    Attributes:
        model: the model.
        method: the method's name.
        draws: natural parameters by generic name, statistics, the method's own notes.
        info: seed, settings, timings.
        pareto: Pareto k of every response and the limit of good ones, once `loo` was computed.
    """

    def __init__(
        self, model: Model, backend: Backend, draws: Draws, info: Mapping[str, Any]
    ) -> None:
        self.model = model
        self.backend = backend
        self.draws = draws
        self.info = dict(info)
        self._idata: arviz.InferenceData | None = None
        self._result: Any = None
        self.pareto: tuple[np.ndarray, float] | None = None

    @property
    def method(self) -> str:
        """The name of the method."""
        return self.backend.name

    @property
    def result(self) -> Any:
        """The result object of statsmodels for frequentist fits, made when first read; else None."""
        if self._result is None:
            found = self.draws.result
            self._result = found() if callable(found) else found
        return self._result

    @property
    def idata(self) -> arviz.InferenceData:
        """The fit as `arviz.InferenceData`, built when first asked for."""
        if self._idata is None:
            model = self.model
            self._idata = build(
                model.spec, self.draws, model.design, model.table, self.attributes()
            )
            shape = np.shape(next(iter(self.draws.natural.values())))
            if shape[0] * shape[1] * model.design.response["y"].size <= EAGER:
                self.log_likelihood()
        return self._idata

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the method early, so that this is what there was until then."""
        return bool(self.info.get("interrupted", False))

    def attributes(self) -> dict[str, Any]:
        """What the groups of `idata` carry: formula, family, method, seed, versions, timings."""
        spec = self.model.spec
        return {
            "formula": spec.schema.formula.text,
            "family": spec.family.name,
            "link": dict(spec.links)["mu"],
            "method": self.method,
            "inference": "frequentist" if self.backend.frequentist else "bayesian",
            "seed": self.info.get("seed", 0),
            "created_at": self.info.get("created_at", ""),
            "interrupted": int(self.interrupted),
            "inference_library": "bayeszoo",
            **{f"time_{k}": v for k, v in self.info.get("timings", {}).items()},
            **self.info.get("versions", {}),
        }

    def log_likelihood(self) -> xr.DataArray:
        """Returns the pointwise log-likelihood (chain, draw, obs), computed once and then kept."""
        idata = self.idata
        model = self.model
        name = model.spec.schema.response
        if "log_likelihood" not in idata.groups():
            values = log_likelihood(model.spec.structure, model.design, self.draws.natural)
            dims, coords = row_coordinates(model.spec.schema, model.design)
            plain = {dim: list(coords[dim]) for dim in dims}
            group = dataset({name: (dims, values)}, plain)
            idata.add_groups({"log_likelihood": group})
        group = idata["log_likelihood"]
        return group[next(iter(group.data_vars))]

    def summary(
        self, prob: float = 0.95, groups: bool = False, interval: str = "equal", rope: Any = None
    ) -> pd.DataFrame:
        """Returns one row per parameter: mean, sd, interval, and what the method adds.

        Args:
            prob: probability of the interval.
            groups: whether to list the group effects too.
            interval: `equal` tails, or `hdi`, the interval of highest density; frequentist fits have
                confidence intervals.
            rope: a region of practical equivalence (low, high), whose probability is then `p_rope`.

        Returns:
            A table indexed by printed names.

        Raises:
            OptionError: prob is not between 0 and 1, or an unknown interval or rope.
        """
        check_interval(prob, interval, rope)
        flag("groups", groups)
        return summarize(self.model.spec, self.backend, self.draws, prob, groups, interval, rope)

    def diagnose(self) -> list[str]:
        """Returns findings, each a sentence with its remedy; an empty list when all is well."""
        return diagnose(self)

    def mean_linear_predictor(self) -> np.ndarray:
        """Returns the linear predictor of the mean at the mean of the draws, shape (obs,)."""
        flat = flatten(self.draws.natural)
        centre = {name: array.mean(axis=0, keepdims=True) for name, array in flat.items()}
        return linear_predictors(self.model.spec.structure, self.model.design, centre)["mu"][0]

    def predict(
        self,
        data: Any = None,
        kind: str = "mean",
        groups: str = "fitted",
        draws: int | None = None,
        seed: int = 0,
    ) -> xr.DataArray:
        """Predicts the response; see `inference.predict.predict`."""
        return predict(self, data, kind, groups, draws, seed)

    def predictions(
        self,
        data: Any = None,
        kind: str = "mean",
        groups: str = "fitted",
        prob: float = 0.95,
        seed: int = 0,
        draws: int | None = None,
    ) -> pd.DataFrame:
        """Returns predictions with intervals as a table; see `inference.predictions.predictions`."""
        from .predictions import predictions

        return predictions(self, data, kind, groups, prob, seed, draws)

    def posterior_predictive(self, draws: int | None = None, seed: int = 0) -> xr.Dataset:
        """Adds new responses to `idata`; see `inference.predictive.posterior_predictive`."""
        from .predictive import posterior_predictive

        return posterior_predictive(self, draws, seed)

    def checks(
        self,
        by: Any = None,
        statistics: Any = None,
        draws: int | None = None,
        seed: int = 0,
        prob: float = 0.95,
        prior: bool = False,
    ) -> pd.DataFrame:
        """Returns a table of predictive checks; see `inference.checks.checks`."""
        from .checks import checks

        return checks(self, by, statistics, draws, seed, prob, prior)

    def loo_pit(self, seed: int = 0) -> xr.DataArray:
        """Returns each row's place in what the others predict of it; see `inference.pit.loo_pit`."""
        from .pit import loo_pit

        return loo_pit(self, seed)

    def simulate(self, data: Any = None, draws: int = 1, seed: int = 0) -> xr.DataArray:
        """Simulates responses, bin by bin where they feed back; see `inference.simulation`."""
        from .simulation import simulate

        return simulate(self, data, draws, seed)

    def rates(
        self, data: Any = None, groups: str = "fitted", draws: int | None = None, seed: int = 0
    ) -> xr.DataArray:
        """Predicts the rate of events in Hz; see `inference.rates.rates`."""
        from .rates import rates

        return rates(self, data, groups, draws, seed)

    def score(
        self,
        kind: str = "log_likelihood",
        data: Any = None,
        per_neuron: bool = False,
        rows: Any = None,
        groups: str = "fitted",
    ) -> float | pd.Series:
        """Scores how well the fit predicts observed responses; see `inference.score.score`."""
        from .score import score

        return score(self, kind, data, per_neuron, rows, groups)

    def means(self, by: Any = None, **options: Any) -> pd.DataFrame:
        """Returns mean responses with intervals; see `inference.effects.means.means`."""
        from .effects.means import means

        return asked(means, self, by, **options)

    def contrasts(self, variable: str, by: Any = None, **options: Any) -> pd.DataFrame:
        """Compares mean responses between levels; see `inference.effects.contrasts.contrasts`."""
        from .effects.contrasts import contrasts

        return asked(contrasts, self, variable, by, **options)

    def slopes(self, variable: str, by: Any = None, **options: Any) -> pd.DataFrame:
        """Returns slopes of the mean response; see `inference.effects.slopes.slopes`."""
        from .effects.slopes import slopes

        return asked(slopes, self, variable, by, **options)

    def hypothesis(self, statements: Any, **options: Any) -> pd.DataFrame:
        """Returns how probable statements are; see `inference.effects.hypothesis.hypothesis`."""
        from .effects.hypothesis import hypothesis

        return asked(hypothesis, self, statements, **options)

    def kernels(self, prob: float = 0.95) -> pd.DataFrame:
        """Returns the filters of temporal terms over lags; see `inference.kernels.kernels`."""
        from .kernels import kernels

        return kernels(self, prob)

    def rescaling(self, data: Any = None, seed: int = 0, rows: Any = None) -> Rescaling:
        """Tests the times of events by time rescaling; see `inference.rescaling.rescaling`."""
        from .rescaling import rescaling

        return rescaling(self, data, seed, rows)

    def loo(self, **options: Any) -> Any:
        """Returns the leave-one-out cross-validation as ArviZ does; see `inference.information.loo`."""
        from .information import loo

        return asked(loo, self, **options)

    def waic(self, **options: Any) -> Any:
        """Returns the widely applicable information criterion; see `inference.information.waic`."""
        from .information import waic

        return asked(waic, self, **options)

    def report(self, path: Any, **options: Any) -> Path:
        """Writes the fit as one HTML page that needs no network; see `report.write.write_report`."""
        from .reporting import report

        return report(self, path, **options)

    def save(self, path: Any) -> None:
        """Saves the fit to one NetCDF file, from which `bz.load` restores it; never pickled."""
        from .storage import save

        save(self, path)

    def verdict(self) -> str:
        """Returns the one line that is printed after a fit."""
        findings = self.diagnose()
        seconds = self.info.get("timings", {}).get("fit", float("nan"))
        head = f"{self.method}: {self.model.spec.schema.rows.used:,} rows, {seconds:.1f} s"
        if not findings:
            return f"{head}; all is well."
        return "\n".join([f"{head}; {len(findings)} finding(s):", *(f"  - {f}" for f in findings)])

    def __repr__(self) -> str:
        return f"<Fit of {self.model.spec.schema.formula.text!r} by {self.method}>"
