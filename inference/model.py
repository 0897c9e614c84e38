"""Model, the front-door class: a ModelSpec with its data, and thin methods."""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ..errors import FormulaError, OptionError
from ..formula import BASES, TRANSFORMS, Vocabulary, learn, parse, read
from ..zoo.compile import model as numpyro_model
from ..zoo.numbers import numbers
from ..zoo.printing import describe, prior_table
from ..zoo.spec import specify
from .backend import Draws, Problem
from .checkpoint import EVERY, Checkpoint
from .fit import Fit
from .idata import versions
from .identity import identity
from .interrupt import Interrupted
from .memory import check_memory, explained
from .options import flag, whole
from .run import Run, check_resumable, choose
from .variables import variables


class Model:
    """A model of a table: formula, family and priors, bound to data.

    Args:
        formula: for example `"Power ~ stim + (1 + stim | mouse)"`; further lines model further
            parameters of the family.
        data: pandas or polars DataFrame, dict of arrays, or xarray Dataset; never changed.
        family: a name, an alias, or a `bz.Family`.
        link: the link of the mean; by default the family's own.
        priors: printed name -> prior, for parameters whose default is not wanted.
        mask: which neuron uses which term, for two-dimensional responses: for each term labels of
            neurons, or a boolean array (neuron,), (source, neuron) or (coefficient, neuron); or one
            boolean array (coef, neuron). Masked coefficients are exactly 0.
        functions: extra functions that the formula may call, and arrays (window, basis) that it may
            use as bases.
        keep: which rows may be used, boolean, shape (obs,), None for all; filters still see the others
            as history.

    Raises:
        FormulaError: the formula cannot be read or does not fit the data.
        DataError: the data cannot be used as given.
        FamilyError: unknown family, or a response outside its support.
        PriorError: unknown parameter, or a prior that does not fit it.
        FitError: memory does not suffice for the design.
        OptionError: a mask that does not fit the terms and neurons, or keep= that fits not the rows.

    Example:
        >>> import bayeszoo as bz
        >>> model = bz.Model("y ~ x", {"y": [1.0, 2.0, 4.0], "x": [0.0, 1.0, 2.0]})
        >>> list(model.spec.prior)
        ['Intercept', 'x', 'sigma']
    """

    def __init__(
        self,
        formula: str,
        data: Any,
        *,
        family: object = "normal",
        link: str | None = None,
        priors: Mapping[str, Any] | None = None,
        mask: Any = None,
        functions: Mapping[str, Any] | None = None,
        keep: Any = None,
    ) -> None:
        self.table = read(data)
        self.functions = _check_functions(functions)
        roles = {name: transform.role for name, transform in TRANSFORMS.items()}
        roles |= dict.fromkeys(BASES, "basis")
        vocabulary = Vocabulary(
            roles | dict.fromkeys(self.functions, "column"), tuple(self.table.columns)
        )
        parsed = parse(formula, vocabulary)
        kept = self.keep = _check_keep(keep, self.table.rows)
        with explained():
            schema, self.design = learn(parsed, self.table, self.functions, kept)
            self.spec = specify(schema, self.design, family, link, priors, mask, self.functions)
        self._numbers: dict[str, Any] | None = None

    def __str__(self) -> str:
        return describe(self.spec, self.design.response)

    def __repr__(self) -> str:
        return f"<Model {self.spec.schema.formula.text!r}, family {self.spec.family.name}>"

    @property
    def formula(self) -> str:
        """The formula as it was understood, with canonical spacing."""
        return self.spec.schema.formula.text

    def prior_table(self) -> pd.DataFrame:
        """Returns a table of every parameter's prior."""
        return prior_table(self.spec)

    @property
    def numbers(self) -> dict[str, Any]:
        """The numbers that compiled programs take beside the design, the same in every thread."""
        if self._numbers is None:
            from .programs import double_precision

            with double_precision():
                self._numbers = numbers(self.spec, self.design)
        return self._numbers

    def guesses(self) -> dict[str, float]:
        """A plausible size of each standard deviation of groups, by printed name."""
        found, coords = variables(self.spec)
        out = {}
        for variable in found:
            if variable.kind == "scale":
                parameter, group = variable.source.split(".")[:2]
                units = self.numbers[parameter]["groups"][int(group.removeprefix("group"))]["units"]
                if isinstance(variable.index, int):
                    out[variable.name] = float(units[variable.index])
                else:
                    for label, unit in zip(
                        coords[variable.dims[0]], units[variable.index], strict=True
                    ):
                        out[f"{variable.name}[{label}]"] = float(unit)
        return out

    @property
    def numpyro(self) -> Callable[..., None]:
        """The plain NumPyro model, a callable without arguments, for going on by hand.

        Its latent sites are dimensionless; natural parameters are deterministic sites by their
        printed names. `observed=False` draws the response too.
        """
        return partial(_by_hand, self)

    def fit(
        self,
        method: str = "nuts",
        *,
        seed: int = 0,
        draws: int = 1000,
        tune: int = 1000,
        chains: int = 4,
        progress: bool = True,
        checkpoint: Any = None,
        checkpoint_every: float = EVERY,
        **options: Any,
    ) -> Fit:
        """Fits the model.

        Ctrl-C during `nuts` (after warm-up) and `svi` returns what there is until then: a finding and
        `posterior.attrs["interrupted"]` say so. It is heard between two calls of the compiled program:
        half a second for `nuts`, or one iteration where that takes longer; 250 steps for `svi`. A
        second Ctrl-C raises KeyboardInterrupt, as the first one does during compilation (once that has
        ended) and warm-up. With checkpoint= nothing is lost: the same call goes on.

        Args:
            method: `nuts`, `map`, `svi`, `laplace`, `ols`, `lme` or `glm`.
            seed: the same seed gives the same answer on one machine.
            draws: draws kept (of each chain), for methods that draw.
            tune: warm-up iterations of each chain, for `nuts`.
            chains: number of chains, for `nuts`.
            progress: whether to show a progress bar and a line with the verdict.
            checkpoint: a file that keeps the state of a run of `nuts` or `svi`. Where it exists the run
                goes on from it, and returns, on the same machine, bit for bit what it would have
                returned uninterrupted and without a file. The file stays when the run is done: the same
                call then returns at once, and one with more draws= (or max_steps=) goes on.
            checkpoint_every: seconds from one writing of the file to the next; longer where writing
                would take more than 3% of the time.
            **options: options of the method, such as guide of `svi` or reml of `lme`.

        Returns:
            The fit.

        Raises:
            OptionError: unknown method or option.
            FitError: the method cannot fit this model; the message says which can. Or memory does not
                suffice; or the process was forked from one that had already fitted (start processes by
                "spawn").
            FileError: the check-point cannot be read or written, or is that of another run.
        """
        flag("progress", progress)
        run = choose(method, seed=seed, draws=draws, tune=tune, chains=chains, **options)
        started = time.perf_counter()
        problem = self.problem
        check_memory(problem, run.settings, run.backend.sampled)
        if checkpoint is not None:
            check_resumable(run)
            saved = Checkpoint(checkpoint, identity(self, run), checkpoint_every)
            problem = replace(problem, checkpoint=saved)
        try:
            with explained():
                drawn, early = run.backend.run(run.settings, problem, run.seed, progress), False
        except Interrupted as interrupted:
            drawn, early = interrupted.draws, True
        return self.fitted(run, drawn, time.perf_counter() - started, progress, early)

    @property
    def problem(self) -> Problem:
        """What a backend is given."""
        return Problem(self.spec, self.design, self.spec.structure, lambda: self.numbers)

    def fitted(
        self,
        run: Run,
        draws: Draws,
        seconds: float,
        progress: bool = False,
        interrupted: bool = False,
    ) -> Fit:
        """Joins the model with what a backend returned."""
        chosen = run.settings
        info = {
            "seed": run.seed,
            "settings": {name: getattr(chosen, name) for name in chosen.__dataclass_fields__},
            "timings": {"fit": seconds},
            "versions": versions(),
            "created_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "interrupted": interrupted,
        }
        fit = Fit(self, run.backend, draws, info)
        if progress:
            sys.stderr.write(fit.verdict() + "\n")
        return fit

    def prior_predictive(self, draws: int = 500, seed: int = 0) -> Any:
        """Draws parameters and responses from the prior.

        Args:
            draws: number of draws.
            seed: the same seed gives the same draws.

        Returns:
            InferenceData with groups `prior`, `prior_predictive` and `observed_data`.

        Raises:
            PriorError: a prior is improper.
        """
        from .prior import prior_predictive

        return prior_predictive(self, whole("draws", draws, 1), whole("seed", seed, 0, 2**63 - 1))

    def checks(
        self,
        by: Any = None,
        statistics: Any = None,
        draws: int | None = None,
        seed: int = 0,
        prob: float = 0.95,
    ) -> pd.DataFrame:
        """Returns a table of prior predictive checks; see `inference.checks.prior_checks`."""
        from .checks import prior_checks

        return prior_checks(self, by, statistics, draws, seed, prob)

    def simulate(self, values: Mapping[str, Any], seed: int = 0) -> Any:
        """Simulates a data set like the training data from given parameter values.

        Where the response is filtered on the right, every bin is drawn given the simulated ones before.

        Args:
            values: printed name -> value, for every parameter: `Intercept`, `x`, `sd(1|mouse)`, ...
                Group effects are drawn unless given by name (`1|mouse`: one number per level).
            seed: the same seed gives the same data.

        Returns:
            The rows used, with the response column replaced: a DataFrame, or a dict of arrays for a
            response of two dimensions.

        Raises:
            OptionError: an unknown or missing name.
            FitError: a response that excites itself runs away.
        """
        from .prior import simulate

        return simulate(self, values, whole("seed", seed, 0))


def fit(
    formula: str,
    data: Any,
    *,
    family: object = "normal",
    method: str = "nuts",
    link: str | None = None,
    priors: Mapping[str, Any] | None = None,
    mask: Any = None,
    functions: Mapping[str, Callable[..., Any]] | None = None,
    **options: Any,
) -> Fit:
    """Builds a model and fits it in one call; see `Model` and `Model.fit`."""
    model = Model(
        formula, data, family=family, link=link, priors=priors, mask=mask, functions=functions
    )
    return model.fit(method, **options)


def _check_functions(functions: Any) -> dict[str, Any]:
    message = "functions= takes a dictionary from names to functions, or to arrays that are bases."
    if functions is not None and not isinstance(functions, Mapping):
        raise OptionError(message)
    out = dict(functions or {})
    for name, function in out.items():
        array = isinstance(function, np.ndarray | list)
        if (
            not isinstance(name, str)
            or not name.isidentifier()
            or not (callable(function) or array)
        ):
            raise OptionError(message)
        if name in TRANSFORMS or name in BASES:
            raise FormulaError(f"`{name}` is a function of formulas already; choose another name.")
    return out


def _check_keep(keep: Any, rows: int) -> np.ndarray | None:
    array = None if keep is None else np.asarray(keep)
    if array is not None and (array.dtype.kind != "b" or array.shape != (rows,)):
        raise OptionError(
            f"keep= takes True or False for each of the {rows:,} rows, not {array.dtype} of shape "
            f"{array.shape}."
        )
    return array


def _by_hand(model: Model, observed: bool = True) -> None:
    import numpyro

    structure, arrays = model.spec.structure, model.design.arrays()
    natural = numpyro_model(structure, arrays, model.numbers, observed=observed)
    found, _ = variables(model.spec)
    for variable in found:
        if variable.source in natural:
            value = natural[variable.source]
            picked = variable.take(value)
            numpyro.deterministic(variable.name, picked)
