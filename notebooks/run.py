"""Runs notebooks as a reader would: every cell in order, every chart that a cell shows drawn.

    python notebooks/run.py [--charts FOLDER] notebooks/lfp.py ...

Warnings are errors. With --charts, what each cell shows is saved as NAME-1.png, NAME-2.png, ...
"""

import argparse
import ast
import sys
import time
import warnings
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--charts", type=Path, help="folder for pictures of the charts")
    options = parser.parse_args()
    warnings.simplefilter("error")
    for path in options.notebooks:
        started = time.perf_counter()
        charts = run(path, options.charts)
        print(f"== {path}: {charts} charts, {time.perf_counter() - started:.0f} s\n", flush=True)
    return 0


def run(path: Path, folder: Path | None) -> int:
    """Runs one notebook; returns how many charts it showed."""
    names = {"__name__": "__main__", "__file__": str(path)}
    charts = 0
    for statement in ast.parse(path.read_text("utf-8"), str(path)).body:
        if not isinstance(statement, ast.Expr):
            exec(compile(ast.Module([statement], []), str(path), "exec"), names)
            continue
        shown = eval(compile(ast.Expression(statement.value), str(path), "eval"), names)
        if type(shown).__module__.startswith(("altair", "bayeszoo.plots")):
            charts += 1
            draw(shown, path, folder, charts)
        elif shown is not None:
            print(shown)
    return charts


def draw(chart: object, path: Path, folder: Path | None, number: int) -> None:
    """Draws a chart, so that one that cannot be drawn is an error."""
    import io

    if folder is None:
        chart.save(io.StringIO(), format="svg")  # type: ignore[attr-defined]
        return
    folder.mkdir(parents=True, exist_ok=True)
    chart.save(folder / f"{path.stem}-{number}.png", scale_factor=2)  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main())
