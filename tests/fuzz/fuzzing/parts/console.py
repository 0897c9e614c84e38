"""The command line, in this process: files of any content, formulas, options."""

from __future__ import annotations

import io
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

import bayeszoo as bz
from bayeszoo.__main__ import main
from fuzzing.formulas import formulas
from fuzzing.guard import Wrong
from fuzzing.part import Part

GOOD = "y,x,g,n\n" + "".join(
    f"{(i * 7) % 5}.{i},{(i * 3) % 7},{'ab'[i % 2]},{i % 3}\n" for i in range(20)
)
PIECES = [
    ",",
    "\n",
    '"',
    "'",
    "\r",
    "\t",
    "\x00",
    "nan",
    "NA",
    "inf",
    "1e999",
    "-",
    "é",
    "\ufeff",
    ";",
    "y",
    "x,x",
    "  ",
    "2020-01-01",
    "True",
    "0x1",
    "\u2028",
]


@st.composite
def _content(draw: Any) -> str:
    text = GOOD
    for _ in range(draw(st.sampled_from([0, 0, 1, 2, 5]))):
        i = draw(st.integers(0, len(text)))
        text = (
            text[:i]
            + draw(st.sampled_from(PIECES))
            + text[min(len(text), i + draw(st.integers(0, 9))) :]
        )
    return draw(st.one_of(st.just(text), st.just(text), st.just(text), st.text(max_size=40)))


_name = st.sampled_from(
    ["data.csv"] * 9
    + [
        "data.tsv",
        "data.parquet",
        "data.feather",
        "data.csv.gz",
        "data.xlsx",
        "data",
        "..csv",
        "a b.csv",
    ]
)
_option = st.sampled_from(
    [
        ["--family", "poisson"],
        ["--family", "nope"],
        ["--family", ""],
        ["--link", "log"],
        ["--prior", "x=normal(0, 1)"],
        ["--prior", "x"],
        ["--prior", "="],
        ["--prior", "x=__import__('os')"],
        ["--seed", "-1"],
        ["--seed", "x"],
        ["--prob", "nan"],
        ["--prob", "2"],
        ["--prob", "1e-9"],
        ["--groups"],
        ["--draws", "0"],
        ["--draws", "99999999999"],
        ["--chains", "2"],
        ["--out", "/nope/fit.nc"],
        ["--out", ""],
        ["--report", "."],
        ["--nope"],
        ["--method", "nope"],
        ["--method", ""],
    ]
)
_fit = st.fixed_dictionaries(
    {
        "formula": st.one_of(st.sampled_from(["y ~ x", "y ~ x + g", "n ~ x", "y ~ 1"]), formulas),
        "name": _name,
        "content": _content(),
        "options": st.lists(_option, max_size=2).map(
            lambda o: [word for pair in o for word in pair]
        ),
    }
)
_sound = st.fixed_dictionaries(
    {
        "formula": st.sampled_from(
            ["y ~ x", "y ~ x + g", "y ~ x * g", "n ~ x", "y ~ 1", "log(n + 1) ~ g"]
        ),
        "name": st.sampled_from(["data.csv", "a b.csv"]),
        "content": st.one_of(
            st.just(GOOD), st.just("\ufeff" + GOOD), st.just(GOOD.replace("0.0", ""))
        ),
        "options": st.sampled_from([[], ["--prob", "0.9"], ["--seed", "3"], ["--groups"]]),
    }
)
_word = st.one_of(
    st.sampled_from(
        [
            "fit",
            "compare",
            "demo",
            "--help",
            "--version",
            "y ~ x",
            "nope.csv",
            "a.nc",
            "--by",
            "loo",
            "--folds",
            "0",
        ]
    ),
    st.text(max_size=9),
)
_words = st.lists(_word, max_size=4).filter(lambda words: "demo" not in words)


def _run(case: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        words = case
        if isinstance(case, dict):
            path = Path(folder) / case["name"]
            path.write_text(case["content"], "utf-8", "surrogatepass")
            words = ["fit", case["formula"], str(path), "--method", "ols", *case["options"]]
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code: Any = main(words)
            except SystemExit as stop:  # argparse's way
                code = stop.code
    if code == 2 and err.getvalue().strip():
        raise bz.BayeszooError(err.getvalue())  # so that its words are judged
    if code not in (0, 2):
        raise Wrong(f"exit code {code}")
    if code == 2 and not err.getvalue().strip():
        raise Wrong("refused without a word")
    if "Traceback" in err.getvalue():
        raise Wrong("a traceback on standard error")


PART = Part("command line", 2, st.one_of(_sound, _fit, _fit, _words), _run)
