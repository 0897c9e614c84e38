"""Fits on disk: one NetCDF file whose attributes hold the model as JSON. Nothing is ever executed.

The file keeps the training columns that the formula reads, so that a loaded fit predicts, and the
posterior under printed names. The model is built anew from its formula and data; its text passes the
same checks as a formula that a user types.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from .._version import VERSION
from ..errors import BayeszooError, FileError, nearest
from ..file_name import as_path
from ..zoo.families import FAMILIES
from ..zoo.priors import make
from .atomic import replacing
from .backend import Draws
from .backends import find_backend
from .estimator import Estimator
from .fit import Fit
from .idata import load_arviz, safe_name
from .migrations import FORMAT, migrate
from .model import Model
from .stored_file import check_seal, image, look_inside, read_group, rehearse, seal
from .stored_table import column_kinds, restore_table, training_data
from .variables import variables

MARK = "bayeszoo_fit"


def save(fit: Fit, path: Any) -> None:
    """Saves a fit; the file appears whole or not at all, and keeps what stood there until then.

    Raises:
        FileError: the folder is missing or full or cannot be written, or the model cannot be stored.
    """
    target = as_path(path)
    if target.is_dir():
        raise FileError(f"cannot save `{target}`: it is a folder. Give the name of a file in it.")
    if not target.parent.is_dir():
        raise FileError(f"cannot save `{target}`: there is no folder `{target.parent}`.")
    spec = fit.model.spec
    custom = [name for name, prior in spec.priors if prior.custom is not None]
    if custom:
        raise FileError(
            f"the prior of `{custom[0]}` is an own NumPyro distribution, which has no text to store. "
            "Use one of bayeszoo's priors to save the fit."
        )
    if FAMILIES.get(spec.family.name) is not spec.family:
        raise FileError(
            f"the family `{spec.family.name}` is your own, which has no text to store. Use one of "
            "bayeszoo's families to save the fit."
        )
    header = {
        "format": FORMAT,
        "bayeszoo": VERSION,
        "formula": spec.schema.formula.text,
        "family": spec.family.name,
        "link": dict(spec.links)["mu"],
        "priors": {
            name: [str(prior.name), [list(pair) for pair in prior.arguments]]
            for name, prior in spec.priors
        },
        "explicit": sorted(spec.explicit),
        "functions": sorted(name for name, f in fit.model.functions.items() if callable(f)),
        "method": fit.method,
        "info": fit.info,
        "converged": fit.draws.converged,
        "notes": list(fit.draws.notes),
        "log_likelihood": fit.draws.log_likelihood,
        "parameters": fit.draws.parameters,
        "table": None if fit.draws.table is None else _table_to_json(fit.draws.table),
        "columns": column_kinds(fit.model.table, spec.schema.columns),
        "mask": spec.mask,
        "kernels": {
            name: np.asarray(value).tolist()
            for name, value in fit.model.functions.items()
            if not callable(value)
        },
    }
    groups = {name: fit.idata[name] for name in fit.idata.groups()}
    groups["training_data"] = training_data(fit.model.table, spec.schema.columns)
    estimator = fit.draws.estimator
    if estimator is not None:
        groups["estimator"] = _estimator(estimator)
    if fit.model.keep is not None:
        groups["training_data"]["kept_rows"] = ("row", fit.model.keep)
    if fit.draws.trace is not None:
        groups["trace"] = xr.Dataset({"trace": ("step", np.asarray(fit.draws.trace))})
    groups["/"] = xr.Dataset(attrs={MARK: json.dumps(header, default=_plain)})
    content = image(groups)
    try:
        with replacing(target) as part, open(part, "wb") as file:
            file.write(content)
            file.write(seal(content))
    except OSError as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise FileError(
            f"cannot save `{target}`: {reason}. What stood there is untouched. Make room, or save "
            "elsewhere; the fit is still in memory."
        ) from None


def load(path: Any, functions: Any = None) -> Fit:
    """Loads a fit that `Fit.save` wrote.

    Args:
        path: the file.
        functions: the user's own functions, where the formula calls any.

    Returns:
        The fit; it predicts like the saved one.

    Raises:
        FileError: the file is missing, damaged, not a fit of bayeszoo, or of a later version.
    """
    source = as_path(path)
    if source.is_dir():
        raise FileError(f"`{source}` is a folder, not a fit.")
    if not source.is_file():
        raise FileError(f"there is no file `{source}`.{_near(source)}")
    try:
        sealed = check_seal(source)
        if not sealed:
            rehearse(source)
        names = look_inside(source)
        text = read_group(source, "/").attrs.get(MARK)
        if not isinstance(text, str):
            raise FileError(f"`{source}` is a NetCDF file, but not a fit saved by bayeszoo.")
        header = migrate(json.loads(text), str(source), sealed)
        groups = {name: read_group(source, name) for name in names}
    except FileError:
        raise
    except Exception as error:  # whatever a foreign file makes its readers raise
        reason = " ".join(str(error).split()).rstrip(".")[:300] or type(error).__name__
        raise FileError(f"`{source}` cannot be read as a fit: {reason}.") from None
    try:
        return _rebuild(header, groups, functions)
    except BayeszooError as error:
        raise FileError(f"`{source}` cannot be restored: {error}") from None
    except Exception as error:
        raise FileError(f"`{source}` is damaged: {type(error).__name__}: {error}.") from None


def _rebuild(header: dict[str, Any], groups: dict[str, xr.Dataset], functions: Any) -> Fit:
    training = groups.pop("training_data")
    table = restore_table(training, header["columns"])
    priors = {
        name: make(kind, **dict(map(tuple, arguments)))
        for name, (kind, arguments) in header["priors"].items()
        if name in header["explicit"]
    }
    model = Model(
        header["formula"],
        table,
        family=header["family"],
        link=header["link"],
        priors=priors,
        mask=None if header["mask"] is None else np.asarray(header["mask"]),
        keep=training["kept_rows"].to_numpy().astype(bool) if "kept_rows" in training else None,
        functions={**{k: np.asarray(v) for k, v in header["kernels"].items()}, **(functions or {})},
    )
    stored = None if header["table"] is None else _table_from_json(header["table"])
    stats = {str(k): np.asarray(v) for k, v in groups.get("sample_stats", xr.Dataset()).items()}
    draws = Draws(
        _natural(model, groups["posterior"]),
        stats,
        converged=header["converged"],
        notes=tuple(header["notes"]),
        log_likelihood=header.get("log_likelihood"),
        parameters=header.get("parameters"),
        table=stored,
        trace=groups.pop("trace")["trace"].to_numpy() if "trace" in groups else None,
        estimator=_read_estimator(groups.pop("estimator", None)),
    )
    fit = Fit(model, find_backend(header["method"]), draws, header["info"])
    fit._idata = load_arviz().InferenceData(**groups)
    return fit


def _estimator(estimator: Estimator) -> xr.Dataset:
    arrays: dict[str, Any] = {
        "covariance": (("coefficient", "coefficient2"), estimator.covariance),
        "df": ((), estimator.df),
    }
    if estimator.moves is not None and estimator.spread is not None:
        arrays["moves"] = (("parameter", "coefficient", "coefficient2"), estimator.moves)
        arrays["spread"] = (("parameter", "parameter2"), estimator.spread)
    return xr.Dataset(arrays)


def _read_estimator(group: xr.Dataset | None) -> Estimator | None:
    if group is None:
        return None
    arrays = {str(name): array.to_numpy() for name, array in group.items()}
    return Estimator(
        arrays["covariance"], float(arrays["df"]), arrays.get("moves"), arrays.get("spread")
    )


def _natural(model: Model, posterior: xr.Dataset) -> dict[str, np.ndarray]:
    """Puts printed variables back into the arrays of the compiled model."""
    found, coords = variables(model.spec)
    parts: dict[str, list[tuple[Any, np.ndarray]]] = {}
    axes: dict[str, int] = {}
    for variable in found:
        name = safe_name(variable.name)
        if name not in posterior:
            continue
        dims = ("chain", "draw", *(safe_name(dim) for dim in variable.dims))
        values = posterior[name].transpose(*dims).to_numpy()
        expected = tuple(len(coords[dim]) for dim in variable.dims)
        if values.shape[2:] != expected:
            raise FileError(f"`{name}` has shape {values.shape[2:]} instead of {expected}")
        parts.setdefault(variable.source, []).append((variable.index, values))
        axes[variable.source] = variable.axis
    out = {}
    for source, pieces in parts.items():
        if pieces[0][0] is None:
            out[source] = pieces[0][1]
            continue
        axis = axes[source]
        columns = [np.expand_dims(v, axis) if isinstance(i, int) else v for i, v in pieces]
        out[source] = np.concatenate(columns, axis=axis)
    return out


def _table_to_json(table: pd.DataFrame) -> Any:
    data = table.astype(object).to_numpy().tolist()  # exact: JSON keeps every digit of a float
    return {"columns": list(table.columns), "index": list(table.index), "data": data}


def _table_from_json(value: Any) -> pd.DataFrame:
    if any(len(row) != len(value["columns"]) for row in value["data"]):
        raise ValueError("the table of estimates has rows of unlike lengths")
    table = pd.DataFrame(value["data"], index=value["index"], columns=value["columns"])
    table["df"] = table["df"].astype(float).fillna(np.inf)
    return table


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return str(value)


def _near(source: Path) -> str:
    try:
        return nearest(source.name, [entry.name for entry in source.parent.iterdir()])
    except OSError:
        return ""
