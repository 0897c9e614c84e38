"""What the columns of a table of fitted means stand for in a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import OptionError, listing
from ..inference.fit import Fit
from .accept import column, columns, mapping
from .observed import Observed, observe
from .raw import is_level


@dataclass(frozen=True, eq=False)
class MeanRoles:
    """Which column stands where.

    Attributes:
        observed: the data.
        x: along the axis.
        color: a colour per value, or None.
        facet: a panel per value, or None.
        nominal: whether `x` is drawn as levels.
    """

    observed: Observed
    x: str
    color: str | None
    facet: str | None
    nominal: bool

    @property
    def by(self) -> list[str]:
        """The columns that tell means apart."""
        return [name for name in (self.x, self.color, self.facet) if name is not None]

    def with_units(self, units: Mapping[str, str] | None) -> MeanRoles:
        """Returns the same with the user's units."""
        known = {**self.observed.units, **mapping("units", units)}
        return replace(self, observed=replace(self.observed, units=known))


def mean_roles(
    fit: Fit, by: Sequence[str] | str | None, facet: str | None, several: bool
) -> MeanRoles:
    """Chooses the columns of a chart of means.

    Args:
        fit: the fit.
        by: the axis, and a second column; None for the first of the formula's mean.
        facet: a column with a panel per value.
        several: whether colours are taken by several fits, so that a second column gets panels.

    Raises:
        OptionError: no such column, or more than a chart has places for.
    """
    observed = observe(fit.model)
    frame = observed.frame
    asked = columns("by", by)
    for name in asked:
        column(name, frame.columns, "by")
    if facet is not None:
        column(facet, frame.columns, "facet")
    if not asked:
        found = [n for n in (*observed.predictors, *observed.groups) if n != facet]
        if not found:
            raise OptionError("means() needs by=, because the formula has no predictor.")
        asked = found[:1]
    rest = [name for name in asked[1:] if name != facet]
    if facet is None and rest and (several or len(rest) > 1):
        facet, rest = rest[-1], rest[:-1]
    if len(rest) > 1 or (rest and several):
        raise OptionError(
            f"by= takes a column for the axis and one more; {listing(asked)} are too many"
            f"{' beside several fits' * several}. Take facet= for another."
        )
    nominal = is_level(frame[asked[0]], asked[0] in {*observed.factors, *observed.groups})
    return MeanRoles(observed, asked[0], rest[0] if rest else None, facet, nominal)
