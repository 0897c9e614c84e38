"""The ledger of references: each comparison is judged here, and written down where a file is named."""

import csv
import importlib.metadata
import os
from pathlib import Path

import numpy as np
import pytest

COLUMNS = "reference what method quantities measure largest threshold versions command".split()
Z = 4.5
"""Of a right answer, |z| passes this once in 150,000 quantities."""
COMMAND = "make references"
PACKAGES = ("numpy", "scipy", "statsmodels", "jax", "numpyro")


class Ledger:
    """Judges comparisons, and appends a row for each to the file that BAYESZOO_REFERENCES names."""

    def __init__(self) -> None:
        self.path = os.environ.get("BAYESZOO_REFERENCES")
        self.versions = " ".join(f"{p} {importlib.metadata.version(p)}" for p in PACKAGES)

    def exact(self, reference, what, method, quantities, error, threshold, versions=""):
        """Judges the largest relative error of answers without Monte-Carlo error."""
        self._write(
            reference, what, method, quantities, "relative error", error, threshold, versions
        )
        assert error <= threshold, f"{what} by {method}: relative error {error:.3g} > {threshold:g}"

    def relative(self, reference, what, method, found, wanted, threshold, versions="", scale=None):
        """The same for arrays; `scale` is what errors are relative to, by default the wanted values."""
        found, wanted = np.asarray(found, float), np.asarray(wanted, float)
        size = np.abs(wanted) if scale is None else np.abs(np.asarray(scale, float))
        error = float(np.max(np.abs(found - wanted) / size))
        self.exact(reference, what, method, wanted.size, error, threshold, versions)

    def sampled(self, reference, what, method, z, versions=""):
        """Judges z statistics of answers with Monte-Carlo error."""
        z = np.asarray(z, float)
        largest = float(np.max(np.abs(z)))
        self._write(reference, what, method, z.size, "|z|", largest, Z, versions)
        assert largest <= Z, f"{what} by {method}: z = {np.round(z, 2)}"

    def _write(self, reference, what, method, count, measure, largest, threshold, versions):
        if not self.path:
            return
        path = Path(self.path)
        new = not path.exists() or not path.stat().st_size
        with path.open("a", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            if new:
                writer.writerow(COLUMNS)
            row = [reference, what, method, count, measure, f"{largest:.2g}", f"{threshold:g}"]
            writer.writerow([*row, versions or self.versions, COMMAND])


@pytest.fixture(scope="session")
def ledger():
    return Ledger()
