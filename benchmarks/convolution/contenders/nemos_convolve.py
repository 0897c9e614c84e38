"""NeMoS as it comes, float32."""

from __future__ import annotations

import _contender
from _nemos import PACKAGES, prepare_nemos

if __name__ == "__main__":
    _contender.main(lambda: prepare_nemos(double=False), PACKAGES)
