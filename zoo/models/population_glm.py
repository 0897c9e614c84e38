"""Population GLM: neurons that share stimuli and excite or inhibit each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import OptionError, shown
from ...formula import Table
from ...formula.quoting import NAME, spell_item
from ..entry import Entry, Recipe, quote
from ..temporal import filtered, has_neurons


def recipe(
    table: Table,
    y: str = "spikes",
    stimulus: str | Sequence[str] | None = None,
    basis: str = "raised_cos_log(5, 20)",
    coupling: str | None = "raised_cos_log(5, 20)",
    mask: Any = None,
    pooled: bool = False,
    by: str | Sequence[str] | None = None,
    family: str = "poisson",
) -> Recipe:
    """Returns the formula.

    Args:
        table: the data, one row per bin.
        y: spike counts, shape (bin, neuron).
        stimulus: the column that drives all neurons, or several; None for none.
        basis: the functions that make up the filter of each stimulus, strictly of the past.
        coupling: those of the past spikes of every neuron, its own included; None for no coupling.
        mask: which source reaches which neuron, booleans of shape (source, neuron), or what else
            `bz.Model` takes for one term; or a dictionary by term, for several terms.
        pooled: whether the neurons' filters of the stimulus are drawn towards a common one.
        by: a grouping column that no filter crosses, such as trials, or several.
        family: the family of the counts.

    Raises:
        OptionError: one neuron, a basis that is none, or options that do not go together.
        FormulaError: there is no such column.
    """
    if not has_neurons(table, y):
        raise OptionError(
            f"population_glm is for several neurons, but `{y}` has one dimension; it takes counts of "
            "shape (bin, neuron). For one neuron take zoo.poisson_glm."
        )
    if not isinstance(pooled, bool):
        raise OptionError(f"pooled= takes True or False, not {shown(pooled)}.")
    if pooled and stimulus is None:
        raise OptionError("pooled=True pools filters of a stimulus, so it needs stimulus= as well.")
    terms = filtered(table, stimulus, basis, by, "basis")
    groups = []
    if pooled:
        dimension, _ = table.second_dimension(y)
        groups = [f"({' + '.join(terms)} | {spell_item(NAME, dimension)})"]
    coupled = [] if coupling is None else filtered(table, y, coupling, by, "coupling")
    if mask is not None and not isinstance(mask, Mapping):
        if not coupled:
            raise OptionError(
                "mask= says which neuron reaches which, but coupling=None leaves no coupling. To "
                "mask another term name it: mask={term: ...}."
            )
        mask = {coupled[0]: mask}
    right = " + ".join([*terms, *coupled, *groups]) or "1"
    return Recipe(f"{quote(y, table)} ~ {right}", family, mask=mask)


POPULATION_GLM = Entry(
    name="population_glm",
    recipe=recipe,
    story=(
        "Spikes of many neurons at once: what does each get from the stimulus, from its own past, "
        "and from every other neuron?"
    ),
    equation=(
        "y[t, n] ~ Poisson(mu[t, n]), log mu[t, n] = a[n] + sum_j k[j, n] x[t-1-j] "
        "+ sum_sj c[s, j, n] y[t-1-j, s]"
    ),
    pattern="spikes ~ conv(stim, raised_cos_log(5, 20)) + conv(spikes, raised_cos_log(5, 20))",
    source="Pillow et al. (2008), Nature 454:995",
)
