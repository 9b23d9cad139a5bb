"""IP-XACT components by the rules of IEEE 1685-2014, and VHDL by its words.

The schema of the standard may not be changed and is not in this package; what it asks of the
elements used here, their order and the references between them, is written out below.
"""

import re
from xml.etree.ElementTree import fromstring

import pytest

from nnlogic.core.names import Identifier
from nnlogic.flows.ipxact import NAMESPACE, Component, component_xml, vhdl_template
from nnlogic.flows.synth import NetPort
from nnlogic.hw.axi import buses, interface_attributes
from nnlogic.hw.stream_wrapper import StreamParameters

PARAMETERS = StreamParameters("toy", (("x_a", 3), ("x_b", 6)), (("y_c", 8),), latency=5)
PORTS = tuple(NetPort(Identifier(n), way, width) for n, way, width in PARAMETERS.ports)
# Children of each element, in their order; ? may be missing, * may be there any number of times.
ORDER = {
    "component": "vendor library name version busInterfaces? model? fileSets? description?",
    "busInterfaces": "busInterface*",
    "busInterface": "name busType abstractionTypes? slave? master? parameters?",
    "busType": "",
    "abstractionTypes": "abstractionType*",
    "abstractionType": "abstractionRef portMaps?",
    "abstractionRef": "",
    "portMaps": "portMap*",
    "portMap": "logicalPort physicalPort",
    "logicalPort": "name",
    "physicalPort": "name",
    "slave": "",
    "master": "",
    "parameters": "parameter*",
    "parameter": "name value",
    "model": "views instantiations ports",
    "views": "view*",
    "view": "name envIdentifier componentInstantiationRef",
    "instantiations": "componentInstantiation*",
    "componentInstantiation": "name language moduleName fileSetRef",
    "fileSetRef": "localName",
    "ports": "port*",
    "port": "name wire",
    "wire": "direction vectors?",
    "vectors": "vector*",
    "vector": "left right",
    "fileSets": "fileSet*",
    "fileSet": "name file*",
    "file": "name fileType",
}
_TEXTS = """
vendor library name version description value envIdentifier componentInstantiationRef language
moduleName localName direction left right fileType
"""
TEXTS = frozenset(_TEXTS.split())


def component(**changes):
    facts = {
        "name": Identifier("toy_stream"), "version": "0.1.0", "ports": PORTS,
        "files": ("../rtl/toy.v", "../rtl/toy_stream.v"), "about": "a <network> & more",
    }  # fmt: skip
    return component_xml(Component(**{**facts, **changes}))


def local(element):
    assert element.tag.startswith(f"{{{NAMESPACE}}}"), element.tag
    return element.tag.split("}")[1]


def faults(text):
    """What the standard forbids in a component."""
    root = fromstring(text.encode())
    out = [] if local(root) == "component" else [f"root is {local(root)}"]
    for element in root.iter():
        name = local(element)
        children = " ".join(map(local, element))
        if name in TEXTS:
            out += [] if not children and element.text.strip() else [f"{name} holds no text"]
            continue
        grammar = "".join(
            f"(?:{w.rstrip('?*')} ){w[-1] if w[-1] in '?*' else ''}" for w in ORDER[name].split()
        )
        if not re.fullmatch(grammar, f"{children} ".lstrip()):
            out.append(f"{name} holds {children}")
    find = {"i": NAMESPACE}
    ports = [e.text for e in root.findall("i:model/i:ports/i:port/i:name", find)]
    mapped = [e.text for e in root.findall(".//i:physicalPort/i:name", find)]
    out += [f"{p} is no port" for p in mapped if p not in ports]
    for what, place in (
        ("ports", ports),
        ("interfaces", [e.text for e in root.findall(".//i:busInterface/i:name", find)]),
        ("ids", [e.get("parameterId") for e in root.iter(f"{{{NAMESPACE}}}parameter")]),
    ):
        out += [] if len(set(place)) == len(place) else [f"{what} twice"]
    for reference, target in (
        (".//i:fileSetRef/i:localName", "i:fileSets/i:fileSet/i:name"),
        (".//i:componentInstantiationRef", ".//i:componentInstantiation/i:name"),
    ):
        known = {e.text for e in root.findall(target, find)}
        out += [f"{e.text} unknown" for e in root.findall(reference, find) if e.text not in known]
    for kind in ("busType", "abstractionRef"):
        for e in root.iter(f"{{{NAMESPACE}}}{kind}"):
            if set(e.attrib) != {"vendor", "library", "name", "version"}:
                out.append(f"{kind} is not named by vendor, library, name and version")
    return out


def test_a_component_keeps_the_rules():
    assert faults(component()) == []


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (r"<ipxact:version>[^<]*</ipxact:version>\s*", "", "component holds"),
        (r"<ipxact:name>s_axis_tdata(?=</ipxact:name>\s*</ipxact:physical)",
         "<ipxact:name>s_axis_tdat", "s_axis_tdat is no port"),
        ("<ipxact:localName>rtl", "<ipxact:localName>vhdl", "vhdl unknown"),
        ('vendor="xilinx.com" ', "", "is not named by"),
        (r"<ipxact:direction>in</ipxact:direction>", "<ipxact:direction/>", None),
        ("aresetn_POLARITY", "aclk_ASSOCIATED_RESET", "ids twice"),
    ],
)  # fmt: skip
def test_the_rules_see_faults(old, new, why):
    text = component()
    changed = re.sub(old, new, text, count=1)
    assert changed != text
    if why is None:
        with pytest.raises(AttributeError):
            faults(changed)
    else:
        assert any(why in fault for fault in faults(changed))


def test_what_a_component_says():
    root = fromstring(component().encode())
    find = {"i": NAMESPACE}
    names = [e.text for e in root.findall("i:busInterfaces/i:busInterface/i:name", find)]
    assert names == ["s_axis", "m_axis", "aclk", "aresetn"]
    sides = [
        "slave" if e.find("i:slave", find) is not None else "master"
        for e in root.findall("i:busInterfaces/i:busInterface", find)
    ]
    assert sides == ["slave", "master", "slave", "slave"]
    told = {
        e.find("i:name", find).text: e.find("i:value", find).text
        for e in root.iter(f"{{{NAMESPACE}}}parameter")
    }
    assert told == {
        "ASSOCIATED_BUSIF": "s_axis:m_axis", "ASSOCIATED_RESET": "aresetn",
        "POLARITY": "ACTIVE_LOW",
    }  # fmt: skip
    left = {
        e.find("i:name", find).text: e.findtext(".//i:left", "", find)
        for e in root.findall("i:model/i:ports/i:port", find)
    }
    assert left["s_axis_tdata"] == "15"
    assert left["m_axis_tdata"] == "7"
    assert left["aclk"] == ""
    assert root.findtext("i:description", "", find) == "a <network> & more"


def test_text_of_users_stays_text():
    text = component(about="</ipxact:description><x/>\u202e", files=('a"b<.v',))
    assert faults(text) == []
    assert "<x/>" not in text
    assert "\u202e" not in text


def test_vhdl_names_every_port_with_its_direction_and_width():
    text = vhdl_template(Identifier("toy_stream"), PORTS)
    declared = re.findall(r"^ {6}(\w+) +: (in |out) (\S.*?);?$", text, re.MULTILINE)
    kinds = {"std_logic": 1, "std_logic_vector(15 downto 0)": 16, "std_logic_vector(7 downto 0)": 8}
    ways = {"in ": "input", "out": "output"}
    assert [(n, ways[w], kinds[k]) for n, w, k in declared] == list(PARAMETERS.ports)
    mapped = re.findall(r"^ {6}(\w+) +=> (\w+),?$", text, re.MULTILINE)
    assert mapped == [(p.name, p.name) for p in PORTS]
    assert "end component;" in text


def test_attributes_are_for_streams_only():
    names = [name for name, _, _ in PARAMETERS.ports]
    told = interface_attributes(names)
    assert set(told) == set(names)
    assert "axis:1.0 s_axis TDATA" in told["s_axis_tdata"]
    assert "ASSOCIATED_BUSIF s_axis:m_axis, ASSOCIATED_RESET aresetn" in told["aclk"]
    assert "POLARITY ACTIVE_LOW" in told["aresetn"]
    assert interface_attributes(["clk", "rst", "x_s_axis_tdata"]) == {}
    assert interface_attributes(["aclk", "s_axis_tdata"]) == {}
    assert buses(["s_axis_tlast", "busy"]) == {"s_axis": {"TLAST": "s_axis_tlast"}}
