"""What is wrong with a fit, if anything: full sentences, each with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .summary import draws_by_name, summarize

if TYPE_CHECKING:
    from .fit import Fit

R_HAT, ESS_PER_CHAIN, DEEP, LARGE = 1.01, 100, 0.05, 20_000_000


def diagnose(fit: Fit) -> list[str]:
    """Returns findings about a fit; an empty list means that all is well."""
    findings = list(fit.draws.notes)
    if fit.draws.converged is False:
        findings.insert(
            0,
            f'method "{fit.method}" did not converge: its answer is not the optimum. Give it more '
            "steps, stronger priors, or use another method.",
        )
    if fit.backend.sampled:
        findings += _chains(fit)
    findings += _boundary(fit) + _separation(fit) + _shape(fit)
    return findings


def _chains(fit: Fit) -> list[str]:
    findings = []
    stats = fit.draws.stats
    divergent = int(np.sum(stats["diverging"]))
    total = np.size(stats["diverging"])
    if divergent:
        findings.append(
            f"{divergent:,} of {total:,} transitions diverged, so parts of the posterior may be "
            f"missed. {_raise_target(fit)} stronger priors to scales: the standard deviations of "
            "groups and of the noise."
        )
    deepest = fit.info["settings"].get("max_tree_depth", 10)
    deep = float(np.mean(np.asarray(stats["n_steps"]) >= 2**deepest - 1))
    if deep > DEEP:
        findings.append(
            f"{deep:.0%} of transitions reached the longest trajectory, so sampling is slow and "
            "effective draws are few. Look for nearly collinear terms, or raise max_tree_depth."
        )
    table = summarize(fit.model.spec, fit.backend, fit.draws, 0.95, groups=False)
    bad = table.index[(table["r_hat"] > R_HAT).to_numpy()]
    if len(bad):
        worst = table["r_hat"].idxmax()
        findings.append(
            f"the chains disagree on {len(bad)} parameter(s) (R-hat up to "
            f"{table.loc[worst, 'r_hat']:.3f}, `{worst}`). Run more tune and draws."
        )
    chains = np.shape(stats["diverging"])[0]
    few = table.index[(table["ess_bulk"] < ESS_PER_CHAIN * chains).to_numpy()]
    if len(few):
        worst = table["ess_bulk"].idxmin()
        findings.append(
            f"{len(few)} parameter(s) have fewer than {ESS_PER_CHAIN * chains} effective draws "
            f"(lowest: `{worst}`, {table.loc[worst, 'ess_bulk']:.0f}). Run more draws."
        )
    return findings


def _raise_target(fit: Fit) -> str:
    """What to do with the step size, given what it was."""
    target = fit.info["settings"].get("target_accept") or 0.9
    better = next((value for value in (0.95, 0.99) if value > target + 1e-9), None)
    return f"Raise target_accept to {better}, or give" if better else "Give"


def _boundary(fit: Fit) -> list[str]:
    """Standard deviations of groups that an optimiser put at zero."""
    if not (fit.backend.point or fit.backend.frequentist):
        return []
    named = draws_by_name(fit.model.spec, fit.draws.natural)
    guesses = fit.model.guesses()
    zero = [
        name
        for name, guess in guesses.items()
        if name in named and np.nanmax(named[name]) < 1e-2 * guess
    ]
    if not zero:
        return []
    where = "is at its" if len(zero) == 1 else "are at their"
    return [
        f"{', '.join(f'`{name}`' for name in zero)} {where} boundary of zero (a singular fit): the "
        'data show no spread there beyond noise. Leave the effect out, or use "nuts", which '
        "averages over its uncertainty."
    ]


def _separation(fit: Fit) -> list[str]:
    """Fitted probabilities or rates that are 0 or 1 to within rounding."""
    if fit.backend.frequentist:  # these name the coefficients themselves
        return []
    prior = fit.model.spec.prior
    if all(prior[name].name != "Flat" for name in _coefficient_names(fit)):
        return []  # proper priors say how far, which is sound
    limit = {"logit": 15.0, "probit": 6.0, "cloglog": 15.0, "log": 18.0}
    link = dict(fit.model.spec.links)["mu"]
    support = fit.model.spec.family.support.name
    if link not in limit or support not in ("binary", "count"):
        return []
    if fit.model.design.response["y"].size > LARGE:  # a further pass over the rows
        return []
    eta = fit.mean_linear_predictor()
    spread = np.nanmax(eta) - np.nanmin(eta)
    extreme = np.abs(eta) > limit[link] if link != "log" else eta < -limit[link]
    if not extreme.any() or spread < limit[link]:
        return []
    return [
        f"some predictors separate the outcomes: the linear predictor runs to "
        f"{np.nanmin(eta):.0f} or {np.nanmax(eta):.0f}, where the likelihood is flat, so the estimate "
        f"is set by rounding and not by data ({int(extreme.sum()):,} rows). Give proper priors (the "
        "default ones are) or join levels."
    ]


def _coefficient_names(fit: Fit) -> list[str]:
    spec = fit.model.spec
    parameters = [predictor.parameter for predictor in spec.schema.predictors]
    return [n for p in parameters for n in (*spec.coefficient_names(p)[0], *spec.own_names(p)[0])]


def _shape(fit: Fit) -> list[str]:
    findings = []
    for predictor in fit.model.spec.schema.predictors:
        columns = len(predictor.column_names) + predictor.intercept
        columns += len(predictor.own_names) + predictor.own_intercept
        if columns > fit.model.design.size:
            findings.append(
                f"`{predictor.parameter}` has {columns:,} coefficients but only "
                f"{fit.model.design.size:,} rows: the priors decide what the data leave open."
            )
    return findings
