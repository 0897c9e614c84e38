"""What an edge is, and how a fit at one is judged: exact, a finding, or refused."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import optimize

import bayeszoo as bz
from bayeszoo.errors import BayeszooError

from ..reference.hand import LINKS, PRIORS, log_rows
from ..reference.quadrature import Axis, integrate

SLOWEST = 60.0
"""Seconds of computation that a fit may take once its program is compiled."""
Z = 4.5
OPTIMUM = 1e-4
"""Optima are right to this part of a standard error."""
ROUGH = {"laplace": 0.15, "svi": 0.35, "glmm": 5e-3}
"""Means of 1000 draws, of a normal approximation, and where a search stops, in standard errors."""
Answer = Callable[["Edge", str, Any], Mapping[str, Any]]


@dataclass(frozen=True)
class Edge:
    """Data at an edge, and what is right there.

    Attributes:
        name: a short name.
        formula: of the model.
        data: columns.
        expect: method -> `exact`, `finding` or `refused`, or several of these separated by blanks.
        family: of the response.
        priors: given priors.
        answer: (edge, method, fit) -> the right means by printed name, which may come with their
            Monte-Carlo errors; needed for `exact`.
        words: what findings or refusals must say.
        options: of the fit.
    """

    name: str
    formula: str
    data: Mapping[str, Any]
    expect: Mapping[str, str]
    family: str = "normal"
    priors: Mapping[str, Any] = field(default_factory=dict)
    answer: Answer | None = None
    words: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def model(self) -> Any:
        """Builds the model."""
        return bz.Model(self.formula, self.data, family=self.family, priors=dict(self.priors))


def judge(edge: Edge, method: str) -> tuple[str, str]:
    """Returns the outcome and a detail; fails where neither an answer nor the trouble is told."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            started = time.process_time()
            model = edge.model()
            fit = model.fit(method, seed=1, progress=False, **edge.options)
            table, findings = fit.summary(), fit.diagnose()
            spent = time.process_time() - started
        except BayeszooError as error:
            assert edge.words in str(error), f"`{edge.words}` is not in: {error}"
            return "refused", str(error).partition("\n")[0]
        if spent > SLOWEST:  # most of it may have been compilation
            started = time.process_time()
            model.fit(method, seed=2, progress=False, **edge.options)
            spent = time.process_time() - started
            assert spent < SLOWEST, f"{spent:.0f} s"
    shown = table[["mean"] if method == "map" else ["mean", "sd", "lower", "upper"]]
    unknown = shown.index[shown.isna().any(axis=1)]
    for name in unknown:
        assert any(f"`{name}`" in f for f in findings), (
            f"{name} is not a number, and nothing says so"
        )
    outcome = "finding" if findings else "nothing"
    detail = next((f for f in findings if edge.words in f), "")
    if edge.answer is not None and "exact" in edge.expect[method]:
        try:
            worst = compare(edge.answer(edge, method, fit), table, method)
            outcome, detail = "exact", f"{worst}; {detail}".removesuffix("; ")
        except AssertionError:
            if not findings or "finding" not in edge.expect[method]:
                raise
    elif edge.words:
        assert any(edge.words in f for f in findings), findings
    return outcome, detail


def compare(right: Mapping[str, Any], table: Any, method: str) -> str:
    """Judges means: optima beside standard errors, draws by z."""
    names = list(right)
    pairs = [v if isinstance(v, tuple) else (v, 0.0) for v in right.values()]
    wanted, theirs = np.array(pairs).T
    found = table.loc[names, "mean"].to_numpy()
    if method == "nuts":
        ours = table.loc[names, "sd"] / np.sqrt(table.loc[names, "ess_bulk"])
        z = (found - wanted) / np.hypot(ours, theirs)
        assert np.max(np.abs(z)) < Z, dict(zip(names, z, strict=True))
        return f"|z| <= {np.max(np.abs(z)):.1f}"
    size = np.maximum(np.abs(wanted), 0.01 * min(1.0, np.abs(wanted).max()))
    errors = table.loc[names, "sd"].to_numpy()
    size = np.where(errors > 0, errors, size)  # no errors of modes, nor of variances of 0
    error = np.max(np.abs(found - wanted) / np.maximum(size, 1e-200))
    limit = ROUGH.get(method, OPTIMUM)
    assert error < limit, (dict(zip(names, found, strict=True)), right)
    return f"error {error:.1g} {'of the value' if method == 'map' else 'of its sd'}"


def by_hand(edge: Edge, method: str, fit: Any) -> Mapping[str, float]:
    """The mode (of `map`, `laplace`), or the posterior mean by quadrature, of y ~ x (or 1) by SciPy.

    `x` has mean 0, so that the default prior of the intercept is about 0 too.
    """
    spec = fit.model.spec
    response = fit.model.design.response
    y, offset = response["y"], fit.model.design.predictors["mu"].offset
    link = LINKS[dict(spec.links)["mu"]]
    extra = {"trials": response["trials"]} if "trials" in response else {}
    weights = response.get("weights", 1.0)
    x = np.asarray(edge.data.get("x", np.zeros(len(y))), float)
    names = [name for name in spec.prior]
    positive = {n for n in names if n not in ("Intercept", "x")}

    def density(theta: Mapping[str, Any]) -> Any:
        wide = {n: np.asarray(v, float)[..., None] for n, v in theta.items()}
        eta = wide["Intercept"] + wide.get("x", 0.0) * x + offset
        with np.errstate(all="ignore"):
            rows = log_rows(edge.family, y, link(eta), {**wide, **extra})
        total = np.sum(weights * rows, axis=-1)
        for name in names:
            prior = spec.prior[name]
            total = total + PRIORS[prior.name](theta[name], *[v for _, v in prior.arguments])
        return total

    table = fit.summary()
    at = np.array([table.loc[n, "mean"] for n in names])
    start = np.array([np.log(v) if n in positive else v for n, v in zip(names, at, strict=True)])

    def minus(t: np.ndarray, jacobian: bool) -> float:
        theta = {n: np.exp(v) if n in positive else v for n, v in zip(names, t, strict=True)}
        value = density({n: np.asarray(v) for n, v in theta.items()})
        return -float(
            value + jacobian * sum(v for n, v in zip(names, t, strict=True) if n in positive)
        )

    best = start
    for _ in range(4):  # the simplex first, for densities that are flat on one side
        best = optimize.minimize(
            minus, best, args=(method == "nuts",), method="Nelder-Mead",
            options={"xatol": 1e-10, "fatol": 1e-10, "maxiter": 4000, "maxfev": 4000},
        ).x  # fmt: skip
    if method in ("map", "laplace"):
        return {n: np.exp(v) if n in positive else v for n, v in zip(names, best, strict=True)}
    axes = {}
    for i, name in enumerate(names):
        ends = []
        for sign in (-1, 1):
            step = 1e-8 * max(1.0, abs(best[i]))
            while minus(best + sign * step * np.eye(len(best))[i], True) < minus(best, True) + 40:
                step *= 1.5
            ends.append(best[i] + sign * step * 2.5)  # others may lie elsewhere there
        axes[name] = Axis(*ends, 261, "log" if name in positive else "real")
    exact = integrate(density, axes)
    return {n: m.mean for n, m in exact.items() if n not in positive}


def grouped_by_hand(edge: Edge, method: str, fit: Any) -> Mapping[str, float]:
    """Posterior means of y ~ x + (1 | g): normal given both variances, which are summed over.

    `x` has mean 0, so that the default prior of the intercept is about 0 too.
    """
    y, x, g = (np.asarray(edge.data[name]) for name in ("y", "x", "g"))
    design = np.column_stack([np.ones(len(y)), x])
    alike = (g[:, None] == g).astype(float)
    prior = {n: (p.name, [v for _, v in p.arguments]) for n, p in fit.model.spec.prior.items()}
    (at, wide), (there, slope) = prior["Intercept"][1], prior["x"][1]
    centre, spread = np.array([at, there]), np.diag([wide**2, slope**2])
    logs, means = [], []
    for log_sd in np.linspace(-9, 2, 111):
        for log_sigma in np.linspace(-7, 1, 121):
            sd, sigma = np.exp(log_sd), np.exp(log_sigma)
            noise = sd**2 * alike + sigma**2 * np.eye(len(y))
            whole = noise + design @ spread @ design.T
            left = y - design @ centre
            solved = np.linalg.solve(whole, left)
            log = log_sd + log_sigma - 0.5 * (left @ solved + np.linalg.slogdet(whole)[1])
            for name, value in (("sd(1|g)", sd), ("sigma", sigma)):
                log += PRIORS[prior[name][0]](value, *prior[name][1])
            logs.append(log)
            means.append([*(centre + spread @ design.T @ solved), sd, sigma])
    weight = np.exp(np.array(logs) - np.max(logs))
    found = weight @ np.array(means) / weight.sum()
    return dict(zip(("Intercept", "x", "sd(1|g)", "sigma"), found, strict=True))
