"""Held-out scores, power studies, priors made by hand, simulated data, recipes of the zoo, files."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import bayeszoo as bz
from fuzzing.columns import GOOD, Column
from fuzzing.guard import Wrong
from fuzzing.junk import arguments, junk, mostly, some
from fuzzing.part import Part, Unchanged
from fuzzing.tables import Recipe, build, recipes

NUMBER = mostly("0", "1", "2", "0.5", "-1", "1e9", "np.float32(2)", "True", share=3)
FOLDS = mostly("2", "3", "0", '"group:h"', '"group:nope"', '"group:"')
GOOD_TABLE = Recipe(tuple(Column(name) for name in GOOD), 40)
SCORED = {
    "family": mostly('"normal"'),
    "folds": FOLDS,
    "method": mostly('"ols"', '"map"', '"nope"'),
    "kind": mostly('"log_likelihood"', '"mcfadden"', '"cohen"', '"deviance"'),
    "gap": mostly("None", "0", "3", "99"),
    "groups": mostly("None", '"fitted"', '"population"', '"nope"'),
    "priors": mostly("None", '{"x": bz.Normal(0, 1)}'),
    "seed": mostly("0"),
    "nope": mostly("1", share=2),
}
METHODS = mostly(
    '{"map": {"formula": "y ~ x", "method": "map"}}',
    '{"ols": {"formula": "y ~ x + z", "method": "ols"}}',
    '{"ols": {"formula": "y ~ nope", "method": "ols"}}',
    '{"ols": {"method": "ols"}}',
    '{"ols": {"formula": "y ~ x", "method": "ols", "term": "nope"}}',
    '{"ols": "y ~ x"}',
    '["y ~ x"]',
    "[{}]",
)
SOUND_METHODS = [
    '{"ols": {"formula": "y ~ x", "method": "ols"}}',
    '[{"formula": "y ~ x", "method": "glm"}, {"formula": "y ~ x + z", "method": "ols", "term": "x"}]',
    '{"laplace": {"formula": "y ~ x", "method": "laplace", "priors": {"x": bz.Normal(0, 9)}}}',
]
SOUND_SIMULATOR = (
    'lambda effect, seed: {"x": np.arange(9.0), "z": np.arange(9.0) ** 2, '
    '"y": effect * np.arange(9.0) + np.random.default_rng(seed).normal(size=9)}'
)
SIMULATORS = mostly(
    SOUND_SIMULATOR,
    'lambda effect, seed: {"x": [1.0, 2.0], "y": [1.0, np.nan]}',
    "lambda effect, seed: 1 / 0",
    "lambda effect, seed: None",
    "lambda: 1",
    "bz.datasets.sleepstudy",
)
DATASETS = {
    "lfp": "mice trials effect seed baseline baseline_sd effect_cv correlation alpha samples "
    "trial_sd labels",
    "spikes": "mice neurons trials effect seed rates mouse_sd effect_cv duration alpha",
    "lnp_cell": "bins lags seed rate bin_width filter gain",
    "population": "neurons bins seed stimuli stimuli_cv coupling connected rate basis window "
    "bin_width trials",
    "current_injection": "seed unit refractory gain rest noise pulse pause",
}
SMALL = {"lnp_cell": {"bins": "300"}, "population": {"bins": "300"}}
PRIORS = [
    name for name in bz.__all__ if name[0].isupper() and name not in ("Family", "Fit", "Model")
]
PRIORS.remove("BayeszooError")
COLUMN = mostly('"x"', '"h"', '"g"', '"n"', '["x", "z"]', '["g", "h"]', "None", '"nope"', share=6)
NAMED = {
    "y": mostly('"y"', '"w"', '"n"', share=9),
    "treatment": mostly('"h"', '"x"', share=9),
    "group": mostly('"g"', share=9),
    "condition": mostly('"k"', "None", share=9),
}
SOUND_PRIORS = {
    "x": [
        "Normal 0 1",
        "StudentT 3 0 1",
        "Cauchy 0 1",
        "Laplace 0 1",
        "Uniform -1 2",
        "Flat",
        "Ridge 1",
    ],
    "sigma": [
        "HalfNormal 1",
        "Gamma 2 1",
        "InverseGamma 2 1",
        "LogNormal 0 1",
        "Exponential 1",
        "Flat 0 2",
    ],
    "sds": ["HalfCauchy 1", "HalfStudentT 3 1", "Uniform 0 3", "Exponential 2", "Flat 0"],
    "slopes": ["Lasso 1", "ElasticNet 1 0.5", "Horseshoe 1", "Normal 0 1"],
    "corr(g)": ["LKJ 2", "LKJ 0.5"],
}
RECIPES = {
    "cell_means": ("y", "treatment", "condition", "group", "family"),
    "hierarchical_gamma": ("y", "treatment", "group", "condition", "group_slope"),
    "hierarchical_normal": ("y", "treatment", "group", "condition", "group_slope"),
    "hierarchical_robust": ("y", "treatment", "group", "condition", "group_slope"),
    "two_groups": ("y", "treatment"),
    "lnp": ("y", "stimulus", "lags", "by"),
    "linear_gaussian": ("y", "stimulus", "lags", "by"),
    "poisson_glm": ("y", "stimulus", "basis", "history", "by", "family"),
    "population_glm": ("y", "stimulus", "basis", "coupling", "mask", "pooled", "by"),
}
ARGUMENT = {
    "family": mostly('"normal"', '"gamma"', '"poisson"'),
    "group_slope": mostly("True", "False"),
    "lags": mostly("3", "'50ms'", "0"),
    "basis": mostly('"bspline(4, 5)"', '"raised_cos_log(3, 6)"', '"nope(3)"'),
    "history": mostly("None", '"history(2)"'),
    "coupling": mostly("None", '"history(2)"'),
    "mask": mostly("None"),
    "pooled": mostly("True", "False"),
}
_tables = st.one_of(st.just(GOOD_TABLE), st.just(GOOD_TABLE), recipes())


@st.composite
def _scored(draw: Any) -> dict[str, Any]:
    if draw(st.booleans()):
        method = draw(st.sampled_from(["ols", "map", "laplace"]))
        formula = draw(st.sampled_from(["y ~ x", "y ~ x + h", "y ~ conv(x, bspline(4, 5))"]))
        options = {"method": f'"{method}"', "folds": draw(st.sampled_from(["2", "3"]))}
        options |= draw(some(gap=st.sampled_from(["0", "2"]), kind=st.just('"deviance"')))
        case = {"what": "cross_validate", "formula": formula}
        return case | {"table": GOOD_TABLE, "options": options}
    formulas = ["y ~ x", "y ~ x + (1 | g)", "y ~ conv(x, bspline(4, 5))", "y ~ h", "y ~ nope"]
    basis = draw(st.integers(0, 2)) == 0
    case = {"what": "cross_validate", "formula": draw(st.sampled_from(formulas))}
    options = {"method": '"ols"'} | draw(some(**SCORED))
    if basis:
        texts = ["y ~ conv(x, bspline({n}, 6))", "y ~ bs(x, df={n})", "y ~ x"]
        numbers = draw(mostly("[4, 5]", "[4]", "range(4, 6)", "[4, 4]", "[2.5]", "4", "[]"))
        case = {"what": "choose_basis", "formula": draw(st.sampled_from(texts))}
        options["n"] = numbers
    return case | {"table": draw(_tables), "options": options}


@st.composite
def _power(draw: Any) -> dict[str, Any]:
    options = {
        "simulator": SOUND_SIMULATOR,
        "methods": draw(st.sampled_from(SOUND_METHODS)),
        "n": "2",
    }
    if draw(st.booleans()):
        return {"what": "power", "options": options}
    options |= draw(some(simulator=SIMULATORS, methods=METHODS))
    options |= draw(
        some(
            n=mostly("2", "3", "1"),
            effects=mostly("[0, 1]", "(0.5,)", "[1, 1]", "0.3", "[]", "[np.nan]"),
            seed=mostly("0", "2**40"),
            nope=mostly("1"),
        )
    )
    return {"what": "power", "options": options}


@st.composite
def _prior(draw: Any) -> dict[str, Any]:
    if draw(st.booleans()):
        of = draw(st.sampled_from(sorted(SOUND_PRIORS)))
        name, *values = draw(st.sampled_from(SOUND_PRIORS[of])).split()
        return {"what": "prior", "name": name, "values": values, "options": {}, "of": of}
    values = draw(st.lists(NUMBER, max_size=3))
    named = draw(some(**{name: NUMBER for name in ("loc", "scale", "df", "rate", "eta", "nope")}))
    name = draw(st.sampled_from(PRIORS))
    of = draw(st.sampled_from(["x", "slopes", "sigma", "Intercept", "sds", "corr(g)"]))
    return {"what": "prior", "name": name, "values": values, "options": named, "of": of}


@st.composite
def _dataset(draw: Any) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(DATASETS)))
    sound = st.sampled_from(["1", "2", "3", "0.5", "1.5"])
    values = draw(st.sampled_from([sound, NUMBER]))
    chosen = draw(some(**{option: values for option in DATASETS[name].split()}))
    # honest requests for as many rows as fill the memory are not the question
    large = {"1e9", "2**40"}
    chosen = {k: v for k, v in chosen.items() if v not in large}
    return {"what": "dataset", "name": name, "options": SMALL.get(name, {}) | chosen}


@st.composite
def _recipe(draw: Any) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(RECIPES)))
    options = {
        argument: draw({**NAMED, **ARGUMENT}.get(argument, COLUMN))
        for argument in RECIPES[name]
        if argument in NAMED or draw(st.booleans())
    }
    return {"what": "recipe", "name": name, "table": draw(_tables), "options": options}


_file = junk.map(lambda text: {"what": "load", "options": {"path": text}})
CASES = {
    "scores": _scored(),
    "scores again": _scored(),
    "power": _power(),
    "priors": _prior(),
    "datasets": _dataset(),
    "recipes": _recipe(),
    "files": _file,
}


def _run(case: dict[str, Any]) -> None:
    options = arguments(case["options"])
    what = case["what"]
    if what in ("cross_validate", "choose_basis"):
        data = build(case["table"])
        with Unchanged(data):
            table = getattr(bz, what)(case["formula"], data, **{"progress": False} | options)
        if not len(table):
            raise Wrong("an empty table")
    elif what == "power":
        study = bz.power(**{"progress": False} | options)
        study.roc(), study.auc(), study.power()
    elif what == "prior":
        made = getattr(bz, case["name"])(*map(_value, case["values"]), **options)
        model = bz.Model("y ~ x + z + (x | g)", build(GOOD_TABLE), priors={case["of"]: made})
        if any(np.isnan(leaf).any() for leaf in _leaves(model.numbers)):
            raise Wrong("a prior holds what is no number")
        assert str(model) and repr(made)
    elif what == "dataset":
        data, truth = getattr(bz.datasets, case["name"])(**options)
        if not isinstance(truth, dict) or not len(data):
            raise Wrong("no truth beside the data")
    elif what == "recipe":
        data = build(case["table"])
        with Unchanged(data):
            assert str(getattr(bz.zoo, case["name"])(data, **options))
    else:
        bz.load(**options)


def _value(text: str) -> Any:
    return arguments({"value": text})["value"]


def _leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [leaf for value in tree.values() for leaf in _leaves(value)]
    if isinstance(tree, tuple | list):
        return [leaf for value in tree for leaf in _leaves(value)]
    return [tree]


PART = Part("studies, priors, data", 3, st.one_of(*CASES.values()), _run)
