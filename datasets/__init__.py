"""Simulators with known truth, and small tables from published studies."""

from .current_injection import current_injection
from .lfp import lfp
from .lnp_cell import lnp_cell
from .population import population
from .sleepstudy import sleepstudy
from .spikes import spikes

__all__ = ["current_injection", "lfp", "lnp_cell", "population", "sleepstudy", "spikes"]
