"""Jobs whose data are a table and whose model is a formula with group terms.

Columns lie as `.npy` files; a grouping column holds the numbers of its levels, from 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from arrays import ArrayJob, load

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

SLEEPSTUDY = Path(__file__).resolve().parent.parent / "datasets" / "tables" / "sleepstudy.csv"


@dataclass(frozen=True)
class Bar:
    """A group term `(1 + slope | columns)`, correlated; several columns make one factor.

    Args:
        columns: Grouping columns.
        slope: Column of the slope; empty for intercepts only.
    """

    columns: tuple[str, ...]
    slope: str = ""

    @property
    def name(self) -> str:
        """Name of the grouping factor."""
        return ":".join(self.columns)

    def codes(self, table: pd.DataFrame) -> tuple[np.ndarray, int]:
        """Number of the level of every row, and how many levels there are."""
        import numpy as np
        import pandas as pd

        codes = np.zeros(len(table), "int64")
        for name in self.columns:
            column = table[name].cat
            codes = codes * len(column.categories) + column.codes
        numbers, levels = pd.factorize(codes, sort=True)
        return numbers, len(levels)


@dataclass(frozen=True)
class TableJob(ArrayJob):
    """One mixed model of one table.

    Args:
        response: Name of the response column.
        common: Predictors, in the order of the formula; there is always an intercept.
        bars: The group terms.
        family: Family of the response.
        link: Link of the mean.
    """

    response: str = "y"
    common: tuple[str, ...] = ("x",)
    bars: tuple[Bar, ...] = ()
    family: str = "normal"
    link: str = "identity"

    @property
    def factors(self) -> list[str]:
        """Names of the grouping columns, each once."""
        return list(dict.fromkeys(column for bar in self.bars for column in bar.columns))

    @property
    def columns(self) -> list[str]:
        """Names of all columns."""
        return [self.response, *self.common, *self.factors]

    @property
    def slope(self) -> str:
        """The coefficient whose estimate is reported."""
        return self.common[0]

    def about(self) -> Mapping[str, str]:
        """Formula, family, link and columns."""
        names = {"columns": " ".join(self.columns), "factors": " ".join(self.factors)}
        kinds = {"family": self.family, "link": self.link, "slope": self.slope}
        return {"formula": self.formula, **kinds, **names}

    def frame(self, name: str = "a") -> pd.DataFrame:
        """Read one data set; grouping columns become categories with text labels."""
        import pandas as pd

        table: dict = dict(zip(self.columns, load(self.name, name, *self.columns), strict=True))
        for factor in self.factors:
            codes = table[factor]
            labels = [str(level) for level in range(codes.max() + 1)]
            table[factor] = pd.Categorical.from_codes(codes, labels)
        return pd.DataFrame(table)


def sleepstudy() -> dict[str, np.ndarray]:
    """Read the real table: reaction times (ms) of 18 subjects over 10 days of little sleep."""
    import pandas as pd

    table = pd.read_csv(SLEEPSTUDY)
    codes = pd.factorize(table["Subject"])[0].astype("int32")
    reaction, days = (table[name].to_numpy(float) for name in ("Reaction", "Days"))
    return {"Reaction": reaction, "Days": days, "Subject": codes}


def like_sleepstudy(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw reaction times from the model at about the real table's estimates."""
    table = sleepstudy()
    intercept, slope = rng.standard_normal((2, 18))
    days, subject = table["Days"], table["Subject"]
    mean = 251.4 + 24.7 * intercept[subject] + (10.5 + 5.9 * slope[subject]) * days
    return table | {"Reaction": mean + 25.6 * rng.standard_normal(len(days))}


def slopes(
    rng: np.random.Generator, rows: int, groups: int, family: str, predictors: int = 2
) -> dict[str, np.ndarray]:
    """Draw `y` from `x`, `z` and a correlated intercept and slope of `x` per group.

    eta = 1 + 0.3 x - 0.2 z + 0.4 a[g] + 0.2 b[g] x, corr(a, b) = 0.5

    Args:
        rng: Source of randomness.
        rows: Number of rows, of random groups.
        groups: Number of groups.
        family: `normal` (sd 1), `poisson` (log link) or `gamma` (log link, shape 3).
        predictors: 2 for `x` and `z`, 1 for `x` alone.

    Returns:
        Columns `y`, `x`, `z` and `g`.
    """
    import numpy as np

    g = rng.permutation(np.arange(rows, dtype="int32") % groups)
    x, z = rng.standard_normal((2, rows))
    a, other = rng.standard_normal((2, groups))
    b = 0.5 * a + np.sqrt(0.75) * other
    eta = 1 + 0.3 * x + 0.4 * a[g] + 0.2 * b[g] * x
    table = {"x": x, "g": g}
    if predictors == 2:
        eta -= 0.2 * z
        table["z"] = z
    if family == "normal":
        return table | {"y": eta + rng.standard_normal(rows)}
    if family == "poisson":
        return table | {"y": rng.poisson(np.exp(eta)).astype(float)}
    return table | {"y": rng.gamma(3.0, np.exp(eta) / 3.0)}
