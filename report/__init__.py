"""The report: one fit as one self-contained HTML page. It stands above charts and inference."""

from .write import write_report

__all__ = ["write_report"]
