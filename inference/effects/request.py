"""What is asked of a fit: by which columns, at which values, for which groups, averaged how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...errors import OptionError, listing, shown
from ...formula.schema import GroupSchema
from ..options import choice
from .columns import Columns, columns_of
from .values import names, settings, spread

if TYPE_CHECKING:
    from ..fit import Fit

GROUPS = ("population", "fitted", "new")
AVERAGES = ("grid", "rows")


@dataclass(frozen=True, eq=False)
class Request:
    """A checked question.

    Attributes:
        columns: the columns of the model.
        by: the columns that tell the answers apart.
        values: the values of the columns that were named: of `by`, of `at=`.
        groups: `population`, `fitted` or `new`, for the group terms that `by` does not name.
        explicit: whether the user said which, so that population means all of them.
        rows: whether to average over the training rows, and not over a grid.
        variable: the column whose levels are compared, which is then in `by` too.
    """

    columns: Columns
    by: tuple[str, ...]
    values: Mapping[str, list[Any]]
    groups: str
    explicit: bool
    rows: bool
    variable: str | None = None

    @property
    def live(self) -> tuple[str, ...]:
        """The grouping columns whose levels matter."""
        wanted = set(self.values) | set(self.by)
        every = self.groups == "fitted"
        none = self.groups == "population" and self.explicit
        return tuple(
            name
            for name, column in self.columns.known.items()
            if column.grouping and (every or (name in wanted and not none))
        )

    def is_fitted(self, group: GroupSchema) -> bool:
        """Whether a group term enters with the effects of fitted groups."""
        if self.groups == "population" and self.explicit:
            return False
        named = {*self.values, *self.by}
        return self.groups == "fitted" or all(f.expression in named for f in group.term.by)

    def comparing(self, variable: str, values: list[Any]) -> Request:
        """Returns the same question told apart by a further column too."""
        return replace(
            self,
            by=(*self.by, variable),
            values={**self.values, variable: values},
            variable=variable,
        )


def ask(
    fit: Fit,
    by: Any,
    at: Any,
    groups: Any,
    average: Any,
    variable: str | None = None,
) -> Request:
    """Checks the options that all effects share.

    Args:
        fit: the fit.
        by: a column, or a list of columns.
        at: columns -> values.
        groups: see `means`; None for the default.
        average: `grid` or `rows`.
        variable: the column that is compared or moved.

    Raises:
        OptionError: an unknown column or option.
        LevelError: an unknown level.
    """
    if groups is not None:
        choice("groups", groups, GROUPS)
    choice("average", average, AVERAGES)
    columns = columns_of(fit.model)
    wanted = names(by, "by=")
    given = settings(at, columns)
    if variable is not None and not isinstance(variable, str):
        raise OptionError(f"variable= takes the name of a column, not {shown(variable)}.")
    if variable is not None and variable in wanted:
        raise OptionError(f"`{variable}` is the variable itself, so by= cannot name it too.")
    for name in wanted:
        if name != columns.dim:
            columns.find(name, "by=")
    values = {name: given[name] if name in given else _spread(name, columns) for name in wanted}
    request = Request(
        columns,
        tuple(wanted),
        given | values,
        "population" if groups is None else groups,
        groups is not None,
        average == "rows" or columns.temporal,
    )
    _check_groups(request if variable is None else replace(request, by=(*wanted, variable)))
    return request


def _spread(name: str, columns: Columns) -> list[Any]:
    if name == columns.dim and columns.schema.neurons is not None:
        return list(columns.schema.neurons.labels)
    return spread(columns.known[name], columns)


def _check_groups(request: Request) -> None:
    """Refuses a grouping column that is named without those that its effects need beside it."""
    if request.groups == "fitted" or (request.groups == "population" and request.explicit):
        return
    terms = [g for p in request.columns.schema.predictors for g in p.groups]
    for name in {*request.by, *request.values}:
        column = request.columns.known.get(name)
        if column is None or not column.grouping or column.ordinary:
            continue
        holding = [g for g in terms if name in {f.expression for f in g.term.by}]
        if any(request.is_fitted(group) for group in holding):
            continue
        needed = [f.expression for f in holding[0].term.by]
        raise OptionError(
            f"the effects of `{name}` are those of `{holding[0].term.group}`, so that a level of it "
            f'alone says nothing. Name them together: by={needed!r}; or groups="fitted" averages '
            f"over the others ({listing(n for n in needed if n != name)})."
        )
