"""formulaic's stateful transforms as ours: state in and out as plain JSON values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from .values import Matrix, Transform


def stateful(
    name: str,
    function: Callable[..., Any],
    *,
    aliases: tuple[str, ...] = (),
    story: str = "",
    constant: Callable[[Mapping[str, Any]], bool] | None = None,
) -> Transform:
    """Wraps a formulaic transform `f(x, ..., _state)` of one numeric column.

    Args:
        name: its name in formulas.
        function: the transform.
        aliases: further names.
        story: one sentence for the documentation.
        constant: options -> whether some combination of its columns is constant, where the
            transform does not say so itself.
    """

    def learn(x: np.ndarray, *arguments: Any, **options: Any) -> dict[str, Any]:
        state: dict[str, Any] = {}
        function(x, *arguments, _state=state, **options)
        return {key: encode(value) for key, value in state.items()}

    def apply(state: dict[str, Any], x: np.ndarray, *arguments: Any, **options: Any) -> Any:
        known = np.isfinite(x)
        decoded = {key: decode(value) for key, value in state.items()}
        result = function(x[known], *arguments, _state=decoded, **options)
        value = _unwrap(result, known)
        if constant is not None and isinstance(value, Matrix):
            bound = signature.bind(x, *arguments, **options).arguments
            return replace(value, spans_intercept=constant(bound))
        return value

    signature = _signature(function)
    learn.__signature__ = signature  # type: ignore[attr-defined]
    return Transform(name, apply, learn, aliases=aliases, story=story)


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """The arguments that a formula may give: not those by which formulaic passes its state."""
    full = inspect.signature(function)
    kept = [p for p in full.parameters.values() if not p.name.startswith("_")]
    return full.replace(parameters=[p for p in kept if p.kind is not p.VAR_KEYWORD])


def _unwrap(result: Any, known: np.ndarray) -> Any:
    metadata = getattr(result, "__formulaic_metadata__", None)
    values = getattr(result, "__wrapped__", result)
    if isinstance(values, dict):
        fields = [key for key in values if not str(key).startswith("__")]
        columns = np.column_stack([np.asarray(values[key], dtype=np.float64) for key in fields])
        labels = tuple(fields)
    else:
        columns = np.asarray(values, dtype=np.float64)
        labels = tuple(range(1, columns.shape[1] + 1)) if columns.ndim == 2 else ()
    out = np.full((len(known), *columns.shape[1:]), np.nan)
    out[known] = columns
    if columns.ndim == 1:
        return out
    return Matrix(out, labels, bool(getattr(metadata, "spans_intercept", False)))


def encode(value: Any) -> Any:
    """Turns arrays and dicts with other than text keys into tagged JSON values."""
    if isinstance(value, np.ndarray):
        return {"array": value.tolist()}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {"pairs": [[key, encode(item)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    return value


def decode(value: Any) -> Any:
    """The inverse of `encode`."""
    if isinstance(value, dict):
        if "array" in value:
            return np.asarray(value["array"])
        return {key: decode(item) for key, item in value["pairs"]}
    if isinstance(value, list):
        return [decode(item) for item in value]
    return value
