"""statsmodels as the engine of mixed models, and as the result that is made when it is read."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.errors import FitError, OptionError
from bayeszoo.inference.backends import lme

ROOT = Path(__file__).parents[3]
SLEEP = pd.read_csv(ROOT / "datasets" / "tables" / "sleepstudy.csv").astype({"Subject": str})
CROSSED = pd.read_csv(ROOT / "tests" / "reference" / "crossed.csv")
NESTED = pd.read_csv(ROOT / "tests" / "reference" / "nested.csv")


def fit(formula, table, **options):
    return bz.Model(formula, table).fit("lme", progress=False, **options)


@pytest.mark.parametrize(
    ("formula", "table"),
    [
        ("Reaction ~ Days + (Days | Subject)", SLEEP),
        ("Reaction ~ Days + (1 | Subject)", SLEEP),
        ("Reaction ~ Days + (Days || Subject)", SLEEP),
        ("y ~ x + (1 | subject) + (1 | item)", CROSSED),
        ("y ~ x + (1 | school / class)", NESTED),
    ],
)
@pytest.mark.parametrize("reml", [True, False])
def test_engines_agree(formula, table, reml):
    own = fit(formula, table, reml=reml)
    theirs = fit(formula, table, reml=reml, engine="statsmodels")
    assert theirs.draws.converged
    a, b = own.draws.table, theirs.draws.table
    np.testing.assert_allclose(b["estimate"], a["estimate"], rtol=1e-4, atol=2e-3)
    spread = a.index[a["scale"] != "identity"]
    np.testing.assert_allclose(b.loc[spread, "estimate"], a.loc[spread, "estimate"], rtol=1e-4)
    np.testing.assert_array_equal(b.loc["Intercept", "estimate"], theirs.result.fe_params.iloc[0])
    tested = a.index[a["tested"].astype(bool)]
    np.testing.assert_array_equal(b.loc[tested, "se"], theirs.result.bse_fe)
    np.testing.assert_allclose(
        theirs.summary().loc[tested, "p_value"], theirs.result.pvalues.iloc[:2]
    )
    # statsmodels takes the observed information, lme4 the expected one
    np.testing.assert_allclose(b.loc[tested, "se"], a.loc[tested, "se"], rtol=5e-3)
    assert theirs.draws.log_likelihood == theirs.result.llf
    assert theirs.draws.log_likelihood == pytest.approx(own.draws.log_likelihood, abs=1e-4)
    assert np.isfinite(theirs.predict().to_numpy()).all()


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("y ~ x + (1 + x | subject) + (1 | item)", "crossed"),
        ("weighted(y, w) ~ x + (1 | subject)", "weighted"),
        ("measured(y, w) ~ x + (1 | subject)", "measured"),
        ("y ~ 0 + (1 | subject)", "without any coefficient"),
    ],
)
def test_says_what_statsmodels_cannot_express(formula, words):
    table = CROSSED.assign(w=1.0 + np.arange(len(CROSSED)) % 2)
    with pytest.raises(FitError, match=words) as error:
        fit(formula, table, engine="statsmodels")
    assert 'engine="own"' in str(error.value)


@pytest.mark.parametrize("option", [{"engine": "lme4"}, {"df": "kenward"}])
def test_refuses_other_options(option):
    (name,) = option
    with pytest.raises(OptionError, match=f"{name}="):
        fit("Reaction ~ Days + (1 | Subject)", SLEEP, **option)


def test_the_result_is_made_when_it_is_read_and_once(monkeypatch, tmp_path):
    calls = []

    def counted(*arguments):
        calls.append(1)
        return original(*arguments)

    original = lme.fit_near
    monkeypatch.setattr(lme, "fit_near", counted)
    found = fit("Reaction ~ Days + (Days | Subject)", SLEEP)
    found.summary(groups=True)
    found.diagnose()
    found.save(tmp_path / "fit.nc")
    assert calls == []
    assert type(found.result).__module__.startswith("statsmodels")
    assert found.result is found.result
    assert calls == [1]
    loaded = bz.load(tmp_path / "fit.nc")
    assert loaded.result is None
    pd.testing.assert_frame_equal(loaded.draws.table, found.draws.table, check_exact=False)
