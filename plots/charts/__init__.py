"""The charts, one file each."""

from ...registry import discover
from ..chart import Chart

CHARTS: dict[str, Chart] = discover(__name__, __path__, Chart)
