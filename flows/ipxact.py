"""IP-XACT (IEEE 1685-2014): a component that tools for systems place and connect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, indent, tostring

from nnlogic.core.inert import visible
from nnlogic.core.names import Identifier
from nnlogic.flows.synth import NetPort
from nnlogic.hw.axi import CLOCK, RESET, buses

NAMESPACE = "http://www.accellera.org/XMLSchema/IPXACT/1685-2014"
VENDOR, LIBRARY = "nnlogic", "networks"
_VIEW, _FILES = "verilog", "rtl"


@dataclass(frozen=True)
class Component:
    """What a component file says.

    Attributes
    ----------
    name : Identifier
        Module, and name of the component.
    version : str
        Of nnlogic.
    ports : tuple of NetPort
        In order.
    files : tuple of str
        Verilog, relative to the component file.
    about : str
        One sentence.
    """

    name: Identifier
    version: str
    ports: tuple[NetPort, ...]
    files: tuple[str, ...]
    about: str


def component_xml(component: Component) -> str:
    """Return the component file: bus interfaces, clock, reset, ports and files."""
    root = _el(
        "component",
        _el("vendor", VENDOR),
        _el("library", LIBRARY),
        _el("name", component.name),
        _el("version", component.version),
        _el("busInterfaces", *_interfaces(component)),
        _el(
            "model",
            _el("views", _view()),
            _el("instantiations", _instantiation(component.name)),
            _el("ports", *map(_port, component.ports)),
        ),
        _el("fileSets", _el("fileSet", _el("name", _FILES), *map(_file, component.files))),
        _el("description", component.about),
    )
    root.set("xmlns:ipxact", NAMESPACE)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, "unicode")}\n'


def _el(tag: str, /, *children: Element | str, **attributes: str) -> Element:
    out = Element(f"ipxact:{tag}", attributes)
    for child in children:
        if isinstance(child, Element):
            out.append(child)
        else:
            out.text = visible(child)
    return out


def _interfaces(component: Component) -> Iterable[Element]:
    names = [port.name for port in component.ports]
    found = buses(names)
    for bus, signals in found.items():
        way = "slave" if bus.startswith("s") else "master"
        yield _interface(bus, "interface", "axis", signals.items(), way)
    joined = {"ASSOCIATED_BUSIF": ":".join(found), "ASSOCIATED_RESET": RESET}
    yield _interface(CLOCK, "signal", "clock", [("CLK", CLOCK)], "slave", joined)
    low = {"POLARITY": "ACTIVE_LOW"}
    yield _interface(RESET, "signal", "reset", [("RST", RESET)], "slave", low)


def _interface(
    name: str,
    library: str,
    kind: str,
    signals: Iterable[tuple[str, str]],
    way: str,
    parameters: dict[str, str] | None = None,
) -> Element:
    maps = [
        _el(
            "portMap",
            _el("logicalPort", _el("name", logical)),
            _el("physicalPort", _el("name", physical)),
        )
        for logical, physical in signals
    ]
    told = [
        _el("parameter", _el("name", key), _el("value", value), parameterId=f"{name}_{key}")
        for key, value in (parameters or {}).items()
    ]
    return _el(
        "busInterface",
        _el("name", name),
        _el("busType", **_vlnv(library, kind)),
        _el(
            "abstractionTypes",
            _el(
                "abstractionType",
                _el("abstractionRef", **_vlnv(library, f"{kind}_rtl")),
                _el("portMaps", *maps),
            ),
        ),
        _el(way),
        *([_el("parameters", *told)] if told else []),
    )


def _vlnv(library: str, name: str) -> dict[str, str]:
    return {"vendor": "xilinx.com", "library": library, "name": name, "version": "1.0"}


def _view() -> Element:
    return _el(
        "view",
        _el("name", _VIEW),
        _el("envIdentifier", "Verilog:*:*"),
        _el("componentInstantiationRef", _VIEW),
    )


def _instantiation(module: str) -> Element:
    return _el(
        "componentInstantiation",
        _el("name", _VIEW),
        _el("language", "Verilog"),
        _el("moduleName", module),
        _el("fileSetRef", _el("localName", _FILES)),
    )


def _port(port: NetPort) -> Element:
    way = {"input": "in", "output": "out"}[port.direction]
    wire = [_el("direction", way)]
    if port.width > 1:
        left, right = _el("left", str(port.width - 1)), _el("right", "0")
        wire.append(_el("vectors", _el("vector", left, right)))
    return _el("port", _el("name", port.name), _el("wire", *wire))


def _file(name: str) -> Element:
    return _el("file", _el("name", name), _el("fileType", "verilogSource"))


def vhdl_template(name: Identifier, ports: Sequence[NetPort]) -> str:
    """Return a VHDL component declaration of a Verilog module, and an instance to copy."""
    kinds = [
        "std_logic" if p.width == 1 else f"std_logic_vector({p.width - 1} downto 0)" for p in ports
    ]
    wide = max(len(port.name) for port in ports)
    rows = list(zip(ports, kinds, strict=True))
    declared = ";\n".join(
        f"      {p.name:<{wide}} : {'in ' if p.direction == 'input' else 'out'} {kind}"
        for p, kind in rows
    )
    signals = "\n".join(f"  signal {p.name:<{wide}} : {kind};" for p, kind in rows)
    mapped = ",\n".join(f"      {p.name:<{wide}} => {p.name}" for p in ports)
    return f"""\
-- The Verilog module {name} in VHDL: copy the parts into an architecture.
-- Needs: library ieee; use ieee.std_logic_1164.all;

  component {name} is
    port (
{declared}
    );
  end component;

{signals}

  {name}_instance : {name}
    port map (
{mapped}
    );
"""
