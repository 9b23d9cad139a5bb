"""HTML and SVG as trees of elements; writing them escapes all text, in the standard library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias
from xml.etree.ElementTree import Element, tostring

from nnlogic.core.inert import visible

SVG = "http://www.w3.org/2000/svg"
Content: TypeAlias = "Element | str | int | Sequence[Content]"
"""What an element may hold: elements, text, or several of them."""


def el(tag: str, *children: Content, **attributes: object) -> Element:
    """Return an element; it takes over its children, which stand in no other.

    Attribute names lose a trailing underscore and turn other underscores to hyphens
    (``class_``, ``text_anchor``); an attribute that is None is left out. Of a float, two digits
    behind the point are kept.
    """
    out = Element(tag)
    for name, value in attributes.items():
        if value is not None:
            out.set(name.rstrip("_").replace("_", "-"), visible(_number(value)))
    last: Element | None = None
    for child in _flat(children):
        if isinstance(child, Element):
            out.append(child)
            last = child
        elif last is None:
            out.text = (out.text or "") + child
        else:
            last.tail = (last.tail or "") + child
    return out


def html(*elements: Element) -> str:
    """Return elements as HTML, one after another."""
    return "".join(tostring(element, "unicode", method="html") for element in elements)


def svg_file(svg: Element) -> str:
    """Return an ``svg`` element as the text of a file."""
    whole = Element(svg.tag, {"xmlns": SVG} | svg.attrib)
    whole.text, whole[:] = svg.text, svg[:]
    return tostring(whole, "unicode") + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[Content]], caption: str) -> Element:
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
    inner = el(
        "table",
        el("caption", el("span", caption)),
        el("thead", el("tr", *head)),
        el("tbody", *body),
    )
    return el("div", inner, class_="scroll", tabindex=0, role="region", aria_label=caption)


def facts(items: Iterable[tuple[str, Content]]) -> Element:
    """Return a list of labelled values."""
    return el("dl", *((el("dt", label), el("dd", value)) for label, value in items))


def _flat(children: Sequence[Content]) -> Iterable[Element | str]:
    for child in children:
        if isinstance(child, Element):
            yield child
        elif isinstance(child, list | tuple):
            yield from _flat(child)
        else:
            yield visible(child)


def _number(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
