"""A run goes on from its check-point to the last bit, and from no other file."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import bayeszoo as bz
from bayeszoo.inference import checkpoint, identity, interrupt
from bayeszoo.inference.checkpoint import Checkpoint
from bayeszoo.inference.progress import Progress

NUTS = {"method": "nuts", "seed": 3, "draws": 330, "tune": 250, "chains": 3, "progress": False}
SVI = {"method": "svi", "seed": 3, "guide": "normal", "progress": False}


@pytest.fixture(scope="module")
def plain(model):
    """The same runs without a check-point."""
    return {options["method"]: model.fit(**options) for options in (NUTS, SVI)}


@pytest.fixture
def stop_after(monkeypatch):
    """Sends Ctrl-C once so many steps are done."""

    def arrange(steps):
        advance, seen = Progress.advance, [0]

        def counted(bar, more):
            advance(bar, more)
            before = seen[0]
            seen[0] += more
            if before < steps <= seen[0]:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.2)

        monkeypatch.setattr(Progress, "advance", counted)

    return arrange


def _interrupt(model, options, path):
    """Runs until Ctrl-C; during warm-up there is no fit to return."""
    try:
        return model.fit(**options, checkpoint=path, checkpoint_every=3600)
    except KeyboardInterrupt:
        return None


@pytest.mark.parametrize("options", [NUTS, SVI], ids=lambda o: o["method"])
def test_a_checkpoint_changes_no_bit(model, plain, same, tmp_path, options):
    path = tmp_path / "run.ckpt"
    fit = model.fit(**options, checkpoint=path, checkpoint_every=0)
    same(fit, plain[options["method"]])
    assert os.listdir(tmp_path) == ["run.ckpt"]
    same(model.fit(**options, checkpoint=path), fit)


@pytest.mark.parametrize("steps", [1, 240, 700, 1100])
def test_nuts_goes_on_to_the_last_bit(model, plain, same, tmp_path, stop_after, steps):
    path = tmp_path / "run.ckpt"
    stop_after(steps)
    _interrupt(model, NUTS, path)
    _, arrays = checkpoint.read(path)
    assert 0 < sum(int(arrays[f"{i}.done"]) for i in range(3)) < 3 * 580
    fit = model.fit(**NUTS, checkpoint=path)
    same(fit, plain["nuts"])
    assert not fit.interrupted


@pytest.mark.parametrize("steps", [1, 1500])
def test_svi_goes_on_to_the_last_bit(model, plain, same, tmp_path, stop_after, steps):
    path = tmp_path / "run.ckpt"
    stop_after(steps)
    fit = _interrupt(model, SVI, path)
    assert fit.interrupted and 0 < len(fit.draws.trace) < len(plain["svi"].draws.trace)
    same(model.fit(**SVI, checkpoint=path), plain["svi"])


def test_segments_of_any_length_give_the_same_draws(model, plain, same, monkeypatch):
    monkeypatch.setattr(interrupt.Pace, "next", lambda _, left: min(7, left))
    same(model.fit(**NUTS), plain["nuts"])


def test_a_finished_run_is_made_longer_or_shorter(model, plain, same, tmp_path):
    path = tmp_path / "run.ckpt"
    short = model.fit(**{**NUTS, "draws": 50}, checkpoint=path)
    assert short.draws.stats["lp"].shape == (3, 50)
    same(model.fit(**NUTS, checkpoint=path), plain["nuts"])
    same(model.fit(**{**NUTS, "draws": 50}, checkpoint=path), short)
    few = model.fit(**SVI, max_steps=500, checkpoint=tmp_path / "svi.ckpt")
    assert few.draws.converged is False
    same(model.fit(**SVI, checkpoint=tmp_path / "svi.ckpt"), plain["svi"])


KILLED = """
import sys, numpy as np, bayeszoo as bz
generator = np.random.default_rng(0)
x = generator.normal(size=40)
model = bz.Model("y ~ x", {"x": x, "y": 1 + x + generator.normal(size=40)})
model.fit("nuts", seed=3, draws=10**6, tune=250, chains=3, checkpoint=sys.argv[1],
          checkpoint_every=0, progress=False)
"""


def test_a_killed_process_leaves_what_the_next_one_goes_on_from(model, plain, same, tmp_path):
    path = tmp_path / "run.ckpt"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)])
    try:
        end = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < end:
            if path.exists() and int(checkpoint.read(path)[1]["0.done"]) > 280:
                break
            time.sleep(0.02)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL
    same(model.fit(**NUTS, checkpoint=path), plain["nuts"])
    assert os.listdir(tmp_path) == ["run.ckpt"]


# -------------------------------------------------------------------------------- other runs


@pytest.fixture(scope="module")
def kept(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("kept") / "run.ckpt"
    model.fit(**NUTS, checkpoint=path)
    return path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 4}, "its seed is 3 there and 4 here"),
        ({"tune": 100}, "its tune is 250 there and 100 here"),
        ({"chains": 2}, "its chains is 3 there and 2 here"),
        ({"dense_mass": True}, "its dense_mass is False there and True here"),
        ({"method": "svi"}, "its method is 'nuts' there and 'svi' here"),
    ],
)
def test_other_options_are_refused(model, kept, change, words):
    before = kept.read_bytes()
    options = {**NUTS, **change}
    with pytest.raises(bz.BayeszooError, match=words):
        model.fit(**options, checkpoint=kept)
    assert kept.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"formula": "y ~ x + I(x ** 2)"}, "its formula is 'y ~ x' there"),
        ({"family": "student"}, "its family is 'normal' there and 'student' here"),
        ({"priors": {"x": "normal(0, 1)"}}, "it has other priors"),
        ({"data": "y"}, "it has other data"),
        ({"data": "x"}, "it has other data"),
        ({"keep": np.arange(40) < 39}, "it has other data"),
    ],
)
def test_another_model_is_refused(table, kept, change, words):
    given = {"formula": "y ~ x", "data": table, **change}
    if isinstance(change.get("data"), str):
        name = change["data"]
        given["data"] = {**table, name: np.nextafter(table[name], np.inf)}
    model = bz.Model(given.pop("formula"), given.pop("data"), **given)
    with pytest.raises(bz.BayeszooError, match=words):
        model.fit(**NUTS, checkpoint=kept)


def test_numbers_of_own_priors_and_bases_count(table):
    import numpyro.distributions as dist

    from bayeszoo.inference.identity import identity
    from bayeszoo.inference.run import choose

    def of(**options):
        return identity(bz.Model(data=table, **options), choose("nuts"))

    narrow, wide = ({"formula": "y ~ x", "priors": {"x": dist.Gumbel(0.0, s)}} for s in (1.0, 2.0))
    assert of(**narrow) == of(**narrow) != of(**wide)
    first, second = (
        {"formula": "y ~ conv(x, b)", "functions": {"b": np.eye(3) * s}} for s in (1, 2)
    )
    assert of(**first) == of(**first) != of(**second)
    half, twice = (
        {"formula": "y ~ f(x)", "functions": {"f": lambda x, s=s: s * x**2}} for s in (0.5, 2)
    )
    assert of(**half) == of(**half) != of(**twice)


# -------------------------------------------------------------------------------- damaged files


def _header(path, change):
    """Rewrites the header of a check-point."""
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    header = json.loads(arrays["header"].tobytes())
    change(header, arrays)
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    with open(path, "wb") as file:
        np.savez(file, **arrays)


def _newer(header, _):
    header["format"] = 99


def _moved(_, arrays):
    arrays["0.key"] = arrays["0.key"] + 1


def _fewer(header, arrays):
    del arrays["0.key"]
    header["digest"] = checkpoint._digest({k: v for k, v in arrays.items() if k != "header"})


@pytest.mark.parametrize(
    ("change", "words"),
    [(_newer, "format 99"), (_moved, "digest does not fit"), (_fewer, "do not fit the model")],
)
def test_headers_that_do_not_fit_are_refused(model, kept, tmp_path, change, words):
    path = shutil.copy(kept, tmp_path / "run.ckpt")
    _header(path, change)
    with pytest.raises(bz.BayeszooError, match=words):
        model.fit(**NUTS, checkpoint=path)


def test_damaged_and_foreign_files_are_refused_and_kept(model, kept, tmp_path):
    content = kept.read_bytes()
    generator = np.random.default_rng(1)
    wrong = {"empty": b"", "text": b"x,y\n1,2\n", "half": content[: len(content) // 2]}
    wrong |= {f"cut {n}": content[:-n] for n in (1, 22, 100)}
    for name, text in wrong.items():
        path = tmp_path / "run.ckpt"
        path.write_bytes(text)
        with pytest.raises(bz.BayeszooError, match="cannot be read as a check-point") as caught:
            model.fit(**NUTS, checkpoint=path)
        assert isinstance(caught.value, OSError), name
        assert path.read_bytes() == text
    import pickle

    np.savez(tmp_path / "objects.npz", header=np.array([print], dtype=object))
    (tmp_path / "pickled").write_bytes(pickle.dumps({"header": 1}))
    for name in ("objects.npz", "pickled"):
        with pytest.raises(bz.BayeszooError, match="cannot be read as a check-point"):
            model.fit(**NUTS, checkpoint=tmp_path / name)
    refused = 0
    _, whole = checkpoint.read(kept)
    for place in generator.integers(0, len(content), 60):
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(flipped)
        try:
            _, arrays = checkpoint.read(path)
        except bz.BayeszooError:
            refused += 1
        else:  # a bit that says nothing, such as the time of an entry
            assert all(np.array_equal(arrays[name], whole[name]) for name in whole)
    assert refused > 40


def test_where_a_checkpoint_cannot_be(model, tmp_path, monkeypatch):
    with pytest.raises(bz.BayeszooError, match="no folder"):
        model.fit(**NUTS, checkpoint=tmp_path / "nowhere" / "run.ckpt")
    with pytest.raises(bz.BayeszooError, match="is a folder"):
        model.fit(**NUTS, checkpoint=tmp_path)
    monkeypatch.setattr(np, "savez", _no_space)
    with pytest.raises(bz.BayeszooError, match="No space left on device"):
        model.fit(**NUTS, checkpoint=tmp_path / "run.ckpt")
    assert os.listdir(tmp_path) == []


def _no_space(*_, **__):
    raise OSError(28, "No space left on device")


def test_a_disk_that_fills_up_ends_no_run(model, plain, same, tmp_path, monkeypatch):
    write, calls = Checkpoint._write, []

    def fails_later(self, arrays):
        calls.append(1)
        if len(calls) > 1:
            _no_space()
        write(self, arrays)

    monkeypatch.setattr(Checkpoint, "_write", fails_later)
    monkeypatch.setattr(checkpoint, "SHARE", 1e9)
    fit = model.fit(**NUTS, checkpoint=tmp_path / "run.ckpt", checkpoint_every=0)
    same(fit, plain["nuts"])
    assert len(calls) > 3
    assert any("No space left" in finding for finding in fit.diagnose())


def test_another_machine_is_named(model, kept, plain, same, tmp_path, monkeypatch):
    path = shutil.copy(kept, tmp_path / "run.ckpt")
    monkeypatch.setattr(checkpoint, "_machine", lambda: "another")
    fit = model.fit(**NUTS, checkpoint=path)
    same(fit, plain["nuts"])
    assert any("another machine" in finding for finding in fit.diagnose())


def test_another_source_is_refused(model, kept, tmp_path, monkeypatch):
    """Raw draws mean what the source says that they mean."""
    path = shutil.copy(kept, tmp_path / "run.ckpt")
    monkeypatch.setattr(identity, "source_digest", lambda: "0" * 64)
    with pytest.raises(bz.BayeszooError, match=r"its bayeszoo is .*source 000000000000"):
        model.fit(**NUTS, checkpoint=path)


def test_writing_takes_a_small_share_of_the_time(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: clock[0])
    saved = Checkpoint(tmp_path / "a", {}, 1.0)
    written = []

    def state():
        written.append(clock[0])
        clock[0] += 3.0  # seconds that it takes
        return {"a": np.zeros(2)}

    for _ in range(1000):
        saved.offer(state)
        clock[0] += 1.0
    assert 0 < 3 * len(written) < 0.05 * clock[0]
