"""Which charts a report draws, and what it says where one cannot be drawn."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BayeszooError
from ..inference.effects.columns import columns_of
from ..plots.charts import CHARTS
from .markup import json_text, prose, text
from .sections import predictors, weights

if TYPE_CHECKING:
    from ..inference.fit import Fit

DIGITS = 6


@dataclass(frozen=True)
class Figure:
    """A chart of a report.

    Attributes:
        chart: the name of the chart in `bz.plot`.
        heading: what it shows.
        draw: makes the chart.
    """

    chart: str
    heading: str
    draw: Callable[[], Any]


def plan(fit: Fit, prob: float) -> Iterator[Figure]:
    """Yields the charts that say something about a fit, in the order of a reader's questions."""
    model, backend = fit.model, fit.backend
    schema = model.spec.schema
    groups = [group for predictor in schema.predictors for group in predictor.groups]
    columns = columns_of(model)
    factors, numbers = predictors(fit)
    plain = bool(factors or numbers) and not columns.temporal

    def figure(chart: str, heading: str, **options: Any) -> Figure:
        return Figure(chart, heading, lambda: CHARTS[chart].draw(fit, **options))

    if columns.temporal or model.design.time is not None:
        yield figure("rates", "Fitted and observed over time", prob=prob)
    if columns.temporal:
        yield figure("kernels", "How the past acts", prob=prob)
    if model.spec.mask is not None:
        yield figure("masks", "Who uses what")
    if plain:
        yield figure("means", "Fitted means over the data", prob=prob)
    elif not columns.temporal:
        yield figure("data", "The data")
    if plain and any(group.size > 1 for group in groups):
        yield figure("slopes", "Effects in each group", prob=prob)
    names = list(fit.summary(prob).index)
    filtered = weights(fit, names)
    told = [name for name in names if name not in filtered]
    if told:
        chosen: dict[str, Any] = {"names": told} if filtered else {}
        yield figure("forest", "Estimates", prob=prob, **chosen)
        if not backend.point:
            yield figure("posterior", "What the parameters may be", prob=prob, **chosen)
    if groups and not columns.temporal:
        yield figure("intercepts", "Groups", prob=prob)
    if not columns.temporal:
        yield figure("predictive", "Would the model produce such data?")
    if backend.sampled or fit.draws.trace is not None:
        yield figure("trace", "Course of the sampler")


def html(figures: Iterator[Figure], first: int = 0) -> tuple[str, list[str]]:
    """Draws figures as HTML that the page's script turns into charts.

    Args:
        figures: what to draw.
        first: the number of the first chart on the page.

    Returns:
        The HTML, and the specifications of the charts as texts, in the same order.
    """
    parts, specs = [], []
    for figure in figures:
        try:
            spec = specification(figure.draw())
        except Exception as error:  # one chart must not sink the page
            kind = "" if isinstance(error, BayeszooError) else f"{type(error).__name__}: "
            reason = " ".join(f"{kind}{error}".split())
            lack = prose(f"The chart `{figure.chart}` could not be drawn: {reason}")
            parts.append(
                f'<div class="figure"><h3>{text(figure.heading)}</h3><p class="lack">{lack}</p></div>'
            )
            continue
        heading, lines = _take_title(spec)
        below = "".join(f"<span>{text(line)}</span>" for line in lines)
        strong = f"<strong>{text(heading)}{'' if heading[-1:] in '?!.' else '.'}</strong>" * bool(
            heading
        )
        spec["description"] = ". ".join((figure.heading, heading, *lines))
        place = first + len(specs)
        parts.append(
            f'<figure class="figure" aria-labelledby="chart-{place}-title">'
            f'<h3 id="chart-{place}-title">{text(figure.heading)}</h3>'
            f'<div class="chart" data-chart="{place}" tabindex="0"></div>'
            f"<figcaption>{strong}{below}</figcaption>"
            "</figure>"
        )
        specs.append(json_text(spec))
    return "".join(parts), specs


def specification(chart: Any) -> dict[str, Any]:
    """Returns a chart as Vega-Lite's JSON, with numbers of six digits and no address of a schema."""
    import altair as alt

    with warnings.catch_warnings(), alt.data_transformers.enable("default", max_rows=None):
        warnings.simplefilter("ignore")
        spec = chart.to_dict()
    spec.pop("$schema", None)
    return _rounded(spec)


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(entry) for entry in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def _take_title(spec: dict[str, Any]) -> tuple[str, list[str]]:
    """Takes the title off a chart: as text of the page it wraps at any width."""
    title = spec.pop("title", None)
    if isinstance(title, Mapping):
        lines = title.get("subtitle", [])
        return _joined(title.get("text", "")), [lines] if isinstance(lines, str) else list(lines)
    return _joined(title or ""), []


def _joined(value: Any) -> str:
    return textwrap.shorten(value if isinstance(value, str) else " ".join(value), 300)
