"""The machine of error rates: intervals by hand, a right model and one that counts repeats as mice."""

import numpy as np
import pandas as pd
import pytest
from error_rates import NOMINAL, STUDIES, TABLE, intervals, rate
from scipy import stats


def test_a_rate_and_its_interval_by_hand():
    lower = np.repeat([0.1, -1.0, -1.0, np.nan], [8, 2, 89, 1])
    upper = np.repeat([1.0, -0.1, 1.0, np.nan], [8, 2, 89, 1])
    found = rate(pd.DataFrame({"lower": lower, "upper": upper}))
    assert (found["data sets"], found["failed"], found["false positives"]) == (100, 1, 10)
    assert found["rate"] == 0.1
    assert stats.binom.sf(9, 100, found["lower"]) == pytest.approx(0.005, abs=1e-4)
    assert stats.binom.cdf(10, 100, found["upper"]) == pytest.approx(0.005, abs=1e-4)
    assert rate(pd.DataFrame({"lower": [-1.0] * 9, "upper": [1.0] * 9}))["lower"] == 0.0


def test_no_study_is_there_twice():
    assert len({study.key for study in STUDIES}) == len(STUDIES)


def test_repeats_are_no_mice():
    """Least squares takes 20 trials of a mouse for 20 mice; the mixed model does not."""
    found = {
        (study.method, study.true): rate(intervals(study, 60))
        for study in STUDIES
        if study.data == "pseudoreplicates" and study.label in ("ols", "lme")
    }
    assert found["lme", True]["lower"] < 0.05 < found["lme", True]["upper"]
    assert found["ols", False]["lower"] > 0.2


def test_the_table_keeps_the_promises_of_small_samples():
    table = pd.read_csv(TABLE)
    promised = table[table["5 % promised in"] == "small samples"]
    assert {"ols", "lme"} == set(promised["method"])
    assert promised["lower"].le(NOMINAL).all() and promised["upper"].ge(NOMINAL).all()
    assert (table.loc[table["data"] == "pseudoreplicates", "rate"].max()) > 0.4
