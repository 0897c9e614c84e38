"""Simulators with known truth, and small tables from published studies."""

from .lfp import lfp
from .sleepstudy import sleepstudy
from .spikes import spikes

__all__ = ["lfp", "sleepstudy", "spikes"]
