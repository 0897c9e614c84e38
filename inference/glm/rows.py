"""The rows of a problem, held or made in blocks of one shape, and sums over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import numpy as np

from ...formula.features import BLOCK_BYTES, blocks
from ..programs import double_precision, program
from ..sharding import by_rows, on_all
from .problem import GlmProblem
from .sums import Sums, structure_key, sums

ENTRIES = 2**17
"""Numbers in one block of linear predictors: few enough to stay in a processor's cache."""
COLUMN_ENTRIES = 2**20
"""Numbers in one block of features."""
FEWEST, MOST = 256, 2**14
"""Rows of a block."""
KEPT_SHARE = 0.25
"""Blocks are kept from pass to pass where they take up to this share of the memory, beside a design
that may be held as well."""
IN_FLIGHT = 4
"""Blocks that are computed at the same time, which bounds the memory of blocks made on the fly."""


class Rows:
    """The rows of a problem; columns are centred where there is an intercept to absorb the means.

    Attributes:
        problem: whose rows.
        shift: what is subtracted from the columns, shape (coef,).
        block: rows of a block.
        passes: how often all rows were read.
    """

    def __init__(self, problem: GlmProblem, memory_budget: float, block: int | None = None) -> None:
        self.problem = problem
        self.shift = problem.means if problem.intercept else np.zeros(problem.coefficients)
        self.passes = 0
        self.block = block or block_rows(problem)
        self._put, self._copy = _layouts(problem.devices)
        self._programs: dict[tuple[str, int], Any] = {}
        floats = problem.rows * (problem.coefficients + problem.neurons)
        self._keep = 8.0 * floats <= KEPT_SHARE * memory_budget
        self._columns: list[tuple[int, Any]] = []
        self._responses: dict[int, tuple[Any, dict[str, Any]]] = {}

    def sums(
        self, order: str, index: np.ndarray, intercept: Any, coefficients: Any, raw: Any
    ) -> Sums:
        """Returns sums over all rows for some neurons; see `sums.sums`.

        Args:
            order: which derivatives.
            index: the neurons, shape (n,).
            intercept: about the centred columns, shape (n,).
            coefficients: shape (coef, n).
            raw: unconstrained scalars, shape (scalar, n).
        """
        total: Sums = {}
        running: list[Sums] = []
        with double_precision():
            at = self._copy((intercept, coefficients, raw))
            for x, y, row in self._blocks(index):
                arguments = (x, y, row, *at)
                running.append(self._program(order, len(index), arguments)(*arguments))
                if len(running) > IN_FLIGHT:
                    _add(total, running.pop(0))
            for part in running:
                _add(total, part)
        self.passes += 1
        return total

    def _program(self, order: str, neurons: int, arguments: Any) -> Any:
        known = self._programs.get((order, neurons))
        if known is None:
            key = f"{structure_key(self.problem)} {order}"
            known = program("glm_sums", key, sums(self.problem, order), arguments)
            self._programs[order, neurons] = known
        return known

    def _blocks(self, index: np.ndarray) -> Iterator[tuple[Any, Any, dict[str, Any]]]:
        everybody = np.array_equal(index, np.arange(self.problem.neurons))
        for start, x in self._columns or self._read():
            kept = self._responses.get(start) if everybody else None
            response = kept or self._response(start, None if everybody else index)
            if everybody and self._keep:
                self._responses[start] = response
            yield x, *response

    def _read(self) -> Iterator[tuple[int, Any]]:
        """Yields (first row, centred features) of blocks of the size of a program's."""
        columns: list[tuple[int, Any]] = []
        row_bytes = 8 * max(self.problem.coefficients, 1)
        at_once = self.block * max(1, BLOCK_BYTES // (row_bytes * self.block))
        for first, large in blocks(self.problem.features, row_bytes * at_once):
            for start in range(0, len(large), self.block):
                part = _fill(large[start : start + self.block] - self.shift, self.block)
                block = (first + start, self._put(part))
                if self._keep:
                    columns.append(block)
                yield block
        self._columns = columns

    def _response(self, start: int, index: np.ndarray | None) -> tuple[Any, dict[str, Any]]:
        """Returns y and what else is known of rows; the last row is repeated with weight 0."""
        problem, size = self.problem, self.block
        stop = min(start + size, problem.rows)
        y = np.asarray(problem.y[start:stop], dtype=np.float64)
        row = {"offset": problem.offset[start:stop]}
        for name, values in problem.extras.items():
            part = np.asarray(values[start:stop], dtype=np.float64)
            row[name] = part[:, None] if part.ndim == 1 else part
        if index is not None:
            y = y[:, index]
            row |= {name: v[:, index] for name, v in row.items() if v.ndim > 1 < v.shape[1]}
        weights = np.zeros(size)
        weights[: stop - start] = 1.0 if problem.weights is None else problem.weights[start:stop]
        row = {name: _fill(values, size) for name, values in row.items()} | {"weights": weights}
        return self._put((_fill(y, size), row))


def block_rows(problem: GlmProblem) -> int:
    """Returns the rows of a block, a power of 2, so that problems of many sizes share a program.

    It is rounded up to a multiple of the devices.
    """
    most = min(
        ENTRIES // problem.neurons,
        COLUMN_ENTRIES // max(problem.coefficients, 1),
        problem.rows // 8,
    )
    size = int(2 ** np.floor(np.log2(np.clip(most, FEWEST, MOST))))
    devices = max(len(problem.devices), 1)
    return -(-size // devices) * devices


def _layouts(devices: tuple[Any, ...]) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Returns how blocks of rows, and what all rows share, come to the devices."""
    if not devices:
        return jax.device_put, jax.device_put
    return (
        partial(jax.device_put, device=by_rows(devices)),
        partial(jax.device_put, device=on_all(devices)),
    )


def _fill(values: np.ndarray, size: int) -> np.ndarray:
    if len(values) == size:
        return values
    return np.concatenate([values, np.repeat(values[-1:], size - len(values), axis=0)])


def _add(total: Sums, part: Sums) -> None:
    for name, value in part.items():
        array = np.asarray(value)
        total[name] = total[name] + array if name in total else array
