"""Many fits: the same answers as one after the other, few programs, and no data set lost."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.errors import FamilyError, FitError, OptionError
from bayeszoo.inference import batches, many
from bayeszoo.inference.backends import BACKENDS
from bayeszoo.inference.many import derived_seed, fit_many
from bayeszoo.inference.programs import COUNTS
from bayeszoo.inference.run import Run

MIXED = "power ~ stim + (1 | mouse)"


def recording(seed=0, rows=100, mice=5):
    rng = np.random.default_rng(seed)
    mouse, stim = np.arange(rows) % mice, (np.arange(rows) // mice) % 2
    mu = np.exp(1 + 0.3 * stim + 0.4 * rng.standard_normal(mice)[mouse])
    labels = [f"m{seed}{i:02d}" for i in mouse]  # every recording has mice of its own
    return pd.DataFrame({"power": rng.gamma(4.0, mu / 4), "stim": stim, "mouse": labels})


@pytest.fixture(scope="module")
def recordings():
    sizes = ((100, 5), (103, 5), (97, 5), (140, 7))
    return [recording(i, *size) for i, size in enumerate(sizes)]


def compiled(action):
    before = COUNTS["compiled"]
    action()
    return COUNTS["compiled"] - before


@pytest.mark.parametrize(
    ("formula", "family", "method", "options", "tolerance"),
    [
        (MIXED, "gamma", "map", {}, 1e-3),
        (MIXED, "gamma", "laplace", {"draws": 50}, 1e-3),
        ("power ~ stim", "gamma", "map", {}, 1e-6),
        (MIXED, "normal", "lme", {"draws": 50}, 1e-12),
        ("power ~ stim", "normal", "ols", {"draws": 50}, 1e-12),
        ("power ~ stim", "normal", "svi", {"draws": 50, "guide": "normal"}, 1e-6),
        (MIXED, "normal", "nuts", {"draws": 50, "tune": 50, "chains": 2}, 1e-9),
    ],
)
def test_the_same_as_one_after_the_other(recordings, formula, family, method, options, tolerance):
    few = recordings[: {"svi": 1, "nuts": 2}.get(method, 4)]
    fits = fit_many(formula, few, family=family, method=method, seed=3, progress=False, **options)
    assert len(fits) == len(few)
    for i in sorted({0, len(few) - 1}):
        fit, data = fits[i], few[i]
        assert fit.info["seed"] == derived_seed(3, i) and fit.method == method
        alone = bz.fit(
            formula,
            data,
            family=family,
            method=method,
            seed=fit.info["seed"],
            progress=False,
            **options,
        )
        assert fit.draws.natural.keys() == alone.draws.natural.keys()
        for name, array in alone.draws.natural.items():
            np.testing.assert_allclose(
                fit.draws.natural[name], array, rtol=tolerance, atol=tolerance
            )
        assert fit.draws.converged is alone.draws.converged
        assert fit.info["settings"] == alone.info["settings"]
        assert fit.summary().index.equals(alone.summary().index)


def test_answers_do_not_depend_on_what_is_fitted_beside_them(recordings):
    together = fit_many(MIXED, recordings, family="gamma", progress=False)
    pieces = [fit_many(MIXED, iter(recordings[:n]), family="gamma", progress=False) for n in (1, 3)]
    for piece in pieces:
        for one, two in zip(together, piece, strict=False):
            np.testing.assert_allclose(one.summary()["mean"], two.summary()["mean"], rtol=1e-6)


def test_seeds_are_known_numbers():
    assert [derived_seed(0, i) for i in range(3)] == [derived_seed(0, i) for i in range(3)]
    assert len({derived_seed(s, i) for s in range(20) for i in range(20)}) == 400
    assert derived_seed(0, 1) == int(np.random.SeedSequence([0, 1]).generate_state(1)[0] >> 1)


@pytest.mark.parametrize("method", ["map", "laplace"])
def test_programs_do_not_grow_with_the_number_of_data_sets(method):
    first = [recording(i, 97 + i) for i in range(2)]
    more = [recording(i, 97 + i % 7) for i in range(6)]
    options = {"family": "gamma", "method": method, "progress": False}
    fit_many(MIXED, first, **options)
    fit_many(MIXED, more[:3], **options)
    assert compiled(lambda: fit_many(MIXED, more, **options)) == 0


def test_summary_and_functions_reduce_to_one_table(recordings):
    table = fit_many(MIXED, recordings, method="lme", reduce="summary", progress=False)
    assert table.index.names == ["dataset", "parameter"]
    alone = bz.fit(MIXED, recordings[1], method="lme", progress=False)
    assert table.loc[1]["mean"].to_dict() == pytest.approx(alone.summary()["mean"].to_dict())
    named = dict(zip("abcd", recordings, strict=True))
    for reduce in (
        lambda fit: fit.summary()["mean"],
        lambda fit: fit.summary()["mean"].to_dict(),
    ):
        rows = fit_many(MIXED, named, method="lme", reduce=reduce, progress=False)
        assert rows.index.tolist() == list("abcd") and rows.index.name == "dataset"
        assert rows.loc["b"].to_dict() == pytest.approx(alone.summary()["mean"].to_dict())
    numbers = fit_many(
        MIXED, named, method="lme", reduce=lambda fit: fit.model.design.size, progress=False
    )
    assert numbers["value"].to_dict() == {"a": 100, "b": 103, "c": 97, "d": 140}
    assert numbers.attrs["errors"] == {}


def test_a_failure_loses_no_other_fit(recordings, capsys):
    bad = recordings[0].assign(power=-1.0)
    given = [recordings[0], bad, recordings[1], recordings[2].drop(columns="stim")]
    fits = fit_many(MIXED, given, family="gamma")
    assert isinstance(fits[1], FamilyError) and "data set 1" in fits[1].__notes__[0]
    assert fits[0].draws.converged and fits[2].draws.converged
    assert "2 of 4 data sets failed: 1, 3" in capsys.readouterr().err
    table = fit_many(MIXED, given, family="gamma", reduce=lambda fit: 1.0, progress=False)
    assert table.index.tolist() == [0, 2]
    assert sorted(table.attrs["errors"]) == [1, 3] and "stim" in table.attrs["errors"][3]
    with pytest.raises(FamilyError, match="needs numbers > 0") as caught:
        fit_many(MIXED, given, family="gamma", errors="raise", progress=False)
    assert "data set 1" in caught.value.__notes__[0]


def test_errors_of_a_method_and_of_a_reduction_stay_in_place(recordings):
    fits = fit_many(
        "power ~ stim", [recordings[0].iloc[[0, 5]], recordings[1]], method="ols", progress=False
    )
    assert isinstance(fits[0], FitError) and fits[1].method == "ols"

    def fragile(fit):
        if fit.model.design.size == 100:
            raise KeyError("mine")
        return {"rows": fit.model.design.size}

    table = fit_many("power ~ stim", recordings, method="ols", reduce=fragile, progress=False)
    assert table["rows"].to_dict() == {1: 103, 2: 97, 3: 140}
    assert table.attrs["errors"] == {0: "your function reduce= raised KeyError: 'mine'"}


def test_lock_step_programs_get_problems_of_one_structure(recordings):
    calls = []

    def lock_step(settings, problems, seeds, progress):
        calls.append(len(problems))
        assert len({p.structure.key for p in problems}) == 1
        return [
            map_backend.run(settings, p, s, progress) for p, s in zip(problems, seeds, strict=True)
        ]

    map_backend = BACKENDS["map"]
    run = Run(replace(map_backend, many=lock_step), map_backend.settings(), 0)
    formulas = (MIXED, "power ~ stim", MIXED, MIXED)
    pairs = zip(formulas, recordings, strict=True)
    models = [bz.Model(formula, data, family="gamma") for formula, data in pairs]
    fits = batches.fit_models(models, [run] * 4)
    assert sorted(calls) == [1, 3]
    assert [fit.model for fit in fits] == models
    broken = replace(run.backend, many=lambda *_: 1 / 0)
    again = batches.fit_models(models, [replace(run, backend=broken)] * 4)
    for one, two in zip(fits, again, strict=True):
        assert one.summary().equals(two.summary())


@pytest.mark.parametrize("method", ["map", "laplace"])
def test_lock_step_refuses_what_a_single_fit_refuses(recordings, method):
    silent = recordings[1].assign(power=2.0)
    three = [recordings[0], silent, recordings[2]]
    fits = fit_many(MIXED, three, family="gamma", method=method, progress=False)
    with pytest.raises(FitError, match="so there is no noise") as alone:
        bz.fit(MIXED, silent, family="gamma", method=method, progress=False)
    assert str(fits[1]) == str(alone.value)
    assert all(np.isfinite(fits[i].summary()["mean"]).all() for i in (0, 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"datasets": recording()}, "not a single DataFrame"),
        ({"datasets": dict(recording())}, "not a single dict"),
        ({"datasets": []}, "holds no data set"),
        ({"method": "mapp"}, "Nearest: `map`"),
        ({"draws": 0, "method": "laplace"}, "at least"),
        ({"reduce": "sumary"}, "Nearest: `summary`"),
        ({"reduce": 3}, "takes a function"),
        ({"reduce": lambda fit: [1, 2]}, "must return a number"),
        ({"errors": "ignore"}, "takes 'keep', 'raise'"),
        ({"seed": -1}, "from 0 to"),
        ({"formula": "power ~ stmi"}, "Nearest: `stim`"),
        ({"datasets": [recording().assign(power=-1.0)], "family": "gamma"}, "needs numbers > 0"),
    ],
)
def test_what_is_wrong_with_all_is_raised(recordings, change, message):
    given = {"formula": "power ~ stim", "datasets": recordings[:2], "progress": False, **change}
    with pytest.raises(bz.BayeszooError, match=message):
        fit_many(**given)


def test_pieces_of_an_iterator_are_read_when_needed(recordings, monkeypatch):
    monkeypatch.setattr(many, "CHUNK", 2)
    read = []

    def tables():
        for i, data in enumerate(recordings):
            read.append(i)
            yield data

    seen = []
    fit_many(
        "power ~ stim",
        tables(),
        method="ols",
        progress=False,
        reduce=lambda fit: seen.append(len(read)) or 1.0,
    )
    assert seen == [2, 2, 4, 4]


def test_options_are_checked_before_data_are_read():
    def tables():
        raise AssertionError("read")
        yield

    with pytest.raises(OptionError):
        fit_many("y ~ x", tables(), method="nuts", draws=-1)
