"""Runs many cases of every part and writes their counts: `make fuzz FUZZ=20000`.

python tests/fuzz/run.py CASES [--parts NAME ...] [--seed 0] [--csv docs/trust/fuzz.csv]
python tests/fuzz/run.py --replay PART 'CASE'
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ["JAX_NUMPY_RANK_PROMOTION"] = "raise"
os.environ.setdefault("MPLBACKEND", "Agg")

from fuzzing import guard
from fuzzing.part import Part
from hypothesis import HealthCheck, Phase, given, seed, settings

HEAD = ["part", "cases", "refused in words", "accepted", "faults", "slowest seconds", "command"]
MEMORY = 14 * guard.GIB


@dataclass
class Tally:
    """What became of the cases of a part."""

    counts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    slowest_case: str = ""
    faults: dict[str, tuple[int, str, str]] = field(default_factory=dict)

    def add(self, case: object, outcome: guard.Outcome) -> None:
        """Counts a case; the shortest of every kind of fault is kept."""
        self.counts[outcome.kind] += 1
        if outcome.seconds > self.slowest:
            self.slowest, self.slowest_case = outcome.seconds, repr(case)
        if outcome.kind == "fault":
            count, text, shortest = self.faults.get(outcome.place, (0, outcome.text, repr(case)))
            shown = min(shortest, repr(case), key=len)
            self.faults[outcome.place] = (
                count + 1,
                outcome.text if shown != shortest else text,
                shown,
            )


def tally(part: Part, cases: int, number: int) -> Tally:
    """Runs so many cases of a part."""
    guard.watch()
    found = Tally()

    @seed(number)
    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(part.cases)
    def body(case: object) -> None:
        found.add(case, guard.run(lambda: part.run(case), repr(case)))

    body()
    return found


def _write(path: Path, rows: list[list[Any]], order: list[str]) -> None:
    """Writes the rows of the parts that were run; those of other parts stay as they are."""
    known = {str(row[0]): row for row in rows}
    if path.exists():
        with path.open(newline="") as file:
            known = {row[0]: row for row in list(csv.reader(file))[1:]} | known
    with path.open("w", newline="") as file:
        table = [HEAD, *(known[name] for name in order if name in known)]
        csv.writer(file, lineterminator="\n").writerows(table)


def main() -> int:
    """Reads the command line, runs, prints and writes; 1 where there are faults."""
    from fuzzing.parts import PARTS

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", type=int, nargs="?", default=2000)
    parser.add_argument("--parts", nargs="*", default=list(PARTS), help="parts, by name")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--replay", nargs=2, metavar=("PART", "CASE"))
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (4 * MEMORY, resource.RLIM_INFINITY))
    if options.replay:
        from fuzzing.columns import Column
        from fuzzing.tables import Recipe

        part, text = options.replay
        PARTS[part].run(eval(text, {"Column": Column, "Recipe": Recipe, "nan": float("nan")}))
        return 0
    rows, bad = [], 0
    for name in options.parts:
        part = PARTS[name]
        count = max(1, round(options.cases * part.share / 100))
        found = tally(part, count, options.seed)
        cases = sum(found.counts.values())
        bad += found.counts["fault"]
        seeded = f' ARGS="--seed {options.seed}"' if options.seed else ""
        command = f"make fuzz FUZZ={options.cases}{seeded}"
        rows.append(
            [
                name,
                cases,
                found.counts["refused"],
                found.counts["accepted"],
                found.counts["fault"],
                f"{found.slowest:.1f}",
                command,
            ]
        )
        print(*rows[-1][:-1], sep=" | ", flush=True)
        for place, (times, text, case) in sorted(found.faults.items(), key=lambda f: -f[1][0]):
            print(f"  {times} x {place}\n      {text[:400]}\n      {case[:1500]}", flush=True)
        if options.csv:
            options.csv.parent.mkdir(parents=True, exist_ok=True)
            _write(options.csv, rows, list(PARTS))
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
