"""HTML and SVG elements that escape everything that is not markup already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from nnlogic.core.inert import visible

VOID = frozenset({"rect", "line", "circle", "path", "br"})


class Markup(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


def markup(value: object) -> Markup:
    """Return `value` as HTML: markup as it is, anything else escaped."""
    return value if isinstance(value, Markup) else Markup(escape(visible(value), quote=True))


def el(tag: str, *children: object, **attributes: object) -> Markup:
    """Return an element.

    Attribute names lose a trailing underscore and turn other underscores to hyphens
    (``class_``, ``text_anchor``); an attribute that is None is left out.
    """
    shown = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{markup(_number(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in VOID and not children:
        return Markup(f"<{tag}{shown}/>")
    return Markup(f"<{tag}{shown}>{join(children)}</{tag}>")


def join(parts: Iterable[object]) -> Markup:
    """Concatenate parts, escaping those that are not markup."""
    return Markup("".join(markup(part) for part in parts))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], caption: str) -> Markup:
    """Return a table; a title that starts with ``>`` is a right-aligned column of numbers."""
    kinds = ["num" if title.startswith(">") else None for title in columns]
    head = [
        el("th", title.lstrip(">"), scope="col", class_=kind)
        for title, kind in zip(columns, kinds, strict=True)
    ]
    body = []
    for row in rows:
        cells = [
            el("td" if i else "th", cell, class_=kind, scope=None if i else "row")
            for i, (cell, kind) in enumerate(zip(row, kinds, strict=True))
        ]
        body.append(el("tr", *cells, class_="total" if row[0] == "total" else None))
    inner = el("table", el("caption", caption), el("thead", el("tr", *head)), el("tbody", *body))
    return el("div", inner, class_="scroll", tabindex=0, role="region", aria_label=caption)


def facts(items: Iterable[tuple[str, object]]) -> Markup:
    """Return a list of labelled values."""
    return el("dl", *(join((el("dt", label), el("dd", value))) for label, value in items))


def _number(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
