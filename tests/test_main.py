import subprocess
import sys

import pandas as pd
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

    assert "Best first: `with` predicts best, by elpd_loo." in text
    other = str(tmp_path / "other.nc")
    words = ["fit", "Power ~ stim", table, "--family", "gamma", "--method", "laplace"]
    assert main([*words, "--out", other]) == 0
    capsys.readouterr()
    assert main(["compare", files[0], other]) == 0
    assert "Note: the response of `with` is `log(Power)`" in capsys.readouterr().out
    assert main(["compare", files[0], other, "--by", "group:mouse"]) == 2  # neither reads it
    assert "no column" in capsys.readouterr().err


def test_compare_refits_what_it_loads(table, tmp_path, capsys):
    files = []
    for name, formula, method in (
        ("mixed", "log(Power) ~ stim + (1 | mouse)", "lme"),
        ("plain", "log(Power) ~ stim", "ols"),
        ("point", "log(Power) ~ stim + (1 | mouse)", "map"),
        ("other", "mouse ~ stim", "map"),
    ):
        files.append(str(tmp_path / f"{name}.nc"))
        family = ["--family", "bernoulli"] if name == "other" else []
        source = table
        if name == "other":
            source = str(tmp_path / "two.csv")
            data = pd.read_csv(table)
            data[data["mouse"].isin(["m01", "m02"])].to_csv(source, index=False)
        words = ["fit", formula, source, "--method", method, *family]
        assert main([*words, "--out", files[-1]]) == 0
    capsys.readouterr()
    mixed, plain, point, other = files
    assert main(["compare", mixed, plain]) == 0
    assert "reml=False" in capsys.readouterr().out
    assert main(["compare", mixed, plain, "--by", "lr"]) == 0
    assert "p_value" in capsys.readouterr().out
    assert main(["compare", mixed, plain, point, "--by", "kfold", "--folds", "3"]) == 0
    assert "elpd_kfold" in capsys.readouterr().out
    for words, message in (
        ([mixed, point], "cannot compare frequentist fits"),
        ([point, other, "--by", "kfold"], "fitted to tables of 80 and 40 rows"),
        ([mixed, plain, "--by", "lo"], "Nearest: `loo`"),
        ([mixed, plain, "--by", "kfold", "--folds", "1"], "folds="),
        ([mixed, plain, "--refit"], 'option of by="loo"'),
        ([mixed, point, "--by", "loo"], "kfold"),
    ):
        assert main(["compare", *words]) == 2
        assert message in capsys.readouterr().err
