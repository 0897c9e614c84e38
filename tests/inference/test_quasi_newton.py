"""Many searches in lockstep end where each would alone."""

import numpy as np

from bayeszoo.inference.quasi_newton import hessian, minimise


def _rosenbrock(x):
    a, b = x[:, 0], x[:, 1]
    value = (1 - a) ** 2 + 100 * (b - a**2) ** 2
    gradient = np.stack([-2 * (1 - a) - 400 * a * (b - a**2), 200 * (b - a**2)], axis=1)
    return value, gradient


def test_curved_valleys_from_many_starts():
    start = np.random.default_rng(0).normal(size=(40, 2)) * 2
    found = minimise(_rosenbrock, start)
    np.testing.assert_allclose(found.x, 1.0, atol=1e-4)
    assert np.abs(found.gradient).max() < 1e-3


def test_each_search_is_its_own():
    start = np.random.default_rng(1).normal(size=(12, 2))
    together = minimise(_rosenbrock, start).x
    alone = np.concatenate([minimise(_rosenbrock, row[None]).x for row in start])
    np.testing.assert_array_equal(together, alone)


def test_quadratics_and_their_curvature():
    rng = np.random.default_rng(2)
    roots = rng.normal(size=(5, 6, 6))
    matrices = roots @ np.swapaxes(roots, 1, 2) + np.eye(6)
    centres = rng.normal(size=(5, 6))

    def objective(x):
        slope = np.einsum("bij,bj->bi", matrices, x - centres)
        return 0.5 * np.einsum("bi,bi->b", x - centres, slope), slope

    found = minimise(objective, np.zeros((5, 6)))
    np.testing.assert_allclose(found.x, centres, atol=1e-4)
    np.testing.assert_allclose(hessian(objective, found.x), matrices, rtol=1e-6, atol=1e-6)


def test_walls_of_infinite_value_are_kept_from():
    def objective(x):
        inside = x > 0
        safe = np.where(inside, x, 1.0)
        value = np.where(inside, safe - np.log(safe), np.inf).sum(axis=1)
        return value, np.where(inside, 1 - 1 / safe, 0.0)

    found = minimise(objective, np.array([[0.01], [5.0], [40.0]]))
    np.testing.assert_allclose(found.x, 1.0, atol=1e-4)


def test_a_first_step_into_a_region_of_huge_slopes_is_shortened_in_silence():
    def objective(x):
        far = x[:, 0] > 0.9
        value = np.where(far, 1e250, 50 * (x[:, 0] - 0.3) ** 2)
        return value, np.where(far, 1e200, 100 * (x[:, 0] - 0.3))[:, None]

    np.testing.assert_allclose(minimise(objective, np.zeros((1, 1))).x, 0.3, atol=1e-6)
