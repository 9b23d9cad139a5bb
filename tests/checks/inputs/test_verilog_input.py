"""Imported Verilog against QuantNet: proved, and planted faults found."""

import pytest
from helpers_verilog import random_family

from nnlogic.checks.inputs.verilog import check_imported
from nnlogic.core.errors import UnsupportedModel
from nnlogic.frontend.verilog.load import load_verilog


@pytest.fixture
def written(tmp_path):
    path = random_family(7).write(tmp_path)
    return path, load_verilog(path)


def flip(file, label):
    """Change the value of one entry of a table in a file."""
    text = file.read_text()
    at = text.index(f"'b{label}: ") + len(f"'b{label}: M1r = 2'b")
    file.write_text(text[:at] + str(1 - int(text[at])) + text[at + 1 :])


def test_an_import_is_proved(written):
    path, net = written
    verdict = check_imported(net, path)
    assert (verdict.equal, verdict.how) == (True, "proved"), verdict.text()
    assert "3 registers on every path, rst at 0" in verdict.detail


@pytest.mark.parametrize(("neuron", "label"), [("layer2_N1", "0011"), ("layer2_N0", "1111")])
def test_one_flipped_entry_is_found(written, neuron, label):
    path, net = written
    flip(path.parent / f"{neuron}.v", label)
    verdict = check_imported(net, path)
    assert not verdict.equal
    assert neuron.replace("_N", "/neuron") in verdict.where


def test_a_rare_entry_is_found_by_proof(tmp_path):
    """The entry of a chain of rare ones shows on no random row."""
    chain = "module layer(input [47:0] M0, output y);\nwire [3:0] a;\n"
    for i in range(4):
        part = f"M0[{12 * i + 11}:{12 * i}]"
        chain += f"both b{i} (.i({part}), .o(a[{i}]));\n"
    chain += "four f (.i(a), .o(y));\nendmodule\n"
    table = "always @(i) case (i) {0}'d{1}: o = 1; default: o = 0; endcase endmodule\n"
    text = chain
    text += "module both(input [11:0] i, output reg o); " + table.format(12, 4095)
    text += "module four(input [3:0] i, output reg o); " + table.format(4, 15)
    path = tmp_path / "layer.v"
    path.write_text(text)
    net = load_verilog(path)
    assert check_imported(net, path).how == "proved"
    path.write_text(text.replace("12'd4095", "12'd4094"))
    verdict = check_imported(net, path)
    assert (verdict.equal, verdict.how) == (False, "proved"), verdict.text()
    assert verdict.where == "layer/neuron0/bit0"


def test_swapped_wires_are_found(written):
    path, net = written
    layer = path.parent / "layer2.v"
    text = layer.read_text()
    first = text.index("{M0[")
    end = text.index("}", first)
    pins = text[first + 1 : end].split(", ")
    layer.write_text(text[: first + 1] + ", ".join([pins[1], pins[0], *pins[2:]]) + text[end:])
    assert not check_imported(net, path).equal


def test_another_number_of_registers_is_found(written):
    path, net = written
    text = path.read_text().replace(".M0(M1w)", ".M0(M1)")
    path.write_text(text)
    verdict = check_imported(net, path)
    assert not verdict.equal
    assert "registers" in verdict.detail


def test_a_table_that_is_left_out_must_not_matter(written):
    path, net = written
    facts = {**net.info["verilog"], "idle": ["layer2_N0.v"]}
    object.__setattr__(net, "info", {**net.info, "verilog": facts})
    verdict = check_imported(net, path)
    assert not verdict.equal
    assert "undriven" in verdict.detail


def test_the_same_function_in_another_neuron_is_no_hindrance(tmp_path):
    """Equal neurons share nets; what reads one may be wired to the other."""
    family = random_family(8, sizes=(4, 2), features=4)
    family.layers[0][1] = family.layers[0][0]
    family.layers[1][0] = ([1, 0, 3, 2], family.layers[1][0][1])
    path = family.write(tmp_path)
    net = load_verilog(path)
    assert check_imported(net, path).how == "proved"


def test_a_flipped_entry_that_no_input_reaches_makes_no_difference(written):
    path, net = written
    flip(path.parent / "layer2_N1.v", "0110")
    verdict = check_imported(net, path)
    assert (verdict.equal, verdict.how) == (True, "proved")
    assert "by SAT; no net carries layer2/neuron1" in verdict.detail


def test_what_yosys_cannot_read_is_a_bad_file(written):
    path, net = written
    neuron = path.parent / "layer2_N0.v"
    neuron.write_text(neuron.read_text().replace("endcase", "endcase )"))
    with pytest.raises(UnsupportedModel, match="yosys, which checks the import") as caught:
        check_imported(net, path)
    assert "syntax error" in caught.value.why
