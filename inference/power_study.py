"""What a simulation study found: scores of data sets with and without an effect, and their ROC.

A threshold t calls effects; moving it gives the receiver operating characteristic,

    false positives(t) = P(score >= t | no effect),   true positives(t) = P(score >= t | effect),

whose area is the probability that a data set with the effect scores higher than one without.

Source: Green and Swets (1966), Signal Detection Theory and Psychophysics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .options import number


@dataclass(frozen=True, eq=False)
class PowerStudy:
    """The outcome of a simulation study.

    Attributes:
        table: one row per method, effect and data set: `estimate`, `lower`, `upper`, `score` (distance
            of the estimate from 0 in standard errors or posterior standard deviations) and `p` (the
            p-value; for Bayesian methods twice the smaller posterior probability of a sign). A fit
            that failed has missing values, and counts as no detection.
        errors: messages of fits that failed, by method, effect and data set.
    """

    table: pd.DataFrame
    errors: Mapping[tuple[str, float, int], str]

    def roc(self) -> pd.DataFrame:
        """Returns the curve of every method and effect against the data sets without effect.

        Returns:
            Columns `method effect threshold false_positive true_positive`, from (0, 0) to (1, 1); an
            effect is called where the score is at least the threshold.
        """
        parts = []
        for (method, effect), null, scores in self._pairs():
            thresholds = np.unique(np.concatenate([null, scores]))[::-1]
            frame = pd.DataFrame({"threshold": np.concatenate([[np.inf], thresholds])})
            for name, values in (("false_positive", null), ("true_positive", scores)):
                below = np.searchsorted(np.sort(values), frame["threshold"], side="left")
                frame[name] = 1 - below / len(values)
            frame.insert(0, "effect", effect)
            frame.insert(0, "method", method)
            parts.append(frame)
        return pd.concat(parts, ignore_index=True)

    def auc(self) -> pd.Series:
        """Returns the area under each curve, by method and effect; ties count half."""
        out = {}
        for key, null, scores in self._pairs():
            higher = scores[:, None] > null[None, :]
            ties = scores[:, None] == null[None, :]
            out[key] = float(np.mean(higher + 0.5 * ties))
        index = pd.MultiIndex.from_tuples(list(out), names=["method", "effect"])
        return pd.Series(list(out.values()), index, name="auc")

    def power(self, alpha: float = 0.05) -> pd.DataFrame:
        """Returns how often each method finds an effect: `p` below a level.

        Args:
            alpha: the level.

        Returns:
            One row per method, one column per effect; at effect 0 the share of false alarms.

        Raises:
            OptionError: alpha is not between 0 and 1.
        """
        number("alpha", alpha, 0.0, 1.0)
        found = self.table.assign(found=self.table["p"] < alpha)
        wide: Any = found.pivot_table(
            "found", "method", "effect", aggfunc="mean", sort=False, observed=True
        )
        return wide.astype(float)

    def _pairs(self) -> Iterator[tuple[tuple[str, float], np.ndarray, np.ndarray]]:
        """Yields (method, effect), scores without effect, and scores with it."""
        filled = self.table.assign(score=self.table["score"].fillna(-1.0))
        found: dict[Any, np.ndarray] = {
            key: part["score"].to_numpy()
            for key, part in filled.groupby(["method", "effect"], sort=False)
        }
        for method, effect in found:
            if effect != 0:
                yield (method, effect), found[(method, 0.0)], found[(method, effect)]
