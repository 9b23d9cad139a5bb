"""Every format: what is written is the network, and a file that is not is found out."""

import json
import re
from dataclasses import replace

import numpy as np
import onnx
import pytest
from helpers_logic import layered_net, logic_net, logic_nets
from hypothesis import given, settings
from onnx.reference import ReferenceEvaluator

from nnlogic.core.bits import random_codes
from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.names import Identifier
from nnlogic.export import Subject, exports
from nnlogic.flows.targets import Target
from nnlogic.tools.find import look

SUFFIXES = (".h", ".blif", ".aig", ".aag", ".v", ".bristol", ".onnx", ".edif")
NET = layered_net(3, k=6)


def subject(net=NET):
    cell = Target.named("xcup").lut_cell
    return Subject(net, Identifier("toy"), ("a network", '*/ int x; /* ") (design evil ("'), cell)


def checked(data, suffix, net=NET):
    return exports()[suffix].check(subject(net), data, suffix)


def written(suffix, net=NET):
    return exports()[suffix].write(subject(net), suffix)


def test_formats_find_themselves():
    assert set(SUFFIXES) <= set(exports())
    assert look("cc")[0] is not None, "the C format is compiled in its check"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_the_network(suffix):
    out = written(suffix)
    verdicts = checked(out.data, suffix)
    assert all(v.equal for v in verdicts)
    assert verdicts[0].how in ("exhaustive", "proved")
    assert len(verdicts) == {".h": 3, ".onnx": 2}.get(suffix, 1)


@pytest.mark.parametrize("suffix", [".h", ".blif", ".bristol", ".onnx", ".edif"])
@settings(max_examples=8, deadline=None)
@given(net=logic_nets())
def test_any_network_can_be_written(suffix, net):
    assert all(v.equal for v in checked(written(suffix, net).data, suffix, net))


def planted(suffix, text):
    """The text with its last AND changed."""
    gate, other = {".bristol": ("AND", "XOR"), ".v": (" & ", " | ")}[suffix]
    return other.join(text.rsplit(gate, 1))


@pytest.mark.parametrize("suffix", [".bristol", ".v"])
def test_a_changed_gate_is_found(suffix):
    text = written(suffix).data.decode()
    wrong = planted(suffix, text)
    assert wrong != text
    assert not checked(wrong.encode(), suffix)[0].equal


def test_a_changed_cube_is_found():
    text = written(".blif").data.decode()
    at = text.rindex(" 1\n")
    row = text.rfind("\n", 0, at) + 1
    cube = text[row:at]
    place = next(i for i, c in enumerate(cube) if c in "01")
    flipped = cube[:place] + ("1" if cube[place] == "0" else "0") + cube[place + 1 :]
    verdicts = checked((text[:row] + flipped + text[at:]).encode(), ".blif")
    assert not verdicts[0].equal


def operation(text):
    """The last operation of a C header, and the table in it."""
    found = list(re.finditer(r"toy_op\(0x([0-9A-F]{2}), ", text))[-1]
    return found.start(1), int(found[1], 16)


def test_a_table_in_c_that_is_not_its_expression_is_found():
    text = written(".h").data.decode()
    at, table = operation(text)
    wrong = f"{text[:at]}{table ^ 0x81:02X}{text[at + 2 :]}"
    verdict = checked(wrong.encode(), ".h")[0]
    assert not verdict.equal
    assert "its expression is not its table" in verdict.detail


def test_operands_of_c_that_are_exchanged_are_found():
    text = written(".h").data.decode()
    lines = text.split("\n")
    at = next(i for i, line in enumerate(lines) if "toy_in(0)" in line and "toy_in(1)" not in line)
    lines[at] = lines[at].replace("toy_in(0)", "toy_in(1)")
    assert not checked("\n".join(lines).encode(), ".h")[0].equal


def test_wrong_packing_of_codes_in_c_is_found_by_running_it():
    text = written(".h").data.decode()
    wrong = text.replace("<< (i & 63);", "<< (i & 31);")
    assert wrong != text
    first, *rest = checked(wrong.encode(), ".h")
    assert first.equal
    assert not any(v.equal for v in rest)
    wrong = text.replace("(value ^ sign) - sign", "(value ^ sign) + sign")
    assert wrong != text
    assert not all(v.equal for v in checked(wrong.encode(), ".h"))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda t: t.replace("\n6 ", "\n7 ", 1), "widths"),
        (lambda t: t + "2 1 0 1 3 XOR\n", "gates are said"),
        (lambda t: t.replace("XOR", "NOR", 1), "NOR"),
        (lambda t: "", "unpack"),
    ],
)
def test_a_broken_circuit_is_named(change, why):
    net = logic_net([([0, 1, 2], 0x96), ([0, 1], 8)], inputs=(1,) * 6)
    text = written(".bristol", net).data.decode()
    verdict = checked(change(text).encode(), ".bristol", net)[0]
    assert not verdict.equal
    assert why in verdict.detail


def test_text_of_a_file_stays_in_the_comment_of_c():
    text = written(".h").data.decode()
    assert "int x;" in text.split("#ifndef", 1)[0]
    assert text.split("#ifndef", 1)[0].count("*/") == 1


def test_bits_that_have_one_name_get_two():
    net = logic_net([([0, 1, 2], 0x96)], inputs=(2, 1))
    ins, outs = subject(net).bit_names()
    assert len({*ins, *outs}) == len(ins) + len(outs)
    assert ins[:2] == ("f0_0", "f0_1")


def test_majority_is_one_and():
    net = logic_net([([0, 1, 2], 0xE8), ([3, 0, 1], 0x96)], inputs=(1, 1, 1))
    assert written(".bristol", net).facts["AND"] == 1


def test_c_of_sixty_bit_codes_has_wide_codes():
    net = logic_net([([0, 59], 0x6)], inputs=(60,))
    out = written(".h", net)
    assert b"typedef int64_t toy_code;" in out.data
    assert all(v.equal for v in checked(out.data, ".h", net))


def test_samples_are_more_than_words():
    from nnlogic.export.c import SAMPLES

    assert SAMPLES % 64
    assert np.ceil(SAMPLES / 512) > 2


def changed_model(data, name, change):
    """A model with one of its constants changed."""
    model = onnx.load_model_from_string(data)
    constant = next(c for c in model.graph.initializer if c.name == name)
    values = onnx.numpy_helper.to_array(constant).copy()
    change(values)
    constant.CopyFrom(onnx.numpy_helper.from_array(values, name))
    return model


def test_a_changed_table_of_onnx_is_found_by_proof_and_by_running_it():
    def flip(values):
        values[: values.size // 2] ^= 1

    model = changed_model(written(".onnx").data, "level1.tables", flip)
    proof, ran = checked(model.SerializeToString(), ".onnx")
    assert not proof.equal
    assert not ran.equal
    assert ran.where.startswith("row ")


def test_wrong_weights_and_wires_of_onnx_are_found_by_running_it():
    def negate(values):
        values *= -1

    def swap(values):
        values[:2] = values[1::-1]

    data = written(".onnx").data
    for name, change in (("answers.weights", negate), ("level2.weights", swap)):
        proof, ran = checked(changed_model(data, name, change).SerializeToString(), ".onnx")
        assert proof.equal
        assert not ran.equal


def test_broken_models_are_named():
    data = written(".onnx").data
    assert not checked(data[:100], ".onnx")[0].equal
    model = onnx.load_model_from_string(data)
    model.graph.node[3].op_type = "Mood"
    assert "Mood" in checked(model.SerializeToString(), ".onnx")[0].detail


def test_onnx_takes_signed_codes_and_any_number_of_rows():
    nodes = [([0, 1, 2], 0x96), ([2, 3], 0x6)]
    net = logic_net(nodes, inputs=(3, 1), outputs=[[4, 5, 2], [3]])
    net = replace(net, inputs=(Port("s", IntFormat(3, True)), Port("u", IntFormat(1))))
    model = onnx.load_model_from_string(written(".onnx", net).data)
    run = ReferenceEvaluator(model)
    codes = random_codes(net.inputs, 5)
    assert (codes < 0).any()
    assert (run.run(None, {"codes": codes})[0] == net.evaluate(codes)).all()
    assert run.run(None, {"codes": codes[:1]})[0].shape == (1, len(net.outputs))
    assert json.loads(model.metadata_props[0].value) == [p.name for p in net.inputs]


@pytest.mark.parametrize("target", ["xcup", "ecp5", "ice40"])
def test_edif_has_the_cells_of_the_target(target):
    cell = Target.named(target).lut_cell
    net = layered_net(3, k=4)
    own = Subject(net, Identifier("_odd"), (), cell)
    data = exports()[".edif"].write(own, ".edif").data
    assert all(v.equal for v in exports()[".edif"].check(own, data, ".edif"))
    assert f"(cell {cell.cells[3]} ".encode() in data
    assert b"(design &_odd " in data


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda t: re.sub(r"'h(.)", lambda m: f"'h{int(m[1], 16) ^ 1:X}", t), ""),
        (lambda t: t.replace("portRef I0 ", "portRef Ix ").replace("Ix", "I1"), "on two nets"),
        (lambda t: t.replace("(instanceRef n0)", "(instanceRef n1)"), "drivers|two nets"),
        (lambda t: re.sub(r"\d+'h", "8'h", t), "a table of 8 bits"),
        (
            lambda t: re.sub(r"port (\w+) (.*INPUT..\n)", r"port q\1 \2", t, count=1),
            "drivers: none",
        ),
        (lambda t: t[: len(t) // 2], "not a netlist"),
    ],
)
def test_a_changed_edif_netlist_is_found(change, why):
    text = written(".edif").data.decode()
    assert change(text) != text
    verdict = checked(change(text).encode(), ".edif")[0]
    assert not verdict.equal
    assert re.search(why, verdict.detail)


def test_edif_wants_cells_that_are_wide_enough_and_a_target():
    wide = Subject(NET, Identifier("toy"), (), Target.named("ice40").lut_cell)
    with pytest.raises(UsageError, match="up to 6 inputs"):
        exports()[".edif"].write(wide, ".edif")
    with pytest.raises(UsageError, match="no target"):
        exports()[".edif"].write(Subject(NET, Identifier("toy")), ".edif")
