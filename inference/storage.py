"""Fits on disk: one NetCDF file whose attributes hold the model as JSON. Nothing is ever executed.

The file keeps the training columns that the formula reads, so that a loaded fit predicts, and the
posterior under printed names. The model is built anew from its formula and data; its text passes the
same checks as a formula that a user types.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..errors import BayeszooError, FileError
from ..formula import Table
from ..formula.time_axis import TimeAxis
from .backend import Draws
from .backends import find_backend
from .estimator import Estimator
from .fit import Fit
from .idata import load_arviz, safe_name
from .model import Model
from .variables import variables

FORMAT = 2
MARK = "bayeszoo_fit"


def save(fit: Fit, path: Any) -> None:
    """Saves a fit; the file appears whole or not at all.

    Raises:
        FileError: the folder is missing or cannot be written, or the model cannot be stored.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileError(f"cannot save `{target}`: there is no folder `{target.parent}`.")
    spec = fit.model.spec
    custom = [name for name, prior in spec.priors if prior.custom is not None]
    if custom:
        raise FileError(
            f"the prior of `{custom[0]}` is an own NumPyro distribution, which has no text to store. "
            "Use one of bayeszoo's priors to save the fit."
        )
    header = {
        "format": FORMAT,
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
        "columns": _column_kinds(fit.model.table, spec.schema.columns),
        "mask": spec.mask,
        "kernels": {
            name: np.asarray(value).tolist()
            for name, value in fit.model.functions.items()
            if not callable(value)
        },
    }
    groups = {name: fit.idata[name] for name in fit.idata.groups()}
    groups["training_data"] = _training(fit.model.table, spec.schema.columns)
    estimator = fit.draws.estimator
    if estimator is not None:
        groups["estimator"] = _estimator(estimator)
    if fit.model.keep is not None:
        groups["training_data"]["kept_rows"] = ("row", fit.model.keep)
    temporary = ""
    try:
        with tempfile.NamedTemporaryFile(
            dir=target.parent, prefix=f".{target.name}.", suffix=".part", delete=False
        ) as file:
            temporary = file.name
        root = xr.Dataset(attrs={MARK: json.dumps(header, default=_plain)})
        with warnings.catch_warnings():
            root.to_netcdf(temporary, mode="w", engine="h5netcdf")
            for name, group in groups.items():
                group.to_netcdf(temporary, mode="a", group=name, engine="h5netcdf")
        os.replace(temporary, target)
    except OSError as error:
        raise FileError(f"cannot save `{target}`: {error}.") from None
    finally:
        with contextlib.suppress(OSError):
            if temporary and os.path.exists(temporary):
                os.unlink(temporary)


def load(path: Any, functions: Any = None) -> Fit:
    """Loads a fit that `Fit.save` wrote.

    Args:
        path: the file.
        functions: the user's own functions, where the formula calls any.

    Returns:
        The fit; it predicts like the saved one.

    Raises:
        FileError: the file is missing, damaged, or not a fit of bayeszoo.
    """
    source = Path(path)
    if not source.is_file():
        raise FileError(f"there is no file `{source}`.")
    try:
        text = _read(source, "/").attrs.get(MARK)
        if not isinstance(text, str):
            raise FileError(f"`{source}` is a NetCDF file, but not a fit saved by bayeszoo.")
        header = json.loads(text)
        if header.get("format") != FORMAT:
            raise FileError(
                f"`{source}` has format {header.get('format')!r}; this version reads {FORMAT}."
            )
        groups = {name: _read(source, name) for name in _group_names(source)}
    except FileError:
        raise
    except Exception as error:
        raise FileError(f"`{source}` cannot be read as a fit: {error}.") from None
    try:
        return _rebuild(header, groups, functions)
    except BayeszooError as error:
        raise FileError(f"`{source}` cannot be restored: {error}") from None
    except Exception as error:
        raise FileError(f"`{source}` is damaged: {type(error).__name__}: {error}.") from None


def _rebuild(header: dict[str, Any], groups: dict[str, xr.Dataset], functions: Any) -> Fit:
    from ..zoo.priors import make

    training = groups.pop("training_data")
    table = _table(training, header["columns"])
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


def _column_kinds(table: Table, names: tuple[str, ...]) -> dict[str, Any]:
    kinds: dict[str, Any] = {}
    for name in names:
        if table.is_categorical(name):
            kinds[name] = {"levels": list(table.categorical(name).levels)}
        elif table.stream(name) is not None:
            dim, labels = table.second_dimension(name)
            kinds[name] = {"dim": dim, "labels": list(labels)}
        else:
            kinds[name] = {}
    return kinds


def _training(table: Table, names: tuple[str, ...]) -> xr.Dataset:
    """All rows of the columns that the formula reads; factors as codes."""
    arrays: dict[str, Any] = {}
    for i, name in enumerate(names):
        if table.is_categorical(name):
            values: np.ndarray = table.categorical(name).codes
        else:
            values = table.numeric(name)
        dims = ("row",) if values.ndim == 1 else ("row", f"column_{i}_dim")
        arrays[f"column_{i}"] = (dims, values)
    if table.time is not None:
        arrays["time_axis"] = (("row",), table.time.values)
        arrays["time_epochs"] = (("row",), table.time.epochs)
    return xr.Dataset(arrays)


def _table(data: xr.Dataset, kinds: dict[str, Any]) -> Table:
    columns: dict[str, Any] = {}
    dims = {}
    for i, (name, kind) in enumerate(kinds.items()):
        if "dim" in kind:
            dims[name] = (kind["dim"], tuple(kind["labels"]))
        values = data[f"column_{i}"].to_numpy()
        if "levels" in kind:
            levels = kind["levels"]
            columns[name] = pd.Series(pd.Categorical.from_codes(values, categories=levels))
        else:
            columns[name] = pd.Series(values) if values.ndim == 1 else values
    rows = len(next(iter(columns.values())))
    time = None
    if "time_axis" in data:
        axis, epochs = data["time_axis"].to_numpy(), data["time_epochs"].to_numpy()
        time = TimeAxis("time", axis, epochs)
    return Table(columns, rows, time, dims)


def _group_names(path: Path) -> list[str]:
    import h5netcdf

    with h5netcdf.File(path, "r") as file:
        return list(file.groups)


def _read(path: Path, group: str) -> xr.Dataset:
    with warnings.catch_warnings(), xr.open_dataset(path, group=group, engine="h5netcdf") as data:
        return data.load()


def _table_to_json(table: pd.DataFrame) -> Any:
    return json.loads(str(table.to_json(orient="split", double_precision=15)))


def _table_from_json(value: Any) -> pd.DataFrame:
    table = pd.DataFrame(value["data"], index=value["index"], columns=value["columns"])
    table["df"] = table["df"].astype(float).fillna(np.inf)
    return table


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return str(value)
