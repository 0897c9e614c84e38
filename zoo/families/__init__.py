"""The families of response distributions, one file each."""

from ...errors import FamilyError, listing, nearest, shown
from ...registry import discover
from ..family import Family

FAMILIES: dict[str, Family] = discover(__name__, __path__, Family)


def find_family(family: object) -> Family:
    """Returns a family by name, alias or itself.

    Raises:
        FamilyError: there is none of that name.
    """
    if isinstance(family, Family):
        return family
    if isinstance(family, str) and family.lower() in FAMILIES:
        return FAMILIES[family.lower()]
    names = sorted({member.name for member in FAMILIES.values()})
    found = f"`{family}`" if isinstance(family, str) else shown(family)
    raise FamilyError(
        f"there is no family {found}.{nearest(str(family), FAMILIES)} Families: {listing(names)}."
    )
