"""Hierarchical gamma model: an effect of treatment, groups with their own baselines."""

from __future__ import annotations

from ..entry import Entry
from ..hierarchical import hierarchical_recipe

HIERARCHICAL_GAMMA = Entry(
    name="hierarchical_gamma",
    recipe=hierarchical_recipe("gamma"),
    story=(
        "Positive responses such as LFP power from several animals: does treatment multiply the "
        "mean, given that animals differ?"
    ),
    equation="y ~ Gamma(alpha, alpha / mu), log mu = a + b treatment + u[group]",
    pattern="y ~ treatment + (1 | group)",
    source="Gelman and Hill (2007), chapter 12; McCullagh and Nelder (1989), chapter 8",
)
