"""bambi with nutpie (numba, Rust)."""

from __future__ import annotations

import _contender
from _bambi import prepare_bambi

PACKAGES = ("bambi", "pymc", "pytensor", "arviz", "nutpie", "numba")

if __name__ == "__main__":
    _contender.main(lambda job: prepare_bambi(job, "nutpie"), PACKAGES)
