"""Coverage-guided fuzzing of the formula grammar: bytes -> text -> parse, evaluate, learn.

Atheris is no dependency of bayeszoo; it stands in an environment of its own (Linux, Python 3.11):

    python3.11 -m venv .venv-fuzz && .venv-fuzz/bin/pip install --no-deps atheris
    PYTHONPATH=.venv-fuzz/lib/python3.11/site-packages .venv/bin/python \
        tests/fuzz/atheris_formula.py -max_total_time=600

Every kind of fault is printed once, as FAULT; crashes and hangs end the run. Arguments are
libFuzzer's. The seeds are made on the fly, in a temporary folder.
"""

import os
import sys
import tempfile
import warnings
from pathlib import Path

os.environ["JAX_NUMPY_RANK_PROMOTION"] = "raise"

import atheris  # pyright: ignore[reportMissingImports]

with atheris.instrument_imports(
    include=["bayeszoo.formula", "bayeszoo.errors", "formulaic.parser"]
):
    import bayeszoo as bz
    from bayeszoo.formula import BASES, TRANSFORMS, Vocabulary, learn, parse, read

from fuzzing import guard
from fuzzing.columns import GOOD, Column
from fuzzing.formulas import ATTACKS, PAIRS, RESPONSES, SOUND
from fuzzing.tables import Recipe, build

ROLES = {name: transform.role for name, transform in TRANSFORMS.items()}
ROLES |= dict.fromkeys(BASES, "basis")
TABLE = read(build(Recipe(tuple(Column(name) for name in GOOD))))
VOCABULARY = Vocabulary(ROLES, tuple(TABLE.columns))
SEEN: set[str] = set()


def one(data: bytes) -> None:
    """Parses a text and, where it is a formula, learns its design from a table."""
    text = data.decode("utf-8", "surrogateescape")

    def case() -> None:
        learn(parse(text, VOCABULARY), TABLE)

    found = guard.run(case, text)
    if found.kind == "fault" and found.place not in SEEN:
        SEEN.add(found.place)  # and on, since one fault hides others
        print(f"FAULT {found.place}: {found.text}\n{text!r}", flush=True)


def seeds(folder: Path) -> None:
    """Writes the texts that mutation starts from."""
    texts = [f"{left} ~ {right}" for right in SOUND for left in (RESPONSES[0],)]
    texts += [f"{left} ~ x" for left in [*RESPONSES, *(pair[0] for pair in PAIRS)]]
    texts += [f"y ~ {attack}" for attack in ATTACKS] + ["y ~ x\nsigma ~ z + (1 | g)"]
    for i, text in enumerate(texts):
        (folder / f"{i}").write_bytes(text.encode("utf-8", "replace"))
    words = sorted({*TRANSFORMS, *BASES, *TABLE.columns, "~", "**", "||", "(1 | g)", "`"})
    (folder.parent / "words").write_text("".join(f'"{word}"\n' for word in words))


def main() -> None:
    """Runs until libFuzzer stops."""
    warnings.simplefilter("ignore")
    guard.watch()
    assert issubclass(bz.BayeszooError, Exception)
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        seeds(corpus)
        words = f"-dict={corpus.parent / 'words'}"
        atheris.Setup([sys.argv[0], words, "-timeout=60", *sys.argv[1:], str(corpus)], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
