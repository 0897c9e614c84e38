"""Stored fits: whole or not at all, exact, and nothing but fits is read."""

import json
import os
import pickle
import subprocess
import time

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import bayeszoo as bz
from bayeszoo.inference import migrations, stored_file


@pytest.fixture(scope="module")
def grouped():
    generator = np.random.default_rng(2)
    group = np.repeat(list("abcdefgh"), 8)
    x, effect = generator.normal(size=64), generator.normal(size=8).repeat(8)
    frame = pd.DataFrame({"x": x, "y": 1 + x + effect + generator.normal(size=64), "g": group})
    return frame.assign(n=generator.poisson(np.exp(0.3 * x + 0.3 * effect)))


@pytest.fixture(scope="module")
def fit(grouped):
    return bz.fit("y ~ x + C(g)", grouped, method="ols", progress=False)


@pytest.fixture
def stored(fit, tmp_path):
    path = tmp_path / "fit.nc"
    fit.save(path)
    return path


SHORT = {"draws": 50, "progress": False}


@pytest.mark.parametrize(
    ("formula", "method", "options"),
    [
        ("y ~ x", "nuts", {"seed": 3, "draws": 330, "tune": 250, "chains": 3}),
        ("y ~ x", "svi", {"seed": 3, "guide": "normal"}),
        ("y ~ x", "map", {}),
        ("y ~ x", "laplace", {}),
        ("y ~ x", "ols", {}),
        ("n ~ x", "glm", {"family": "poisson"}),
        ("y ~ x + (x | g)", "lme", {}),
        ("n ~ x + (1 | g)", "glmm", {"family": "poisson"}),
    ],
)
def test_every_method_comes_back_to_the_last_bit(
    grouped, table, same, tmp_path, formula, method, options
):
    data = table if formula == "y ~ x" else grouped
    model = bz.Model(formula, data, family=options.pop("family", "normal"))
    fit = model.fit(method, **SHORT | options)
    fit.save(tmp_path / "fit.nc")
    back = bz.load(tmp_path / "fit.nc")
    kinds = [(None, kind, "fitted") for kind in ("mean", "linear", "response")]
    if "g" in data:
        new = grouped.head(3).assign(g=["a", "b", "new"])
        kinds += [(new, "mean", "new"), (new, "response", "new"), (new, "mean", "population")]
    for given, kind, groups in kinds:
        one, other = (f.predict(given, kind=kind, groups=groups, seed=4) for f in (fit, back))
        np.testing.assert_array_equal(one, other, err_msg=f"{kind} {groups}")
    pd.testing.assert_frame_equal(
        back.summary(groups=True), fit.summary(groups=True), check_exact=True
    )
    assert back.diagnose() == fit.diagnose() and str(back.model) == str(fit.model)
    for name in fit.idata.groups():
        xr.testing.assert_identical(back.idata[name], fit.idata[name])
    for name, values in fit.draws.stats.items():
        np.testing.assert_array_equal(back.draws.stats[name], values)
    if fit.draws.trace is not None:
        np.testing.assert_array_equal(back.draws.trace, fit.draws.trace)
    back.save(tmp_path / "again.nc")
    pd.testing.assert_frame_equal(bz.load(tmp_path / "again.nc").summary(), fit.summary())


# -------------------------------------------------------------------------------- saving


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt()], ids=repr)
def test_an_error_while_writing_keeps_the_old_file(fit, stored, monkeypatch, step, error):
    def fails(*_):
        raise error

    before = stored.read_bytes()
    monkeypatch.setattr(os, step, fails)
    with pytest.raises((bz.BayeszooError, KeyboardInterrupt), match=r"untouched|^$"):
        fit.save(stored)
    assert stored.read_bytes() == before and os.listdir(stored.parent) == ["fit.nc"]


def test_a_full_disk_keeps_the_old_file(fit, stored):
    import resource

    before = stored.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handles = len(os.listdir("/proc/self/fd"))
    for limit in (100, 5_000, len(before) // 2, len(before) - 10):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            with pytest.raises(bz.BayeszooError, match="cannot save"):
                fit.save(stored)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert stored.read_bytes() == before and os.listdir(stored.parent) == ["fit.nc"]
    assert len(os.listdir("/proc/self/fd")) <= handles
    fit.save(stored)
    bz.load(stored)


def test_saved_files_are_as_readable_as_others(fit, tmp_path):
    (tmp_path / "other").touch()
    fit.save(tmp_path / "fit.nc")
    assert (tmp_path / "fit.nc").stat().st_mode == (tmp_path / "other").stat().st_mode
    (tmp_path / "link.nc").symlink_to(tmp_path / "fit.nc")
    fit.save(tmp_path / "link.nc")
    assert (tmp_path / "link.nc").is_symlink()


def test_a_process_killed_while_saving_leaves_a_whole_file(fit, stored, kill_while_saving):
    assert kill_while_saving(stored, 1) == 1
    fit.save(stored)
    assert os.listdir(stored.parent) == ["fit.nc"]


def test_parts_of_living_processes_are_left_alone(fit, stored):
    from bayeszoo.inference.atomic import _host

    alive = stored.parent / f".fit.nc.{_host()}-{os.getppid()}-0.part"
    elsewhere = stored.parent / ".fit.nc.elsewhere-999999-0.part"
    dead = stored.parent / f".fit.nc.{_host()}-{2**22 + 7}-0.part"
    for part in (alive, elsewhere, dead):
        part.write_bytes(b"half")
    fit.save(stored)
    assert alive.exists() and elsewhere.exists() and not dead.exists()


# -------------------------------------------------------------------------------- loading


def test_cut_files_are_refused(stored):
    content = stored.read_bytes()
    for length in [0, 1, 8, 100, *np.linspace(200, len(content) - 1, 25).astype(int)]:
        stored.write_bytes(content[:length])
        with pytest.raises(bz.BayeszooError):
            bz.load(stored)


def test_flipped_bits_are_refused(stored):
    content, generator = stored.read_bytes(), np.random.default_rng(3)
    for place in generator.integers(0, len(content), 200):
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(generator.integers(8))
        stored.write_bytes(flipped)
        with pytest.raises(bz.BayeszooError):
            bz.load(stored)


def test_foreign_files_are_refused(tmp_path, grouped):
    grouped.to_csv(tmp_path / "table.csv")
    (tmp_path / "objects.nc").write_bytes(pickle.dumps(grouped))
    xr.Dataset({"a": ("x", [1.0])}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    xr.Dataset({"a": ("x", [1.0])}).to_netcdf(tmp_path / "classic.nc", engine="scipy")
    (tmp_path / "magic.nc").write_bytes(stored_file.MAGIC + b"\0" * 1000)
    words = {"table.csv": "no NetCDF file", "objects.nc": "no NetCDF file", "magic.nc": "cannot be"}
    words |= {"other.nc": "not a fit saved by bayeszoo", "classic.nc": "NetCDF 4"}
    for name, word in words.items():
        with pytest.raises(bz.BayeszooError, match=word) as caught:
            bz.load(tmp_path / name)
        assert isinstance(caught.value, OSError)
    with pytest.raises(bz.BayeszooError, match="is a folder"):
        bz.load(tmp_path)
    with pytest.raises(bz.BayeszooError, match=r"no file .*Nearest: `other.nc`"):
        bz.load(tmp_path / "othr.nc")


def test_files_without_a_seal_are_read_by_another_process_first(tmp_path, monkeypatch):
    path = tmp_path / "other.nc"
    xr.Dataset({"a": ("x", [1.0])}).to_netcdf(path, engine="h5netcdf")
    stored_file.rehearse(path)
    monkeypatch.setattr(stored_file, "PATIENCE", 0.01)  # as if it read for ever
    with pytest.raises(bz.BayeszooError, match="its parts run in circles"):
        bz.load(path)
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    run = subprocess.run
    monkeypatch.setattr(
        stored_file.subprocess, "run", lambda words, **how: run([*words[:2], crash], **how)
    )
    monkeypatch.setattr(stored_file, "PATIENCE", 30.0)
    with pytest.raises(bz.BayeszooError, match="end the process that reads them"):
        bz.load(path)


def _rewrite(path, change):
    """Changes a stored fit as somebody would who knows the format, seal and all."""
    content = path.read_bytes()
    path.write_bytes(content[: -stored_file.LENGTH])
    with h5py.File(path, "a") as file:
        header = json.loads(file.attrs["bayeszoo_fit"])
        found = change(header, file)
        text = found if isinstance(found, str) else json.dumps(header)
        del file.attrs["bayeszoo_fit"]
        file.attrs["bayeszoo_fit"] = text
    if header.get("format", 0) not in migrations.UNSEALED:
        path.write_bytes(path.read_bytes() + stored_file.seal(path.read_bytes()))


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (99, "format 99.*Install a later version"),
        (0, "no format that"),
        (-1, "no format that"),
        ("3", "no format that"),
        (None, "no format that"),
        (True, "no format that"),
        ([3], "no format that"),
    ],
)
def test_formats_that_are_not_known(stored, version, words):
    _rewrite(stored, lambda header, _: header.update(format=version))
    with pytest.raises(bz.BayeszooError, match=words):
        bz.load(stored)


@pytest.mark.parametrize("version", [1, 2])
def test_files_of_earlier_versions_are_read(fit, stored, version):
    def older(header, _):
        header["format"] = version
        for name in ("bayeszoo", *(("mask", "kernels") if version == 1 else ())):
            del header[name]

    _rewrite(stored, older)
    back = bz.load(stored)
    np.testing.assert_array_equal(back.predict(), fit.predict())
    pd.testing.assert_frame_equal(back.summary(), fit.summary())
    back.save(stored)
    with h5py.File(stored) as file:
        assert json.loads(file.attrs["bayeszoo_fit"])["format"] == migrations.FORMAT


def test_every_format_has_a_way_to_the_next():
    assert list(migrations.MIGRATIONS) == list(range(1, migrations.FORMAT))


def test_a_file_without_its_seal_is_refused(stored):
    content = stored.read_bytes()
    stored.write_bytes(content[: -stored_file.LENGTH])
    with pytest.raises(bz.BayeszooError, match="incomplete, or was changed"):
        bz.load(stored)


def _external_link(_, file):
    file["posterior/secret"] = h5py.ExternalLink("/etc/hostname", "/")


def _soft_link(_, file):
    file["loop"] = h5py.SoftLink("/posterior")


def _external_array(_, file):
    file.create_dataset("posterior/secret", (4,), "u1", external=[("/etc/hostname", 0, 4)])


def _virtual_array(_, file):
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource("/etc/hostname", "x", (4,))
    file.create_virtual_dataset("posterior/secret", layout)


def _huge_array(_, file):
    file.create_dataset("posterior/huge", (10**12,), "f8", chunks=(10**6,))


def _packed_array(_, file):
    file.create_dataset("posterior/bomb", (10**8,), "i1", compression="gzip", chunks=True)


def _bomb(_, __):
    return "[" * 200_000


def _no_json(_, __):
    return "{'format': 3}"


def _huge_number(_, __):
    return '{"format": ' + "9" * 10_000 + "}"


def _code(text):
    def change(header, _):
        header["formula"] = text

    return change


def _header(**values):
    def change(header, _):
        header.update(values)

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_external_link, "link to somewhere else"),
        (_soft_link, "link to somewhere else"),
        (_external_array, "lies in another file"),
        (_virtual_array, "lies in another file"),
        (_huge_array, "larger than the file"),
        (_packed_array, "is packed"),
        (_bomb, "cannot be read as a fit"),
        (_no_json, "cannot be read as a fit"),
        (_huge_number, "cannot be read as a fit"),
        (_code("y ~ __import__('os').system('touch PWNED')"), "cannot be restored"),
        (_code("y ~ (lambda: open('PWNED', 'w'))()"), "cannot be restored"),
        (_code("y ~ x.__class__.__mro__"), "cannot be restored"),
        (_code("y ~ conv(x, raised_cos_log(100000000, 100000000))"), "cannot be|damaged"),
        (_code("y ~ poly(x, 1000000000)"), "cannot be|damaged"),
        (_code("y ~ " + "(" * 20_000 + "x" + ")" * 20_000), "cannot be|damaged"),
        (_code(["y ~ x"]), "cannot be|damaged"),
        (_header(family="os.system"), "cannot be restored"),
        (_header(method="../../etc"), "cannot be restored"),
        (_header(priors={"x": ["eval", [["a", "1"]]]}, explicit=["x"]), "cannot be|damaged"),
        (_header(columns={"x": {}}), "cannot be|damaged"),
        (_header(columns={"../../x": {}}), "cannot be|damaged"),
        (_header(mask=[[True]]), "cannot be|damaged"),
        (_header(info=3), "cannot be|damaged"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_files_made_to_do_harm_do_none(stored, tmp_path, monkeypatch, change, words):
    monkeypatch.chdir(tmp_path)
    _rewrite(stored, change)
    started = time.monotonic()
    with pytest.raises(bz.BayeszooError, match=words) as caught:
        bz.load(stored)
    assert isinstance(caught.value, OSError) and len(str(caught.value)) < 2000
    assert time.monotonic() - started < 10
    assert os.listdir(tmp_path) == ["fit.nc"]


def test_own_families_are_refused_before_they_are_stored(fit, tmp_path, monkeypatch):
    monkeypatch.setattr("bayeszoo.inference.storage.FAMILIES", {})
    with pytest.raises(bz.BayeszooError, match="family `normal` is your own"):
        fit.save(tmp_path / "fit.nc")
    assert os.listdir(tmp_path) == []
