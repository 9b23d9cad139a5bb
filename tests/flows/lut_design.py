"""Random layered LUT networks as plain Verilog, for tests and for calibrating delay models."""

from __future__ import annotations

import random


def tree(table: int, inputs: list[str]) -> str:
    """Truth table (bit i is the output for index i, input b is bit b) as nested ternaries."""
    if not inputs:
        return f"1'b{table & 1}"
    half = 1 << (len(inputs) - 1)
    low, high = table & ((1 << half) - 1), table >> half
    if low == high:
        return tree(low, inputs[:-1])
    return f"({inputs[-1]} ? {tree(high, inputs[:-1])} : {tree(low, inputs[:-1])})"


def table_of(k: int, rng: random.Random) -> int:
    """Random truth table that depends on all `k` inputs."""
    while True:
        table = rng.getrandbits(1 << k)
        if all(
            any((table >> i ^ table >> (i ^ 1 << b)) & 1 for i in range(1 << k)) for b in range(k)
        ):
            return table


def random_design(
    name: str, width: int, segments: int, levels: int = 1, k: int = 4, seed: int = 0
) -> str:
    """Verilog of a core with `segments` pipeline stages of `levels` rows of `width` k-LUTs.

    Ports follow the RTL contract: clk, rst, in_valid, x_in, out_valid, y_out. One module per
    stage, each ending in a register rank; inputs are registered.
    """
    rng = random.Random(seed)
    modules, instances = [], []
    for segment in range(segments):
        body = []
        source = "a"
        for level in range(levels):
            body.append(f"  wire [{width - 1}:0] n{level};")
            for i in range(width):
                picks = [i, *rng.sample([j for j in range(width) if j != i], k - 1)]
                pins = [f"{source}[{p}]" for p in picks]
                body.append(f"  assign n{level}[{i}] = {tree(table_of(k, rng), pins)};")
            source = f"n{level}"
        lines = "\n".join(body)
        modules.append(
            f"module {name}_stage{segment} (input clk, input [{width - 1}:0] a, "
            f"output reg [{width - 1}:0] q);\n{lines}\n  always @(posedge clk) q <= {source};\n"
            "endmodule\n"
        )
        instances.append(
            f"  wire [{width - 1}:0] r{segment + 1};\n"
            f"  {name}_stage{segment} stage{segment} (.clk(clk), .a(r{segment}), "
            f".q(r{segment + 1}));"
        )
    joined = "\n".join(instances)
    top = (
        f"module {name} (input clk, input rst, input in_valid, input [{width - 1}:0] x_in,\n"
        f"  output out_valid, output [{width - 1}:0] y_out);\n"
        f"  reg [{width - 1}:0] r0;\n  reg [{segments}:0] valid;\n"
        f"  always @(posedge clk) r0 <= x_in;\n"
        f"  always @(posedge clk) valid <= rst ? {segments + 1}'d0 : "
        f"{{valid[{segments - 1}:0], in_valid}};\n{joined}\n"
        f"  assign out_valid = valid[{segments}];\n  assign y_out = r{segments};\nendmodule\n"
    )
    return "\n".join([*modules, top])
