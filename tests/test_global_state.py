"""Importing, fitting, saving and loading leave the process's global settings as they were."""

import subprocess
import sys

PROGRAM = """
import warnings, numpy, pandas, jax, sys

def state():
    return {
        "warnings": list(warnings.filters),
        "numpy errors": numpy.geterr(),
        "numpy printing": str(numpy.get_printoptions()),
        "numpy random": numpy.random.get_state()[1].tolist(),
        "pandas": [pandas.get_option(k) for k in ("display.width", "display.max_rows")],
        "jax": {k: getattr(jax.config, k) for k in (
            "jax_enable_x64", "jax_compilation_cache_dir", "jax_platforms", "jax_default_device")},
        "float": str(jax.numpy.zeros(1).dtype),
    }

before = state()
import bayeszoo as bz
df = bz.datasets.sleepstudy()
for method in ("lme", "map", "nuts"):
    fit = bz.fit("Reaction ~ Days + (Days | Subject)", df, method=method, progress=False)
    fit.summary()
    fit.idata
    fit.save(sys.argv[1])
    bz.load(sys.argv[1]).predict()
after = state()
changed = [name for name in before if before[name] != after[name]]
assert not changed, [(name, before[name], after[name]) for name in changed]
"""


def test_nothing_global_changes(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "fit.nc")], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
