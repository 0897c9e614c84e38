"""bz.compare, bz.likelihood_ratio and bz.fit_many with what does not fit together."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

import bayeszoo as bz
from fuzzing.fitted import MODELS, fitted
from fuzzing.junk import arguments, junk, mostly, some, value
from fuzzing.part import Part, Unchanged
from fuzzing.tables import build, recipes

OPTIONS = some(
    by=mostly(
        '"loo"', '"waic"', '"aic"', '"bic"', '"lr"', '"group:nope"', '"group:"', '"nope"', "None"
    ),
    scale=mostly('"log"', '"deviance"'),
    method=mostly('"stacking"', '"pseudo-bma"'),
    moment_match=mostly("False", "True"),
    folds=mostly("1", "99"),
    gap=mostly("None", "0", "99"),
    seed=mostly("0"),
    nope=mostly("1", share=2),
)
fit = st.one_of(
    st.sampled_from(sorted(MODELS)),
    st.sampled_from(sorted(MODELS)),
    junk.map(lambda t: f"junk {t}"),
)
_compare = st.fixed_dictionaries(
    {
        "what": st.sampled_from(["compare", "compare", "compare", "likelihood_ratio"]),
        "fits": st.lists(fit, max_size=3),
        "form": st.sampled_from(["dict", "list", "odd"]),
        "options": OPTIONS,
    }
)
_many = st.fixed_dictionaries(
    {
        "what": st.just("fit_many"),
        "formula": st.sampled_from(["y ~ x", "y ~ x + h", "y ~ x", "y ~ nope", "y ~"]),
        "tables": st.lists(recipes(forms=False), max_size=3),
        "form": st.sampled_from(["dict", "list", "odd"]),
        "options": some(
            method=mostly('"ols"', '"ols"'),
            reduce=mostly("None", '"summary"', "len", "lambda f: None", "lambda f: 1 / 0"),
            seed=mostly("0"),
            progress=mostly("False"),
            family=mostly('"normal"'),
            nope=mostly("1"),
            priors=mostly("None"),
        ),
    }
)


def _formed(form: str, items: list[Any]) -> Any:
    if form == "dict":
        return {f"f{i}": item for i, item in enumerate(items)}
    return {None: items} if form == "odd" else items


def _one(text: str) -> Any:
    return value(text.removeprefix("junk ")) if text.startswith("junk ") else fitted(text)


def _run(case: dict[str, Any]) -> None:
    options = arguments(case["options"])
    if case["what"] == "fit_many":
        tables = [build(recipe) for recipe in case["tables"]]
        with Unchanged(*tables):
            bz.fit_many(
                case["formula"],
                _formed(case["form"], tables),
                **{"method": "ols", "progress": False} | options,
            )
        return
    fits = [_one(text) for text in case["fits"]]
    if case["what"] == "compare":
        bz.compare(_formed(case["form"], fits), **{"progress": False} | options)
    else:
        bz.likelihood_ratio(*fits)


PART = Part("comparisons, many fits", 3, st.one_of(_compare, _compare, _many), _run)
