"""Named models: `bz.zoo.hierarchical_gamma(df, y=..., treatment=..., group=...)` -> Model.

Each returns a `Model` whose formula is printed, so that one learns to write it. `table()` lists all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def table() -> pd.DataFrame:
    """Returns a table of the zoo's entries: formula, equation, story, source."""
    import pandas as pd

    from .models import MODELS

    rows = [
        {
            "name": e.name,
            "formula": e.pattern,
            "equation": e.equation,
            "story": e.story,
            "source": e.source,
        }
        for e in MODELS.values()
    ]
    return pd.DataFrame(rows).set_index("name")


def __getattr__(name: str) -> Any:
    """Returns an entry of the zoo as a function from data to a Model."""
    if name.startswith("_"):
        raise AttributeError(name)
    from .models import MODELS

    if name not in MODELS:
        from ..errors import listing, nearest

        raise AttributeError(
            f"the zoo has no entry `{name}`.{nearest(name, MODELS)} Entries: {listing(MODELS)}."
        )
    return _front_door(name)


def _front_door(name: str) -> Any:
    """Wraps an entry's recipe into the class that the package's front door offers."""
    import inspect

    from .models import MODELS

    entry = MODELS[name]

    arguments = inspect.signature(entry.recipe)

    def build(
        data: Any, *roles: Any, priors: Any = None, functions: Any = None, **named: Any
    ) -> Any:
        from .. import Model
        from ..errors import OptionError, listing
        from ..formula import read

        view = read(data)
        try:
            arguments.bind(view, *roles, **named)
        except TypeError as error:
            names = listing(list(arguments.parameters)[1:])
            raise OptionError(f"zoo.{name}(): {error}. It takes {names}.") from None
        recipe = entry.recipe(view, *roles, **named)
        given = {**recipe.priors, **(priors or {})}
        return Model(
            recipe.formula,
            data,
            family=recipe.family,
            priors=given,
            mask=recipe.mask,
            functions=functions,
        )

    build.__name__ = build.__qualname__ = name
    own = [
        inspect.Parameter(word, inspect.Parameter.KEYWORD_ONLY, default=None)
        for word in ("priors", "functions")
    ]
    first, *rest = arguments.parameters.values()
    shown = [first.replace(name="data"), *rest, *own]
    build.__signature__ = arguments.replace(parameters=shown)  # type: ignore[attr-defined]
    build.__doc__ = (
        f"{entry.story}\n\nFormula: `{entry.pattern}`. {entry.equation}.\n\n"
        f"{inspect.getdoc(entry.recipe)}\n\nSource: {entry.source}."
    )
    return build


def __dir__() -> list[str]:
    from .models import MODELS

    return sorted([*MODELS, "table"])
