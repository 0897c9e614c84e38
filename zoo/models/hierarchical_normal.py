"""Hierarchical normal model: an effect of treatment, groups with their own baselines."""

from __future__ import annotations

from ..entry import Entry
from ..hierarchical import hierarchical_recipe

HIERARCHICAL_NORMAL = Entry(
    name="hierarchical_normal",
    recipe=hierarchical_recipe("normal"),
    story=(
        "Real responses from several animals: does treatment shift the mean, given that animals differ?"
    ),
    equation="y ~ Normal(mu, sigma), mu = a + b treatment + u[group]",
    pattern="y ~ treatment + (1 | group)",
    source="Gelman and Hill (2007), chapter 12",
)
