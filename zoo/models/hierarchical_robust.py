"""Hierarchical student model: an effect of treatment, groups with their own baselines."""

from __future__ import annotations

from ..entry import Entry
from ..hierarchical import hierarchical_recipe

HIERARCHICAL_ROBUST = Entry(
    name="hierarchical_robust",
    recipe=hierarchical_recipe("student"),
    story=("Real responses with outliers from several animals; odd rows hardly move the answer."),
    equation="y ~ StudentT(nu, mu, sigma), mu = a + b treatment + u[group]",
    pattern="y ~ treatment + (1 | group)",
    source="Lange, Little and Taylor (1989), JASA 84:881",
)
