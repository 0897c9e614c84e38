"""Two groups compared robustly: own means and own spreads, outliers allowed."""

from __future__ import annotations

from ...formula import Table
from ..entry import Entry, Recipe, factor, quote


def recipe(table: Table, y: str, treatment: str) -> Recipe:
    """Returns the formula: the effect on the mean, and on the log of the spread."""
    effect = factor(treatment, table)
    return Recipe(f"{quote(y, table)} ~ {effect}\nsigma ~ {effect}", "student")


TWO_GROUPS = Entry(
    name="two_groups",
    recipe=recipe,
    story="The Bayesian successor of the t test: difference of means and of spreads, with outliers.",
    equation="y ~ StudentT(nu, mu[group], sigma[group])",
    pattern="y ~ treatment; sigma ~ treatment",
    source="Kruschke (2013), J. Exp. Psychol. Gen. 142:573",
)
