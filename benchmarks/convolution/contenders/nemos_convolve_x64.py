"""NeMoS with JAX in float64."""

from __future__ import annotations

import _contender
from _nemos import PACKAGES, prepare_nemos

if __name__ == "__main__":
    _contender.main(lambda: prepare_nemos(double=True), PACKAGES)
