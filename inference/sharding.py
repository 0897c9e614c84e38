"""One large problem over several JAX devices: each of them holds a share of the rows.

A compiled program whose arguments are laid out so computes every sum over rows as a sum of the
devices' own sums, which it adds up. Numbers that do not belong to rows are copied to all devices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from ..errors import OptionError, shown
from .backend import Problem
from .programs import double_precision

ROWS = "rows"


def choose(devices: int | str | None) -> tuple[Any, ...]:
    """Returns the devices that an option names; nothing where it names but one.

    Args:
        devices: how many of JAX's devices, `"all"`, or None for one.

    Raises:
        OptionError: it is none of these, or there are fewer.
    """
    if devices is None:
        return ()
    found = jax.local_devices()
    count: Any = len(found) if devices == "all" else devices
    good = isinstance(count, int | np.integer) and not isinstance(count, bool)
    if not good or not 1 <= count <= len(found):
        kind = found[0].platform
        more = (
            " More of a CPU exist if XLA_FLAGS=--xla_force_host_platform_device_count=N is set in the "
            "environment before JAX starts."
            if kind == "cpu"
            else ""
        )
        raise OptionError(
            f'devices= takes "all" or a whole number from 1 to {len(found)}, the JAX devices ({kind}) '
            f"of this process, not {shown(devices)}.{more}"
        )
    return tuple(found[:count]) if count > 1 else ()


def by_rows(devices: tuple[Any, ...]) -> NamedSharding:
    """Returns the layout of arrays whose first axis is dealt out to devices."""
    return NamedSharding(Mesh(np.array(devices), (ROWS,)), PartitionSpec(ROWS))


def on_all(devices: tuple[Any, ...]) -> NamedSharding:
    """Returns the layout of arrays of which every device has a copy."""
    return NamedSharding(Mesh(np.array(devices), (ROWS,)), PartitionSpec())


def place(problem: Problem, devices: int | str | None) -> Problem:
    """Returns a problem whose rows are dealt out to devices.

    Args:
        problem: what there is to fit; its arrays are laid out when they are first asked for.
        devices: how many of JAX's devices, `"all"`, or None for one.

    Raises:
        OptionError: there are not so many devices.
    """
    chosen = choose(devices)
    if not chosen:
        return problem
    return replace(problem, find_design=lambda: spread(problem.design, chosen), devices=chosen)


def spread(design: Mapping[str, Any], devices: tuple[Any, ...]) -> dict[str, Any]:
    """Lays a design out by rows.

    Rows are made a multiple of the devices by copies of the last one, which have weight 0.

    Args:
        design: `response` and `predictors`, arrays by name (see `Design.arrays`).
        devices: where to.
    """
    response = dict(design["response"])
    rows = len(response["y"])
    size = -(-rows // len(devices)) * len(devices)
    picked = np.minimum(np.arange(size), rows - 1)
    if size > rows:
        weights = np.array(response.get("weights", np.ones(rows)), dtype=np.float64)[picked]
        weights[rows:] = 0.0
        response["weights"] = weights

    def put(array: Any) -> Any:
        if len(array) not in (rows, size):  # the groups of neurons, the same in every row
            return jax.device_put(array, on_all(devices))
        whole = array if len(array) == size else np.asarray(array)[picked]
        return jax.device_put(whole, by_rows(devices))

    with double_precision():
        return jax.tree.map(put, {**design, "response": response})


def deal_out(design: Mapping[str, Any], devices: tuple[Any, ...]) -> dict[str, Any]:
    """Lays out a design in pieces (see `layout.eliminable`), some for each device."""
    rows = {"response", "predictors"}
    pieces = dict(design["rows"])

    def put(layout: NamedSharding, tree: Any) -> Any:
        return jax.tree.map(lambda array: jax.device_put(array, layout), tree)

    with double_precision():
        out = {name: put(by_rows(devices), design[name]) for name in rows}
        parents = put(on_all(devices), pieces.pop("parents"))
        out["rows"] = {**put(by_rows(devices), pieces), "parents": parents}
        return {**out, "start": put(on_all(devices), design["start"])}
