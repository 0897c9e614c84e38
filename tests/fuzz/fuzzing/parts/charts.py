"""The tables of charts, and now and then the charts themselves."""

from __future__ import annotations

import inspect
from typing import Any

from hypothesis import strategies as st

import bayeszoo as bz
from fuzzing.columns import GOOD, Column
from fuzzing.fitted import MODELS, fitted
from fuzzing.junk import mostly, some, value
from fuzzing.part import Part
from fuzzing.tables import Recipe, build

CHARTS = sorted(name for name in dir(bz.plot) if not name.endswith("_data"))
COLUMN = mostly('"x"', '"h"', '"g"', '"y"', '"n"', '"nope"', "None", '["x", "h"]')
KNOWN = {
    "by": COLUMN,
    "x": COLUMN,
    "y": COLUMN,
    "facet": COLUMN,
    "variable": COLUMN,
    "group": COLUMN,
    "spikes": COLUMN,
    "time": COLUMN,
    "over": COLUMN,
    "prob": mostly("0.5", "0.95"),
    "seed": mostly("0"),
    "draws": mostly("1", "20"),
    "cells": mostly("2", "10", "None"),
    "names": mostly("None", '"x"', '["x", "Intercept"]', '"nope"', '"h[l1]"'),
    "window": mostly("None", "(0, 10)", "(10, 0)", "(1e300, 2e300)"),
    "style": mostly("None", '"density"', '"points"', '"nope"'),
    "kind": mostly("None", '"prior"', '"posterior"'),
    "at": mostly("None", '{"x": 0}', '{"h": "l0"}'),
    "units": mostly("None", '{"x": "mV"}', '{"nope": 3}'),
}
_h = st.sampled_from(['"h"', '"g"', "None"])
SOUND = {
    "data": ("map ols conv table wide glm prop", {"units": KNOWN["units"]}),
    "forest": ("map nuts ols lme laplace conv two wide", {"prob": KNOWN["prob"]}),
    "intercepts": ("map lme twin two", {"prob": KNOWN["prob"]}),
    "kernels": ("conv", {"gain": st.sampled_from(["True", "False"]), "prob": KNOWN["prob"]}),
    "means": ("map ols lme glm laplace nuts two", {"by": _h, "facet": st.just("None")}),
    "posterior": ("nuts laplace drawn twin", {"prior": st.sampled_from(["True", "False"])}),
    "predictive": ("nuts laplace drawn prop model", {"by": _h, "draws": st.just("20")}),
    "raster": ("counts wide", {}),
    "rates": ("conv wide counts rates", {"cells": st.sampled_from(["2", "3"])}),
    "shrinkage": ("map lme twin", {"prob": KNOWN["prob"]}),
    "slopes": ("map lme nuts glm levels two", {"by": _h}),
    "trace": ("nuts", {}),
}
"""Charts with what they can draw, and options that then make sense."""
FITS = [*sorted(MODELS), *sorted(MODELS), "two", "model", "table", "study"]


@st.composite
def _cases(draw: Any) -> dict[str, Any]:
    if draw(st.booleans()):
        name = draw(st.sampled_from(sorted(SOUND)))
        subjects, options = SOUND[name]
        twin = draw(st.integers(0, 2)) > 0
        return {
            "chart": f"{name}_data" if twin else name,
            "twin": twin,
            "fit": draw(st.sampled_from(subjects.split())),
            "options": draw(some(**options)) if options else {},
        }
    name = draw(st.sampled_from(CHARTS))
    twin = draw(st.integers(0, 4)) > 0
    function = getattr(bz.plot, f"{name}_data" if twin else name)
    named = [
        p.name
        for p in list(inspect.signature(function).parameters.values())[1:]
        if p.kind is not p.VAR_KEYWORD
    ]
    chosen = (
        draw(
            st.lists(
                st.sampled_from([*named, "nope"] if draw(st.integers(0, 9)) == 0 else named),
                max_size=3,
                unique=True,
            )
        )
        if named
        else []
    )
    options = {n: draw(KNOWN.get(n, mostly("None", "True", "False", share=2))) for n in chosen}
    sound = st.sampled_from(SOUND[name][0].split() if name in SOUND else FITS)
    fit = draw(
        st.one_of(
            sound,
            sound,
            st.sampled_from(FITS),
            st.sampled_from(FITS),
            mostly("3", share=1).map(lambda t: f"junk {t}"),
        )
    )
    return {
        "chart": function.__name__ if twin else name,
        "twin": twin,
        "fit": fit,
        "options": options,
    }


def _run(case: dict[str, Any]) -> None:
    kind = case["fit"]
    table = build(Recipe(tuple(Column(c, "good") for c in GOOD), 20))
    given = {
        "two": lambda: {"a": fitted("map"), "b": fitted("lme")},
        "model": lambda: fitted("map").model,
        "table": lambda: table,
        "study": lambda: table.iloc[:0],
    }
    subject = (
        value(kind.removeprefix("junk "))
        if kind.startswith("junk ")
        else given.get(kind, lambda: fitted(kind))()
    )
    chart = getattr(bz.plot, case["chart"])(
        subject, **{k: value(v) for k, v in case["options"].items()}
    )
    if not case["twin"]:
        chart.to_dict()


PART = Part("charts", 4, _cases(), _run)
