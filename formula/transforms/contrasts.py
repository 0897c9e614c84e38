"""`contr.treatment(base="b")`, `contr.sum`, ...: names of contrast codings, and patsy's spellings."""

from typing import Any

from ..values import Contrast, Transform


def _contrast(name: str, *aliases: str) -> Transform:
    def apply(*arguments: Any, **options: Any) -> Contrast:
        if "reference" in options:  # patsy's word
            options["base"] = options.pop("reference")
        return Contrast(name, arguments, tuple(sorted(options.items())))

    full = f"contr.{name}"
    story = f"{name} contrasts of a factor."
    return Transform(full, apply, numeric=False, aliases=aliases, story=story)


TREATMENT = _contrast("treatment", "Treatment")
SAS = _contrast("SAS")
SUM = _contrast("sum", "Sum")
HELMERT = _contrast("helmert", "Helmert")
DIFF = _contrast("diff", "Diff")
POLY = _contrast("poly", "Poly")

BARE = frozenset(("Treatment", "Sum", "Helmert", "Diff", "Poly"))
"""Spellings that may stand without brackets: `C(g, Sum)`."""
