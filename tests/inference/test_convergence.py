"""R-hat and effective sample sizes equal ArviZ's."""

import numpy as np
import pytest

from bayeszoo.inference.convergence import diagnostics
from bayeszoo.inference.idata import load_arviz


@pytest.mark.parametrize("rho", [-0.5, 0.0, 0.3, 0.9, 0.99])
@pytest.mark.parametrize("shape", [(4, 1000), (4, 999), (1, 500), (2, 37), (3, 4)])
def test_equal_to_arviz(rho, shape):
    arviz = load_arviz()
    rng = np.random.default_rng([int(100 * rho) % 97, *shape])
    draws = np.zeros(shape)
    noise = rng.standard_t(4, size=shape)
    for t in range(shape[1]):
        draws[:, t] = rho * draws[:, t - 1] * (t > 0) + noise[:, t]
    draws += 0.1 * np.arange(shape[0])[:, None]
    ours = diagnostics(draws)
    assert ours["ess_bulk"] == pytest.approx(float(arviz.ess(draws, method="bulk")), rel=1e-9)
    assert ours["ess_tail"] == pytest.approx(float(arviz.ess(draws, method="tail")), rel=1e-9)
    if shape[0] > 1:
        assert ours["r_hat"] == pytest.approx(float(arviz.rhat(draws)), rel=1e-9)


def test_constant_or_short_draws_have_no_diagnostics():
    assert np.isnan(diagnostics(np.ones((4, 100)))["r_hat"])
    assert np.isnan(diagnostics(np.zeros((2, 3)))["ess_bulk"])
