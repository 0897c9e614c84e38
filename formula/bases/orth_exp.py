"""`orth_exp([1, 4, 16], 200)`: decaying exponentials, made orthonormal on the bins of a window."""

from itertools import pairwise
from typing import Any

import numpy as np

from ...errors import FormulaError, listing
from ..basis import Basis, positive

MAX_RATES = 100


def _options(rates: Any, window: Any = None) -> dict[str, Any]:
    if not isinstance(rates, list | tuple) or not 1 <= len(rates) <= MAX_RATES:
        raise FormulaError(
            f"rates is a list of 1 to {MAX_RATES} decay rates per window, such as [1, 4, 16]."
        )
    found = tuple(positive("each of the rates", rate) for rate in rates)
    repeated = {a for a, b in pairwise(sorted(found)) if a == b}
    if repeated:
        raise FormulaError(
            f"the rates must differ; repeated: {listing(f'{rate:g}' for rate in sorted(repeated))}."
        )
    return {"rates": found}


def _values(x: np.ndarray, rates: tuple[float, ...]) -> np.ndarray:
    from scipy.linalg import orth

    if len(rates) > len(x):
        raise FormulaError(
            f"orth_exp(): {len(rates)} rates need a window of at least {len(rates)} bins, "
            f"not {len(x)}."
        )
    functions = orth(np.exp(-x[:, None] * np.asarray(rates)))
    if functions.shape[1] < len(rates):
        raise FormulaError(
            f"orth_exp(): {len(rates)} rates give only {functions.shape[1]} independent functions "
            f"on {len(x)} bins: {listing(f'{rate:g}' for rate in rates)}. Space the rates wider, or "
            f"take fewer."
        )
    return functions


ORTH_EXP = Basis(
    name="orth_exp",
    options=_options,
    values=_values,
    equation="U of the singular value decomposition U S V' = [exp(-r_i x)], "
    "x on the bins of the window",
    story="Sums of decays with chosen rates, such as those of synapses and calcium indicators.",
    source="Golub and Van Loan (2013), Matrix Computations, 2.4",
    on_values=False,
    size=lambda window, rates: len(rates),
)
