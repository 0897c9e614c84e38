"""Ctrl-C returns what there is, marked as such; before that it is a plain KeyboardInterrupt."""

import os
import signal
import threading
import time
from functools import partial

import pytest

import bayeszoo as bz
from bayeszoo.inference import interrupt
from bayeszoo.inference.progress import Progress


def _press(monkeypatch, steps, times=1):
    advance, seen = Progress.advance, [0]

    def counted(bar, more):
        advance(bar, more)
        before = seen[0]
        seen[0] += more
        if before < steps <= seen[0]:
            for _ in range(times):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.3)

    monkeypatch.setattr(Progress, "advance", counted)


OPTIONS = {"draws": 2000, "tune": 250, "chains": 2, "seed": 1, "progress": False}


def test_nuts_returns_the_draws_so_far(model, monkeypatch, tmp_path):
    whole = model.fit("nuts", **OPTIONS)
    assert whole.idata.posterior.attrs["interrupted"] == 0
    _press(monkeypatch, 1800)
    fit = model.fit("nuts", **OPTIONS)
    sizes = fit.idata.posterior.sizes
    assert fit.interrupted and 1 <= sizes["chain"] <= 2 and 1 <= sizes["draw"] < 2000
    first = fit.idata.posterior["x"].to_numpy()[0]
    assert any((c[: len(first)] == first).all() for c in whole.idata.posterior["x"].to_numpy())
    (finding,) = [f for f in fit.diagnose() if "Ctrl-C" in f]
    assert f"{sizes['draw']:,} of 2,000 draws of {sizes['chain']} of 2 chains" in finding
    assert finding in fit.verdict() and fit.summary().shape[0] == 3
    fit.save(tmp_path / "fit.nc")
    again = bz.load(tmp_path / "fit.nc")
    assert again.interrupted and again.diagnose() == fit.diagnose()
    assert again.idata.posterior.attrs["interrupted"] == 1


def test_svi_returns_the_guide_so_far(model, monkeypatch):
    _press(monkeypatch, 1000)
    fit = model.fit("svi", seed=1, guide="normal", draws=100, progress=False)
    assert fit.interrupted and 1000 <= len(fit.draws.trace) < 5000
    assert fit.idata.posterior.sizes["draw"] == 100
    (finding,) = [f for f in fit.diagnose() if "Ctrl-C" in f]
    assert f"{len(fit.draws.trace):,} steps" in finding
    assert not any("did not converge" in f for f in fit.diagnose())


def test_during_warm_up_it_is_a_keyboard_interrupt(model, monkeypatch):
    _press(monkeypatch, 1)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        model.fit("nuts", **{**OPTIONS, "chains": 1})
    assert threading.active_count() <= before


def test_during_compilation_it_is_a_keyboard_interrupt(model, monkeypatch):
    from bayeszoo.inference.backends import nuts

    def slow(*_):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
        raise AssertionError("nobody waits for this")

    monkeypatch.setattr(nuts, "programs", slow)
    with pytest.raises(KeyboardInterrupt):
        model.fit("nuts", **OPTIONS)


def test_a_second_one_ends_it(model, monkeypatch):
    _press(monkeypatch, 3000, times=2)
    with pytest.raises(KeyboardInterrupt):
        model.fit("nuts", **{**OPTIONS, "draws": 10**6})


def test_many_fits_stop_at_once(table, monkeypatch):
    monkeypatch.setattr("bayeszoo.inference.batches.padded", lambda problem: problem)
    _press(monkeypatch, 700)
    with pytest.raises(KeyboardInterrupt):
        bz.fit_many("y ~ x", [table] * 50, method="svi", guide="normal", progress=False)


def test_the_command_line_says_so(table, monkeypatch, tmp_path, capsys):
    import pandas as pd

    from bayeszoo.__main__ import main

    pd.DataFrame(table).to_csv(tmp_path / "data.csv")
    _press(monkeypatch, 1800)
    words = ["fit", "y ~ x", str(tmp_path / "data.csv"), "--draws", "2000", "--tune", "250"]
    kept = ["--chains", "2", "--checkpoint", str(tmp_path / "run.ckpt")]
    assert main([*words, *kept, "--out", str(tmp_path / "fit.nc")]) == 130
    out = capsys.readouterr()
    assert "Ctrl-C ended the fit early" in out.out and "interrupted" in out.err
    assert bz.load(tmp_path / "fit.nc").interrupted
    monkeypatch.undo()
    assert main([*words, *kept, "--out", str(tmp_path / "fit.nc")]) == 0
    assert bz.load(tmp_path / "fit.nc").idata.posterior.sizes["draw"] == 2000


@pytest.mark.parametrize(
    ("lengths", "kept"),
    [
        ([1000, 1000, 400, 0], ([0, 1], 1000)),
        ([5, 4, 4, 4], ([0, 1, 2, 3], 4)),
        ([0, 0], ([], 0)),
        ([], ([], 0)),
        ([0, 7], ([1], 7)),
    ],
)
def test_most_draws_are_kept(lengths, kept):
    assert interrupt.rectangle(lengths) == kept


def test_ctrl_c_as_soon_as_tasks_begin_loses_none():
    def task(stop, number):
        if number == 0:
            os.kill(os.getpid(), signal.SIGINT)
        return number, stop.wait(30)

    tasks = [partial(task, number=number) for number in range(60)]
    found, came = interrupt.together(tasks, 60)
    assert came and found == [(number, True) for number in range(60)]


def test_an_error_in_one_task_ends_the_others():
    def fails(_):
        raise ValueError("one")

    with pytest.raises(ValueError, match="one"):
        interrupt.together([fails, lambda stop: stop.wait(30)], 2)


def test_pace_follows_the_clock(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(interrupt.time, "perf_counter", lambda: clock[0])
    pace, counts = interrupt.Pace(100), []
    for seconds in [0.001] * 5 + [0.1] * 8 + [2.0] * 4:  # per iteration
        counts.append(pace.next(10**6))
        clock[0] += counts[-1] * seconds
        pace.done()
    assert counts[0] == 10 and max(counts[:6]) == 100
    assert counts[12] == 5 and counts[-1] == 1
    assert pace.next(0) == 0 or pace.next(1) == 1
