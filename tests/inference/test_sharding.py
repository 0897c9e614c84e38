"""Rows dealt out to devices give the answers of one device."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import bayeszoo as bz
from bayeszoo.errors import OptionError
from bayeszoo.inference.backend import Problem
from bayeszoo.inference.sharding import choose, place

SCRIPT = """
import json, sys
import jax, numpy as np
import bayeszoo as bz
from bayeszoo.inference.backend import Problem
from bayeszoo.inference.backends import find_backend
from bayeszoo.inference.programs import COUNTS
from bayeszoo.inference.sharding import choose, place

assert len(jax.devices()) == len(choose("all")) == 2 and choose(1) == ()
rng = np.random.default_rng(0)
ROWS = 301  # odd: one row is added with weight 0
x, z = rng.normal(size=(2, ROWS))
data = {"x": x, "z": z, "g": np.arange(ROWS) % 7, "w": rng.gamma(3.0, size=ROWS)}
data["y"] = x + 0.5 * rng.normal(size=7)[data["g"]] + rng.normal(size=ROWS)
data["k"] = rng.poisson(np.exp(0.3 * x - 0.2 * z))
data["many"] = rng.poisson(np.exp(0.3 * x - 0.2 * z)[:, None] * [0.5, 1.0, 2.0])
svi = {"guide": "normal", "max_steps": 250, "draws": 20}
CASES = {
    "glm": ("map", "k ~ x + z", "poisson", {}),
    "scalars": ("map", "weighted(y, w) ~ x + z", "student", {}),
    "population": ("map", "many ~ x + z", "poisson", {}),
    "mixed": ("map", "k ~ x + (1 | g)", "poisson", {}),
    "svi": ("svi", "k ~ x", "poisson", {**svi, "batch_size": 50}),
}
out = COUNTS
for name in sys.argv[1:]:
    method, formula, family, options = CASES[name]
    model = bz.Model(formula, data, family=family)
    backend = find_backend(method)
    found = []
    for devices in (None, 2):
        whole = Problem(model.spec, model.design, model.spec.structure, lambda: model.numbers)
        problem = place(whole, devices)
        draws = backend.run(backend.settings(**options), problem, 3, False)
        found.append({key: np.asarray(value).ravel().tolist() for key, value in draws.natural.items()})
    arrays = jax.tree.leaves(dict(problem.design))
    spread = max(len(array.sharding.device_set) for array in arrays)
    out[name] = {"draws": found, "devices": [len(problem.devices), spread]}
print(json.dumps(out))
"""

CASES = ["glm", "scalars", "population", "mixed", "svi"]


@pytest.fixture(scope="module")
def two_devices(tmp_path_factory):
    """Runs the script in two processes: the first makes the programs, the second loads them."""
    own = {
        "XLA_FLAGS": os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2",
        "JAX_PLATFORMS": "cpu",
        "BAYESZOO_CACHE": str(tmp_path_factory.mktemp("programs")),
    }
    found = []
    for _ in ("made", "loaded"):
        ran = subprocess.run(
            [sys.executable, "-c", SCRIPT, *CASES],
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        found.append(json.loads(ran.stdout))
    assert found[1]["compiled"] == 0 < found[1]["loaded"]
    return found


@pytest.mark.parametrize("run", [0, 1], ids=["made", "loaded"])
@pytest.mark.parametrize("case", CASES)
def test_two_devices_answer_as_one(two_devices, case, run):
    found = two_devices[run][case]
    one, two = found["draws"]
    assert found["devices"] == [2, 2] and one.keys() == two.keys()
    for name, values in one.items():
        np.testing.assert_allclose(two[name], values, rtol=1e-6, atol=1e-6)


def test_a_single_device_changes_nothing():
    model = bz.Model("y ~ x", {"y": [1.0, 2, 4], "x": [0.0, 1, 2]})
    problem = Problem(model.spec, model.design, model.spec.structure, lambda: model.numbers)
    assert place(problem, None) is problem and place(problem, 1) is problem


@pytest.mark.parametrize("devices", [0, -1, 1.5, True, "every", 10_000])
def test_refuses_devices_that_are_not_there(devices):
    with pytest.raises(OptionError, match=r'devices= takes "all" or a whole number from 1 to'):
        choose(devices)
