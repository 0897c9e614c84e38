"""Many fits of one formula: problems of one structure share one compiled program."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sized
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ..errors import BayeszooError, OptionError, listing
from .batches import fit_models
from .fit import Fit
from .model import Model
from .options import choice, flag, whole
from .progress import Progress
from .reduced import as_frame, join, reduction
from .run import Run, choose

CHUNK = 256
"""Data sets that are held in memory at a time."""
ROWS = 5_000_000
"""Rows that are held in memory at a time, all data sets together."""

Item = tuple[int, Any, Any]
"""The position of a data set, its name, and its table."""
Built = tuple[int, Any, Model | Exception]
"""The same with the model of the table, or the error that it met."""


@dataclass(frozen=True, eq=False)
class Job:
    """All that many fits have in common.

    Attributes:
        formula: as for `Model`.
        model: the other arguments of `Model`.
        method: as for `Model.fit`.
        seed: from which the seed of every data set is derived.
        options: of the method.
        reduce: what is kept of a fit; None: the fit.
    """

    formula: str
    model: Mapping[str, Any]
    method: str
    seed: int
    options: Mapping[str, Any] = field(default_factory=dict)
    reduce: Callable[[Fit], Any] | None = None

    def run(self, index: int) -> Run:
        """Returns method, settings and seed of one data set."""
        return choose(self.method, seed=derived_seed(self.seed, index), **self.options)

    def build(self, table: Any) -> Model:
        """Returns the model of one data set."""
        return Model(self.formula, table, **self.model)

    def keep(self, fit: Fit) -> Any:
        """Returns what is kept of a fit."""
        if self.reduce is None:
            return fit
        try:
            value = self.reduce(fit)
        except BayeszooError:
            raise
        except Exception as error:
            raise OptionError(
                f"your function reduce= raised {type(error).__name__}: {error}"
            ) from error
        as_frame(value)  # refuses what no table can hold
        return value


def fit_many(
    formula: str,
    datasets: Iterable[Any] | Mapping[Any, Any],
    *,
    family: object = "normal",
    method: str = "map",
    link: str | None = None,
    priors: Mapping[str, Any] | None = None,
    mask: Any = None,
    functions: Mapping[str, Any] | None = None,
    seed: int = 0,
    reduce: Callable[[Fit], Any] | str | None = None,
    errors: str = "keep",
    client: Any = None,
    progress: bool = True,
    **options: Any,
) -> Any:
    """Fits one formula to many data sets, which may differ in size and in the levels of groups.

    Each data set is a model of its own, with its own levels, default priors and answer: that of
    `bz.fit` with the seed that stands in `fit.info["seed"]`. Row and group counts are rounded up to a
    few sizes, with rows of weight 0 and groups without rows, so that data sets share compiled programs.
    Methods that have a lock-step program fit all data sets of one size in it. `"nuts"` has none: on a
    CPU all data sets would wait for the longest trajectory at every step, so chains and data sets are
    threads over one program.

    Args:
        formula: as for `Model`.
        datasets: tables in any form that `Model` takes: a sequence, an iterator (read in pieces), or a
            mapping from names to tables.
        family: as for `Model`.
        method: as for `Model.fit`.
        link: as for `Model`.
        priors: as for `Model`.
        mask: as for `Model`.
        functions: as for `Model`.
        seed: data set i is fitted with a seed that follows from `seed` and i alone.
        reduce: what to keep of each fit: a function from a Fit to a number, a mapping, a Series or a
            DataFrame; or `"summary"`. None keeps the fits.
        errors: `"keep"` puts the error of a data set that cannot be fitted in the place of its fit;
            `"raise"` raises the first one. If no data set can be fitted it is raised in any case.
        client: a `dask.distributed.Client`, whose workers do the work; a worker that dies is replaced.
            The answers are the same, but `fit.result` (of statsmodels) does not travel.
        progress: whether to show a progress bar, and a line about data sets that failed.
        **options: further options of `Model.fit`.

    Returns:
        A list of fits (or errors) in the order of the data sets. With `reduce`, one table, whose first
        index level is `dataset` (the name, or the position), without those that failed; their messages
        stand in `attrs["errors"]`.

    Raises:
        OptionError: datasets= is a single table, or an option is unknown or out of range.

    Example:
        >>> import bayeszoo as bz
        >>> tables = [bz.datasets.lfp(mice=4, trials=10, seed=seed)[0] for seed in range(3)]
        >>> means = bz.fit_many("Power ~ stim", tables, reduce=lambda fit: fit.summary()["mean"])
        >>> means.index.tolist(), means.columns.tolist()
        ([0, 1, 2], ['Intercept', 'stim', 'sigma'])
    """
    choice("errors", errors, ("keep", "raise"))
    flag("progress", progress)
    given = {"family": family, "link": link, "priors": priors, "mask": mask, "functions": functions}
    kept = None if reduce is None else reduction(reduce)
    job = Job(formula, given, method, whole("seed", seed, 0, 2**63 - 1), options, kept)
    job.run(0)  # refuses wrong options before a data set is read
    items, count = _items(datasets)
    bar = Progress("data sets", max(count, 1), progress and count > 0)
    if client is None:
        outcomes = _here(job, items, bar)
    else:
        from .many_dask import spread

        outcomes = spread(client, job, items, count, bar)
    names, values = [], []
    with closing(outcomes), closing(bar):  # an error ends the tasks that still wait
        for name, value in outcomes:
            if isinstance(value, Exception):
                value.add_note(f"This happened with data set {name!r}.")
                if errors == "raise":
                    raise value
            names.append(name)
            values.append(value)
    _report(names, values, progress)
    return values if kept is None else join(names, values)


def derived_seed(*numbers: int) -> int:
    """Returns a seed below 2**31 that follows from whole numbers, alike on every machine."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)


def fit_items(job: Job, items: Iterable[Item]) -> Iterator[tuple[Any, Fit | Exception]]:
    """Yields the name of each data set with its fit or the error that it met."""
    waiting: list[Built] = []
    rows = 0
    for index, name, table in items:
        model = _build(job, table)
        waiting.append((index, name, model))
        rows += 0 if isinstance(model, Exception) else model.design.size
        if len(waiting) == CHUNK or rows >= ROWS:
            yield from _fit(job, waiting)
            waiting, rows = [], 0
    yield from _fit(job, waiting)


def _fit(job: Job, built: list[Built]) -> Iterator[tuple[Any, Fit | Exception]]:
    known = [(index, model) for index, _, model in built if isinstance(model, Model)]
    fits = iter(fit_models([model for _, model in known], [job.run(i) for i, _ in known]))
    for _, name, model in built:
        yield name, model if isinstance(model, Exception) else next(fits)


def _build(job: Job, table: Any) -> Model | Exception:
    try:
        return job.build(table)
    except Exception as error:
        return error


def keep(job: Job, outcome: Fit | Exception) -> Any:
    """Returns what is kept of a fit, or the error."""
    if isinstance(outcome, Exception):
        return outcome
    try:
        return job.keep(outcome)
    except Exception as error:
        return error


def _here(job: Job, items: Iterable[Item], bar: Progress) -> Generator[tuple[Any, Any]]:
    for name, outcome in fit_items(job, items):
        bar.advance(1)
        yield name, keep(job, outcome)


def _items(datasets: Any) -> tuple[Iterator[Item], int]:
    """Returns the data sets with positions and names, and their number (0 where it is not known).

    Raises:
        OptionError: it is a single table, or nothing that can be gone through.
    """
    single = isinstance(datasets, pd.DataFrame | str) or not isinstance(datasets, Iterable)
    if isinstance(datasets, Mapping):
        single = any(isinstance(table, np.ndarray | pd.Series) for table in datasets.values())
    if single or type(datasets).__module__.partition(".")[0] in ("polars", "xarray"):
        raise OptionError(
            "datasets= takes several tables (a list, an iterator, or a mapping from names to tables), "
            f"not a single {type(datasets).__name__}. For one table there is bz.fit."
        )
    if isinstance(datasets, Mapping):
        named = enumerate(datasets.items())
        return ((i, name, table) for i, (name, table) in named), len(datasets)
    tables: Any = datasets
    return ((i, i, table) for i, table in enumerate(tables)), (
        len(tables) if isinstance(tables, Sized) else 0
    )


def _report(names: list[Any], values: list[Any], progress: bool) -> None:
    """Says which data sets failed.

    Raises:
        OptionError: there was no data set.
    """
    if not values:
        raise OptionError("datasets= holds no data set.")
    failed = [(n, v) for n, v in zip(names, values, strict=True) if isinstance(v, Exception)]
    if len(failed) == len(values):
        raise failed[0][1]
    if failed and progress:
        named = listing((repr(name) for name, _ in failed), 5)
        sys.stderr.write(f"{len(failed):,} of {len(values):,} data sets failed: {named}.\n")
