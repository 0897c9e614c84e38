"""Compiled programs on disk, threads, processes and memory: what neighbours do spoils no fit."""

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bayeszoo as bz
from bayeszoo.inference import memory, programs, run
from bayeszoo.inference.backends import BACKENDS

NUTS = {"method": "nuts", "draws": 330, "tune": 250, "chains": 3, "progress": False}


# -------------------------------------------------------------------------------- compiled programs


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BAYESZOO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _double(x):
    return x * 2 + 1


def _run():
    """Makes a program as a new process would, and says where it came from."""
    programs._memory.clear()
    before = dict(programs.COUNTS)
    made = programs.program("faults", "double", _double, (np.zeros(3),))
    with programs.double_precision():
        np.testing.assert_array_equal(made(np.arange(3.0)), [1.0, 3.0, 5.0])
    return [name for name in before if programs.COUNTS[name] > before[name]]


def _content(folder):
    (path,) = folder.glob("*.program")
    return path, path.read_bytes()


def test_damaged_programs_are_made_again(folder):
    assert _run() == ["compiled"] and _run() == ["loaded"]
    path, content = _content(folder)
    generator = np.random.default_rng(0)
    damaged = [b"", b"x", content[:31], content[:40], content[: len(content) // 2], content[:-1]]
    damaged += [generator.bytes(1000), b"\0" * len(content), content + b"x"]
    for place in generator.integers(0, len(content), 4):
        flipped = bytearray(content)
        flipped[place] ^= 4
        damaged.append(bytes(flipped))
    for wrong in damaged:
        path.write_bytes(wrong)
        assert _run() == ["compiled"]
    assert _run() == ["loaded"]


def test_a_folder_in_the_way_of_a_program(folder):
    _run()
    path, _ = _content(folder)
    path.unlink()
    path.mkdir()
    assert _run() == ["compiled"]


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    for name in ("file", "file/below"):
        monkeypatch.setenv("BAYESZOO_CACHE", str(tmp_path / name))
        assert _run() == ["compiled"]
    monkeypatch.setenv("BAYESZOO_CACHE", "/proc/nowhere")
    assert _run() == ["compiled"]


def test_a_cache_that_can_only_be_read(folder, monkeypatch):
    _run()

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refused)
    assert _run() == ["loaded"]


def test_a_full_disk_only_costs_a_compilation(folder):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        assert _run() == ["compiled"]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(folder.iterdir()) == []
    assert _run() == ["compiled"] and _run() == ["loaded"]


def test_what_killed_processes_left_is_swept(folder):
    folder.mkdir()
    old, young = folder / "old.part", folder / "young.part"
    for part in (old, young):
        part.write_bytes(b"half")
    os.utime(old, (0, 0))
    _run()
    assert not old.exists() and young.exists()


# -------------------------------------------------------------------------------- threads, processes


def test_fits_from_several_threads_are_those_of_one(model, same):
    alone = [model.fit(**NUTS, seed=seed) for seed in (1, 2)]
    with ThreadPoolExecutor(4) as pool:
        fits = list(pool.map(lambda seed: model.fit(**NUTS, seed=seed), (1, 2, 1, 2)))
    for fit, expected in zip(fits, alone * 2, strict=True):
        same(fit, expected)


def test_threads_that_need_one_new_program_make_it_once(folder):
    programs._memory.clear()
    before = programs.COUNTS["compiled"]
    arguments = ("faults", "together", _double, (np.zeros(5),))
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: programs.program(*arguments), range(6)))
    assert programs.COUNTS["compiled"] == before + 1 and len(set(map(id, found))) == 1


def _child(queue):
    try:
        programs.program("faults", "double", _double, (np.zeros(3),))
        queue.put("went on")
    except bz.BayeszooError as error:
        queue.put(str(error))


@pytest.mark.filterwarnings("ignore:os.fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_process_forked_after_a_fit_is_told_so(folder):
    _run()
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=_child, args=(queue,))
    process.start()
    try:
        assert "forked" in queue.get(timeout=60)
    finally:
        process.kill()
        process.join()


FIT = """
import multiprocessing, os, sys
import numpy as np, bayeszoo as bz

def fit(path):
    generator = np.random.default_rng(0)
    x = generator.normal(size=40)
    model = bz.Model("y ~ x", {"x": x, "y": 1 + x + generator.normal(size=40)})
    found = model.fit("nuts", seed=1, draws=330, tune=250, chains=3, progress=False)
    if path:
        found.save(path)
    return found.draws.natural["mu.coefficients"]

def put(queue, path):
    queue.put(fit(path))

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    queue = context.Queue()
    processes = [context.Process(target=put, args=(queue, sys.argv[2])) for _ in range(3)]
    for process in processes:
        process.start()
    found = [queue.get(timeout=500) for _ in processes]
    for process in processes:
        process.join()
    found.append(fit(""))
    assert all(np.array_equal(found[0], other) for other in found)
    assert bz.load(sys.argv[2]).draws.natural["mu.coefficients"].shape == found[0].shape
    print("equal", len(found))
"""


@pytest.mark.slow
@pytest.mark.parametrize("context", ["spawn", "fork", "forkserver"])
def test_processes_that_share_a_cache_and_a_file(folder, tmp_path, record, context):
    script = tmp_path / "fit.py"
    script.write_text(FIT)
    words = [sys.executable, str(script), context, str(tmp_path / "fit.nc")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=580)
    assert done.stdout == "equal 4\n", done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache", "fit.nc", "fit.py"]
    assert not list(folder.glob("*.part"))
    record(f"processes by {context} with one cache and one file, equal draws", 4, 4)


# -------------------------------------------------------------------------------- memory


def test_more_draws_than_memory_are_refused_at_once(model):
    for method in ("nuts", "laplace"):
        with pytest.raises(bz.BayeszooError, match=r"needs at least [\d,.]+ GiB.*fewer draws"):
            model.fit(method, draws=10**11, progress=False)


def test_a_machine_without_memory_is_known_before_compiling(model, monkeypatch):
    before = dict(programs.COUNTS)
    monkeypatch.setattr(memory, "available", lambda: 10**6)
    with pytest.raises(bz.BayeszooError, match="memory"):
        model.fit("map", progress=False)
    assert before == programs.COUNTS


@pytest.mark.parametrize(
    "error",
    [MemoryError("Unable to allocate 9. GiB"), RuntimeError("RESOURCE_EXHAUSTED: 9. GiB")],
)
def test_errors_about_memory_are_ours(model, monkeypatch, error):
    def fails(*_):
        raise error

    backend = replace(BACKENDS["map"], run=fails)
    monkeypatch.setattr(run, "find_backend", lambda _: backend)
    with pytest.raises(bz.BayeszooError, match=r"memory does not suffice .*9\. GiB") as caught:
        model.fit("map", progress=False)
    assert isinstance(caught.value, RuntimeError) and caught.value.__suppress_context__


def test_other_errors_are_left_as_they_are(model, monkeypatch):
    def fails(*_):
        raise RuntimeError("another")

    monkeypatch.setattr(run, "find_backend", lambda _: replace(BACKENDS["map"], run=fails))
    with pytest.raises(RuntimeError, match="another"):
        model.fit("map", progress=False)


@pytest.mark.parametrize("limit", ["machine", "container", "process"])
def test_memory_that_is_left_is_the_least_of_three(monkeypatch, limit):
    for name in ("machine", "container", "process"):
        monkeypatch.setattr(memory, f"_of_{name}", lambda name=name: 5 if name == limit else None)
    assert memory.available() == 5
    monkeypatch.undo()
    found = memory.available()
    assert found is None or found > 0


LIMITED = """
import resource, numpy as np, bayeszoo as bz
generator = np.random.default_rng(0)
x, g = generator.normal(size=400_000), generator.integers(0, 200, 400_000)
model = bz.Model("y ~ x + C(g)", {"x": x, "y": x + generator.normal(size=x.size), "g": g})
with open("/proc/self/statm") as file:
    size = int(file.read().split()[0]) * resource.getpagesize()
limit = size + 400_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    model.fit("map", progress=False)
except bz.BayeszooError as error:
    print("refused", error)
"""


@pytest.mark.slow
def test_a_fit_in_little_memory_ends_in_words():
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True)
    assert done.stdout.startswith("refused") and "memory" in done.stdout, done.stderr
