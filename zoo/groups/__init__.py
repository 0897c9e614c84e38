"""The distributions that group effects may have, one file each."""

from ...errors import FormulaError, listing, nearest
from ...registry import discover
from ..group import GroupDistribution

GROUPS: dict[str, GroupDistribution] = discover(__name__, __path__, GroupDistribution)


def find_group(name: str) -> GroupDistribution:
    """Returns a distribution of group effects by its name in formulas.

    Raises:
        FormulaError: there is none of that name.
    """
    if name not in GROUPS:
        raise FormulaError(
            f"there is no distribution of group effects `{name}(... | g)`.{nearest(name, GROUPS)} "
            f"Known: {listing(GROUPS)}; plain brackets mean normal."
        )
    return GROUPS[name]
