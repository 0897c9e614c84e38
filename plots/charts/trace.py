"""Trace: the chains of each parameter and their ranks, or the course of an optimisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import OptionError
from ...inference.fit import Fit
from ...inference.summary import draws_by_name
from ..accept import describe, one_fit
from ..chart import Chart
from ..parameters import choose
from ..theme import ACCENT, GREY, INK, SECOND, colours
from ..theme import title as heading

if TYPE_CHECKING:
    import altair as alt

PARAMETERS, POINTS, BINS = 8, 400, 20
"""Parameters drawn unless asked for, points of one line, and bins of ranks."""
HEIGHT, WIDE, NARROW = 90, 420, 200


def trace_data(fit: Fit, names: Sequence[str] | str | None = None) -> pd.DataFrame:
    """Returns the draws of Markov chains, or the evidence lower bound of each step of SVI.

    Args:
        fit: a fit by a method that samples or takes stochastic steps.
        names: printed names of the parameters; None for all but group effects.

    Returns:
        Of chains: columns `parameter chain draw value rank diverging`, with the rank among all draws
        of the parameter, from 0 to 1. Of SVI: columns `step` and `elbo`.

    Raises:
        OptionError: the method has neither chains nor a trace, or there is no such parameter.

    Example:
        >>> bz.plot.trace_data(fit, "stim")  # doctest: +SKIP
    """
    fit = one_fit(fit, "trace")
    if not fit.backend.sampled:
        if fit.draws.trace is None:
            raise OptionError(
                f'plot.trace() draws Markov chains ("nuts") or the ELBO of "svi", but method '
                f'"{fit.method}"{_why(fit)}. Use fit.diagnose() to see whether it went well.'
            )
        values = np.asarray(fit.draws.trace, dtype=float)
        return pd.DataFrame({"step": np.arange(1, len(values) + 1), "elbo": values})
    spec, natural = fit.model.spec, fit.draws.natural
    drawn = draws_by_name(spec, natural, groups=names is not None)
    diverging = np.asarray(fit.draws.stats["diverging"], dtype=bool)
    frames = []
    for name in choose(names, list(drawn)):
        values = drawn[name]
        chain, draw = np.indices(values.shape)
        ranks = pd.Series(values.ravel()).rank() / values.size
        frames.append(
            pd.DataFrame(
                {
                    "parameter": name,
                    "chain": chain.ravel(),
                    "draw": draw.ravel(),
                    "value": values.ravel(),
                    "rank": ranks,
                    "diverging": diverging.ravel(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _why(fit: Fit) -> str:
    if fit.backend.point or fit.backend.frequentist:
        return " gives estimates without chains"
    return " left no trace (fits saved by earlier versions hold none)"


def trace(
    fit: Fit, names: Sequence[str] | str | None = None, title: str | None = None
) -> alt.VConcatChart | alt.LayerChart:
    """Draws chains and their ranks: do the chains agree, and did they move freely?

    Args:
        fit: a fit by a method that samples or takes stochastic steps.
        names: printed names of the parameters; None for the first 8 in the order of the model.
        title: by default "Chains" or "Course of the optimisation".

    Returns:
        For each parameter its chains, with divergent transitions marked below them, and the number of
        draws of each chain among the lowest, ..., highest ranks: equal heights mean agreement. Of SVI
        the ELBO of each step, and its running median.

    Raises:
        OptionError: as `trace_data`.

    Example:
        >>> bz.plot.trace(fit)  # doctest: +SKIP
    """
    import altair as alt

    fit = one_fit(fit, "trace")
    frame: Any = trace_data(fit, names)
    if "elbo" in frame:
        return _elbo(frame, title or "Course of the optimisation", describe(fit))
    wanted = frame["parameter"].unique().tolist()
    notes = []
    if names is None and len(wanted) > PARAMETERS:
        notes.append(f"first {PARAMETERS} of {len(wanted)} parameters; choose others with names=")
        wanted = wanted[:PARAMETERS]
    draws = int(frame["draw"].max()) + 1
    step = -(-draws // POINTS)
    if step > 1:
        notes.append(f"1 of {step} draws drawn")
    count = int(frame.loc[frame["parameter"] == wanted[0], "diverging"].sum())
    notes.append(f"{count:,} divergent transitions (orange ticks)" if count else "no divergences")
    chains = frame["chain"].unique().tolist()
    scale = colours([f"{chain + 1}" for chain in chains])
    rows = []
    for position, name in enumerate(wanted):
        part = frame[frame["parameter"] == name]
        last = position == len(wanted) - 1
        rows.append(_chains(part, name, step, scale, last) | _ranks(part, scale, last))
    text = heading(title or "Chains and their ranks", describe(fit), "; ".join(notes))
    return alt.vconcat(*rows, spacing=8, title=text)


def _chains(part: pd.DataFrame, name: str, step: int, scale: Any, last: bool) -> Any:
    import altair as alt

    thinned = part[part["draw"] % step == 0].assign(chain=lambda t: (t["chain"] + 1).astype(str))
    x = alt.X(
        field="draw",
        type="quantitative",
        title="Draw" if last else None,
        scale=alt.Scale(nice=False),
        axis=alt.Axis(grid=False, labels=last),
    )
    y = alt.Y(
        field="value",
        type="quantitative",
        title=None,
        scale=alt.Scale(zero=False),
        axis=alt.Axis(tickCount=4, grid=False, minExtent=36),
    )
    colour = alt.Color(field="chain", type="nominal", title="chain", scale=scale)
    data = thinned[["chain", "draw", "value"]]
    tip = [alt.Tooltip(field=f, type="quantitative", format=".4~g") for f in ("draw", "value")]
    lines = alt.Chart(data).mark_line(strokeWidth=0.7, opacity=0.75)
    layers = [lines.encode(x, y, colour, tooltip=tip)]
    bad = part.loc[part["diverging"], ["draw"]].head(500)
    if len(bad):
        ticks = alt.Chart(bad).mark_tick(color=SECOND, thickness=1.5, size=8)
        layers.append(ticks.encode(x, y=alt.YValue(HEIGHT - 4)))
    above = alt.TitleParams(name, anchor="start", fontSize=11, offset=4)
    return alt.layer(*layers).properties(width=WIDE, height=HEIGHT, title=above)


def _ranks(part: pd.DataFrame, scale: Any, last: bool) -> Any:
    import altair as alt

    edges = np.linspace(0, 1, BINS + 1)
    frames = []
    for chain, group in part.groupby("chain"):
        counts, _ = np.histogram(group["rank"], edges)
        left = {"rank": edges[:-1], "count": counts}
        frames.append(pd.DataFrame({**left, "chain": f"{chain + 1}"}))  # type: ignore[operator]
        frames.append(pd.DataFrame({"rank": [1.0], "count": counts[-1:], "chain": f"{chain + 1}"}))  # type: ignore[operator]
    data = pd.concat(frames, ignore_index=True)
    x = alt.X(
        field="rank",
        type="quantitative",
        title="Rank among all draws" if last else None,
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(grid=False, labels=last, tickCount=3),
    )
    y = alt.Y(
        field="count",
        type="quantitative",
        title="Draws",
        scale=alt.Scale(zero=True),
        axis=alt.Axis(tickCount=3, grid=False),
    )
    colour = alt.Color(field="chain", type="nominal", title="chain", scale=scale)
    tip = [alt.Tooltip(field=f, type="quantitative", format=".4~g") for f in ("rank", "count")]
    lines = alt.Chart(data).mark_line(interpolate="step-after", strokeWidth=1.2)
    expected = len(part) / part["chain"].nunique() / BINS
    level = alt.Chart().mark_rule(color=GREY, strokeDash=[4, 3]).encode(y=alt.YDatum(expected))
    return alt.layer(level, lines.encode(x, y, colour, tooltip=tip), data=data).properties(
        width=NARROW, height=HEIGHT
    )


def _elbo(frame: pd.DataFrame, text: str, about: str) -> Any:
    import altair as alt

    values = frame["elbo"].where(np.isfinite(frame["elbo"]))
    window = max(1, len(frame) // 50)
    frame = frame.assign(elbo=values, median=values.rolling(window, min_periods=1).median())
    step = -(-len(frame) // 1500)
    data = frame.iloc[::step]
    late = values.iloc[len(values) // 4 :]
    low, high = float(late.min()), float(late.max())
    margin = 0.1 * (high - low) or 1.0
    domain = alt.Scale(domain=[low - margin, high + margin], clamp=True, nice=False)
    x = alt.X(field="step", type="quantitative", title="Step", scale=alt.Scale(nice=False))
    y = alt.Y(field="elbo", type="quantitative", title="ELBO (higher is better)", scale=domain)
    middle = alt.Y(field="median", type="quantitative", scale=domain)
    tips = [alt.Tooltip(field=f, type="quantitative", format=",.6~g") for f in ("step", "elbo")]
    points = alt.Chart().mark_line(strokeWidth=0.6, color=ACCENT, opacity=0.5)
    line = alt.Chart().mark_line(strokeWidth=1.8, color=INK)
    note = "thin: each step; thick: running median; the first quarter may lie below the axis"
    return alt.layer(
        points.encode(x, y, tooltip=tips), line.encode(x, middle), data=data
    ).properties(title=heading(text, about, note), width=WIDE, height=240)


TRACE = Chart("trace", trace, trace_data, "Do the chains agree, and did they move freely?")
