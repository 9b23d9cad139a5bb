"""A small network of tables written as LogicNets-family Verilog, and evaluated by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

MYREG = """module myreg #(parameter DataWidth=16) (
    input [DataWidth-1:0] data_in, input wire clk, input wire rst,
    output reg [DataWidth-1:0] data_out);
  always@(posedge clk) begin
    if(!rst) data_out<=data_in; else data_out<=0;
  end
endmodule
"""


@dataclass
class Family:
    """Layers of neurons: per neuron the bits it reads, highest first, and its table.

    Attributes
    ----------
    width : int
        Input bits.
    bits : int
        Output bits of every neuron.
    layers : list of list of (pins, table)
    """

    width: int
    bits: int
    layers: list[list[tuple[list[int], list[int]]]]

    def evaluate(self, value: int) -> int:
        """Return the output bus for the input bus."""
        for layer in self.layers:
            out = 0
            for n, (pins, table) in enumerate(layer):
                index = 0
                for pin in pins:
                    index = 2 * index + (value >> pin & 1)
                out |= table[index] << (self.bits * n)
            value = out
        return value

    def neuron(self, layer: int, n: int) -> str:
        """Return the module of a neuron."""
        pins, table = self.layers[layer][n]
        w, b = len(pins), self.bits
        rows = "".join(
            f"\t\t\t{w}'b{i:0{w}b}: M1r = {b}'b{v:0{b}b};\n" for i, v in enumerate(table)
        )
        return (
            f"module layer{layer}_N{n} ( input [{w - 1}:0] M0, output [{b - 1}:0] M1 );\n\n"
            f'\t(*rom_style = "distributed" *) reg [{b - 1}:0] M1r;\n\tassign M1 = M1r;\n'
            f"\talways @ (M0) begin\n\t\tcase (M0)\n{rows}\n\t\tendcase\n\tend\nendmodule\n"
        )

    def layer(self, number: int) -> str:
        """Return the module of a layer."""
        width = self.width if number == 0 else self.bits * len(self.layers[number - 1])
        neurons = self.layers[number]
        text = f"module layer{number} (input [{width - 1}:0] M0, "
        text += f"output [{self.bits * len(neurons) - 1}:0] M1);\n\n"
        for n, (pins, _) in enumerate(neurons):
            name, low = f"layer{number}_N{n}", self.bits * n
            read = ", ".join(f"M0[{p}]" for p in pins)
            text += f"wire [{len(pins) - 1}:0] {name}_wire = {{{read}}};\n"
            text += (
                f"{name} {name}_inst (.M0({name}_wire), .M1(M1[{low + self.bits - 1}:{low}]));\n"
            )
        return text + "\nendmodule\n"

    def top(self) -> str:
        """Return the top module, with a register before each layer."""
        last = len(self.layers)
        out = self.bits * len(self.layers[-1])
        text = f"module logicnet (input [{self.width - 1}:0] M0, input clk, input rst, "
        text += f"output[{out - 1}:0] M{last});\n"
        width = self.width
        for i, layer in enumerate(self.layers):
            text += f"wire [{width - 1}:0] M{i}w;\n"
            text += f"myreg #(.DataWidth({width})) layer{i}_reg "
            text += f"(.data_in(M{i}), .clk(clk), .rst(rst), .data_out(M{i}w));\n"
            width = self.bits * len(layer)
            text += f"wire [{width - 1}:0] M{i + 1};\n" if i + 1 < last else ""
            text += f"layer{i} layer{i}_inst (.M0(M{i}w), .M1(M{i + 1}));\n"
        return text + "\nendmodule\n"

    def files(self) -> dict[str, str]:
        """Return the text of every file by name."""
        out = {"logicnet.v": self.top(), "myreg.v": MYREG}
        for i, layer in enumerate(self.layers):
            out[f"layer{i}.v"] = self.layer(i)
            out |= {f"layer{i}_N{n}.v": self.neuron(i, n) for n in range(len(layer))}
        return out

    def write(self, folder: Path) -> Path:
        """Write the files and return the top one."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.files().items():
            (folder / name).write_text(text)
        return folder / "logicnet.v"


def random_family(seed: int = 0, sizes: tuple[int, ...] = (5, 4, 2), features: int = 6) -> Family:
    """A network of 2-bit features and neurons of 2 bits; each neuron reads two of them."""
    rng = np.random.default_rng(seed)
    layers, before = [], features
    for size in sizes:
        layer = []
        for _ in range(size):
            read = sorted(rng.choice(before, 2, replace=False).tolist(), reverse=True)
            pins = [2 * r + b for r in read for b in (1, 0)]
            layer.append((pins, rng.integers(0, 4, 16).tolist()))
        layers.append(layer)
        before = size
    return Family(2 * features, 2, layers)
