"""Simulation studies of detection: does a method find an effect, and does it find one in noise?"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ..errors import BayeszooError, FitError, OptionError, listing, nearest, shown
from .backends import find_backend
from .fit import Fit
from .many import derived_seed, fit_many
from .options import flag, numbers, whole
from .power_study import PowerStudy

COLUMNS = ("method", "effect", "dataset", "estimate", "lower", "upper", "score", "p")


def power(
    simulator: Callable[..., Any],
    methods: Mapping[str, Mapping[str, Any]] | Sequence[Mapping[str, Any]],
    *,
    n: int = 100,
    effects: Sequence[float] = (0.0, 0.3),
    seed: int = 0,
    client: Any = None,
    progress: bool = True,
    **options: Any,
) -> PowerStudy:
    """Simulates data sets with and without an effect, and asks methods for it.

    Args:
        simulator: a function of `effect` and `seed` that returns a table, or a table and the truth, as
            `bz.datasets.lfp` does. Effect 0 must mean none.
        methods: name -> arguments of `bz.fit_many`: `formula`, and `family`, `method`, `priors`, ... as
            wanted; `term` is the printed name of the coefficient that is asked for, and may be left out
            where the model has one beside the intercept. A list is named by its methods and families.
        n: number of data sets for each effect; all methods see the same.
        effects: the effects; 0, which is added if it is missing, gives the false positives.
        seed: data sets and fits follow from it.
        client: a `dask.distributed.Client`, whose workers fit.
        progress: whether to show progress bars.
        **options: further arguments of the simulator.

    Returns:
        A `PowerStudy`: its `table`, and `roc()`, `auc()` and `power(alpha)`.

    Raises:
        OptionError: arguments that do not fit.
        FitError: a method gives an estimate without spread, such as "map".
        FormulaError: as for `Model`; every error of a method that fits no data set at all is raised.

    Example:
        >>> import bayeszoo as bz
        >>> least_squares = {"formula": "log(Power) ~ stim", "method": "ols"}
        >>> study = bz.power(bz.datasets.lfp, {"ols": least_squares}, n=20, effects=[0, 0.5], mice=4)
        >>> study.auc().index.tolist(), bool(study.auc().iloc[0] > 0.9)
        ([('ols', 0.5)], True)
    """
    named = _named(methods)
    for name, given in named.items():
        _require_spread(name, given.get("method", "map"))
    whole("n", n, 2)
    whole("seed", seed, 0, 2**63 - 1)
    flag("progress", progress)
    values = _effects(effects)
    places = [(effect, i) for effect in values for i in range(n)]
    tables = [
        _simulate(simulator, effect, derived_seed(seed, k, i), options)
        for k, effect in enumerate(values)
        for i in range(n)
    ]
    frames, errors = [], {}
    for position, (name, given) in enumerate(named.items()):
        arguments = dict(given)
        asked = Detection(name, arguments.pop("term", None))
        found: Any = fit_many(
            datasets=tables,
            reduce=asked,
            seed=derived_seed(seed, position, 0, 1),
            client=client,
            progress=progress,
            **arguments,
        )
        failed = found.attrs["errors"]
        errors |= {(name, *places[i]): message for i, message in failed.items()}
        frame = found.reindex(range(len(places)))
        frame.insert(0, "dataset", [i for _, i in places])
        frame.insert(0, "effect", [effect for effect, _ in places])
        frame.insert(0, "method", name)
        frames.append(frame)
    table: Any = pd.concat(frames, ignore_index=True)[list(COLUMNS)]
    return PowerStudy(table, errors)


@dataclass(frozen=True)
class Detection:
    """Reads the estimate of one coefficient off a fit.

    Attributes:
        method: the name of the method, for messages.
        term: printed name of the coefficient; None where there is but one.
    """

    method: str
    term: str | None

    def __call__(self, fit: Fit) -> dict[str, float]:
        """Returns estimate, interval, score and p of the coefficient."""
        table = fit.summary()
        row: Any = table.loc[self._name(list(table.index), fit)]
        spread = float(row["sd"])
        score = abs(float(row["mean"])) / spread if spread > 0 else np.nan
        if fit.backend.frequentist:
            p = float(row["p_value"])
        else:
            p = 2 * min(float(row["p_positive"]), 1 - float(row["p_positive"]))
        picked = {"estimate": row["mean"], "lower": row["lower"], "upper": row["upper"]}
        return {**{k: float(v) for k, v in picked.items()}, "score": score, "p": p}

    def _name(self, names: list[str], fit: Fit) -> str:
        if self.term is not None:
            if self.term in names:
                return self.term
            raise OptionError(
                f"method `{self.method}` has no parameter `{self.term}`."
                f"{nearest(self.term, names)} Parameters: {listing(f'`{n}`' for n in names)}."
            )
        schema = fit.model.spec.schema
        own = [n for p in schema.predictors[:1] for n in p.column_names]
        if len(own) != 1:
            raise OptionError(
                f"method `{self.method}` has {len(own)} coefficients beside the intercept"
                f"{': ' * bool(own)}{listing(f'`{n}`' for n in own)}; say with term= which is meant."
            )
        return own[0]


def _named(methods: Any) -> dict[str, Mapping[str, Any]]:
    """Returns methods by name; those of a list by method and family, numbered where they are alike."""
    if isinstance(methods, Mapping):
        named = dict(methods)
    else:
        named = {}
        for given in methods if isinstance(methods, Sequence) else ():
            known = given if isinstance(given, Mapping) else {}
            parts = (known.get("method", "map"), known.get("family", ""))
            base = " ".join(str(part) for part in parts if isinstance(part, str) and part)
            alike = sum(name == base or name.startswith(f"{base} #") for name in named)
            named[f"{base} #{alike + 1}" if alike else base] = given
    if not named or not all(isinstance(v, Mapping) and "formula" in v for v in named.values()):
        raise OptionError(
            "methods= takes a mapping from names to arguments of fit_many, each with a formula: "
            '{"lme": {"formula": "y ~ stim + (1 | mouse)", "method": "lme"}}.'
        )
    return {str(name): given for name, given in named.items()}


def _require_spread(name: str, method: str) -> None:
    if find_backend(method).point:
        raise FitError(
            f'`{name}` uses method "{method}", which gives an estimate without spread, so that nothing '
            'can be detected. Use "laplace", "nuts", "svi", "lme", "glm" or "ols".'
        )


def _effects(effects: Any) -> list[float]:
    given = numbers("effects", effects, "different finite numbers")
    values = [float(value) for value in given.ravel()]
    values = [0.0, *(v for v in values if v != 0)]
    if len(values) < 2 or len(set(values)) < len(values) or not np.isfinite(values).all():
        raise OptionError(
            f"effects= takes different finite numbers, one of them not 0, not {shown(effects)}."
        )
    return values


def _simulate(simulator: Any, effect: float, seed: int, options: Mapping[str, Any]) -> Any:
    """Calls a simulator by the names of its arguments, or in the order (effect, seed).

    Raises:
        OptionError: it cannot be called so, or raises an error.
    """
    if not callable(simulator):
        raise OptionError(
            f"simulator= takes a function (effect, seed, ...) -> data, not {shown(simulator)}."
        )
    try:
        signature = inspect.signature(simulator)
    except (TypeError, ValueError):  # some functions of C have none
        call = partial(simulator, effect, seed, **options)
    else:
        by_name = {"effect", "seed"} <= signature.parameters.keys()
        places, names = ((), {"effect": effect, "seed": seed}) if by_name else ((effect, seed), {})
        try:
            signature.bind(*places, **names, **options)
        except TypeError as error:
            raise OptionError(
                f"simulator= takes a function (effect, seed, ...) -> data and its further options; "
                f"this one is ({', '.join(signature.parameters)}): {error}."
            ) from None
        call = partial(simulator, *places, **names, **options)
    try:
        out = call()
    except BayeszooError:
        raise
    except Exception as error:
        raise OptionError(
            f"your function simulator= raised {type(error).__name__} at effect {effect:g}: {error}"
        ) from error
    return out[0] if isinstance(out, tuple) else out
