"""The verb: a fit as one HTML page that needs no network."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..console import check_target
from ..errors import FileError, OptionError, listing, shown
from ..file_name import as_path
from ..inference.fit import Fit
from ..inference.options import number
from . import sections
from .figures import Figure, html, plan
from .page import assemble
from .sections import Section, attempt


def write_report(
    fit: Fit,
    path: Any,
    *,
    question: str | None = None,
    compare: Mapping[str, Fit] | None = None,
    by: str | None = None,
    prob: float = 0.95,
) -> Path:
    """Writes a fit as one self-contained HTML page, which opens without a network.

    It says what was asked and found: verdict, data, formula, equations, priors, estimates, effects on
    the scale of the response, charts, a comparison with other fits, and how the fit was made. A chart
    or table that does not apply is left out; of one that fails the page says why.

    Args:
        fit: the fit, by any method, also one that `bz.load` restored.
        path: the file; an existing one is replaced, whole or not at all.
        question: the page's title, such as "Does light change the power?"; None for the formula.
        compare: other fits of the same rows by name, with which this one is compared.
        by: how to compare, as in `bz.compare`.
        prob: probability of intervals.

    Returns:
        The path. The page takes about 1 MB, most of it the scripts of its charts.

    Raises:
        FileError: the folder is missing, or the file cannot be written.
        OptionError: prob is not between 0 and 1, or compare= holds something that is no fit.

    Example:
        >>> fit.report("fit.html", question="Does light change the power?")  # doctest: +SKIP
    """
    number("prob", prob, 0.0, 1.0)
    if question is not None and not isinstance(question, str):
        raise OptionError(f"question= takes a text, not {shown(question)}.")
    others = _others(compare)
    target = as_path(path)
    check_target(target)
    _write(target, render(fit, question, others, by, prob))
    return target


def render(
    fit: Fit, question: str | None, others: Mapping[str, Fit], by: str | None, prob: float
) -> str:
    """Returns the page as text."""
    schema = fit.model.spec.schema
    parts = [
        _safely("verdict", "Verdict", lambda: sections.verdict(fit)),
        _safely("data", "Data", lambda: sections.data(fit)),
        _safely("model", "Model", lambda: sections.model(fit)),
        _safely("estimates", "Estimates", lambda: sections.estimates(fit, prob)),
        _safely("effects", "Effects", lambda: sections.effects(fit, prob)),
    ]
    figures = plan(fit, prob)
    body, specs = html(figures)
    parts.append(Section("charts", "Charts", body))
    if others:
        parts.append(_comparison(fit, others, by, specs))
    parts.append(_safely("making", "How it was made", lambda: sections.making(fit)))
    title = question or schema.formula.text
    family = fit.model.spec.family.name
    lede = f"{schema.response}: {family} model, fitted by {fit.method} to {schema.rows}."
    return assemble(title, lede, [part for part in parts if part is not None], specs)


def _safely(key: str, heading: str, make: Any) -> Section | None:
    """Makes a section, or one that says why it could not be made."""
    made: list[Section | None] = []

    def body() -> str:
        made.append(make())
        return ""

    lack = attempt(f"The section {heading}", body)
    return Section(key, heading, lack) if lack else made[0]


def _comparison(fit: Fit, others: Mapping[str, Fit], by: str | None, specs: list[str]) -> Section:
    frames: list[Any] = []

    def body() -> str:
        words, frame = sections.comparison(fit, others, by)
        frames.append(frame)
        return words

    out = attempt("The comparison", body)
    if frames and "rank" in frames[0]:
        from ..plots.charts import CHARTS

        def draw() -> Any:
            return CHARTS["compare"].draw(frames[0])

        drawn, found = html(
            iter([Figure("compare", "Which model predicts best?", draw)]), len(specs)
        )
        specs += found
        out += drawn
    return Section("comparison", "Comparison", out)


def _others(compare: Any) -> Mapping[str, Fit]:
    if compare is None:
        return {}
    good = isinstance(compare, Mapping) and all(isinstance(f, Fit) for f in compare.values())
    if not good or "this fit" in compare:
        found = type(compare).__name__
        if isinstance(compare, Mapping):
            found = "a mapping with " + listing(
                f"{k!r}: {type(f).__name__}" for k, f in compare.items()
            )
        raise OptionError(
            f'compare= takes other fits by name, {{"simple": fit}}, not {found}; "this fit" is the '
            "name of the reported one."
        )
    return compare


def _write(target: Path, page: str) -> None:
    """Writes a text in one step, so that no half page is ever seen."""
    temporary = ""
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            dir=target.parent,
            prefix=f".{target.name}.",
            suffix=".part",
            delete=False,
            encoding="utf-8",
        ) as file:
            temporary = file.name
            file.write(page)
        os.chmod(temporary, 0o666 & ~_mask())
        os.replace(temporary, target)
    except OSError as error:
        raise FileError(f"cannot write `{target}`: {error}.") from None
    finally:
        with contextlib.suppress(OSError):
            if temporary and os.path.exists(temporary):
                os.unlink(temporary)


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
