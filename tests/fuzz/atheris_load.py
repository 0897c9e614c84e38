"""Coverage-guided fuzzing of bz.load: a saved fit with damaged bytes, or with a damaged description.

Atheris is no dependency of bayeszoo; see `atheris_formula.py` for its environment.

    PYTHONPATH=.venv-fuzz/lib/python3.11/site-packages .venv/bin/python \
        tests/fuzz/atheris_load.py -max_total_time=600

Every second case is a whole file whose JSON description is mutated, which byte mutations hardly reach.
Whatever the file, `load` answers with a fit that can be read, or with FileError.
"""

import json
import os
import random
import sys
import tempfile
from pathlib import Path

os.environ["JAX_NUMPY_RANK_PROMOTION"] = "raise"

import atheris  # pyright: ignore[reportMissingImports]

with atheris.instrument_imports(
    include=["bayeszoo.inference.storage", "h5netcdf", "xarray.backends"]
):
    import h5netcdf
    import xarray  # noqa: F401

    import bayeszoo as bz
    from bayeszoo.inference import storage

from fuzzing import guard
from fuzzing.columns import GOOD, Column
from fuzzing.tables import Recipe, build

FITS = [
    ("y ~ x + h", "normal", "ols"),
    ("y ~ x + (1 | g)", "normal", "lme"),
    ("n ~ x", "poisson", "map"),
]
SEEN: set[str] = set()
ODD = [
    None,
    True,
    -1,
    0,
    1e308,
    float("nan"),
    "",
    "x",
    [],
    {},
    [[]],
    {"x": 1},
    "y ~ __import__('os')",
]


def one(data: bytes, folder: Path) -> None:
    """Loads a file of these bytes."""
    path = folder / "case.nc"
    path.write_bytes(data)

    def case() -> None:
        try:
            fit = bz.load(path)
        except bz.BayeszooError as error:
            if type(error).__name__ != "FileError":
                raise RuntimeError(f"{type(error).__name__}: {error}") from error
            return
        assert repr(fit)

    found = guard.run(case)
    if found.kind == "fault" and found.place not in SEEN:
        SEEN.add(found.place)
        kept = folder.parent / f"bayeszoo-load-fault-{len(SEEN)}.nc"
        kept.write_bytes(data)
        print(f"FAULT {found.place}: {found.text}\n  kept as {kept}", flush=True)


def mutate(data: bytes, size: int, seed: int, folder: Path) -> bytes:
    """Damages bytes, or the description within a whole file."""
    draw = random.Random(seed)
    path = folder / "mutated.nc"
    if draw.random() < 0.5:
        path.write_bytes(data)
        try:
            with h5netcdf.File(path, "a") as file:
                text = str(file.attrs[storage.MARK])
                file.attrs[storage.MARK] = _described(text, draw)
            content = path.read_bytes()
            return content + storage.seal(content)  # without it only the seal is tested
        except Exception:  # the bytes are damaged already
            pass
    if draw.random() < 0.5:
        out = bytearray(data)
        for _ in range(draw.randint(1, 8)):
            out[draw.randrange(len(out))] = draw.randrange(256)
        return bytes(out)
    return atheris.Mutate(data, size)


def _described(text: str, draw: random.Random) -> str:
    if draw.random() < 0.3:
        letters = list(text)
        for _ in range(draw.randint(1, 4)):
            letters[draw.randrange(len(letters))] = draw.choice('[]{}",:0nx\\e-')
        return "".join(letters)
    header = json.loads(text)
    place = header
    for _ in range(draw.randint(1, 4)):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            break
        key = draw.choice(keys)
        if isinstance(place[key], dict | list) and place[key] and draw.random() < 0.7:
            place = place[key]
            continue
        if isinstance(place, dict) and draw.random() < 0.2:
            del place[key]
        else:
            place[key] = draw.choice(ODD)
        break
    return json.dumps(header)


def seeds(folder: Path) -> None:
    """Saves the fits that mutation starts from."""
    table = build(Recipe(tuple(Column(name) for name in GOOD)))
    for i, (formula, family, method) in enumerate(FITS):
        options = {} if method == "map" else {"draws": 5}
        fit = bz.fit(formula, table, family=family, method=method, progress=False, **options)
        fit.save(folder / f"{i}")


def main() -> None:
    """Runs until libFuzzer stops."""
    guard.watch()
    with tempfile.TemporaryDirectory() as name:
        folder, corpus = Path(name), Path(name) / "corpus"
        corpus.mkdir()
        seeds(corpus)
        options = ["-max_len=400000", "-timeout=60", "-rss_limit_mb=6000"]
        atheris.Setup(
            [sys.argv[0], *options, *sys.argv[1:], str(corpus)],
            lambda data: one(data, folder),
            custom_mutator=lambda data, size, seed: mutate(data, size, seed, folder),
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main()
