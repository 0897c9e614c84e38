"""Saving and loading: exact round trips, clear errors, nothing executed, no half-written file."""

import numpy as np
import pandas as pd
import pytest

import bayeszoo as bz
from bayeszoo.inference.stored_file import seal


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(1)
    n = 120
    df = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "t": rng.uniform(1, 2, n),
            "stim": rng.choice(list("abc"), n),
            "mouse": np.repeat(np.arange(6), n // 6),
        }
    )
    df["y"] = rng.gamma(3, np.exp(0.3 * df["x"]) / 3)
    df.loc[5, "x"] = np.nan
    return df


@pytest.mark.parametrize("method", ["map", "laplace"])
def test_round_trip_is_exact(table, tmp_path, method):
    model = bz.Model(
        "y ~ I(x/t) + stim + (1 + stim | mouse)\nalpha ~ x",
        table,
        family="gamma",
        priors={"I(x / t)": "normal(0, 1)"},
    )
    fit = model.fit(method, progress=False)
    fit.save(tmp_path / "a.nc")
    back = bz.load(tmp_path / "a.nc")
    pd.testing.assert_frame_equal(back.summary(groups=True), fit.summary(groups=True))
    assert str(back.model) == str(fit.model)
    assert back.diagnose() == fit.diagnose()
    assert "I(x ÷ t)" in back.idata.posterior
    np.testing.assert_array_equal(back.predict(), fit.predict())
    new = table.dropna().head(4).drop(columns="y")
    np.testing.assert_array_equal(back.predict(new), fit.predict(new))


def test_frequentist_fits_keep_their_exact_table(sleepstudy, tmp_path):
    fit = bz.fit("Reaction ~ Days + (Days | Subject)", sleepstudy, method="lme", progress=False)
    fit.save(tmp_path / "b.nc")
    pd.testing.assert_frame_equal(bz.load(tmp_path / "b.nc").summary(), fit.summary())


def test_saving_replaces_whole_files_and_leaves_no_parts(sleepstudy, tmp_path):
    fit = bz.fit("Reaction ~ Days", sleepstudy, method="ols", progress=False)
    path = tmp_path / "c.nc"
    path.write_text("old")
    fit.save(path)
    assert bz.load(path).method == "ols"
    assert [p.name for p in tmp_path.iterdir()] == ["c.nc"]


def test_a_failed_save_keeps_the_old_file(sleepstudy, tmp_path, monkeypatch):
    fit = bz.fit("Reaction ~ Days", sleepstudy, method="ols", progress=False)
    path = tmp_path / "d.nc"
    fit.save(path)
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", _no_space)
    with pytest.raises(bz.BayeszooError, match="No space left"):
        fit.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["d.nc"]


def _no_space(*_, **__):
    raise OSError(28, "No space left on device")


def test_foreign_damaged_and_missing_files(sleepstudy, tmp_path):
    import xarray as xr

    with pytest.raises(bz.BayeszooError, match="no file"):
        bz.load(tmp_path / "none.nc")
    (tmp_path / "text.nc").write_text("not a file of this kind")
    with pytest.raises(bz.BayeszooError, match="cannot be read"):
        bz.load(tmp_path / "text.nc")
    xr.Dataset({"a": ("x", [1.0])}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(bz.BayeszooError, match="not a fit"):
        bz.load(tmp_path / "other.nc")
    fit = bz.fit("Reaction ~ Days", sleepstudy, method="ols", progress=False)
    fit.save(tmp_path / "e.nc")
    content = (tmp_path / "e.nc").read_bytes()
    (tmp_path / "half.nc").write_bytes(content[: len(content) // 2])
    with pytest.raises(bz.BayeszooError):
        bz.load(tmp_path / "half.nc")
    with pytest.raises(bz.BayeszooError, match="no folder"):
        fit.save(tmp_path / "nowhere" / "f.nc")


def test_a_formula_in_a_file_passes_the_same_checks(sleepstudy, tmp_path):
    import h5netcdf

    path = tmp_path / "g.nc"
    bz.fit("Reaction ~ Days", sleepstudy, method="ols", progress=False).save(path)
    with h5netcdf.File(path, "a") as file:
        text = file.attrs["bayeszoo_fit"]
        file.attrs["bayeszoo_fit"] = text.replace(
            "Reaction ~ Days", "Reaction ~ __import__('os').getcwd()"
        )
    with pytest.raises(bz.BayeszooError, match="was changed after it was saved"):
        bz.load(path)
    path.write_bytes(path.read_bytes() + seal(path.read_bytes()))
    with pytest.raises(bz.BayeszooError, match="__import__"):
        bz.load(path)


def test_rows_that_are_only_history_stay_so(tmp_path):
    data = {"y": np.arange(40.0) % 7, "x": np.random.default_rng(0).normal(size=40)}
    model = bz.Model("y ~ conv(x, raised_cos(3, 5))", data, keep=np.arange(40) < 30)
    fit = model.fit("map", progress=False)
    fit.save(tmp_path / "fit.nc")
    again = bz.load(tmp_path / "fit.nc")
    assert again.model.design.rows.tolist() == fit.model.design.rows.tolist() == list(range(5, 30))
