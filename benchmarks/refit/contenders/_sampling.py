"""How long NumPyro's sampling alone takes, within whatever calls it."""

from __future__ import annotations

import time
from collections.abc import Callable

PARTS = (
    "/jax/core/compile/jaxpr_to_mlir_module_duration",
    "/jax/core/compile/backend_compile_duration",
)


def watch_numpyro() -> Callable[[], float]:
    """Time every `MCMC.run` from now on, less what JAX says that lowering and compiling took.

    Tracing stays in the sampling, to the advantage of who traces.

    Returns:
        A function that gives the seconds since it was last called.
    """
    import jax
    from numpyro.infer import MCMC

    compiled, sampled = [0.0], [0.0]
    run = MCMC.run

    def listen(event: str, seconds: float, **_: object) -> None:
        if event in PARTS:
            compiled[0] += seconds

    def timed(self, *args, **options):
        before, start = compiled[0], time.perf_counter()
        out = run(self, *args, **options)
        jax.block_until_ready(self.get_samples())
        sampled[0] += time.perf_counter() - start - (compiled[0] - before)
        return out

    jax.monitoring.register_event_duration_secs_listener(listen)
    MCMC.run = timed

    def taken() -> float:
        seconds, sampled[0] = sampled[0], 0.0
        return seconds

    return taken
