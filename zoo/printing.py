"""What a model says of itself: formula, equation, family and links, every prior, rows used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ..errors import listing
from ..formula.terms import INTERCEPT, MEAN
from .groups import find_group
from .links import LINKS
from .spec import ModelSpec


def equation(spec: ModelSpec) -> str:
    """Returns the model's equations, one a line."""
    schema, links = spec.schema, dict(spec.links)
    lines = [f"{schema.response} ~ {spec.family.equation}"]
    for predictor, formula in zip(schema.predictors, schema.formula.predictors, strict=True):
        name = predictor.parameter
        left = LINKS[links[name]].equation.replace("mu", name)
        parts = [factor.expression for factor in formula.offsets]
        parts += ["Intercept"] * predictor.intercept
        parts += [f"b[{term.name}] {term.name}" for term in predictor.terms]
        if schema.neurons is not None:
            each = schema.neurons.dim
            left = left.replace(name, f"{name}[{each}]")
            parts += [f"Intercept[{each}]"] * predictor.own_intercept
            parts += [f"b[{term.name}, {each}] {term.name}" for term in predictor.own]
        for group in predictor.groups:
            effects = [
                f"u[{group.variable(e)}]" + ("" if e.name == INTERCEPT else f" {e.name}")
                for e in group.effects
            ]
            parts += effects
        lines.append(f"{left} = {' + '.join(parts) or '0'}")
        for group in predictor.groups:
            names = ", ".join(f"u[{group.variable(e)}]" for e in group.effects)
            member = find_group(group.term.distribution).equation
            related = "correlated" if group.term.correlated and group.size > 1 else "independent"
            lines.append(
                f"({names}) ~ {member}, {related}, over {len(group.levels)} levels of "
                f"{group.term.group}"
            )
    return "\n".join(lines)


def prior_table(spec: ModelSpec) -> pd.DataFrame:
    """Returns a table of every prior: printed name, prior, whether it is the default, and a note."""
    rows = []
    for name, prior in spec.priors:
        note = ""
        parameter = MEAN if name == INTERCEPT else name.removesuffix(f"_{INTERCEPT}")
        if name.endswith(INTERCEPT) and (name == INTERCEPT or parameter != name):
            centred = spec.centred_intercept(parameter)
            note = "at the mean of the predictors" if centred else "all predictors at 0"
        rows.append(
            {
                "parameter": name,
                "prior": str(prior),
                "default": name not in spec.explicit,
                "note": note,
            }
        )
    return pd.DataFrame(rows, columns=["parameter", "prior", "default", "note"]).set_index(
        "parameter"
    )


def _population(spec: ModelSpec) -> list[str]:
    """Says how many neurons there are, and how many coefficients a mask leaves out."""
    neurons = spec.schema.neurons
    if neurons is None:
        return []
    labels = listing(neurons.labels, 8)
    lines = [f"Neurons:  {len(neurons.labels)} ({neurons.dim}: {labels})"]
    if spec.mask is not None:
        total = sum(map(len, spec.mask))
        used = sum(map(sum, spec.mask))
        lines.append(f"Mask:     {total - used:,} of {total:,} coefficients are 0")
    return lines


def _censored(status: Any) -> list[str]:
    """Says how many rows are bounds, since other programs code the status the other way round."""
    if status is None:
        return []
    right, left = int((status > 0).sum()), int((status < 0).sum())
    seen = len(status) - right - left
    return [f"Censored: {right:,} right (above the value), {left:,} left (below it), {seen:,} seen"]


def describe(spec: ModelSpec, response: Mapping[str, Any]) -> str:
    """Returns the whole description that `print(model)` shows.

    Args:
        spec: the model.
        response: the response's arrays, by name.
    """
    links = ", ".join(f"{name}: {link}" for name, link in spec.links)
    table = prior_table(spec)
    width = max((len(name) for name in table.index), default=0)
    lines = [
        f"Formula:  {spec.schema.formula.text}",
        f"Family:   {spec.family.name} (link {links})",
        f"Rows:     {spec.schema.rows}",
        *_censored(response.get("status")),
        *_population(spec),
        "",
        *(f"  {line}" for line in equation(spec).splitlines()),
        "",
        "Priors",
    ]
    for name, prior, default, note in table.itertuples():
        marks = [] if default else ["given"]
        marks += [note] if note else []
        lines.append(
            f"  {name!s:<{width}}  {prior}" + (f"   ({', '.join(marks)})" if marks else "")
        )
    return "\n".join(lines)
