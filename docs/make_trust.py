"""Writes docs/trust.md from docs/trust: a page with gaps, and the tables that fill them.

Nothing is computed here but counts, so that the page says what the runs found and nothing else.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

DOCS = Path(__file__).parent
Row = dict[str, str]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns a table in Markdown; bars and line ends do not end its cells."""
    lines = [list(head), ["---"] * len(head), *rows]
    cells = [[" ".join(str(cell).split()).replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def unique(rows: list[Row], column: str) -> list[str]:
    """Returns the values of a column, each once."""
    return list(dict.fromkeys(row[column] for row in rows))


def whole(rows: list[Row]) -> str:
    """Returns a table as it is, but for the commands of single rows."""
    head = [name for name in rows[0] if name != "command"]
    return table(head, ([row[name] for name in head] for row in rows))


def calibration(rows: list[Row]) -> str:
    """Returns one line for each method and family, one column for each structure of groups."""
    cells = {(r["method"], r["family"], r["structure"]): r for r in rows}
    structures = unique(rows, "structure")
    body = []
    for method in unique(rows, "method"):
        for family in unique(rows, "family"):
            line = [cells.get((method, family, structure)) for structure in structures]
            if any(line):
                body.append([method, family, *map(ranks, line)])
    return table(["method", "family", *(f"`{name}`" for name in structures)], body)


def ranks(row: Row | None) -> str:
    """Returns the result of one case of calibration."""
    if row is None:
        return ""
    result = f"{row['p']} ({row['data sets']})"
    return result if row["verdict"] == "inside" else f"**{result} {row['worst quantity']}**"


def edges(rows: list[Row]) -> str:
    """Returns one line for each edge: what the methods did, and the first finding or refusal."""
    body = []
    for edge in unique(rows, "edge"):
        mine = [row for row in rows if row["edge"] == edge]
        counted = Counter(row["outcome"] for row in mine)
        said = next((row["detail"] for row in mine if row["outcome"] != "exact"), mine[0]["detail"])
        outcomes = ", ".join(f"{count} {name}" for name, count in counted.items())
        body.append([edge, ", ".join(unique(mine, "method")), outcomes, said])
    return table(["edge", "methods", "outcomes", "for example"], body)


def references(rows: list[Row]) -> str:
    """Returns one line for each reference, method and measure: how many cases, and the worst."""
    kinds: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        names = ("reference", "method", "measure", "threshold")
        kinds.setdefault(tuple(row[name] for name in names), []).append(row)
    body = []
    for (reference, method, measure, threshold), mine in kinds.items():
        worst = max(mine, key=lambda row: float(row["largest"]))
        numbers = sum(int(row["quantities"]) for row in mine)
        counted = [len(mine), numbers, measure, worst["largest"], threshold, worst["what"]]
        body.append([reference, method, *counted])
    head = ["reference", "method", "cases", "numbers", "measure", "largest", "threshold", "in"]
    versions = "; ".join(unique(rows, "versions"))
    return f"{table(head, body)}\n\nVersions: {versions}. Every case: `docs/trust/references.csv`."


WRITERS = {"calibration": calibration, "edges": edges, "references": references}


def fill(gap: re.Match[str]) -> str:
    """Returns the table that fills a gap of the page, or says that its run has not been made."""
    path = DOCS / "trust" / f"{gap[1]}.csv"
    if not path.exists():
        return "Not run yet."
    with path.open(newline="", encoding="utf-8") as file:
        return WRITERS.get(gap[1], whole)(list(csv.DictReader(file)))


if __name__ == "__main__":
    page = (DOCS / "trust" / "page.md").read_text("utf-8")
    filled = re.sub(r"^\{(\w+)\}$", fill, page, flags=re.MULTILINE)
    (DOCS / "trust.md").write_text(filled, "utf-8")
