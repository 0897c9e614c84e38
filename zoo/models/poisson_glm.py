"""Poisson GLM: the spikes of one neuron, driven by filtered stimuli and by its own past."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import OptionError
from ...formula import Table
from ..entry import Entry, Recipe, quote
from ..temporal import filtered, has_neurons


def recipe(
    table: Table,
    y: str = "spikes",
    stimulus: str | Sequence[str] | None = "current",
    basis: str = "raised_cos_log(8, 200)",
    history: str | None = None,
    by: str | Sequence[str] | None = None,
    family: str = "poisson",
) -> Recipe:
    """Returns the formula.

    Args:
        table: the data, one row per bin.
        y: the column of spike counts, one per bin.
        stimulus: the column that drives the neuron, or several; None for none.
        basis: the functions that make up the filter of each stimulus, strictly of the past.
        history: those of the neuron's own past spikes; by default none.
        by: a grouping column that no filter crosses, such as trials, or several.
        family: the family of the counts.

    Raises:
        OptionError: several neurons, or a basis that is none.
        FormulaError: there is no such column.
    """
    if has_neurons(table, y):
        raise OptionError(
            f"poisson_glm is for one neuron, but `{y}` has {table.columns[y].shape[1]}. For all of "
            "them take zoo.population_glm; there mask=numpy.eye(neurons) leaves each its own past."
        )
    terms = filtered(table, stimulus, basis, by, "basis")
    if history is not None:
        terms += filtered(table, y, history, by, "history")
    return Recipe(f"{quote(y, table)} ~ {' + '.join(terms) or '1'}", family)


POISSON_GLM = Entry(
    name="poisson_glm",
    recipe=recipe,
    story=(
        "Spikes of one neuron under an injected current or a stimulus: how do the last bins of it, "
        "and the neuron's own last spikes, change the rate?"
    ),
    equation=(
        "y[t] ~ Poisson(mu[t]), log mu[t] = a + sum_j k[j] x[t-1-j] + sum_j h[j] y[t-1-j], k = B b"
    ),
    pattern="spikes ~ conv(current, raised_cos_log(8, 200)) + conv(spikes, raised_cos_log(5, 20))",
    source="Truccolo et al. (2005), J. Neurophysiol. 93:1074",
)
