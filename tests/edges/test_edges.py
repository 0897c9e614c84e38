"""Numbers at the edges: a right answer, or a finding or an error that names the trouble."""

import csv
import os
from pathlib import Path

import pytest

from .alone import judge_alone
from .cases import EDGES
from .edge import judge

COLUMNS = ("edge", "model", "method", "outcome", "detail", "command")
COMMAND = "make edges"
OUTCOMES = ("exact", "finding", "refused")
QUICK = ("ols", "glm", "lme")
"""Methods without compiled programs; refusals come before compilation, too."""


def _quick(edge, method):
    if "10,000" in edge.name or "300" in edge.name:
        return method in ("ols", "lme")
    compiled = method not in QUICK and edge.expect[method] != "refused"
    return not compiled or (method == "map" and "flat" in edge.name)


PARAMETERS = [
    pytest.param(
        edge,
        method,
        id=f"{edge.name}-{edge.family}-{method}",
        marks=() if _quick(edge, method) else pytest.mark.slow,
    )
    for edge in EDGES
    for method in edge.expect
]


@pytest.mark.parametrize(("edge", "method"), PARAMETERS)
def test_edges_are_answered_or_named(edge, method):
    alone = "10,000" in edge.name and method not in QUICK
    place = [each is edge for each in EDGES].index(True)
    outcome, detail = judge_alone(place, method) if alone else judge(edge, method)
    _write(edge, method, outcome, detail)
    assert outcome in edge.expect[method].split(), detail


def _write(edge, method, outcome, detail):
    named = os.environ.get("BAYESZOO_EDGES")
    if not named:
        return
    path = Path(named)
    new = not path.exists() or not path.stat().st_size
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(COLUMNS)
        model = f"{edge.formula} ({edge.family})" if len(edge.formula) < 60 else edge.family
        writer.writerow([edge.name, model, method, outcome, detail[:300], COMMAND])
