"""The report: its parts, what it says where a part fails, its safety, and how a browser shows it."""

import functools
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.plots.charts import CHARTS
from bayeszoo.report import figures

VOID = {"meta", "link", "br", "img", "input", "hr"}
EVIL = "</script><script>alert(1)</script>"


class Reader(HTMLParser):
    """Checks that tags are balanced, and collects what a page would load, its ids and headings."""

    def __init__(self, page):
        super().__init__()
        self.open, self.loads, self.ids, self.tags, self.scripts = [], [], [], [], []
        self.feed(page)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.tags.append(tag)
        self.loads += [
            v for k, v in named.items() if k in ("src", "href", "srcset", "action", "data")
        ]
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            self.scripts.append(data)


@functools.cache
def lfp():
    return bz.datasets.lfp(mice=4, trials=12, seed=1, labels=("control", "light"))[0]


@functools.cache
def normal():
    return bz.Model("log(Power) ~ stim + (1 + stim | mouse)", lfp())


@pytest.fixture(scope="module")
def temporal():
    data, truth = bz.datasets.population(3, 1500, seed=2)
    mask = {"conv(spikes, raised_cos_log(5, 20))": truth["mask"]}
    return bz.Model(truth["formula"], data, family="poisson", mask=mask)


@pytest.fixture(scope="module")
def chains():
    return normal().fit("nuts", progress=False, draws=100, tune=200, chains=2)


@pytest.fixture(scope="module")
def page(chains, tmp_path_factory):
    """The fullest report: chains, a question, and a comparison."""
    other = bz.fit("log(Power) ~ 1", lfp(), method="laplace", progress=False, draws=200)
    path = tmp_path_factory.mktemp("report") / "fit.html"
    question = "Does <light> change the power?"
    assert chains.report(path, question=question, compare={"null": other}) == path
    return path


def check(page):
    """Laws of every report."""
    reader = Reader(page)
    assert all(address.startswith("#") for address in reader.loads), reader.loads
    assert len(reader.ids) == len(set(reader.ids))
    assert {link[1:] for link in reader.loads} <= set(reader.ids)
    assert reader.tags.count("h1") == 1
    assert '<html lang="en">' in page
    assert "default-src 'none'" in page
    assert len(page.encode()) < 3_000_000
    return reader


def test_a_report_has_every_part(page, chains):
    text = page.read_text("utf-8")
    reader = check(text)
    sections = [
        "verdict",
        "data",
        "model",
        "estimates",
        "effects",
        "charts",
        "comparison",
        "making",
    ]
    assert [i for i in reader.ids if i in sections] == sections
    assert "<h1>Does &lt;light&gt; change the power?</h1>" in text
    for words in (
        "log(Power) ~ stim + (1 + stim | mouse)",
        "48 rows, all used",
        "2 levels: control, light",
        "log(Power) ~ Normal(mu, sigma)",
        "HalfNormal",
        "light - control",
        "elpd loo",
        "jax",
        "target_accept",
    ):
        assert words in text, words
    shown = f'<td class="n">{chains.summary().loc["stim[light]", "mean"]:.4f}</td>'
    assert shown in text
    assert "could not be drawn:" not in re.sub(r"<script.*?</script>", "", text, flags=re.S)
    assert "is not shown" not in text


@pytest.mark.parametrize("method", ["map", "svi", "laplace", "ols", "lme"])
def test_every_method_has_a_report(method, tmp_path):
    chosen = bz.Model("log(Power) ~ stim + mouse", lfp()) if method == "ols" else normal()
    fit = chosen.fit(method, progress=False)
    text = fit.report(tmp_path / "fit.html").read_text("utf-8")
    check(text)
    outside = re.sub(r"<script.*?</script>", "", text, flags=re.S)
    assert 'class="lack"' not in outside.replace('<p class="lack">The charts', "")
    assert ("uses no priors" in outside) == fit.backend.frequentist
    assert ("confidence interval" in outside) == fit.backend.frequentist
    assert ("no intervals" in outside) == fit.backend.point


def test_a_temporal_model_shows_its_filters(temporal, tmp_path):
    fit = temporal.fit("laplace", progress=False, draws=100)
    text = fit.report(tmp_path / "fit.html").read_text("utf-8")
    check(text)
    for heading in ("Fitted and observed over time", "How the past acts", "Who uses what"):
        assert heading in text
    assert "weights of basis functions are left out" in text
    assert "Intercept[n01]</th>" in text
    assert 'class="lack"' not in re.sub(r"<script.*?</script>", "", text, flags=re.S)


def test_a_restored_fit_has_the_same_report(tmp_path):
    fit = normal().fit("laplace", progress=False, draws=100)
    fit.save(tmp_path / "fit.nc")
    first = fit.report(tmp_path / "a.html").read_text("utf-8")
    second = bz.load(tmp_path / "fit.nc").report(tmp_path / "b.html").read_text("utf-8")

    def plain(page):
        page = re.sub(r"<script.*?</script>", "", page, flags=re.S)
        return re.sub(r"Report written</dt><dd>[^<]*", "", page)

    assert plain(first) == plain(second)


def test_dropped_rows_are_told(tmp_path):
    data = lfp().assign(Power=lambda t: t["Power"].where(t.index != 5))
    fit = bz.fit("Power ~ stim", data, method="ols", progress=False)
    text = fit.report(tmp_path / "fit.html").read_text("utf-8")
    assert "47 of 48 rows used; 1 dropped for missing values in <code>Power</code> 1" in text


def test_what_users_write_stays_text(tmp_path):
    rng = np.random.default_rng(0)
    label = '"><img src=x onerror=alert(1)>'
    data = pd.DataFrame(
        {
            "y": rng.normal(size=40),
            EVIL: rng.normal(size=40),
            "g": np.tile([label, "<!-- <script>"], 20),
        }
    )
    fit = bz.fit(f"y ~ `{EVIL}` + g", data, method="ols", progress=False)
    text = fit.report(tmp_path / "fit.html", question=f"{EVIL}?").read_text("utf-8")
    reader = check(text)
    assert "img" not in reader.tags
    assert reader.tags.count("script") == 3  # data, Vega, ours
    assert EVIL not in text
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in text


def test_a_part_that_fails_says_why_and_the_rest_stays(tmp_path, monkeypatch):
    fit = bz.fit("Power ~ stim", lfp(), method="ols", progress=False)

    def broken(*_, **__):
        raise ZeroDivisionError("no <b>chart</b> today")

    monkeypatch.setattr(figures, "CHARTS", {**CHARTS, "forest": figures.Figure("f", "f", broken)})
    monkeypatch.setattr(bz.Fit, "contrasts", broken)
    text = fit.report(tmp_path / "fit.html").read_text("utf-8")
    check(text)
    assert "The chart <code>forest</code> could not be drawn: ZeroDivisionError" in text
    assert "is not shown: ZeroDivisionError: no &lt;b&gt;chart&lt;/b&gt; today" in text
    assert "How it was made" in text


def test_bad_requests_are_refused_before_the_work(tmp_path):
    fit = bz.fit("Power ~ stim", lfp(), method="ols", progress=False)
    for options, message in (
        ({"path": tmp_path / "no" / "fit.html"}, "there is no folder"),
        ({"path": tmp_path}, "it is a folder"),
        ({"path": tmp_path / "a.html", "prob": 2}, "prob= takes"),
        ({"path": tmp_path / "a.html", "compare": {"a": 1}}, "compare= takes other fits by name"),
        ({"path": tmp_path / "a.html", "question": 3}, "question= takes a text"),
    ):
        with pytest.raises(bz.BayeszooError, match=message):
            fit.report(**options)
    assert list(tmp_path.iterdir()) == []


def test_a_comparison_that_cannot_be_made_is_told(tmp_path):
    fit = bz.fit("Power ~ stim", lfp(), method="ols", progress=False)
    other = bz.fit("Power ~ stim", lfp().iloc[:40], method="ols", progress=False)
    text = fit.report(tmp_path / "fit.html", compare={"fewer": other}).read_text("utf-8")
    assert "The comparison is not shown:" in text


BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
PROBE = """
<script type="module">
const wait = () => {
  const root = document.documentElement;
  if (!root.dataset.charts) return setTimeout(wait, 50);
  const drawn = [...document.querySelectorAll("[data-chart]")];
  const pictures = drawn.filter((place) => place.querySelector("svg path, svg text"));
  const wide = drawn.filter((place) => place.scrollWidth > place.clientWidth + 1);
  console.log("PROBE", root.dataset.charts, root.clientWidth, root.scrollWidth, drawn.length,
    pictures.length, wide.length);
};
wait();
</script>
"""


@pytest.mark.skipif(BROWSER is None, reason="no Chromium to open the report in")
@pytest.mark.parametrize("width", [1280, 400])
def test_a_browser_draws_every_chart_without_a_complaint(page, tmp_path, width):
    probed = tmp_path / "probed.html"
    before, _, after = page.read_text("utf-8").rpartition("</body>")
    probed.write_text(f"{before}{PROBE}</body>{after}", "utf-8")
    frame = (
        f'<body style="margin:0"><iframe src="probed.html" width="{width}" height="900"></iframe>'
    )
    (tmp_path / "frame.html").write_text(frame)  # windows cannot be as narrow as phones
    flags = (
        "--headless --no-sandbox --disable-gpu --virtual-time-budget=60000 --enable-logging=stderr"
    )
    run = subprocess.run(
        [
            str(BROWSER),
            *flags.split(),
            "--v=0",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--window-size=1400,900",
            "--dump-dom",
            (tmp_path / "frame.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    said = re.findall(r'CONSOLE:?\d*\S* "(.*)", source', run.stderr)
    assert len(said) == 1, said or run.stderr[-2000:]  # nothing but our probe
    state, seen, scrolled, charts, pictures, overflowing = said[0].removeprefix("PROBE ").split()
    assert state == "drawn"
    assert abs(int(seen) - width) <= 20  # a scroll bar
    assert int(scrolled) <= int(seen), "the page overflows sideways"
    assert int(charts) == int(pictures) > 4
    assert int(overflowing) == 0
