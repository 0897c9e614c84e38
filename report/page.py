"""The page around the sections: head, navigation, styles, and the scripts that draw the charts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from .._version import VERSION
from .markup import prose, text
from .sections import Section

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)
"""What a browser may load: nothing that is not in the page."""


def assemble(title: str, lede: str, sections: Sequence[Section], specs: Sequence[str]) -> str:
    """Returns the page.

    Args:
        title: the question or the formula.
        lede: one sentence on the fit.
        sections: the parts, in order.
        specs: the charts as JSON that is safe within a script.
    """
    links = "".join(f'<li><a href="#{s.key}">{text(s.heading)}</a></li>' for s in sections)
    body = "".join(
        f'<section id="{s.key}" aria-labelledby="{s.key}-heading">'
        f'<h2 id="{s.key}-heading">{text(s.heading)}</h2>{s.body}</section>'
        for s in sections
    )
    scripts = ""
    if specs:
        scripts = (
            f'<script type="application/json" id="charts-json">[{",".join(specs)}]</script>'
            f'<script type="module">{_bundle()}</script>'
            f'<script type="module">{_resource("page.js")}</script>'
        )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="generator" content="bayeszoo {VERSION}">\n'
        f"<title>{text(' '.join(title.split()))}</title>\n<style>{_resource('page.css')}</style>\n"
        "</head>\n<body>\n"
        f'<header><p class="kicker">Report of a fit</p><h1>{text(title)}</h1>'
        f'<p class="lede">{prose(lede)}</p></header>\n'
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n'
        f"<main>{body}"
        "<noscript><p class=lack>The charts need JavaScript; the tables do not.</p></noscript>"
        f"</main>\n<footer><p>Made by bayeszoo {VERSION}. The page needs no network.</p></footer>\n"
        f"{scripts}\n</body>\n</html>\n"
    )


@cache
def _bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    import vl_convert

    script = vl_convert.javascript_bundle()  # pyright: ignore[reportCallIssue]
    return script.replace("https://vega.github.io/editor/", "").replace("</script", "<\\/script")


@cache
def _resource(name: str) -> str:
    return files(__name__.rpartition(".")[0]).joinpath(name).read_text("utf-8")
