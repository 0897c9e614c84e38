"""What charts of grouped data keep: a valid specification, a title, few rows, no Altair in tables."""

import json
import subprocess
import sys

import altair as alt
import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz

EVERY = ("data", "means", "slopes", "posterior", "forest", "predictive")
GROUPED = ("intercepts", "shrinkage")


def check(chart):
    """Validates a chart against Vega-Lite's schema and returns it as a dictionary."""
    spec = chart.to_dict()
    assert spec["title"]["text"] and spec["title"]["subtitle"]
    rows = [len(part) for part in spec["datasets"].values()]
    assert max(rows) <= 5000
    assert len(json.dumps(spec)) < 2_000_000
    for part in spec["datasets"].values():
        names = {name for row in part for name in row}
        assert not any(set(".[]:'\"\\") & set(name) for name in names)
        fields = set(_fields(spec))
        made = {"halfway", "middle", "count"}
        assert fields - made <= names, fields - names
    return spec


def _fields(part):
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "field" and isinstance(value, str):
                yield value
            elif key != "datasets":
                yield from _fields(value)
    elif isinstance(part, list):
        for value in part:
            yield from _fields(value)


@pytest.mark.parametrize("method", ["laplace", "map", "lme", "ols"])
@pytest.mark.parametrize("name", EVERY)
def test_every_chart_of_every_method_is_valid(grouped, name, method):
    fit = grouped[method]
    check(getattr(bz.plot, name)(fit))
    assert len(getattr(bz.plot, f"{name}_data")(fit))


@pytest.mark.parametrize("method", ["laplace", "map", "lme"])
@pytest.mark.parametrize("name", GROUPED)
def test_charts_of_groups_are_valid(grouped, name, method):
    check(getattr(bz.plot, name)(grouped[method]))


@pytest.mark.parametrize("name", ["means", "slopes", "posterior", "forest", "intercepts"])
def test_several_fits_get_a_colour_each_in_the_order_given(grouped, name):
    several = {key: grouped[key] for key in ("lme", "laplace", "map")}
    spec = check(getattr(bz.plot, name)(several))
    colours = [e["color"] for e in _encodings(spec) if e.get("color", {}).get("field") == "fit"]
    assert colours and all(c["scale"]["domain"] == list(several) for c in colours)


def _encodings(part):
    if isinstance(part, dict):
        if "encoding" in part:
            yield part["encoding"]
        for key in ("layer", "spec"):
            yield from _encodings(part.get(key))
    elif isinstance(part, list):
        for value in part:
            yield from _encodings(value)


@pytest.mark.parametrize("name", ["data", "means", "slopes", "predictive", "posterior", "forest"])
def test_odd_names_of_columns_are_drawn(count_fit, name):
    check(getattr(bz.plot, name)(count_fit))


def test_odd_names_keep_their_titles(count_fit):
    spec = bz.plot.means(count_fit, ["a.b", "c[d].e"]).to_dict()
    titles = {e["x"]["title"] for e in _encodings(spec)} | {
        e["color"]["title"] for e in _encodings(spec) if "color" in e
    }
    assert titles == {"a.b", "c[d].e"}


@pytest.mark.parametrize("name", ["data", "means", "slopes"])
def test_charts_facet_and_keep_their_title(grouped, name):
    draw = getattr(bz.plot, name)
    chart = draw(grouped["lme"], facet=False) if name == "data" else draw(grouped["lme"])
    panels = chart.facet("mouse")
    spec = check(panels)
    assert spec["facet"]["field"] == "mouse"
    assert spec["title"] == chart.to_dict()["title"]
    assert all(row["mouse"] is not None for row in next(iter(spec["datasets"].values())))


def test_levels_keep_the_order_of_categories(lfp):
    order = ["light", "control"]
    table = lfp.assign(stim=pd.Categorical(lfp["stim"].astype(str), order))
    fit = bz.Model("Power ~ stim + (1 | mouse)", table).fit("lme", draws=50, progress=False)
    charts = [bz.plot.data(fit), bz.plot.means(fit), bz.plot.predictive(fit, x="stim", draws=20)]
    for chart in charts:
        found = [e["x"]["sort"] for e in _encodings(check(chart)) if "sort" in e.get("x", {})]
        assert found and all(sort == order for sort in found)
    panels = check(bz.plot.data(fit, x="mouse", facet=False).facet("stim"))
    assert panels["facet"]["sort"] == order


def test_dates_are_an_axis_of_time():
    table = pd.DataFrame({"day": pd.date_range("2020", periods=4000), "y": np.arange(4000.0)})
    spec = check(bz.plot.data(table, "day", "y"))
    assert {e["x"]["type"] for e in _encodings(spec)} == {"temporal"}


def test_what_all_panels_share_is_repeated(grouped):
    chart = bz.plot.means(grouped["lme"])
    frame = chart.facet("mouse").data
    fitted = frame[frame["_layer"] == "fitted"]
    assert (fitted.groupby("mouse").size() == 2).all()
    assert (frame["_layer"] == "raw").sum() == (chart.data["_layer"] == "raw").sum()


def test_facet_by_an_unknown_column_names_those_there_are(grouped):
    with pytest.raises(bz.BayeszooError, match=r"no column `mose`.*Nearest: `mouse`"):
        bz.plot.means(grouped["lme"]).facet("mose")


def test_charts_compose(grouped):
    one, two = bz.plot.means(grouped["lme"]), bz.plot.slopes(grouped["lme"])
    assert isinstance(one | two, alt.HConcatChart)
    assert isinstance(one & two, alt.VConcatChart)
    assert isinstance(bz.plot.data(grouped["lme"], facet=False) + one, alt.LayerChart)
    ((one | two) & bz.plot.posterior(grouped["map"])).to_dict()


def test_large_tables_are_thinned_or_binned():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=200_000), "g": rng.integers(0, 4, 200_000)})
    table["y"] = table["x"] + rng.normal(size=200_000)
    heat = check(bz.plot.data(table, "x", "y"))
    assert sum(row["count"] for row in next(iter(heat["datasets"].values()))) == 200_000
    boxes = check(bz.plot.data(table, "g", "y"))
    assert any("3,000 of 200,000 points" in line for line in boxes["title"]["subtitle"])
    fit = bz.Model("y ~ x", table).fit("ols", progress=False)
    check(bz.plot.means(fit))
    check(bz.plot.predictive(fit, draws=20))


def test_tables_need_no_altair():
    code = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "import bayeszoo as bz\n"
        "bz.plot.data_data({'x': [1., 2.], 'y': [1., 2.]}, y='y')\n"
        "assert 'altair' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_charts_are_saved_without_a_browser(grouped, tmp_path):
    chart = bz.plot.means(grouped["lme"], facet="mouse")
    chart.save(tmp_path / "chart.svg")
    assert "<svg" in (tmp_path / "chart.svg").read_text("utf-8")
    chart.save(tmp_path / "chart.png", scale_factor=1)
    assert (tmp_path / "chart.png").read_bytes()[:4] == b"\x89PNG"
    chart.save(tmp_path / "chart.html", inline=True)
    page = (tmp_path / "chart.html").read_text("utf-8")
    assert "<script src=" not in page and "Power by stim" in page


def test_every_chart_is_found():
    names = dir(bz.plot)
    assert {*EVERY, *GROUPED} <= set(names)
    assert all(f"{name}_data" in names for name in (*EVERY, *GROUPED))
    with pytest.raises(AttributeError, match="Nearest: `means`"):
        bz.plot.meens  # noqa: B018


def test_colours_nested_in_panels_have_places_of_their_own():
    data, _ = bz.datasets.spikes(mice=3, neurons=2, trials=10, seed=0)
    chart = bz.plot.data(data, x="stim", y="rate", facet="mouse", color="neuron")
    spec = chart.to_dict()
    rows = pd.DataFrame(next(iter(spec["datasets"].values())))
    assert rows.groupby(["mouse", "neuron"])["_offset"].mean().between(0.05, 0.95).all()
    first = rows[rows["neuron"].str.endswith("n01")]["_offset"]
    assert first.max() < 0.5 < rows[rows["neuron"].str.endswith("n02")]["_offset"].min()
    scale = chart.to_dict()["spec"]["layer"][0]["encoding"]["color"]["scale"]
    assert len(scale["domain"]) == 6 and len(set(scale["range"])) == 2
    assert "anew in each mouse" in str(spec["title"])
