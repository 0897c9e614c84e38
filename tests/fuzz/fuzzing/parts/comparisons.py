"""bz.compare, bz.likelihood_ratio and bz.fit_many: sound half of the time, else what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

import bayeszoo as bz
from fuzzing.columns import GOOD, Column
from fuzzing.fitted import MODELS, fitted
from fuzzing.guard import Wrong
from fuzzing.junk import arguments, junk, mostly, some, value
from fuzzing.part import Part, Unchanged
from fuzzing.tables import Recipe, build, recipes

SOUND = {
    ("drawn", "nuts", "twin"): ("loo", "waic", "kfold"),
    ("laplace", "rates"): ("loo", "waic", "kfold", "group:h"),
    ("ols", "levels", "line"): ("aic", "bic", "lr", "loo", "waic", "kfold"),
    ("plain", "map", "spread", "drawn", "nuts"): ("kfold",),
    ("glm", "slope"): ("aic", "bic", "lr", "kfold"),
    ("lme", "lme"): ("aic", "bic"),
}
"""Models of fuzzing.fitted that can be compared, and by what."""


def _compared(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    by = st.sampled_from([f'"{criterion}"' for criterion in SOUND[names]])
    further = some(
        scale=st.sampled_from(['"log"', '"deviance"', '"negative_log"']),
        method=st.sampled_from(['"stacking"', '"pseudo-bma"', '"bb-pseudo-bma"']),
        folds=st.sampled_from(["2", "3"]),
        seed=st.sampled_from(["0", "3"]),
    )
    return st.fixed_dictionaries(
        {
            "what": st.just("compare"),
            "fits": st.permutations(names).map(lambda order: order[:3]),
            "form": st.sampled_from(["dict", "list"]),
            "options": st.tuples(by, further).map(lambda both: {"by": both[0]} | both[1]),
        }
    )


WILD = some(
    by=mostly('"loo"', '"waic"', '"lr"', '"group:nope"', '"group:"', '"nope"', "None"),
    scale=mostly('"log"', '"deviance"'),
    method=mostly('"stacking"', '"pseudo-bma"'),
    moment_match=mostly("False", "True"),
    folds=mostly("1", "99"),
    gap=mostly("None", "0", "99"),
    seed=mostly("0"),
    nope=mostly("1", share=2),
)
_any = st.lists(
    st.one_of(
        st.sampled_from(sorted(MODELS)),
        st.sampled_from(sorted(MODELS)),
        junk.map(lambda text: f"junk {text}"),
    ),
    max_size=3,
)
_what = st.sampled_from(["compare", "compare", "compare", "likelihood_ratio"])
_forms = st.sampled_from(["dict", "list", "odd"])


_wild = st.fixed_dictionaries({"what": _what, "fits": _any, "form": _forms, "options": WILD})


@st.composite
def _sound_tables(draw: Any) -> Recipe:
    """Tables of several sizes, with gaps and types that a model takes."""
    columns = {name: Column(name, "good") for name in GOOD}
    name = draw(st.sampled_from(["x", "y", "h", "g", "n"]))
    columns[name] = Column(name, "good", draw(st.sampled_from(["", "", "missing"])))
    rows = draw(st.sampled_from([12, 24, 30, 33]))
    return Recipe(tuple(columns.values()), rows, "", "pandas", draw(st.integers(0, 99)))


_sound_many = st.sampled_from(
    [
        ("y ~ x + h", ("ols", "map", "glm", "laplace")),
        ("log(w) ~ x * z", ("ols", "map")),
        ("y ~ x + (1 | g)", ("lme", "map", "laplace")),
        ("y ~ conv(x, bspline(4, 5))", ("map", "laplace")),
    ]
).flatmap(
    lambda chosen: st.fixed_dictionaries(
        {
            "what": st.just("fit_many"),
            "formula": st.just(chosen[0]),
            "method": st.sampled_from(chosen[1]),
            "tables": st.lists(_sound_tables(), min_size=1, max_size=4),
            "form": st.sampled_from(["dict", "list"]),
            "options": some(
                reduce=st.sampled_from(["None", '"summary"', "lambda fit: 1.5"]),
                seed=st.sampled_from(["0", "7"]),
                errors=st.sampled_from(['"keep"', '"raise"']),
            ),
        }
    )
)
_wild_many = st.fixed_dictionaries(
    {
        "what": st.just("fit_many"),
        "formula": st.sampled_from(["y ~ x", "y ~ x + h", "y ~ x", "y ~ nope", "y ~"]),
        "tables": st.lists(recipes(forms=False), max_size=3),
        "form": _forms,
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


def _check(table: pd.DataFrame) -> None:
    """Raises where a score is not finite and no note and no warning tells of it."""
    scores = table.select_dtypes("number").iloc[:, 1:2].to_numpy(dtype=np.float64)
    told = table.attrs.get("notes") or ("warning" in table and table["warning"].any())
    if not np.isfinite(scores).all() and not told:
        raise Wrong("a score is not finite, and nothing tells of it")


def _run(case: dict[str, Any]) -> None:
    options = arguments(case["options"])
    if case["what"] == "fit_many":
        tables = [build(recipe) for recipe in case["tables"]]
        with Unchanged(*tables):
            found = bz.fit_many(
                case["formula"],
                _formed(case["form"], tables),
                **{"method": case.get("method", "ols"), "progress": False} | options,
            )
        if isinstance(found, list) and len(found) != len(tables):
            raise Wrong("not one answer for every data set")
        return
    fits = [_one(text) for text in case["fits"]]
    if case["what"] == "compare":
        _check(bz.compare(_formed(case["form"], fits), **{"progress": False} | options))
    else:
        bz.likelihood_ratio(*fits)


PART = Part(
    "comparisons, many fits",
    3,
    st.one_of(
        *(_compared(names) for names in SOUND), *[_wild] * 3, *[_sound_many] * 3, *[_wild_many] * 2
    ),
    _run,
)
