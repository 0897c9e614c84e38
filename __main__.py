"""The command line: `bayeszoo fit`, `bayeszoo compare`, `bayeszoo demo`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ._version import VERSION
from .errors import BayeszooError, OptionError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: the words after `bayeszoo`; by default the process's own.

    Returns:
        The exit code: 0, or 2 where bayeszoo refused with a message on standard error.
    """
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except BayeszooError as error:
        print(f"bayeszoo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bayeszoo: interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output, such as `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bayeszoo", description="One formula, every method, for grouped and time-series data."
    )
    parser.add_argument("--version", action="version", version=f"bayeszoo {VERSION}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    fit = commands.add_parser(
        "fit",
        help="fit a model to a table in a file",
        epilog='example: bayeszoo fit "Power ~ stim + (1 | mouse)" data.csv --family gamma',
    )
    fit.add_argument("formula", metavar="FORMULA", help='for example "Power ~ stim + (1 | mouse)"')
    fit.add_argument("data", metavar="DATA", help="CSV, TSV, Parquet or Feather file")
    fit.add_argument("--family", default="normal", help="default: normal")
    fit.add_argument("--link", help="link of the mean; default: the family's own")
    fit.add_argument("--method", default="nuts", help="nuts (default), map, svi, lme, ...")
    fit.add_argument(
        "--prior",
        action="append",
        default=[],
        metavar="NAME=PRIOR",
        help='such as "stim=normal(0, 1)"; may be given several times',
    )
    fit.add_argument("--seed", type=int, default=0, help="default: 0")
    for name, text in (
        ("draws", "draws per chain"),
        ("tune", "tuning steps per chain"),
        ("chains", "chains"),
    ):
        fit.add_argument(f"--{name}", type=int, help=f"number of {text}, where the method has them")
    fit.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="keep the state of nuts or svi here; the same command goes on from it",
    )
    fit.add_argument("--prob", type=float, default=0.95, help="of intervals; default: 0.95")
    fit.add_argument("--groups", action="store_true", help="list the effects of groups too")
    fit.add_argument("--out", metavar="FILE", help="save the fit (NetCDF); bz.load restores it")
    fit.add_argument("--report", metavar="FILE", help="write a page (HTML) with tables and charts")
    fit.set_defaults(run=_fit)

    compare = commands.add_parser(
        "compare",
        help="compare saved fits by how well they predict",
        epilog="example: bayeszoo compare a.nc b.nc --by kfold",
    )
    compare.add_argument("fits", nargs="+", metavar="FILE", help="fits saved with --out")
    compare.add_argument(
        "--by",
        help="loo, waic, kfold, group:COLUMN, aic, bic or lr; default: loo, and aic where all fits are "
        "frequentist",
    )
    compare.add_argument("--folds", type=int, default=5, help="of kfold; default: 5")
    compare.add_argument("--seed", type=int, default=0, help="of refits; default: 0")
    compare.add_argument(
        "--moment-match", action="store_true", help="move draws where Pareto k of loo is bad"
    )
    compare.add_argument(
        "--refit", action="store_true", help="refit without each row whose Pareto k of loo is bad"
    )
    compare.set_defaults(run=_compare)

    demo = commands.add_parser("demo", help="simulate recordings and fit them by four methods")
    demo.add_argument("--out", default="demo-output", metavar="FOLDER", help="default: demo-output")
    demo.set_defaults(run=_demo)
    return parser


def _fit(options: argparse.Namespace) -> None:
    from .console import check_target, read_table, text_table
    from .inference.model import Model

    priors = dict(_prior(text) for text in options.prior)
    data = read_table(options.data)
    for target in (options.out, options.report):
        if target:
            check_target(target)
    model = Model(
        options.formula, data, family=options.family, link=options.link, priors=priors or None
    )
    print(model, flush=True)
    chosen: dict[str, Any] = {
        name: getattr(options, name)
        for name in ("draws", "tune", "chains", "checkpoint")
        if getattr(options, name) is not None
    }
    shown = sys.stderr.isatty()
    fit = model.fit(options.method, seed=options.seed, progress=shown, **chosen)
    print(f"\n{text_table(fit.summary(prob=options.prob, groups=options.groups))}\n")
    if not (shown and sys.stdout.isatty()):  # else the terminal shows the verdict already
        print(fit.verdict())
    if options.out:
        fit.save(options.out)
        print(f"Saved as {options.out}")
    if options.report:
        print(f"Report: {fit.report(options.report, prob=options.prob)}")
    if fit.interrupted:
        raise KeyboardInterrupt


def _prior(text: str) -> tuple[str, str]:
    """Splits NAME=PRIOR at the first equals sign outside of parentheses."""
    depth = 0
    for position, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == "=" and depth == 0:
            name, prior = text[:position].strip(), text[position + 1 :].strip()
            if name and prior:
                return name, prior
            break
    raise OptionError(f'--prior takes NAME=PRIOR, such as "stim=normal(0, 1)", not {text!r}.')


def _compare(options: argparse.Namespace) -> None:
    from .console import text_table
    from .inference.comparison.compare import compare
    from .inference.storage import load

    if len(set(options.fits)) < 2:
        raise OptionError("compare takes at least two different files.")
    fits = {path: load(path) for path in options.fits}
    short = [Path(path).stem for path in fits]
    names = short if len(set(short)) == len(short) else list(fits)
    table = compare(
        dict(zip(names, fits.values(), strict=True)),
        options.by,
        moment_match=options.moment_match,
        refit=options.refit,
        folds=options.folds,
        seed=options.seed,
    )
    for name, fit in zip(names, fits.values(), strict=True):
        print(f"{name}: {fit!r}")
    print(f"\n{text_table(table)}\n")
    for note in table.attrs["notes"]:
        print(f"Note: {note}")
    if "rank" in table:
        print(f"Best first: `{table.index[0]}` predicts best, by {table.columns[1]}.")


def _demo(options: argparse.Namespace) -> None:
    from .demo import demo

    demo(options.out)


if __name__ == "__main__":
    sys.exit(main())
