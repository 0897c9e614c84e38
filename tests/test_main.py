import subprocess
import sys

import pytest

import bayeszoo as bz
from bayeszoo.__main__ import main


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A small simulated recording as a CSV file."""
    path = tmp_path_factory.mktemp("cli") / "lfp.csv"
    bz.datasets.lfp(mice=4, trials=20)[0].to_csv(path, index=False)
    return str(path)


def test_fit_prints_model_table_and_verdict(table, tmp_path, capsys):
    out = tmp_path / "fit.nc"
    words = ["fit", "log(Power) ~ stim + mouse", table, "--method", "ols", "--prob", "0.9"]
    assert main([*words, "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "Formula:  log(Power) ~ stim + mouse" in text
    assert "p_value" in text
    assert "mouse[m04]" in text
    assert "ols: 80 rows" in text
    assert f"Saved as {out}" in text
    assert out.stat().st_size > 0


def test_fit_writes_a_report(table, tmp_path, capsys):
    page = tmp_path / "fit.html"
    words = ["fit", "log(Power) ~ stim", table, "--method", "ols", "--report", str(page)]
    assert main(words) == 0
    assert f"Report: {page}" in capsys.readouterr().out
    assert "log(Power) ~ stim" in page.read_text("utf-8")


def test_fit_passes_options(table, capsys):
    words = ["fit", "Power ~ stim + (1 | mouse)", table, "--family", "gamma", "--method", "map"]
    assert main([*words, "--prior", "stim=normal(0, scale=1)", "--groups"]) == 0
    text = capsys.readouterr().out
    assert "Normal(0, 1)   (given)" in text
    assert "1|mouse[m01]" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fit", "Power ~ stimm", "TABLE"], "Nearest: `stim`"),
        (["fit", "Power ~ stim", "no.csv"], "there is no file `no.csv`"),
        (["fit", "Power ~ stim", "TABLE", "--family", "gama"], "gamma"),
        (["fit", "Power ~ stim", "TABLE", "--method", "mcmc"], "there is no method 'mcmc'"),
        (["fit", "Power ~ stim", "TABLE", "--draws", "0"], "draws= takes a whole number"),
        (["fit", "Power ~ stim", "TABLE", "--prior", "stim"], "--prior takes NAME=PRIOR"),
        (["fit", "Power ~ stim", "TABLE", "--prior", "slope=normal(0, 1)"], "slope"),
        (["fit", "Power ~ stim", "TABLE", "--out", "no/fit.nc"], "there is no folder `no`"),
        (["fit", "Power ~ stim", "TABLE", "--report", "no/fit.html"], "there is no folder `no`"),
        (["fit", "Power ~ __import__('os')", "TABLE"], "__import__"),
        (["compare", "a.nc", "a.nc"], "two different files"),
        (["compare", "a.nc", "b.nc"], "a.nc"),
        (["demo", "--out", "TABLE"], "cannot make the folder"),
    ],
)
def test_errors_are_a_paragraph_and_exit_code_2(words, message, table, capsys):
    assert main([table if word == "TABLE" else word for word in words]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("bayeszoo: ")
    assert message in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    "words", [[], ["fit"], ["nothing"], ["fit", "y ~ x", "d.csv", "--seed", "a"]]
)
def test_usage_errors(words, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(words)
    assert exit_.value.code == 2
    assert "usage: bayeszoo" in capsys.readouterr().err


def test_module_runs():
    run = subprocess.run(
        [sys.executable, "-m", "bayeszoo", "--version"], capture_output=True, text=True, check=True
    )
    assert run.stdout == f"bayeszoo {bz.__version__}\n"


def test_compare(table, tmp_path, capsys):
    files = []
    for name, formula in {"with": "log(Power) ~ stim", "without": "log(Power) ~ 1"}.items():
        files.append(str(tmp_path / f"{name}.nc"))
        words = ["fit", formula, table, "--draws", "300", "--tune", "300", "--chains", "2"]
        assert main([*words, "--out", files[-1]]) == 0
    capsys.readouterr()
    assert main(["compare", *files]) == 0
    text = capsys.readouterr().out
    assert "elpd_loo" in text
    assert {line.split()[0] for line in text.splitlines() if " log" in line} >= {"with", "without"}

    other = str(tmp_path / "other.nc")
    words = ["fit", "Power ~ stim", table, "--draws", "300", "--tune", "300", "--chains", "2"]
    assert main([*words, "--out", other]) == 0
    assert main(["compare", files[0], other]) == 2
    assert "different rows or responses" in capsys.readouterr().err
