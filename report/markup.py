"""Text and tables as HTML; everything that came from a user is escaped."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from ..console import FORMATS, as_text

ROWS = 60
"""Rows of a table that the page shows; the rest is counted."""


def text(value: object) -> str:
    """Returns a text that is safe between tags and within attributes.

    Example:
        >>> text('<script>"')
        '&lt;script&gt;&quot;'
    """
    return html.escape(str(value), quote=True)


def prose(sentence: object) -> str:
    """Returns a sentence of ours as HTML: what stands between backticks is set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text(sentence))


def paragraphs(sentences: Iterable[str], tag: str = "p") -> str:
    """Returns sentences as paragraphs, or as other elements."""
    return "".join(f"<{tag}>{prose(sentence)}</{tag}>" for sentence in sentences)


def bullets(sentences: Iterable[str]) -> str:
    """Returns sentences as a list."""
    return f"<ul>{paragraphs(sentences, 'li')}</ul>"


def table(frame: pd.DataFrame, caption: str, index: str | None = None) -> str:
    """Returns a data frame as a table that scrolls inside its own box.

    Args:
        frame: the table.
        caption: what it shows, for readers and screen readers.
        index: heading of the index, which then is the first column; None leaves it out.
    """
    heads = [str(name) for name in frame.columns]
    shown = frame.head(ROWS)
    numeric = [pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes]
    lines = []
    for label, *values in shown.itertuples(name=None):
        first = f'<th scope="row">{text(label)}</th>' if index is not None else ""
        cells = "".join(
            f'<td class="n">{text(as_text(value, FORMATS.get(head)))}</td>'
            if number
            else f"<td>{text(as_text(value, None))}</td>"
            for value, head, number in zip(values, heads, numeric, strict=True)
        )
        lines.append(f"<tr>{first}{cells}</tr>")
    top = f'<th scope="col">{text(index)}</th>' * (index is not None)
    top += "".join(
        f'<th scope="col"{" class=n" * number}>{text(head.replace("_", " "))}</th>'
        for head, number in zip(heads, numeric, strict=True)
    )
    left = len(frame) - len(shown)
    note = f"<p class=note>The first {ROWS} of {len(frame):,} rows.</p>" if left > 0 else ""
    return (
        f'<p class="caption">{prose(caption)}</p><div class="box" tabindex="0" role="region" '
        f'aria-label="{text(caption)}"><table aria-label="{text(caption)}"><thead><tr>{top}</tr>'
        f"</thead><tbody>{''.join(lines)}</tbody></table></div>{note}"
    )


def definitions(pairs: Mapping[str, object]) -> str:
    """Returns names and values as a list of definitions."""
    items = "".join(
        f"<dt>{text(name)}</dt><dd>{prose(value)}</dd>" for name, value in pairs.items()
    )
    return f"<dl>{items}</dl>"


def json_text(value: Any) -> str:
    """Returns JSON that no HTML parser takes for a tag, a comment or an entity."""
    out = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return out.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
