"""Fits of some structures to spoilt data, with wild priors and options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

import bayeszoo as bz
from fuzzing.columns import FAULTS, NUMBERS, Column
from fuzzing.guard import Wrong
from fuzzing.junk import arguments, mostly, some
from fuzzing.part import Part, Unchanged
from fuzzing.tables import Recipe, build

STRUCTURES = [
    ("y ~ x", "normal", ("ols", "map", "laplace", "glm")),
    ("y ~ x", "normal", ("ols", "ols", "map", "laplace")),
    ("y ~ x + z", "normal", ("ols", "map", "laplace")),
    ("y ~ x + g", "normal", ("ols", "map")),
    ("y ~ x + (1 | g)", "normal", ("lme", "lme", "map", "laplace")),
    ("y ~ x + (x | g)", "normal", ("lme",)),
    ("n ~ x", "poisson", ("glm", "map", "laplace")),
    ("n ~ x + (1 | g)", "poisson", ("glmm", "map")),
    ("h ~ x", "bernoulli", ("glm", "map", "laplace")),
    ("w ~ x", "gamma", ("glm", "map", "laplace")),
    ("prop(k, m) ~ x", "binomial", ("glm", "map")),
    ("weighted(y, w) ~ x", "normal", ("ols", "map")),
    ("y ~ x", "student", ("map",)),
    ("w ~ x + z", "lognormal", ("map",)),
    ("n ~ x", "negative_binomial", ("map",)),
    ("p ~ x", "beta", ("map",)),
    ("y ~ conv(x, bspline(4, 5))", "normal", ("map", "ols")),
    ("y ~ x", "normal", ("nuts", "svi")),
]
PRIORS = ["None"] * 8 + [
    '{"x": "flat()"}',
    '{"x": "normal(0, 1e100)"}',
    '{"x": "normal(1e6, 1e-6)"}',
    '{"x": "normal(0, 1e-100)"}',
    '{"slopes": "lasso(1)"}',
    '{"slopes": "ridge(1e6)"}',
    '{"slopes": "horseshoe(1)"}',
    '{"sigma": "flat()"}',
    '{"sigma": "halfnormal(1e-12)"}',
    '{"Intercept": "normal(1e12, 1)"}',
    '{"Intercept": "flat()", "slopes": "flat()", "sigma": "flat()"}',
    '{"sds": "halfnormal(1e9)"}',
    '{"sds": "exponential(1e9)"}',
    '{"x": "uniform(5, 6)"}',
]
OPTIONS = some(
    seed=mostly("0", "1", "2**32", "2**63"),
    draws=mostly("1", "2", "50"),
    tune=mostly("0", "1", "20"),
    chains=mostly("1", "2"),
    progress=mostly("False", "0"),
    robust=mostly('"HC3"', "None", '"HC9"'),
    reml=mostly("True", "False"),
    df=mostly('"normal"'),
    guide=mostly('"normal"', '"nope"'),
    max_steps=mostly("10", "50"),
    batch_size=mostly("5", "100"),
    devices=mostly('"all"', "None"),
    marginalize=mostly("True", "False", '"auto"'),
    target_accept=mostly("0.9", "0.0"),
    max_tree_depth=mostly("3", "0"),
)
NAMES = ("y", "x", "z", "g", "h", "n", "k", "m", "w", "p")


@st.composite
def _tables(draw: Any) -> Recipe:
    columns = {name: Column(name, "good") for name in NAMES}
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
        name = draw(st.sampled_from(["y", "x", "x", "z", "w", "n", "p"]))
        kind = draw(
            st.sampled_from(
                ["good", "good", *NUMBERS, "Int64", "Float32", "bool", "boolean", "object_float"]
            )
        )
        columns[name] = Column(name, kind, draw(st.sampled_from(["", *FAULTS])))
    if draw(st.integers(0, 5)) == 0:
        kind = draw(
            st.sampled_from(
                ["category_unused", "ordered", "string", "np_str", "unicode", "object_int"]
            )
        )
        columns["g"] = Column("g", kind, draw(st.sampled_from(["", "missing"])))
    if draw(st.integers(0, 9)) == 0:
        columns["z"] = Column("z", "good", "constant")
    rows = draw(st.sampled_from([24] * 9 + [3, 4, 6]))
    index = draw(st.sampled_from(["", "", "", "duplicate", "text", "reversed", "multi"]))
    return Recipe(tuple(columns.values()), rows, index, "pandas", draw(st.integers(0, 30)))


@st.composite
def cases_(draw: Any) -> dict[str, Any]:
    formula, family, methods = draw(st.sampled_from(STRUCTURES))
    method = draw(st.sampled_from(methods))
    options = draw(st.one_of(st.just({}), st.just({}), OPTIONS))
    if method in ("nuts", "svi"):
        quick = {
            "nuts": {"draws": "20", "tune": "20", "chains": "1"},
            "svi": {"max_steps": "50", "draws": "20"},
        }[method]
        options = quick | {k: v for k, v in options.items() if k not in quick or v in ("1", "2")}
    priors = draw(st.sampled_from(PRIORS))
    twin = draw(st.integers(0, 19)) == 0
    return {
        "formula": formula.replace("z", "x + I(2 * x)") if twin else formula,
        "family": family,
        "method": method,
        "priors": priors,
        "options": options,
        "table": draw(_tables()),
    }


def finite_or_told(fit: bz.Fit, table: pd.DataFrame) -> None:
    """Raises where a number of a summary is not finite and no finding names a trouble."""
    columns = ["mean"] if fit.backend.point else ["mean", "sd", "lower", "upper"]
    values = table[columns].to_numpy(dtype=np.float64)
    if np.isfinite(values).all():
        return
    findings = fit.diagnose()
    if not findings:
        raise Wrong(f"{fit.method}: no finding tells of what is not finite")
    if not all(isinstance(f, str) and f.strip() for f in findings):
        raise Wrong("an empty finding")


def _run(case: dict[str, Any]) -> None:
    data = build(case["table"])
    with Unchanged(data):
        model = bz.Model(
            case["formula"], data, family=case["family"], **arguments({"priors": case["priors"]})
        )
        options = {"progress": False} | arguments(case["options"])
        fit = model.fit(case["method"], **options)
        table = fit.summary(groups=True)
        finite_or_told(fit, table)
        assert isinstance(fit.verdict(), str) and repr(fit)


PART = Part("fits", 5, cases_(), _run)
