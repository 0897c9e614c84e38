"""`fourier(4)`: cosines and sines of a phase."""

from itertools import pairwise
from typing import Any

import numpy as np

from ...errors import FormulaError, listing
from ..basis import MAX_SIZE, Basis, switch, whole

HIGHEST = MAX_SIZE // 2


def _options(frequencies: Any, window: Any = None, dc: Any = False) -> dict[str, Any]:
    with_constant = switch("dc", dc)
    if isinstance(frequencies, list | tuple):
        found = sorted(whole("each of the frequencies", f, 0, HIGHEST) for f in frequencies)
        repeated = {a for a, b in pairwise(found) if a == b}
        if repeated:
            raise FormulaError(
                f"the frequencies must differ; repeated: {listing(sorted(repeated))}."
            )
        if with_constant and 0 not in found:
            raise FormulaError("dc=True keeps frequency 0, which is not among the frequencies.")
    else:
        found = list(range(whole("the number of frequencies", frequencies, 1, HIGHEST)))
    kept = tuple(f for f in found if f or with_constant)
    if not kept:
        raise FormulaError(
            f"no frequency is left in {frequencies!r}: frequency 0, a constant, counts only with "
            f"dc=True. A number n stands for 0 to n - 1; write 2 or more, or a list such as [1, 2]."
        )
    return {"frequencies": kept, "dc": with_constant}


def _values(x: np.ndarray, frequencies: tuple[int, ...], dc: bool) -> np.ndarray:
    angles = 2 * np.pi * x[:, None] * np.asarray(frequencies)
    return np.concatenate([np.cos(angles), np.sin(angles[:, int(dc) :])], axis=1)


FOURIER = Basis(
    name="fourier",
    options=_options,
    values=_values,
    equation="cos(2 pi f x) for all f in order, then sin(2 pi f x) for all f > 0",
    story="Curves over a phase by their harmonics; a number n stands for frequencies 0 to n - 1.",
    source="Bracewell (2000), The Fourier Transform and Its Applications",
    periodic=True,
    size=lambda window, frequencies, dc: 2 * len(frequencies) - dc,
)
