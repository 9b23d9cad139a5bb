"""A report as one HTML file that loads nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from string import Template
from xml.etree.ElementTree import Element

from nnlogic.core.markup import Content, el, facts, html, table
from nnlogic.report import plots
from nnlogic.report.classes import CLASS_COLUMNS, class_cells
from nnlogic.report.hardware import PIN_COLUMNS, pin_cells
from nnlogic.report.model import Report
from nnlogic.report.quantities import (
    ERROR_COLUMNS,
    PREDICTION_COLUMNS,
    error_cells,
    prediction_cells,
)
from nnlogic.report.rows import Approximation, Check, Rung
from nnlogic.report.sections import Section
from nnlogic.report.words import (
    APPROXIMATE_COLUMNS,
    APPROXIMATE_LAYER_COLUMNS,
    NOT_RUN,
    SOURCE_WORDS,
    approximate_cells,
    approximate_layer_cells,
    budget_text,
    count,
    cycles,
    data_facts,
    funnel_cells,
    how_known,
    joined,
    latency_text,
    network_text,
    parts,
    quantity,
    resource_cells,
    throughput_text,
)

LISTED = 40
"""Ports that are shown at once; more are folded away."""


def render_html(report: Report) -> str:
    """Return the page. Names and texts of the report are escaped; scripts in them cannot run."""
    folder = files("nnlogic.report")
    script = folder.joinpath("script.html").read_text(encoding="utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = Template(folder.joinpath("page.html").read_text(encoding="utf-8"))
    what = report.approximation
    sections = (
        _section("Approximation", _approximation(what)) if what else None,
        *(_section(s.title, _added(s), f"section-{i}") for i, s in enumerate(report.sections)),
        _section("Network", _network(report)),
        # What is made of parts has tables in the reports of these.
        _section("From tables to LUTs", _funnel(report))
        if report.funnel or not report.sections
        else None,
        _section("Resources", _resources(report)),
        _section("Ports", _pins(report)) if report.pins else None,
        _section("Timing", _timing(report)),
        _section("Accuracy", _accuracy(report)),
        _section("Verification ladder", _ladder(report)),
        _section("Reproduce", _reproduce(report)),
        _section("Steps", _steps(report)),
        _section("Files", _artifacts(report)),
    )
    return page.substitute(
        title=html(el("title", f"{report.name}: nnlogic report")),
        style=folder.joinpath("style.css").read_text(encoding="utf-8"),
        digest=digest,
        script=script,
        header=html(_header(report)),
        tiles=html(_tiles(report)),
        sections=html(*(s for s in sections if s is not None)),
    )


def _section(title: str, body: Content, name: str = "") -> Element:
    name = name or title.lower().replace(" ", "-")
    return el("section", el("h2", title, id=name), body, aria_labelledby=name)


def _added(section: Section) -> Content:
    """Lay out what a backend says."""
    parts: list[Content] = [facts((item.label, item.text) for item in section.shown)]
    for plot in section.plots:
        parts += [el("h3", plot.title), plots.draw(plot)]
    for block in section.tables:
        parts += [el("h3", block.title)] if block.title else []
        parts.append(table(block.columns, block.rows, block.caption) if block.rows else _missing())
    return parts


def _missing() -> Element:
    return el("p", NOT_RUN, class_="missing")


def _header(report: Report) -> Element:
    state = "fail" if report.failed else report.status
    words = [f"{report.mode} mode", report.target or "no target", f"nnlogic {report.version}"]
    return el(
        "header",
        el("h1", report.name, " ", el("span", report.status, class_=f"pill {_word(state)}")),
        el("p", ", ".join(words)),
        *(el("p", warning, class_="missing") for warning in report.warnings),
        *(el("p", f"changed: {change}") for change in report.changes),
    )


def _word(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _goodness(report: Report) -> tuple[str, str, str]:
    """Return label, value and note of the tile that says how good the network is."""
    if report.network.quantities:
        off = [row for row in report.errors if row.rmse is not None]
        if not off:
            return "RMSE", NOT_RUN, ""
        last_of = f"{off[-1].quantity}: {off[-1].stage}, {count(off[-1].n)} rows"
        return "RMSE", f"{off[-1].rmse:.4g}", last_of
    measured = [row for row in report.accuracy if row.percent is not None]
    last = measured[-1] if measured else None
    note = f"{last.stage}, {count(last.n)} rows" if last else ""
    return "Accuracy", quantity(last.percent if last else None, "%", 2), note


def _tiles(report: Report) -> Element:
    total = report.resource("total")
    timing = report.timing
    passed = sum(rung.verdict == "pass" for rung in report.ladder)
    source = SOURCE_WORDS[total.source] if total else ""
    latency = "" if timing.latency_ns is None else quantity(timing.latency_ns, "ns")
    latency += ", estimate" if latency and timing.fmax_source == "estimate" else ""
    fmax = SOURCE_WORDS[timing.fmax_source] if timing.fmax_source else ""
    tiles = (
        ("LUTs", count(total.luts if total else None), source),
        ("Flip-flops", count(total.ffs if total else None), source),
        ("Latency", cycles(timing.latency_cycles), latency),
        ("Fmax", quantity(timing.fmax_mhz, "MHz"), fmax),
        _goodness(report),
        ("Verified", f"{passed} of {len(report.ladder)}", "rungs of the ladder passed"),
    )
    return el(
        "ul",
        *(
            el("li", el("span", label), el("strong", value), el("small", note))
            for label, value, note in tiles
        ),
        class_="tiles",
    )


def _approximation(what: Approximation) -> Content:
    rows = [[*approximate_cells(row), row.detail] for row in what.rows]
    layers = [approximate_layer_cells(row) for row in what.layers]
    words = "Approximate mode: the logic is not equal to the trained network."
    return (
        el("p", el("strong", words), " Everything after the tables is exact again."),
        facts([("budget", budget_text(what)), ("largest rarity", f"{what.rarity}")]),
        table((*APPROXIMATE_COLUMNS, "from"), rows, "Exact and approximate network"),
        table(APPROXIMATE_LAYER_COLUMNS, layers, "What became of each layer"),
    )


def _network(report: Report) -> Content:
    network = report.network
    if not network.layers:
        return _missing()
    rows = [
        [layer.name, layer.role, f"{layer.neurons:,}", count(layer.fan_in_bits)]
        for layer in network.layers
    ]
    return (
        facts([("size", network_text(network)), ("encoder", network.encoder or NOT_RUN)]),
        table(("layer", "role", ">neurons", ">widest fan-in, bits"), rows, "Layers"),
    )


def _funnel(report: Report) -> Content:
    if not report.funnel:
        return _missing()
    legend = [el("span", role, class_=f"key {role}") for role in ("encoder", "network", "output")]
    rows = [funnel_cells(row) for row in (*report.funnel_layers, report.funnel_total)]
    columns = ("layer", "role", ">tables", ">distinct", ">bound", ">LUTs", ">depth")
    known = any(row.luts is not None for row in report.funnel_layers)
    bars = (el("h3", "LUTs per layer"), el("p", *legend, class_="legend"), plots.layer_bars(report))
    return (
        plots.funnel(report),
        bars if known else "",
        table(columns, rows, "Tables, bound and minimized LUTs of each layer"),
    )


def _resources(report: Report) -> Content:
    if not report.resources:
        return _missing()
    used = {row.source for row in report.resources}
    words = [(name, text) for name, text in SOURCE_WORDS.items() if name in used]
    columns = ("part", "source", ">LUTs", ">FFs", ">wide muxes", "how")
    body = table(columns, [resource_cells(row) for row in report.resources], "Hardware by part")
    outside = el("p", report.network.encoder) if report.network.encoder else ""
    share = [("share of the device", report.share)] if report.share else []
    return outside, body, facts([*share, *words])


def _pins(report: Report) -> Content:
    rows = [pin_cells(row) for row in report.pins]
    stream = any(row.low is not None for row in report.pins)
    caption = "Ports of the core" + (", and their bits of tdata in the stream" if stream else "")
    body = table(PIN_COLUMNS, rows, caption)
    if len(rows) <= LISTED:
        return body
    return el("details", el("summary", f"{len(rows):,} ports"), body)


def _timing(report: Report) -> Content:
    timing = report.timing
    rows = [
        ("latency", latency_text(timing)),
        ("initiation interval", cycles(timing.initiation_interval)),
        ("throughput", throughput_text(timing)),
        ("pipeline segments", count(timing.segments)),
        (
            "Fmax",
            joined(
                quantity(timing.fmax_mhz, "MHz"), SOURCE_WORDS.get(timing.fmax_source or "", "")
            ),
        ),
        (
            "clock asked",
            "none" if timing.clock_mhz is None else quantity(timing.clock_mhz, "MHz"),
        ),
        ("definition", timing.definition),
    ]
    plot = (
        (el("h3", "LUT levels between registers"), plots.segments(report))
        if timing.levels_per_segment
        else ""
    )
    return plot, facts(rows)


def _quantities(report: Report) -> Content:
    decoded = [("decoded, exactly", text) for text in report.network.quantities]
    errors = [error_cells(row) for row in report.errors]
    out = [facts(decoded), table(ERROR_COLUMNS, errors, "Error of each stage, in units of rows")]
    if report.predictions:
        cells = [prediction_cells(row) for row in report.predictions]
        out.append(table(PREDICTION_COLUMNS, cells, "First rows; predictions.csv has all"))
    return (*out, facts(data_facts(report.data)))


def _accuracy(report: Report) -> Content:
    if report.network.quantities:
        return _quantities(report)
    if not report.accuracy:
        return _missing()
    rows = [
        [row.stage, quantity(row.percent, "%", 2), count(row.n), row.detail]
        for row in report.accuracy
    ]
    columns = ("stage", ">correct", ">rows", "on")
    body = table(columns, rows, "Accuracy of each stage")
    return body, facts(data_facts(report.data)), _classes(report)


def _classes(report: Report) -> Content:
    if not report.classes:
        return ""
    total = sum(row.n for row in report.classes)
    cells = [class_cells(row) for row in report.classes]
    each = table(CLASS_COLUMNS, cells, f"Classes of the quantized network, {total:,} rows")
    if not all(row.taken for row in report.classes):
        return el("h3", "By class"), each
    columns = ("rows of", *(f">{row.label}" for row in report.classes))
    matrix: list[list[Content]] = [
        [
            row.label,
            *(
                el("span", f"{count:,}", class_="right" if i == k else "wrong" if count else "none")
                for k, count in enumerate(row.taken)
            ),
        ]
        for i, row in enumerate(report.classes)
    ]
    taken = table(columns, matrix, "Rows of a class, by the class they are taken for")
    return el("h3", "By class"), each, taken


def _ladder(report: Report) -> Content:
    items = []
    for rung in report.ladder:
        below = [el("li", *_check(check, check.title)) for check in parts(rung)]
        inner = el("ul", *below) if below else ""
        items.append(el("li", *_check(rung, f"{rung.number}. {rung.title}"), inner))
    return plots.ladder(report), el("ul", *items, class_="ladder")


def _check(check: Rung | Check, title: str) -> tuple[Element, ...]:
    time = "" if check.seconds is None else quantity(check.seconds, "s")
    return (
        plots.verdict_sign(check.verdict),
        el("span", title, class_="what"),
        el("span", check.verdict, class_="verdict"),
        el("span", how_known(check), class_="how"),
        el("span", time, class_="time"),
    )


def _reproduce(report: Report) -> Content:
    blocks = [
        el(
            "div",
            el("h3", command.purpose),
            el("pre", el("code", command.line)),
            el("button", "Copy", type="button", aria_label=f"Copy: {command.purpose}"),
            class_="command",
        )
        for command in report.commands
    ]
    source = report.source
    origin: list[tuple[str, Content]] = [
        ("source", source.file or NOT_RUN),
        ("format", source.format or NOT_RUN),
        ("sha256", el("code", source.sha256 or NOT_RUN)),
    ]
    tools = [[tool.name, tool.version or "unknown", tool.source or ""] for tool in report.tools]
    options: list[list[Content]] = [
        [key, el("code", json.dumps(value, default=str))]
        for key, value in sorted(report.config.items())
    ]
    return (
        *(blocks or [_missing()]),
        facts(origin),
        table(("tool", "version", "from"), tools, "Tools used") if tools else "",
        table(("option", "value"), options, "Effective options") if options else "",
    )


def _steps(report: Report) -> Content:
    if not report.steps:
        return _missing()
    rows = [
        [step.name, quantity(step.seconds, "s"), _sizes(step.before), _sizes(step.after)]
        for step in report.steps
    ]
    engines = [[e.name, count(e.functions), count(e.luts)] for e in report.minimization]
    won = table(("engine", ">functions won", ">LUTs"), engines, "Minimization engines")
    body = table(("step", ">time", "before", "after"), rows, "Steps of the run")
    return facts([("run time", quantity(report.seconds, "s"))]), body, won if engines else ""


def _sizes(sizes: dict[str, int | float]) -> str:
    return ", ".join(f"{name} {value:,}" for name, value in sizes.items())


def _artifacts(report: Report) -> Content:
    if not report.artifacts:
        return _missing()
    rows: list[list[Content]] = [[el("code", item.path), item.what] for item in report.artifacts]
    return table(("file", "what"), rows, "Files, relative to the run directory")
