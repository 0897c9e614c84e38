"""What a report says in words and tables: verdict, data, model, estimates, how it was made."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import BayeszooError, listing
from ..formula.quoting import names_in
from ..formula.terms import Factor
from ..inference.effects.columns import columns_of
from ..zoo.printing import equation
from .markup import bullets, definitions, paragraphs, prose, table, text

if TYPE_CHECKING:
    from ..formula import Table
    from ..inference.fit import Fit


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        key: its anchor.
        heading: its heading.
        body: its HTML.
    """

    key: str
    heading: str
    body: str


def attempt(what: str, make: Callable[[], str]) -> str:
    """Returns what a function makes; where it fails, a sentence that says what is lacking and why."""
    try:
        return make()
    except BayeszooError as error:
        reason = str(error)
    except Exception as error:  # a report is worth having without one of its parts
        reason = f"{type(error).__name__}: {error}"
    return f'<p class="lack">{text(what)} is not shown: {prose(reason)}</p>'


def verdict(fit: Fit) -> Section:
    """Says whether the fit can be trusted."""
    findings = fit.diagnose()
    if findings:
        count = "one finding" if len(findings) == 1 else f"{len(findings)} findings"
        listed = bullets(findings)
        body = f'<div class="verdict warn"><p><strong>Mind {count}:</strong></p>{listed}</div>'
    else:
        body = '<div class="verdict good"><p><strong>All is well:</strong> no finding.</p></div>'
    return Section("verdict", "Verdict", body)


def data(fit: Fit) -> Section:
    """Says which rows and columns were used, and which were not, and why."""
    schema = fit.model.spec.schema
    rows = schema.rows
    facts: dict[str, object] = {"Rows": f"{rows}."}
    facts["Response"] = f"`{schema.response}`"
    if schema.neurons is not None:
        labels = listing(schema.neurons.labels, 12)
        facts[schema.neurons.dim] = f"{len(schema.neurons.labels)}: {labels}"
    frame = pd.DataFrame(
        [_column(fit.model.table, fit.model.design.rows, name) for name in schema.columns],
        columns=["column", "kind", "values"],
    ).set_index("column")
    kept = "The columns that the formula reads, at the rows used."
    return Section("data", "Data", definitions(facts) + table(frame, kept, "column"))


def _column(view: Table, rows: np.ndarray, name: str) -> tuple[str, str, str]:
    stream = view.stream(name)
    if stream is not None:
        return name, "numbers", f"{stream.shape[1]} series"
    if view.is_categorical(name):
        coded = view.categorical(name)
        used = np.unique(np.asarray(coded.codes)[rows])
        labels = [coded.levels[code] for code in used if code >= 0]
        return name, "factor", f"{len(labels)} levels: {listing(labels, 12)}"
    try:
        values = view.numeric(name)[rows]
    except BayeszooError:
        return name, "other", ""
    known = values[np.isfinite(values)]
    if not known.size:
        return name, "numbers", "none known"
    spread = f"{known.min():.4g} to {known.max():.4g}, mean {known.mean():.4g}"
    return name, "numbers", spread


def model(fit: Fit) -> Section:
    """Writes the formula, the equations and the priors."""
    spec = fit.model.spec
    links = ", ".join(f"{name}: {link}" for name, link in spec.links)
    facts = {"Family": f"{spec.family.name} (link {links})", "Method": _method(fit)}
    lines = "\n".join(text(line) for line in equation(spec).splitlines())
    body = f"<pre><code>{text(spec.schema.formula.text)}</code></pre>" + definitions(facts)
    body += f'<h3>Equations</h3><pre class="equation">{lines}</pre><h3>Priors</h3>'
    if fit.backend.frequentist:
        return Section("model", "Model", body + paragraphs(["This method uses no priors."]))
    frame = fit.model.prior_table()
    shown = frame.assign(default=np.where(frame["default"], "default", "given"))
    shown = shown.rename(columns={"default": "source"})
    caption = "The prior of every parameter; default ones scale with the data."
    return Section("model", "Model", body + table(shown, caption, "parameter"))


def _method(fit: Fit) -> str:
    return f"{fit.method}: {fit.backend.story or 'no description.'}"


def estimates(fit: Fit, prob: float) -> Section:
    """Lists the parameters, with a word on what the columns mean."""
    frame = fit.summary(prob=prob)
    percent = f"{100 * prob:g} %"
    if fit.backend.point:
        words = "This method gives one estimate without a spread, so there are no intervals."
    elif fit.backend.frequentist:
        words = (
            f"`mean` is the estimate, `se` its standard error; `lower` to `upper` is the {percent} "
            "confidence interval; `p value` tests that the parameter is 0."
        )
    else:
        words = (
            f"`lower` to `upper` holds the parameter with probability {percent}; `p positive` is the "
            "probability that it is above 0."
        )
    if fit.backend.sampled:
        words += " `ess` counts effectively independent draws; with an `r hat` near 1 chains agree."
    scale = dict(fit.model.spec.links)["mu"]
    if scale != "identity":
        words += f" Coefficients are on the scale of the {scale} link."
    caption = "Estimates of all parameters but group effects."
    filtered = weights(fit, list(frame.index))
    if filtered:
        words += (
            f" The {len(filtered)} weights of basis functions are left out here; the charts show the "
            "filters that they make."
        )
    shown = frame.drop(index=filtered).dropna(axis="columns", how="all")
    return Section(
        "estimates", "Estimates", paragraphs([words]) + table(shown, caption, "parameter")
    )


def weights(fit: Fit, names: list[str]) -> list[str]:
    """Returns those of the printed names that are weights of basis functions of temporal terms."""
    if not columns_of(fit.model).temporal:
        return []
    try:
        terms = fit.kernels()["term"].unique()
    except BayeszooError:  # such as lag(x, 1), which has no basis
        return []
    return [name for name in names if any(name.startswith(f"{term}[") for term in terms)]


def effects(fit: Fit, prob: float) -> Section | None:
    """Lists contrasts of factors and slopes of numbers on the scale of the response."""
    factors, numbers = predictors(fit)
    parts = []
    for name in factors[:4]:
        caption = f"Differences of the mean response between levels of `{name}`."
        parts.append(
            attempt(
                f"The table of contrasts of {name}",
                lambda name=name, caption=caption: table(fit.contrasts(name, prob=prob), caption),
            )
        )
    if factors and dict(fit.model.spec.links)["mu"] == "log":
        name = factors[0]
        parts.append(
            attempt(
                f"The table of ratios of {name}",
                lambda: table(
                    fit.contrasts(name, prob=prob, scale="ratio"),
                    f"Ratios of the mean response between levels of `{name}`; 1 is no effect.",
                ),
            )
        )
    for name in numbers[:4]:
        caption = f"Change of the mean response per unit of `{name}`."
        parts.append(
            attempt(
                f"The slope of {name}",
                lambda name=name, caption=caption: table(fit.slopes(name, prob=prob), caption),
            )
        )
    if not parts:
        return None
    words = "On the scale of the response, other predictors at their means or averaged over levels."
    return Section("effects", "Effects", paragraphs([words]) + "".join(parts))


def predictors(fit: Fit) -> tuple[list[str], list[str]]:
    """Returns the columns of the mean's common terms that no filter reads: factors, and numbers."""
    written = fit.model.spec.schema.formula.predictors[0]
    factors = [factor for term in written.common for factor in term.factors]
    named = {name for factor in factors for name in _names(factor)}
    plain = [
        column
        for column in columns_of(fit.model).known.values()
        if column.name in named and not column.temporal and not column.wide
    ]
    return [c.name for c in plain if c.factor], [c.name for c in plain if not c.factor]


def _names(factor: Factor) -> list[str]:
    return [factor.expression] if factor.lookup else names_in(factor.expression)


def making(fit: Fit) -> Section:
    """Says how the fit was made: settings, seed, versions, time."""
    info = fit.info
    seconds = info.get("timings", {}).get("fit")
    facts: dict[str, Any] = {"Method": fit.method, "Seed": info.get("seed", 0)}
    facts |= {name: _setting(value) for name, value in info.get("settings", {}).items()}
    if seconds is not None:
        facts["Time of the fit"] = f"{seconds:.2f} s"
    facts["Fitted"] = info.get("created_at", "unknown")
    facts |= {k.removesuffix("_version"): v for k, v in info.get("versions", {}).items()}
    facts["Report written"] = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return Section("making", "How it was made", definitions(facts))


def _setting(value: object) -> str:
    if value is None:
        return "chosen by the method"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def comparison(fit: Fit, others: Mapping[str, Fit], by: str | None) -> tuple[str, pd.DataFrame]:
    """Returns the table of a comparison as HTML with its notes, and as a frame for the chart."""
    from ..inference.comparison.compare import compare

    frame = compare({"this fit": fit, **others}, by, progress=False)
    formulas = {name: f"`{other.model.spec.schema.formula.text}`" for name, other in others.items()}
    models = {"this fit": f"`{fit.model.spec.schema.formula.text}`", **formulas}
    out = definitions(models) + table(frame, "The best model first.", "model")
    return out + bullets(frame.attrs["notes"]) * bool(frame.attrs.get("notes")), frame
