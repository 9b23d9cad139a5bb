"""Whole networks proved equal by SAT, where cones cannot be paired."""

from __future__ import annotations

from nnlogic.checks.gates import Gates, add_function, add_logic, bit_names
from nnlogic.checks.reference import add_block
from nnlogic.core.formats import Port
from nnlogic.logic.ir import LogicNet
from nnlogic.tables.ir import Instance, TableNet, block_inputs
from nnlogic.tools.abc import prove_equal


def prove_whole(
    left: TableNet | LogicNet, right: TableNet | LogicNet, *, timeout: float = 600
) -> tuple[bool, str]:
    """Prove two networks with equal ports equal by ABC's combinational equivalence check.

    Returns
    -------
    equal : bool
    detail : str
        What ABC said.

    Raises
    ------
    ToolFailed, ToolTimeout
        No verdict.
    """
    return prove_equal(network_blif(left), network_blif(right), timeout=timeout)


def network_blif(net: TableNet | LogicNet) -> str:
    """Return a network as BLIF with inputs ``x0[b]`` and outputs ``y0[b]``, numbered by port."""
    inputs = _names("x", net.inputs)
    gates = Gates(inputs)
    outs = add_logic(gates, net, inputs) if isinstance(net, LogicNet) else _tables(gates, net)
    for name, out in zip(_names("y", net.outputs), outs, strict=True):
        gates.output(name, out)
    return gates.text()


def _names(letter: str, ports: tuple[Port, ...]) -> list[str]:
    return bit_names((f"{letter}{i}" for i in range(len(ports))), (p.format.bits for p in ports))


def _tables(gates: Gates, net: TableNet) -> list[str]:
    nets = dict(enumerate(gates.inputs))
    for block in net.blocks:
        if isinstance(block, Instance):
            pins = [nets[s] for s in block_inputs(block)]
            outs = [
                add_function(gates, pins, bits) for bits in net.functions[block.function].table()
            ]
        else:
            outs = add_block(gates, block, nets)
        nets.update(zip(block.outputs, outs, strict=True))
    return [nets[s] for s in net.output_signals]
