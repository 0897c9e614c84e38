"""The zoo's entries write the formulas that a user would."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    n = 240
    df = pd.DataFrame(
        {
            "stim": rng.integers(0, 2, n),
            "context": rng.choice(["dark", "light"], n),
            "neuron": rng.integers(0, 3, n),
            "mouse": np.repeat([f"m{i}" for i in range(6)], n // 6),
        }
    )
    df["LFP power"] = rng.gamma(3, 1 + 0.3 * df["stim"])
    return df


@pytest.mark.parametrize(
    ("entry", "columns", "formula", "family"),
    [
        (
            "hierarchical_gamma",
            {"treatment": "stim", "group": "mouse"},
            "`LFP power` ~ stim + (1 | mouse)",
            "gamma",
        ),
        (
            "hierarchical_normal",
            {"treatment": "stim", "group": "mouse", "group_slope": True},
            "`LFP power` ~ stim + (1 + stim | mouse)",
            "normal",
        ),
        (
            "hierarchical_robust",
            {"treatment": "stim", "group": ["mouse", "neuron"], "condition": "neuron"},
            "`LFP power` ~ 0 + C(neuron) + stim:C(neuron) + (1 | mouse/neuron)",
            "student",
        ),
        (
            "cell_means",
            {"treatment": "stim", "condition": "context", "group": "mouse"},
            "`LFP power` ~ 1 + (1 | stim:context) + (1 | mouse)",
            "normal",
        ),
        (
            "two_groups",
            {"treatment": "context"},
            "`LFP power` ~ context\nsigma ~ context",
            "student",
        ),
    ],
)
def test_entries_write_formulas_that_fit(table, entry, columns, formula, family):
    model = getattr(bz.zoo, entry)(table, y="LFP power", **columns)
    assert isinstance(model, bz.Model)
    assert model.spec.schema.formula.text == formula
    assert model.spec.family.name == family
    assert formula.splitlines()[0] in str(model)


def test_the_table_tells_every_story():
    table = bz.zoo.table()
    assert {"hierarchical_gamma", "cell_means", "two_groups"} <= set(table.index)
    assert {"poisson_glm", "population_glm", "linear_gaussian", "lnp"} <= set(table.index)
    assert (table.map(len) > 0).all().all()
    assert set(dir(bz.zoo)) == {*table.index, "table"}


def test_columns_of_any_name_are_quoted(table):
    odd = table.rename(columns={"stim": "class", "mouse": "animal__id"})
    model = bz.zoo.hierarchical_gamma(odd, y="LFP power", treatment="class", group="animal__id")
    assert model.spec.schema.formula.text == "`LFP power` ~ `class` + (1 | `animal__id`)"


def test_wrong_names_are_explained(table):
    with pytest.raises(bz.BayeszooError, match="Nearest: `mouse`"):
        bz.zoo.hierarchical_gamma(table, y="LFP power", treatment="stim", group="mose")
    with pytest.raises(bz.BayeszooError, match="list of some, is wanted, not 5"):
        bz.zoo.hierarchical_gamma(table, y="LFP power", treatment="stim", group=5)
    with pytest.raises(bz.BayeszooError, match="holds a backtick"):
        odd = table.assign(**{"a`b": 1.0})
        bz.zoo.hierarchical_gamma(odd, y="LFP power", treatment="a`b", group="mouse")
    with pytest.raises(bz.BayeszooError, match="treatment"):
        bz.zoo.two_groups(table, y="LFP power")
    with pytest.raises(AttributeError, match="hierarchical_gamma"):
        _ = bz.zoo.hierarchical_gama
