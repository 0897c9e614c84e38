"""The door to the report, which stands above charts and so above this folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .options import asked

if TYPE_CHECKING:
    from .fit import Fit


def report(fit: Fit, path: Any, **options: Any) -> Path:
    """Writes a fit as one HTML page; see `report.write.write_report`."""
    from ..report import write_report

    return asked(write_report, fit, path, **options)
