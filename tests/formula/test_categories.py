"""Levels of columns of any kind, and the codes of their rows."""

import numpy as np
import pandas as pd
import pytest

from bayeszoo.formula.categories import categorize


@pytest.mark.parametrize(
    ("values", "codes", "levels"),
    [
        (["b", "a", None, "c"], [1, 0, -1, 2], ("a", "b", "c")),
        (["b", 1, True, np.nan], [2, 0, 1, -1], ("1", "True", "b")),
        (["b", "1", 1.0], [1, 0, 0], ("1", "b")),
        (pd.Series(["x", "é", "a", pd.NA], dtype="string"), [1, 2, 0, -1], ("a", "x", "é")),
        (pd.Series(["b", "a"], dtype=object), [1, 0], ("a", "b")),
        (np.array(["q", "a", "q"]), [1, 0, 1], ("a", "q")),
        ([True, False, None], [1, 0, -1], ("False", "True")),
        ([2.0, np.nan, 1.5], [1, -1, 0], (1.5, 2)),
        ([None, None], [-1, -1], ()),
        (["1", "01", pd.NaT], [1, 0, -1], ("01", "1")),
        (pd.Categorical(["u", "v"], categories=["w", "v", "u"]), [1, 0], ("v", "u")),
    ],
)
def test_codes_and_levels(values, codes, levels):
    found = categorize(values)
    assert found.codes.tolist() == codes and found.levels == levels
    assert all(type(level) in (str, int, float) for level in found.levels)
