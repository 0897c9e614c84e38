"""Evaluates a checked expression over a table by walking its tree; nothing is ever executed."""

from __future__ import annotations

import ast
import inspect
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import BayeszooError, DataTypeError, FormulaError, listing, pointer, shown
from .bases import BASES
from .convolution import Filtered
from .groupings import crossed
from .quoting import spell
from .safety import parse_expression
from .tables import Categories, Table, require_columns
from .terms import Factor
from .timeline import Timeline
from .transforms import TRANSFORMS
from .transforms.categorical import recode
from .transforms.contrasts import BARE
from .values import Matrix, ResponseValue, Transform

_ARITHMETIC: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


@dataclass(frozen=True, eq=False)
class Evaluator:
    """Evaluates factors over one table.

    Attributes:
        table: the data.
        source: the whole formula, for messages.
        state: what was learned in training, by expression; filled while `rows` is given.
        rows: positions of the training rows that transforms learn from; None for new data.
        functions: the user's own functions, and arrays of kernels.
        notes: remarks of temporal terms on the rows, by term.
    """

    table: Table
    source: str
    state: dict[str, Any]
    rows: np.ndarray | None = None
    functions: Mapping[str, Any] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def factor(self, factor: Factor) -> Any:
        """Evaluates a factor to an array, Matrix, Categories or ResponseValue over all rows.

        Raises:
            FormulaError: an unknown column, or arguments that a function does not take.
        """
        if factor.lookup:
            return self._column(factor.expression)
        names = frozenset((*TRANSFORMS, *BASES, *self.functions))
        node = parse_expression(factor.expression, self.source, names)
        with np.errstate(all="ignore"):
            value = self._evaluate(node)
        if isinstance(value, int | float | bool):
            value = np.full(self.table.rows, float(value))
        if not isinstance(value, np.ndarray | Matrix | Filtered | Categories | ResponseValue):
            raise FormulaError(
                f"`{factor.expression}` is no column of numbers or levels."
                f"{pointer(self.source, factor.expression)}"
            )
        return value

    def _column(self, name: str) -> Any:
        require_columns([name], self.table, self.source)
        key = f"column {name}"
        if self.rows is not None and key not in self.state:
            if self.table.is_categorical(name):
                found = self.table.categorical(name)
                used = np.unique(found.codes[self.rows])
                levels = [found.levels[i] for i in used if i >= 0]
                self.state[key] = {"levels": levels}
            else:
                self.state[key] = {}
        levels = self.state[key].get("levels")
        if levels is None:
            stream = self.table.stream(name)
            if stream is None:
                return self.table.numeric(name)
            return Matrix(stream, self.table.second_dimension(name)[1])
        found = self.table.categorical(name)
        if self.rows is not None:  # levels that occur only in dropped rows become missing
            position = {level: i for i, level in enumerate(levels)}
            lookup = np.array([position.get(level, -1) for level in found.levels] + [-1])
            return Categories(lookup[found.codes], tuple(levels))
        return recode(found, tuple(levels), name)

    def _evaluate(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            if node.id in BARE and node.id not in self.table.columns:
                return self._call(node.id, node.id, [], {})
            return self._column(node.id)
        if isinstance(node, ast.Tuple | ast.List):
            return tuple(self._evaluate(item) for item in node.elts)
        if isinstance(node, ast.Attribute):
            return self._call(ast.unparse(node), ast.unparse(node), [], {})
        if isinstance(node, ast.BinOp):
            return self._operate(node.op, self._evaluate(node.left), self._evaluate(node.right))
        if isinstance(node, ast.UnaryOp):
            return self._operate(node.op, self._evaluate(node.operand))
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            left, right = self._evaluate(node.left), self._evaluate(node.comparators[0])
            return self._compare(node.ops[0], left, right)
        if isinstance(node, ast.Call):
            return self._evaluate_call(node)
        raise FormulaError(f"`{ast.unparse(node)}` cannot be evaluated in a formula.")

    def _evaluate_call(self, node: ast.Call) -> Any:
        name, text = ast.unparse(node.func), spell(node)
        transform = None if name in self.functions else TRANSFORMS.get(name)
        if transform is None and name not in self.functions:
            raise FormulaError(
                f"the basis `{text}` stands inside conv() or tuning(), such as conv(x, {text})."
                f"{pointer(self.source, text)}"
            )
        slots = {} if transform is None else transform.slots
        order = list(_signature(transform).parameters) if slots and transform else []
        arguments = [
            self.argument(value, slots.get(order[i]) if i < len(order) else None)
            for i, value in enumerate(node.args)
        ]
        options = {
            str(word.arg): self.argument(word.value, slots.get(str(word.arg)))
            for word in node.keywords
        }
        return self._call(name, text, arguments, options)

    def argument(self, node: ast.expr, slot: str | None) -> Any:
        """Evaluates an argument as what its parameter stands for."""
        if slot == "basis":
            return self._basis(node)
        if slot == "groups":
            return self._groups(node)
        return self._evaluate(node)

    def _basis(self, node: ast.expr) -> Any:
        """A recipe, a tuple of recipes for a product, or the user's own array."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            parts = (self._basis(node.left), self._basis(node.right))
            return tuple(p for part in parts for p in (part if type(part) is tuple else (part,)))
        if isinstance(node, ast.Name) and node.id in self.functions:
            return self._own_basis(node.id, spell(node), [], {})
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            arguments = [self._evaluate(argument) for argument in node.args]
            options = {str(word.arg): self._evaluate(word.value) for word in node.keywords}
            if name in self.functions:
                return self._own_basis(name, spell(node), arguments, options)
            if name in BASES:
                return BASES[name].recipe(*arguments, **options)
        raise FormulaError(
            f"`{spell(node)}` is no basis.{pointer(self.source, spell(node))}\n"
            f"Bases: {listing(BASES)}; or an array (window, basis) given in functions=."
        )

    def _own_basis(
        self, name: str, text: str, arguments: list[Any], options: dict[str, Any]
    ) -> np.ndarray:
        given = self.functions[name]
        try:
            found = given(*arguments, **options) if callable(given) else given
            return np.asarray(found, dtype=np.float64)
        except Exception as error:
            raise FormulaError(
                f"{self._reason(name, text, error)}{pointer(self.source, name)}\n"
                "A basis of your own is an array of numbers (window, basis), or a function that "
                "returns one."
            ) from error

    def _groups(self, node: ast.expr) -> Categories | None:
        """The groups of `by=`: a column of any kind, or several in brackets."""
        if isinstance(node, ast.Constant) and node.value is None:
            return None
        items = node.elts if isinstance(node, ast.Tuple | ast.List) else [node]
        names = [item.id if isinstance(item, ast.Name) else "" for item in items]
        if not all(names) or not names:
            raise FormulaError(
                f"by= names a grouping column, or several in brackets, not `{spell(node)}`."
                f"{pointer(self.source, spell(node))}"
            )
        require_columns(names, self.table, self.source)
        return crossed([self.table.categorical(name) for name in names])

    def _operate(self, kind: ast.AST, *values: Any) -> Any:
        for value in values:
            if isinstance(value, Categories):
                raise DataTypeError(
                    f"arithmetic needs numbers, but a column holds the levels {value.levels[:5]}."
                )
            if isinstance(value, str | tuple | None):
                raise FormulaError(f"arithmetic needs numbers, not {shown(value)}.")
        floats = [value if isinstance(value, np.ndarray) else _as_float(value) for value in values]
        result = _ARITHMETIC[type(kind)](*floats)
        return result if isinstance(result, np.ndarray) else _plain(result)

    def _compare(self, kind: ast.AST, left: Any, right: Any) -> Any:
        compare = _ARITHMETIC[type(kind)]
        if isinstance(right, Categories):
            left, right = right, left
        if isinstance(left, Categories):
            if not isinstance(kind, ast.Eq | ast.NotEq) or isinstance(right, Categories):
                raise FormulaError("a factor is compared with one of its levels by == or !=.")
            if right not in left.levels:
                raise FormulaError(f"{shown(right)} is not among the levels {left.levels[:20]}.")
            result = compare(left.codes, left.levels.index(right)).astype(np.float64)
            return np.where(left.codes < 0, np.nan, result)
        for value in (left, right):
            if not isinstance(value, np.ndarray | int | float):
                raise FormulaError(
                    f"a column of numbers is compared with numbers, not with {shown(value)}."
                    if isinstance(value, str | None)
                    else "a comparison takes single columns and numbers."
                )
        result = np.asarray(compare(left, right), dtype=np.float64)
        missing = np.isnan(np.asarray(left, dtype=np.float64) + np.asarray(right, dtype=np.float64))
        return np.where(missing, np.nan, result)

    def _call(self, name: str, text: str, arguments: list[Any], options: dict[str, Any]) -> Any:
        try:
            if name in self.functions:
                return self._call_user(name, arguments, options)
            transform = TRANSFORMS[name]
            self._check_arguments(transform, text, arguments, options)
            if transform.timed:
                timeline = Timeline(self.table, self.source, text, self.notes)
                options = {**options, "timeline": timeline}
            if transform.learn is None:
                return transform.apply(*arguments, **options)
            if self.rows is not None and text not in self.state:
                rows = None if transform.timed else self.rows  # time series are learned whole
                picked = [_take(argument, rows) for argument in arguments]
                words = {word: _take(value, rows) for word, value in options.items()}
                self.state[text] = transform.learn(*picked, **words)
            return transform.apply(self.state[text], *arguments, **options)
        except BayeszooError:
            raise
        except RecursionError:
            raise FormulaError(f"`{text}` is nested too deeply.") from None
        except Exception as error:
            raise FormulaError(
                f"{self._reason(name, text, error)}{pointer(self.source, name)}"
            ) from error

    def _reason(self, name: str, text: str, error: Exception) -> str:
        """What to say of an error of the user's own function, or of arguments of a wrong kind."""
        said = f"{str(error).rstrip('.')}."
        if name in self.functions:
            return f"`{text}` failed: your function `{name}` raised {type(error).__name__}: {said}"
        if isinstance(error, ValueError | ArithmeticError):
            return f"`{text}` failed: {said}"
        return (
            f"`{text}`: an argument is of a kind that {name}() does not take. "
            f"It takes {_listed(_signature(TRANSFORMS[name]))}."
        )

    def _check_arguments(
        self, transform: Transform, text: str, arguments: list[Any], options: dict[str, Any]
    ) -> None:
        signature = _signature(transform)
        try:
            signature.bind(*arguments, **options)
        except TypeError as error:
            raise FormulaError(
                f"`{text}`: {error}.{pointer(self.source, text)}\n"
                f"{transform.name}() takes {_listed(signature)}."
            ) from None
        if not transform.numeric:
            return
        columns = arguments[:1] if transform.role == "column" else [*arguments, *options.values()]
        for value in columns:
            if isinstance(value, str | tuple | None):
                raise FormulaError(
                    f"`{text}`: {transform.name}() takes numbers, not {shown(value)}."
                    f"{pointer(self.source, text)}"
                )
        for value in (*arguments, *options.values()):
            if isinstance(value, Categories):
                raise DataTypeError(
                    f"`{text}`: {transform.name}() takes numbers, not a column of levels "
                    f"({listing(value.levels, 5)}).{pointer(self.source, text)}"
                )
            if isinstance(value, Matrix | Filtered):
                raise FormulaError(
                    f"`{text}`: {transform.name}() takes single columns, not a basis or a column "
                    f"of two dimensions.{pointer(self.source, text)}"
                )

    def _call_user(self, name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
        copies = [_for_user(argument) for argument in arguments]
        function = self.functions[name]
        if not callable(function):
            raise FormulaError(
                f"`{name}` is an array given in functions=, so it stands as a basis inside conv() or "
                f"tuning(), such as conv(x, {name})."
            )
        result = function(*copies, **{k: _for_user(v) for k, v in options.items()})
        array = np.asarray(result)
        if (
            array.dtype.kind not in "biuf"
            or array.shape[:1] != (self.table.rows,)
            or array.ndim > 2
        ):
            raise FormulaError(
                f"your function `{name}` must return one number (or one row of numbers) for each of "
                f"the {self.table.rows} rows, but returned {array.dtype} of shape {array.shape}."
            )
        if array.ndim == 2:
            return Matrix(array.astype(np.float64), tuple(range(1, array.shape[1] + 1)))
        return array.astype(np.float64)


def _signature(transform: Transform) -> inspect.Signature:
    """The arguments that a formula may give."""
    full = inspect.signature(transform.learn or transform.apply)
    return full.replace(parameters=[p for p in full.parameters.values() if p.name != "timeline"])


def _listed(signature: inspect.Signature) -> str:
    return listing(
        p.name if p.default is p.empty else f"{p.name}={p.default!r}"
        for p in signature.parameters.values()
    )


def _as_float(value: Any) -> Any:
    if not isinstance(value, int | float | np.number):
        raise FormulaError("arithmetic takes single columns and numbers.")
    return np.float64(value)


def _plain(value: Any) -> Any:
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def _take(value: Any, rows: np.ndarray | None) -> Any:
    if rows is None:
        return value
    if isinstance(value, np.ndarray):
        return value[rows]
    if isinstance(value, Matrix):
        return Matrix(value.values[rows], value.labels, value.spans_intercept)
    if isinstance(value, Categories):
        used = np.unique(value.codes[rows])
        used = used[used >= 0]
        lookup = np.full(len(value.levels) + 1, -1)
        lookup[used] = np.arange(len(used))
        return Categories(lookup[value.codes[rows]], tuple(value.levels[i] for i in used))
    return value


def _for_user(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, Matrix | Filtered):
        return np.array(value.values)
    if isinstance(value, Categories):
        return np.array([*value.levels, None], dtype=object)[value.codes]
    return value
