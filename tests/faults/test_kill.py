"""Runs and saves that are killed at random moments, again and again; writes docs/trust/faults.csv.

python -m pytest tests/faults -m slow
"""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

import bayeszoo as bz
from bayeszoo.inference import checkpoint

pytestmark = pytest.mark.slow
KILLS = 20

RUN = """
import sys, numpy as np, bayeszoo as bz
from bayeszoo.inference import checkpoint, programs
checkpoint.SHARE = 1e9
generator = np.random.default_rng(0)
g = np.repeat(np.arange(10), 40)
x = generator.normal(size=400)
y = generator.poisson(np.exp(0.5 + 0.4 * x + generator.normal(0, 0.4, 10)[g]))
model = bz.Model("y ~ x + (1 | g)", {"y": y, "x": x, "g": g}, family="poisson")
options = {
    "nuts": {"draws": 12_000, "tune": 1000, "chains": 3},
    "svi": {"guide": "multivariate", "particles": 128, "draws": 200},
}[sys.argv[1]]
if sys.argv[2] != "none":
    options |= {"checkpoint": sys.argv[2], "checkpoint_every": 0.1}
print("ready", flush=True)
fit = model.fit(sys.argv[1], seed=7, progress=False, **options)
arrays = {"compiled": programs.COUNTS["compiled"]}
arrays |= {f"natural.{k}": v for k, v in fit.draws.natural.items()}
arrays |= {f"stats.{k}": v for k, v in fit.draws.stats.items()}
if fit.draws.trace is not None:
    arrays["trace"] = fit.draws.trace
np.savez(sys.argv[3], **arrays)
"""


def _start(method, path, out):
    words = [sys.executable, "-c", RUN, method, str(path), str(out)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def _finish(process):
    code = process.wait()
    process.stdout.close()
    return code


def _wait_for_writing(process, path):
    """Returns when a check-point is written anew, or the process has ended."""
    before = path.stat().st_ino if path.exists() else None
    while process.poll() is None and (path.stat().st_ino if path.exists() else None) == before:
        time.sleep(0.01)


def _arrays(path):
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def _done(path):
    """Returns how far a check-point is."""
    try:
        _, arrays = checkpoint.read(path)
    except FileNotFoundError:
        return 0
    if "chunk" in arrays:
        return int(arrays["chunk"])
    return sum(int(array) for name, array in arrays.items() if name.endswith(".done"))


@pytest.mark.parametrize("method", ["nuts", "svi"])
def test_killed_runs_go_on_to_the_last_bit(method, tmp_path, record):
    generator = np.random.default_rng(11)
    out = tmp_path / "out.npz"
    _finish(_start(method, "none", out))  # compiles
    started = time.monotonic()
    assert _finish(_start(method, "none", out)) == 0
    seconds = time.monotonic() - started
    whole = _arrays(out)
    kills = survived = moved = 0
    while kills < KILLS:
        path, ended, before = tmp_path / f"run{kills}.ckpt", False, 0
        while not ended:
            out.unlink(missing_ok=True)
            process = _start(method, path, out)
            if kills < KILLS:
                if kills % 3 == 0:  # at any moment, start and compilation among them
                    time.sleep(generator.uniform(0, 0.6 * seconds))
                else:  # while it runs
                    _wait_for_writing(process, path)
                    time.sleep(generator.uniform(0, 1.5))
                process.kill()
            ended = _finish(process) == 0
            if not ended:
                kills += 1
                if path.exists():
                    moved += _done(path) > before
                    before = _done(path)  # a check-point that can be read, whenever it was killed
                survived += 1
        found = _arrays(out)
        assert set(found) == set(whole)
        for name in whole:
            np.testing.assert_array_equal(found[name], whole[name], err_msg=name)
        assert [p.name for p in tmp_path.glob(f".{path.name}*")] == []
    assert moved > 3
    record(f"{method} killed (kill -9), resumed, equal to the last bit", kills, survived)


def test_a_thousand_cycles_leak_nothing(tmp_path, record, sleepstudy):
    fit = bz.fit("Reaction ~ Days + (Days | Subject)", sleepstudy, method="lme", progress=False)
    path, sizes = tmp_path / "fit.nc", []
    table = fit.summary()
    for cycle in range(1000):
        fit.save(path)
        fit = bz.load(path)
        if cycle in (200, 999):
            sizes.append((_resident(), len(os.listdir("/proc/self/fd"))))
    assert fit.summary().equals(table)
    (memory, handles), (later, more) = sizes
    assert more <= handles and later - memory < 20e6, sizes
    grown = max(later - memory, 0) / 1e6
    record(f"save and load; memory grew by {grown:.1f} MB from cycle 200 to 1000", 1000, 1000)


def _resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_saves_that_are_killed_leave_whole_files(tmp_path, record, sleepstudy, kill_while_saving):
    fit = bz.fit("Reaction ~ Days + (Days | Subject)", sleepstudy, method="lme", progress=False)
    fit.save(tmp_path / "fit.nc")
    whole = kill_while_saving(tmp_path / "fit.nc", KILLS)
    record("saving killed (kill -9), file whole", KILLS, whole)


def test_damage_is_always_noticed(tmp_path, record, sleepstudy):
    fit = bz.fit("Reaction ~ Days", sleepstudy, method="ols", progress=False)
    path, generator, refused = tmp_path / "fit.nc", np.random.default_rng(5), {"cut": 0, "flip": 0}
    fit.save(path)
    content = path.read_bytes()
    for kind in refused:
        for _ in range(2000):
            place = int(generator.integers(len(content)))
            damaged = bytearray(content[:place] if kind == "cut" else content)
            if kind == "flip":
                damaged[place] ^= 1 << int(generator.integers(8))
            path.write_bytes(damaged)
            try:
                bz.load(path)
            except bz.BayeszooError:
                refused[kind] += 1
    record("stored fit cut at a random place, refused", 2000, refused["cut"])
    record("stored fit with one random bit flipped, refused", 2000, refused["flip"])
    assert refused == {"cut": 2000, "flip": 2000}
