"""Small models, and what tells whether two fits are the same to the last bit."""

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import bayeszoo as bz

COMMAND = "python -m pytest tests/faults -m slow"


def _same(one, other):
    assert set(one.draws.natural) == set(other.draws.natural)
    for name, values in one.draws.natural.items():
        np.testing.assert_array_equal(values, other.draws.natural[name], err_msg=name)
    for name, values in one.draws.stats.items():
        np.testing.assert_array_equal(values, other.draws.stats[name], err_msg=name)
    if one.draws.trace is not None:
        np.testing.assert_array_equal(one.draws.trace, other.draws.trace)


@pytest.fixture(autouse=True)
def ctrl_c():
    """Ctrl-C as at a terminal: what runs in the background of a shell inherits that it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def same():
    """Compares all that a method returned."""
    return _same


@pytest.fixture(scope="session")
def table():
    generator = np.random.default_rng(0)
    x = generator.normal(size=40)
    return {"x": x, "y": 1 + x + generator.normal(size=40)}


@pytest.fixture(scope="session")
def model(table):
    return bz.Model("y ~ x", table)


@pytest.fixture(scope="session")
def record():
    """Puts down how often a fault was survived, in docs/trust/faults.csv."""
    path = Path(bz.__file__).parent / "docs" / "trust" / "faults.csv"

    def put(what, tried, survived):
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = {}
        if path.exists():
            with path.open(newline="") as file:
                rows = {row["what"]: row for row in csv.DictReader(file)}
        key = what.partition(";")[0]
        rows = {name: row for name, row in rows.items() if name.partition(";")[0] != key}
        rows[what] = {"what": what, "tried": tried, "survived": survived, "command": COMMAND}
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(
                file, ["what", "tried", "survived", "command"], lineterminator="\n"
            )
            writer.writeheader()
            writer.writerows(rows[name] for name in sorted(rows))

    return put


SAVING = """
import sys, bayeszoo as bz
fit = bz.load(sys.argv[1])
print("ready", flush=True)
while True:
    fit.save(sys.argv[1])
"""


def _kill_while_saving(path, kills, seed=0):
    """Kills a process that saves without end, again and again; returns how often the file was whole."""
    generator, whole = np.random.default_rng(seed), 0
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVING, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout.readline() == "ready\n"
        time.sleep(generator.uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        bz.load(path)
        whole += 1
    return whole


@pytest.fixture(scope="session")
def kill_while_saving():
    """(path, kills) -> how often the file was whole."""
    return _kill_while_saving
