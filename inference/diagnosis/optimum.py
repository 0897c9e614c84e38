"""An optimisation that did not arrive, and what the method itself has to say."""

from __future__ import annotations

from ..diagnostic import Diagnostic, Evidence


def _find(evidence: Evidence) -> list[str]:
    fit = evidence.fit
    if fit.draws.converged is not False:
        return list(fit.draws.notes)
    steps = fit.info.get("settings", {}).get("max_steps")
    more = "Give" if steps is None else f"Raise max_steps (it was {steps:,}), give"
    return [
        f'method "{fit.method}" did not converge: its answer is not the optimum. {more} stronger '
        "priors, or use another method.",
        *fit.draws.notes,
    ]


OPTIMUM = Diagnostic("optimum", _find, 0)
