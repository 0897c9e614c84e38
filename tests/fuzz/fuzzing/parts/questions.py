"""Questions to fits: predictions of new data, means, contrasts, slopes, statements, checks."""

from __future__ import annotations

import contextlib
import tempfile
from typing import Any

import pandas as pd
import xarray as xr
from hypothesis import strategies as st

from fuzzing.fitted import MODELS, fitted
from fuzzing.junk import arguments, lines, mostly, some, value
from fuzzing.part import Part, Unchanged, check_finite
from fuzzing.tables import build, recipes

COLUMNS = [
    '"x"',
    '"h"',
    '"z"',
    '"g"',
    '"y"',
    '"neuron"',
    '"nope"',
    '["x", "h"]',
    '["h", "g"]',
    '"n"',
    '"spikes"',
    "None",
]
BY = mostly("None", *COLUMNS)
PROB = mostly("0.5", "0.95", "0.999999999999", "1e-300", "1", "95")
AT = mostly(
    "None",
    '{"x": [0, 1]}',
    '{"h": "l0"}',
    '{"h": ["l1", "zz"]}',
    '{"x": 1e300}',
    '{"x": np.nan}',
    '{"g": "l2"}',
    '{"w": 3}',
    '{"x": "a"}',
    '{"h": 3}',
    '{"x": []}',
    '{"x": np.arange(3.0)}',
    '{"x": True}',
    '{"neuron": 0}',
    '{"nope": 1}',
)
GROUPS = mostly("None", '"population"', '"fitted"', '"new"', '"nope"')
ROPE = mostly(
    "None",
    "(-0.1, 0.1)",
    "(0.1, -0.1)",
    "(-np.inf, np.inf)",
    "(np.nan, 1)",
    "[0, 1]",
    "(1e300, 2e300)",
)
EFFECT = {
    "at": AT,
    "groups": GROUPS,
    "average": mostly('"grid"', '"rows"'),
    "prob": PROB,
    "interval": mostly('"equal"', '"hdi"'),
    "rope": ROPE,
}
SEED = mostly("0", "1", "2**40")
DRAWS = mostly("None", "1", "3", "10**9")
KIND = mostly('"mean"', '"linear"', '"response"', '"nope"')
STATEMENTS = [*lines("statements"), "-" * 300 + "x > 0", "x" + " + x" * 2000 + " > 0"]
_statement = st.one_of(
    st.sampled_from(STATEMENTS),
    st.sampled_from(STATEMENTS),
    st.text(max_size=20).map(lambda t: f"x > {t}"),
)
_statements = st.one_of(_statement.map(repr), st.lists(_statement, max_size=3).map(repr))
NEW = {"kind": KIND, "groups": GROUPS, "seed": SEED, "draws": DRAWS}
VARIABLE = mostly('"x"', '"h"', '"z"', '"g"', '"nope"', '"y"')

PATH = mostly('"out.nc"', '"out.html"', '"nope/out.nc"', '"."', share=2)
VALUES = mostly(
    '{"Intercept": 1.0, "x": 0.5, "sigma": 1.0}',
    '{"Intercept": 0.1, "x": 0.1}',
    "{}",
    '{"x": "a"}',
    '{"x": np.nan, "Intercept": 0, "sigma": 1}',
    '{"Intercept": [1, 2], "x": 0}',
    '{"nope": 1}',
)

QUESTIONS: dict[str, tuple[tuple[Any, ...], dict[str, Any], bool]] = {
    "predict": ((), NEW, True),
    "predictions": ((), NEW | {"prob": PROB}, True),
    "simulate": ((), {"draws": DRAWS, "seed": SEED}, True),
    "rates": ((), {"groups": GROUPS, "draws": DRAWS, "seed": SEED}, True),
    "score": (
        (mostly('"log_likelihood"', '"mcfadden"', '"cohen"', '"deviance"', '"nope"'),),
        {
            "per_neuron": mostly("True", "False"),
            "rows": mostly("None", "np.ones(30, dtype=bool)", "[0, 1]"),
            "groups": GROUPS,
        },
        False,
    ),
    "summary": (
        (),
        {
            "prob": PROB,
            "groups": mostly("True", "False"),
            "interval": EFFECT["interval"],
            "rope": ROPE,
        },
        False,
    ),
    "means": ((BY,), EFFECT, False),
    "contrasts": (
        (VARIABLE, BY),
        EFFECT
        | {"scale": mostly('"difference"', '"ratio"'), "against": mostly("None", '"l0"', '"zz"')},
        False,
    ),
    "slopes": ((VARIABLE, BY), EFFECT, False),
    "hypothesis": ((_statements,), {"prob": PROB, "interval": EFFECT["interval"]}, False),
    "checks": (
        (),
        {
            "by": BY,
            "statistics": mostly(
                "None",
                '"mean"',
                '["mean", "sd"]',
                '{"a": len}',
                '{"a": lambda y: np.nan}',
                '{"a": lambda y: "b"}',
                '{"a": lambda y: 1 / 0}',
            ),
            "draws": mostly("5", "20"),
            "seed": SEED,
            "prob": PROB,
            "prior": mostly("False", "True"),
        },
        False,
    ),
    "posterior_predictive": ((), {"draws": DRAWS, "seed": SEED}, False),
    "kernels": ((), {"prob": PROB}, False),
    "rescaling": ((), {"seed": SEED, "rows": mostly("None", "[0, 1]")}, True),
    "loo": (
        (),
        {"moment_match": mostly("False", "True"), "pointwise": mostly("True"), "nope": mostly("1")},
        False,
    ),
    "waic": ((), {"pointwise": mostly("True"), "nope": mostly("1")}, False),
    "loo_pit": ((), {"seed": SEED}, False),
    "save": ((PATH,), {}, False),
    "model.checks": ((), {"by": BY, "draws": mostly("5", "20"), "seed": SEED, "prob": PROB}, False),
    "model.prior_predictive": ((), {"draws": mostly("1", "20"), "seed": SEED}, False),
    "model.simulate": ((VALUES,), {"seed": SEED}, False),
}
"""Methods of fits and of their models, with what they are given, and whether new data are."""


@st.composite
def _cases(draw: Any) -> dict[str, Any]:
    name = draw(
        st.sampled_from(
            [
                *sorted(QUESTIONS),
                "predict",
                "predictions",
                *"means contrasts slopes hypothesis".split(),
            ]
        )
    )
    positional, options, data = QUESTIONS[name]
    table = draw(st.one_of(st.none(), recipes(), recipes())) if data else None
    return {
        "fit": draw(st.sampled_from(sorted(MODELS))),
        "question": name,
        "table": table,
        "positional": [draw(p) for p in positional],
        "options": draw(some(**options)) if options else {},
    }


def _run(case: dict[str, Any]) -> None:
    fit = fitted(case["fit"])
    data = None if case["table"] is None else build(case["table"])
    given = [value(text) for text in case["positional"]] + ([] if data is None else [data])
    of, _, name = case["question"].rpartition(".")
    subject = fit.model if of else fit
    with Unchanged(data), tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        answer = getattr(subject, name)(*given, **arguments(case["options"]))
    check_answer(case, answer)


def check_answer(case: dict[str, Any], answer: Any) -> None:
    """Raises where the numbers that an answer is about are not finite.

    Rows of new data whose predictors are missing are answered by NaN; of draws single ones may be
    infinite, where new data are far from those of the fit.
    """
    new = case["table"] is not None
    if isinstance(answer, xr.DataArray) and not new:
        check_finite(case["question"], answer)
    elif isinstance(answer, pd.DataFrame) and case["question"] not in (
        "checks",
        "model.checks",
        "kernels",
    ):
        for column in ("mean", "rate", "median"):
            if column in answer:
                values = answer[column].dropna() if new else answer[column]
                check_finite(f"{case['question']}.{column}", values)


PART = Part("questions to fits", 10, _cases(), _run)
