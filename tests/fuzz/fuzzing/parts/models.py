"""Formula, data, family, priors, link, mask, functions, keep -> Model; nothing is fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import bayeszoo as bz
from fuzzing.columns import GOOD, Column
from fuzzing.formulas import formulas, sound
from fuzzing.junk import arguments, junk, lines, mostly, some
from fuzzing.part import Part, Unchanged, check_finite
from fuzzing.tables import Recipe, build, recipes

FAMILIES = (
    "normal gaussian student lognormal gamma exponential inverse_gaussian poisson negative_binomial "
    "zero_inflated_poisson bernoulli binomial beta robust"
).split()
PARAMETERS = "Intercept x z g h sigma slopes sds sd(1|g) corr(g) alpha nu sd(g) 1|g nope".split()
PRIORS = [f'"{text}"' for text in lines("priors")]
PRIORS += [
    "bz.Normal([0, 0], 1)",
    "bz.Normal([[0, 0]], 1)",
    "bz.Normal(0, np.array([1.0, 2.0]))",
    "bz.Normal",
    "bz.Flat()",
]
FUNCTIONS = ["None", *lines("functions")]
MASKS = ["None"] * 6 + [
    '{"x": [0]}',
    '{"x": []}',
    '{"nope": [0]}',
    "np.ones((2, 2), dtype=bool)",
    "np.zeros(3)",
    '{"x": np.zeros(1, dtype=bool)}',
]
KEEPS = ["None"] * 6 + [
    "np.ones(24, dtype=bool)",
    "np.zeros(24, dtype=bool)",
    "np.arange(24) > 2",
    "np.ones(3, dtype=bool)",
    "[True] * 24",
]


def _priors() -> st.SearchStrategy[str]:
    prior = st.one_of(st.sampled_from(PRIORS), st.sampled_from(PRIORS), junk)
    pairs = st.dictionaries(st.sampled_from(PARAMETERS), prior, min_size=1, max_size=3)
    texts = pairs.map(lambda d: "{" + ", ".join(f'"{k}": {v}' for k, v in d.items()) + "}")
    return st.one_of(st.just("None"), st.just("None"), st.just("None"), texts, junk)


PLAIN = Recipe(tuple(Column(name) for name in GOOD))
OPTIONS = {
    "priors": _priors(),
    "link": mostly("None", '"log"', '"identity"', '"logit"', '"nope"'),
    "functions": mostly("None", *FUNCTIONS),
    "mask": mostly(*MASKS),
    "keep": mostly(*KEEPS),
    "family": mostly(*(f'"{name}"' for name in FAMILIES)),
}


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """One thing is wild at a time (the data most often), or all are."""
    wild = draw(
        st.sampled_from(["data", "data", "data", "formula", "formula", "options", "options", "all"])
    )
    formula, family = draw(sound())
    options = {"family": repr(family).replace("'", '"')}
    table = PLAIN
    if wild in ("formula", "all"):
        formula = draw(formulas)
    if wild in ("options", "all"):
        options |= draw(some(**OPTIONS))
    if wild in ("data", "all"):
        table = draw(recipes())
    return {"formula": formula, "options": options, "table": table}


def make(case: dict[str, Any]) -> bz.Model:
    """Builds the model of a case and reads all that is known before a fit."""
    table: Recipe = case["table"]
    data = build(table)
    with Unchanged(data):
        formula = case["formula"]
        if "f" in case["options"].get("functions", ""):
            formula += " + f(x)"
        model = bz.Model(formula, data, **arguments(case["options"]))
        texts = (str(model), repr(model), model.formula, str(model.prior_table()))
        assert all(texts)
        design = model.design.arrays()
        for predictor in design["predictors"].values():
            check_finite("design", {k: v for k, v in predictor.items() if k != "groups"})
            check_finite("design", [group["effects"] for group in predictor["groups"]])
        check_finite(
            "response",
            {k: v for k, v in design["response"].items() if np.asarray(v).dtype.kind in "fiu"},
        )
    return model


PART = Part("model, design, priors", 36, cases(), lambda case: make(case) and None)
