"""The programs that a process holds are bounded: too many would exhaust its memory mappings."""

import os
import subprocess
import sys

import jax
import numpy as np
import pytest
from jax import monitoring

import bayeszoo as bz
from bayeszoo.inference import programs


def _fit(columns):
    generator = np.random.default_rng(columns)
    data = {f"x{i}": generator.normal(size=40) for i in range(columns)}
    data["y"] = generator.normal(size=40)
    formula = "y ~ " + " + ".join(f"x{i}" for i in range(columns))
    return bz.fit(formula, data, method="map", progress=False).summary()["mean"]


def test_the_programs_used_longest_ago_are_dropped(monkeypatch):
    monkeypatch.setattr(programs, "HELD", 3)
    first = _fit(1)
    for columns in (2, 3, 4):
        _fit(columns)
        assert 1 <= len(programs._memory) <= 3
    np.testing.assert_array_equal(_fit(1), first)  # loaded or compiled again


@pytest.mark.skipif(programs._mappings() == 0, reason="the system does not tell of mappings")
def test_programs_are_dropped_before_mappings_run_out(monkeypatch):
    _fit(1)
    before = programs._mappings()
    for columns in (6, 7, 8):
        _fit(columns)
    grown = programs._mappings()
    assert grown > before
    monkeypatch.setattr(programs, "_granted", lambda: 2)
    _fit(5)
    assert len(programs._memory) == 1
    assert programs._mappings() < grown


def _grouped(seed):
    generator = np.random.default_rng(seed)
    data = {"x": generator.normal(size=60), "g": np.arange(60) % 6}
    return data | {"y": generator.normal(size=60)}


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("svi", {"max_steps": 250, "draws": 30}),
        ("nuts", {"draws": 20, "tune": 20, "chains": 2}),
        ("laplace", {"draws": 30}),
        ("lme", {}),
    ],
)
def test_a_structure_is_compiled_once(method, options):
    compiled = []

    def listen(event, seconds, **_):
        if event == "/jax/core/compile/backend_compile_duration":
            compiled.append(seconds)

    monitoring.register_event_duration_secs_listener(listen)
    try:
        jax.jit(lambda x: x + 1.5)(np.ones(3))
        assert compiled, "the listener hears nothing"
        for seed in range(3):
            compiled.clear()
            own = {"seed": seed, "progress": False, **options}
            fit = bz.fit("y ~ x + (1 | g)", _grouped(seed), method=method, **own)
            fit.summary()
    finally:
        monitoring.unregister_event_duration_listener(listen)
    assert not compiled


SAME = """
import hashlib
import jax
import numpy as np
import bayeszoo as bz
from bayeszoo.inference import programs

class Seen(Exception):
    pass

def look(function, arguments):
    with programs.double_precision(), programs._tracing:
        text = jax.jit(function).lower(*arguments).as_text()
    found.append(hashlib.sha256(text.encode()).hexdigest())
    raise Seen

programs._compile = look
rng = np.random.default_rng(0)
data = {"x": rng.normal(size=40), "g": np.arange(40) % 5, "h": np.arange(40) % 4}
data["y"], data["many"] = rng.gamma(3.0, size=40), rng.poisson(1.0, (40, 3))
for formula, family, methods in (
    ("y ~ x + (1 + x | g) + (1 | h)", "gamma", ("svi", "nuts", "map", "glmm")),
    ("many ~ x", "poisson", ("svi", "map")),
):
    model = bz.Model(formula, data, family=family)
    for method in methods:
        found = []
        try:
            model.fit(method, progress=False)
        except (Seen, bz.BayeszooError):
            pass
        print(formula, method, *sorted(found))
"""


def test_programs_do_not_depend_on_the_order_of_sets():
    """Else two processes that compile a program draw what differs in the last bits."""
    own = [{"PYTHONHASHSEED": number, "BAYESZOO_CACHE": "off"} for number in ("1", "2")]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", SAME],
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            text=True,
        )
        for env in own
    ]
    one, two = (process.communicate()[0] for process in started)
    assert one == two and one.count("svi ") == 2 and len(one.split()) > 20, one
