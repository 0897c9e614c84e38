"""The compiled model's density against one written by hand, for every family and group structure."""

import jax
import numpy as np
import numpyro.infer.util
import pytest
from numpyro import handlers

import bayeszoo as bz
from bayeszoo.inference.variables import variables
from bayeszoo.zoo.density import site_shapes

from .hand_cases import CASES

POINTS = 3
QUICK = (
    "negative_binomial log, nested, factor by number, spline, weighted normal, censored gamma, "
    "measured normal, modelled kappa of beta, inverse_gaussian log, offset"
).split(", ")
PARAMETERS = [
    pytest.param(case, id=name, marks=() if name in QUICK else pytest.mark.slow)
    for name, case in CASES.items()
]
assert set(QUICK) <= set(CASES)
RELATIVE = 1e-9


def free_numbers(spec, trace):
    """The natural parameters as one vector: of correlations the lower triangle."""
    parts = []
    for variable in variables(spec)[0]:
        value = trace[variable.name]["value"]
        if variable.kind == "correlation":
            value = value[np.tril_indices(value.shape[-1], -1)]
        parts.append(jax.numpy.ravel(value))
    return jax.numpy.concatenate(parts)


def at_random(model, rng):
    """Raw sites at random; near their origin where a mean could leave its range."""
    reach = (
        0.02
        if model.spec.family.support.name in ("positive", "count")
        and dict(model.spec.links)["mu"] == "identity"
        else 0.4
    )
    shapes = site_shapes(model.spec.structure, model.numbers)
    return {name: rng.uniform(-reach, reach, shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("case", PARAMETERS)
def test_density_is_the_one_written_by_hand(case, ledger):
    with jax.enable_x64(True):
        model = bz.Model(
            case.formula, case.data, family=case.family, link=case.link, priors=case.priors
        )
        priors = {
            name: (prior.name, [np.asarray(v) for _, v in prior.arguments])
            for name, prior in model.spec.prior.items()
        }
        rng = np.random.default_rng(3)
        differences, sizes, rows = [], [], 0.0
        for _ in range(POINTS):
            raw = at_random(model, rng)
            flat, restore = jax.flatten_util.ravel_pytree(raw)

            def natural(vector, restore=restore):
                seeded = handlers.substitute(model.numpyro, data=restore(vector))
                return handlers.trace(seeded).get_trace()

            trace = natural(flat)
            slopes = jax.jacfwd(lambda v: free_numbers(model.spec, natural(v)))(flat)
            ours, _ = numpyro.infer.util.log_density(model.numpyro, (), {}, raw)
            ours = float(ours) - np.linalg.slogdet(slopes)[1]
            theta = {v.name: np.asarray(trace[v.name]["value"]) for v in variables(model.spec)[0]}
            differences.append(ours - case.log_posterior(theta, priors))
            sizes.append(abs(ours))
            site = trace["response"]
            mine = np.asarray(site["fn"].log_prob(site["value"]))
            wanted = case.rows(theta)
            rows = max(rows, np.max(np.abs(mine - wanted) / np.maximum(np.abs(wanted), 1.0)))
    error = np.ptp(differences) / max(sizes)
    what = f"{case.name}: {case.formula}".replace("\n", "; ")
    ledger.exact("density by hand (SciPy)", what, "model.numpyro", POINTS, error, RELATIVE)
    ledger.exact("density by hand (SciPy)", what, "rows' log-likelihood", POINTS, rows, RELATIVE)
