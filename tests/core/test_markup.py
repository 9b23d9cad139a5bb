"""HTML and SVG as text: everything but elements is escaped."""

import xml.etree.ElementTree as ET

from nnlogic.core.markup import el, html, svg_file, table


def test_children_and_attributes_are_escaped():
    assert html(el("p", "<b>&", title='"')) == '<p title="&quot;">&lt;b&gt;&amp;</p>'
    nested = el("p", "a<", (el("b", "ok"), "b>", [el("i")]), 3, class_="a", id=None)
    assert html(nested) == '<p class="a">a&lt;<b>ok</b>b&gt;<i></i>3</p>'
    assert html(el("rect", x=1.0, width=2.504)) == '<rect x="1" width="2.5"></rect>'
    assert html(el("br"), el("p", "\x1b[31m")) == "<br><p>&lt;U+001B&gt;[31m</p>"


def test_a_file_has_the_namespace_and_a_page_does_not():
    svg = el("svg", el("title", "a & b"), el("circle", r=2), viewBox="0 0 4 4")
    assert "xmlns" not in html(svg)
    root = ET.fromstring(svg_file(svg))
    space = "{http://www.w3.org/2000/svg}"
    assert [root.tag, *(child.tag for child in root)] == [
        f"{space}svg", f"{space}title", f"{space}circle"
    ]  # fmt: skip
    assert root[0].text == "a & b"
    assert "xmlns" not in html(svg)


def test_columns_of_numbers_and_totals():
    text = html(table(("name", ">count"), [["<x>", 1], ["total", 2]], "Counts"))
    assert '<tr><th scope="row">&lt;x&gt;</th><td class="num">1</td></tr>' in text
    assert '<tr class="total"><th scope="row">total</th>' in text
    assert '<th scope="col" class="num">count</th>' in text
