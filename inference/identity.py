"""What a run is a run of, as digests: its formula, priors, data, method and settings."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from .._version import VERSION
from ..formula import Table
from .programs import source_digest
from .run import Run

if TYPE_CHECKING:
    from .model import Model


def identity(model: Model, run: Run) -> dict[str, Any]:
    """Returns everything that the answer of a run follows from, as names and texts.

    Options that only say how long to go on are left out, so that a run can be made longer.
    """
    spec = model.spec
    chosen = run.settings
    names = [n for n in chosen.__dataclass_fields__ if n not in run.backend.lengths]
    return {
        "bayeszoo": f"{VERSION}, source {source_digest()[:12]}",  # which says what raw draws mean
        "formula": spec.schema.formula.text,
        "family": spec.family.name,
        "links": dict(spec.links),
        "priors": {name: _prior(spec.prior[name]) for name in sorted(spec.explicit)},
        "mask": _digest(np.asarray(spec.mask[0])) if spec.mask else "none",
        "functions": _functions(model),
        "data": data_digest(model),
        "method": run.backend.name,
        "seed": run.seed,
        **{f"option {name}": getattr(chosen, name) for name in names},
    }


def data_digest(model: Model) -> str:
    """Returns a digest of every value of the columns that the formula reads."""
    digest = hashlib.sha256()
    for name in model.spec.schema.columns:
        digest.update(json.dumps(name).encode())
        _add_column(digest, model.table, name)
    if model.table.time is not None:
        _add(digest, model.table.time.values)
        _add(digest, model.table.time.epochs)
    if model.keep is not None:
        _add(digest, model.keep)
    return digest.hexdigest()


def _add_column(digest: Any, table: Table, name: str) -> None:
    if table.is_categorical(name):
        coded = table.categorical(name)
        digest.update(repr((coded.levels, coded.contrast, coded.arguments)).encode())
        _add(digest, coded.codes)
    elif (stream := table.stream(name)) is not None:
        digest.update(repr(table.second_dimension(name)).encode())
        for _, block in stream.blocks():
            _add(digest, block)
    else:
        _add(digest, table.numeric(name))


def _add(digest: Any, array: Any) -> None:
    solid = np.ascontiguousarray(array)
    digest.update(repr((solid.shape, solid.dtype.str)).encode())
    digest.update(solid.tobytes())


def _digest(array: np.ndarray) -> str:
    digest = hashlib.sha256()
    _add(digest, array)
    return digest.hexdigest()


def _prior(prior: Any) -> str:
    if prior.custom is None:
        return repr((prior.name, prior.arguments))
    numbers = [(name, np.asarray(v).tolist()) for name, v in _parameters(prior.custom)]
    return repr((type(prior.custom).__name__, numbers))


def _parameters(distribution: Any) -> list[tuple[str, Any]]:
    """Returns the numbers of a NumPyro distribution, those of the ones that it wraps too."""
    found: list[tuple[str, Any]] = []
    for name in sorted(vars(distribution)):
        value = vars(distribution)[name]
        if isinstance(value, int | float | np.ndarray | np.generic) or hasattr(value, "__array__"):
            found.append((name, value))
        elif hasattr(value, "log_prob"):
            found += [(f"{name}.{inner}", number) for inner, number in _parameters(value)]
    return found


def _functions(model: Model) -> dict[str, str]:
    """Returns digests of the user's bases; of functions, of which only the values count, the sizes."""
    found = {
        name: "function" if callable(value) else _digest(np.asarray(value, dtype=np.float64))
        for name, value in sorted(model.functions.items())
    }
    if "function" in found.values():  # six digits: other processors may round sums otherwise
        for name, predictor in model.design.predictors.items():
            found[f"values in {name}"] = f"{np.abs(predictor.matrix).sum():.6g}"
    return found
