"""The list of packages in pyproject.toml is the folders on disk, and the import is light."""

import subprocess
import sys
import tomllib
from pathlib import Path

import bayeszoo as bz

ROOT = Path(bz.__file__).parent
OUTSIDE = {"tests", "benchmarks", "notebooks", "docs", "build", "dist"}


def test_lists_every_folder():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = set()
    for file in ROOT.rglob("__init__.py"):
        parts = file.parent.relative_to(ROOT).parts
        if not any(part in OUTSIDE or part.startswith(".") for part in parts):
            found.add(".".join(("bayeszoo", *parts)))
    assert set(settings["tool"]["setuptools"]["packages"]) == found


def test_version():
    from importlib.metadata import version

    assert version("bayeszoo") == bz.__version__


def test_import_is_light():
    heavy = ["arviz", "jax", "numpyro", "statsmodels", "altair", "matplotlib", "formulaic"]
    code = f"import bayeszoo, sys; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
