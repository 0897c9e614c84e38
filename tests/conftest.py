"""What every test shares: one folder of compiled programs, strict JAX, and expensive fixtures."""

import os
import shutil
import tempfile

import pytest

os.environ["JAX_NUMPY_RANK_PROMOTION"] = "raise"  # also for processes that tests start
os.environ.setdefault("MPLBACKEND", "Agg")

_own_cache = ""


def pytest_configure(config):
    """Makes one cache of compiled programs; the workers of pytest-xdist inherit the first one."""
    global _own_cache
    if not hasattr(config, "workerinput"):
        _own_cache = tempfile.mkdtemp(prefix="bayeszoo-tests-")
        os.environ["BAYESZOO_CACHE"] = _own_cache


def pytest_unconfigure(config):
    """Removes the cache."""
    if _own_cache:
        shutil.rmtree(_own_cache, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def strict_jax():
    """Makes JAX refuse to broadcast arrays of unlike rank."""
    import jax

    assert jax.config.jax_numpy_rank_promotion == "raise"


@pytest.fixture(scope="session")
def sleepstudy():
    """Reaction times of 18 people on 10 days."""
    import bayeszoo as bz

    return bz.datasets.sleepstudy()


@pytest.fixture(scope="module", autouse=True)
def mappings():
    """Drops what JAX has compiled for earlier modules before a process runs out of memory mappings."""
    yield
    import sys

    if "jax" in sys.modules:
        import jax

        from bayeszoo.inference import programs

        if programs._mappings() > programs._granted() // 4:
            programs._memory.clear()
            jax.clear_caches()
