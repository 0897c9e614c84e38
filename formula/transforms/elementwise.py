"""Functions of each value alone: `log(x)`, `np.sqrt(x)`, ..."""

from typing import Any

import numpy as np

from ..values import Transform


def _elementwise(name: str, function: np.ufunc) -> Transform:
    def apply(x: Any) -> Any:  # one argument only: a second one of numpy's would be written to
        return function(x)

    return Transform(name, apply, aliases=(f"np.{name}",), story=f"{name} of each value.")


LOG = _elementwise("log", np.log)
LOG2 = _elementwise("log2", np.log2)
LOG10 = _elementwise("log10", np.log10)
LOG1P = _elementwise("log1p", np.log1p)
EXP = _elementwise("exp", np.exp)
EXPM1 = _elementwise("expm1", np.expm1)
SQRT = _elementwise("sqrt", np.sqrt)
ABS = _elementwise("abs", np.abs)
SIN = _elementwise("sin", np.sin)
COS = _elementwise("cos", np.cos)
TANH = _elementwise("tanh", np.tanh)
