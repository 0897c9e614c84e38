"""NeMoS as an expert would run it: L-BFGS, a tight tolerance, float64."""

from __future__ import annotations

import _contender
from _nemos import PACKAGES, prepare_nemos

TIGHT = {"tol": 1e-8, "maxiter": 500}

if __name__ == "__main__":
    _contender.main(
        lambda: prepare_nemos(double=True, solver_name="LBFGS", solver_kwargs=TIGHT), PACKAGES
    )
