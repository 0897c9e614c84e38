"""Many fits on a cluster: the same answers in the same order, also when a worker dies."""

import functools
import os
import signal
import sys

import numpy as np
import pandas as pd
import pytest

from bayeszoo.errors import FamilyError, OptionError
from bayeszoo.inference.many import fit_many

FORMULA = "power ~ stim + (1 | mouse)"


def recording(seed, rows=100, mice=5):
    rng = np.random.default_rng(seed)
    mouse, stim = np.arange(rows) % mice, (np.arange(rows) // mice) % 2
    mu = np.exp(1 + 0.3 * stim + 0.4 * rng.standard_normal(mice)[mouse])
    labels = [f"m{seed}{i:02d}" for i in mouse]
    return pd.DataFrame({"power": rng.gamma(4.0, mu / 4), "stim": stim, "mouse": labels})


@pytest.fixture(scope="module")
def recordings():
    return {f"day {i}": recording(i, 97 + i) for i in range(6)}


@pytest.fixture(scope="module")
def client():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, processes=True, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def once(action, flag):
    """Runs an action unless a file says that it ran before."""
    try:
        os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    action()


def die_once(flag, fit):
    """Kills the process of the worker in the middle of its first chunk."""
    once(lambda: os.kill(os.getpid(), signal.SIGKILL), flag)
    return fit.summary()


@pytest.mark.parametrize("method", ["map", "lme"])
def test_fits_are_those_without_a_client(client, recordings, method):
    options = {"method": method, "seed": 5, "progress": False}
    far = fit_many(FORMULA, recordings, client=client, **options)
    near = fit_many(FORMULA, recordings, **options)
    for one, two in zip(far, near, strict=True):
        assert one.info["seed"] == two.info["seed"]
        for name, array in two.draws.natural.items():
            np.testing.assert_allclose(one.draws.natural[name], array, rtol=1e-9, atol=1e-12)
        pd.testing.assert_frame_equal(one.summary(), two.summary(), rtol=1e-9)
        assert one.draws.converged and one.result is None
        assert one.predict().shape == two.predict().shape  # the model was rebuilt


def test_a_worker_that_dies_is_replaced(client, recordings, tmp_path):
    before = set(client.run(os.getpid).values())
    reduce = functools.partial(die_once, str(tmp_path / "died"))
    table = fit_many(FORMULA, recordings, method="lme", reduce=reduce, client=client)
    assert (tmp_path / "died").exists()
    client.wait_for_workers(2)
    assert len(before & set(client.run(os.getpid).values())) == 1
    here = fit_many(FORMULA, recordings, method="lme", reduce="summary", progress=False)
    assert table.index.get_level_values("dataset").tolist() == [
        name for name, _ in here.index.tolist()
    ]
    np.testing.assert_allclose(table.to_numpy(float), here.to_numpy(float), rtol=1e-9)


def test_iterators_failures_and_lambdas(client, recordings):
    tables = [*recordings.values()]
    tables[2] = tables[2].assign(power=-1.0)
    fits = fit_many(
        FORMULA.replace("stim", "twice(stim)"),
        iter(tables),
        family="gamma",
        method="laplace",
        draws=50,
        functions={"twice": lambda x: 2 * x},
        client=client,
        progress=False,
    )
    assert isinstance(fits[2], FamilyError) and "data set 2" in fits[2].__notes__[0]
    for i in (0, 1, 3, 4, 5):
        assert fits[i].draws.converged
        assert fits[i].draws.natural["mu.group0.effects"].shape == (1, 50, 5, 1)
    with pytest.raises(FamilyError):
        fit_many(FORMULA, tables, family="gamma", client=client, errors="raise", progress=False)


def test_no_client_no_dask(recordings, monkeypatch):
    with pytest.raises(OptionError, match=r"takes a dask\.distributed\.Client"):
        pytest.importorskip("distributed")
        fit_many(FORMULA, recordings, client="localhost", progress=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(OptionError, match=r"pip install"):
        fit_many(FORMULA, recordings, client="localhost", progress=False)
