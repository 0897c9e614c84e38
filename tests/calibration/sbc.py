"""Simulation-based calibration: are the posteriors right, for every family, structure and method?

Parameters drawn from the priors, and data drawn given them, make the true parameters one more draw from
the posterior; their ranks among draws of the posterior are uniform. Every quantity of a case is
tested, the log-likelihood of the data among them, with one false-alarm rate for the whole table.

`python tests/calibration/sbc.py --sets 200` ranks (into build/calibration, where what is already
there is kept) and writes docs/trust/calibration.csv; `--help` shows how to run a part of it.

Source: Talts et al. (2018), arXiv:1804.06788; Modrák et al. (2023), Bayesian Analysis 20:461 for
quantities that depend on the data.
"""

import argparse
import re
import sys
import time
import zlib
from pathlib import Path

import arviz as az
import numpy as np
import pandas as pd
from cases import FAMILIES, STRUCTURES, Case
from ranks import p_value

import bayeszoo as bz
from bayeszoo.inference import fit as eager

DRAWS = 31
"""Nearly independent draws among which the truth is ranked."""
FALSE_ALARM = 0.01
"""Of the whole table."""
CHAIN = {"chains": 1, "tune": 200, "draws": 400}
METHODS = {
    "nuts": ("nuts", CHAIN),
    "nuts marginalize=False": ("nuts", CHAIN | {"marginalize": False}),
    "laplace": ("laplace", {"draws": 400}),
    "svi": ("svi", {"draws": 400}),
}
EXACT = ("nuts", "nuts marginalize=False")
"""Methods that are to be inside of the band; the others are approximations."""
ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build" / "calibration"
TABLE = ROOT / "docs" / "trust" / "calibration.csv"
KINDS = {
    "coefficients": r"Intercept|x",
    "parameters of the family": r"\w+",
    "standard deviations of groups": r"sd\(.*",
    "correlation of groups": r"corr\(.*",
    "effect of one group": r".*\|.*",
    "log-likelihood of the data": r"log likelihood",
}
"""Kinds of quantities, by patterns of their names, the first that fits."""


def sampler(case, method):
    """Returns a function (data sets, seed, length) -> draws of each, `length` times as many."""
    name, options = METHODS[method]

    def sample(datasets, seed, length=1):
        longer = options | {"draws": options["draws"] * length}
        fits = bz.fit_many(
            case.formula,
            datasets,
            family=case.family,
            priors=case.named_priors,
            method=name,
            seed=seed,
            errors="raise",
            progress=False,
            **longer,
        )
        return [drawn(case, fit) for fit in fits]

    return sample


def drawn(case, fit):
    """Returns the draws of a fit by the names of the case."""
    posterior = fit.idata.posterior.isel(chain=0)
    found = {name: posterior[name].values for name in case.priors}
    found = {name: d[:, 0, 1] if d.ndim == 3 else d for name, d in found.items()}
    for factor, effects in STRUCTURES[case.structure]:
        level = {factor: case.levels(factor)[0]}
        found |= {f"{e}|{factor}": posterior[f"{e}|{factor}"].sel(level).values for e in effects}
    return found


def enough(draws):
    """Whether every quantity has about as many independent draws as are ranked among."""
    return min(az.ess(one[None]) for one in draws.values()) >= 1.3 * DRAWS


def rank(draws, true):
    """Ranks the truth among draws that are nearly independent."""
    picked = np.linspace(0, len(draws["log likelihood"]) - 1, DRAWS).astype(int)
    return {name: int((draws[name][picked] < true[name]).sum()) for name in draws}


def generator(case, number):
    """Returns the generator of a data set."""
    return np.random.default_rng([number, zlib.crc32(repr(case).encode())])


def calibrate(case, sample, sets, first=0):
    """Returns ranks, one row for every data set and one column for every quantity."""
    truths, datasets = zip(
        *(case.simulate(generator(case, first + i)) for i in range(sets)), strict=True
    )

    def quantities(places, length):
        found = sample([datasets[i] for i in places], first, length)
        return [case.quantities(d, datasets[i]) for d, i in zip(found, places, strict=True)]

    draws = quantities(range(sets), 1)
    short = [i for i, found in enumerate(draws) if not enough(found)]
    for i, found in zip(short, quantities(short, 5) if short else [], strict=True):
        draws[i] = found
    rows = []
    for found, truth, data in zip(draws, truths, datasets, strict=True):
        one = {name: np.asarray(value)[None] for name, value in truth.items()}
        rows.append(rank(found, case.quantities(one, data)))
    return pd.DataFrame(rows)


def p_values(table):
    """Returns the p-value of each column of ranks."""
    return pd.Series({name: p_value(table[name].to_numpy(), DRAWS + 1) for name in table})


# ---------------------------------------------------------------------------------- the table


def cases(method):
    """The cases of a method."""
    families = ("normal",) if method == "nuts marginalize=False" else FAMILIES
    return [Case(family, structure) for structure in STRUCTURES for family in families]


def path(case, method):
    """Where the ranks of a case are kept."""
    words = re.sub(r"[^a-z0-9]+", "-", f"{case.structure} {method}".lower()).strip("-")
    return KEPT / f"{case.family}-{words}.csv"


def extend(case, method, sets):
    """Ranks as many data sets as are still missing, and keeps them."""
    file = path(case, method)
    kept = pd.read_csv(file) if file.exists() else pd.DataFrame()
    if len(kept) < sets:
        more = calibrate(case, sampler(case, method), sets - len(kept), len(kept))
        file.parent.mkdir(parents=True, exist_ok=True)
        pd.concat([kept, more]).to_csv(file, index=False)


def gathered():
    """Yields family, structure, method, sets of a case and ranks of every case and of unions of cases.

    Data sets of different cases are independent, so that common quantities of a family, of a structure,
    and of all are tested with more of them.
    """
    for method in METHODS:
        files = {case: path(case, method) for case in cases(method)}
        found = {case: pd.read_csv(file) for case, file in files.items() if file.exists()}
        for case, table in found.items():
            yield case.family, case.structure, method, len(table), table
        unions = [(family, "all") for family in FAMILIES] + [("all", name) for name in STRUCTURES]
        for family, structure in [*unions, ("all", "all")]:
            parts = [
                table
                for case, table in found.items()
                if family in (case.family, "all") and structure in (case.structure, "all")
            ]
            if len(parts) > 1:
                yield (
                    family,
                    structure,
                    method,
                    max(map(len, parts)),
                    pd.concat(parts, join="inner"),
                )


def described(family, structure, method, sets, table, found, limit):
    """Returns a row of the table: how far the worst quantity is from uniform ranks."""
    worst = found.idxmin()
    relative = (table[worst] + 0.5) / (DRAWS + 1)
    options = {"families": family, "structures": structure, "methods": method}
    chosen = [f'--{name} "{value}"' for name, value in options.items() if value != "all"]
    return {
        "family": family,
        "structure": structure,
        "method": method,
        "data sets": len(table),
        "quantities": len(found),
        "worst quantity": worst,
        "p": f"{found[worst]:.2g}",
        "mean rank": f"{relative.mean():.3f}",
        "spread of ranks": f"{relative.std() * 12**0.5:.2f}",
        "verdict": "inside" if found[worst] > limit else "outside",
        "outside": "; ".join(found.index[found <= limit]),
        "command": " ".join([f"python tests/calibration/sbc.py --sets {sets}", *chosen]),
    }


def write_table():
    """Writes the table of all ranks that are kept; returns it.

    The false-alarm rate is shared equally among all quantities of the exact methods.
    """
    rows = [(*names, table, p_values(table)) for *names, table in gathered()]
    limit = FALSE_ALARM / sum(len(row[-1]) for row in rows if row[2] in EXACT)
    table = pd.DataFrame([described(*row, limit) for row in rows])
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(TABLE, index=False)
    return table


def write_kinds():
    """Writes, for each method and kind of quantity, where the truth lies and how widely it scatters.

    Of right posteriors ranks have a mean of 0.5 and a spread of 1; draws that are too narrow make the
    spread larger, draws that are too high the mean lower.
    """
    rows = []
    for method in METHODS:
        ranks = {kind: [] for kind in KINDS}
        for case in cases(method):
            table = pd.read_csv(path(case, method)) if path(case, method).exists() else {}
            for name in table:
                kind = next(kind for kind, text in KINDS.items() if re.fullmatch(text, name))
                ranks[kind].append((table[name] + 0.5) / (DRAWS + 1))
        for kind, parts in ranks.items():
            if parts:
                every = pd.concat(parts)
                mean, spread = f"{every.mean():.3f}", f"{every.std() * 12**0.5:.2f}"
                rows.append([method, kind, len(every), mean, spread])
    head = ["method", "quantity", "ranks", "mean rank (0.5)", "spread of ranks (1)"]
    pd.DataFrame(rows, columns=head).to_csv(TABLE.with_stem("calibration_kinds"), index=False)


def main(sets, methods, families, structures):
    """Ranks what is missing, and writes the table; returns whether exact methods are inside."""
    eager.EAGER = 0  # the pointwise log-likelihoods of the package are not needed
    for method in methods:
        for case in cases(method):
            if case.family in families and case.structure in structures:
                begun = time.perf_counter()
                extend(case, method, sets)
                seconds = time.perf_counter() - begun
                print(f"{method}, {case.family}, {case.structure}: {seconds:.0f} s", flush=True)
    write_kinds()
    table = write_table()
    wrong = table[table["method"].isin(EXACT) & (table["verdict"] == "outside")]
    print(wrong.drop(columns="command").to_string() if len(wrong) else "exact methods: all inside")
    return not len(wrong)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=200, help="data sets of each case")
    for name, allowed in (("methods", METHODS), ("families", FAMILIES), ("structures", STRUCTURES)):
        parser.add_argument(f"--{name}", nargs="+", choices=list(allowed), default=list(allowed))
    sys.exit(0 if main(**vars(parser.parse_args())) else 1)
