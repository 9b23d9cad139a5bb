"""Whole networks proved equal by SAT, where cones cannot be paired."""

from __future__ import annotations

from nnlogic.checks.gates import Gates, add_function, add_logic, bit_names
from nnlogic.checks.reference import add_block
from nnlogic.core.errors import ToolFailed
from nnlogic.core.formats import Port
from nnlogic.logic.ir import LogicNet
from nnlogic.tables.ir import Instance, TableNet, block_inputs
from nnlogic.tools.abc import prove_equal, run_abc
from nnlogic.tools.plain import scratch


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
    both = isinstance(left, LogicNet) and isinstance(right, LogicNet)
    prove = prove_in_order if both else prove_equal
    return prove(network_blif(left), network_blif(right), timeout=timeout)


def prove_in_order(left: str, right: str, *, timeout: float = 600) -> tuple[bool, str]:
    """Prove two BLIF networks equal, inputs and outputs matched by position.

    ABC's ``&cec`` sweeps for equal signals inside, which pays for two versions of one network:
    7,000 LUTs with 2,000 inputs take seconds.
    """
    with scratch("cec") as cwd:
        steps = []
        for name, text in (("left", left), ("right", right)):
            (cwd / f"{name}.blif").write_text(text)
            steps.append(f"read_blif {name}.blif; strash; write_aiger {name}.aig")
        limits = f"-C 100000000 -T {max(1, int(timeout))}"
        script = "; ".join([*steps, f"&cec {limits} left.aig right.aig"])
        done = run_abc(script, cwd=cwd, timeout=timeout + 5)
    if "Networks are equivalent" in done.output:
        return True, done.output.strip()
    if "NOT EQUIVALENT" in done.output:
        return False, done.output.strip()
    raise ToolFailed("abc came to no verdict", where="&cec", why=done.output.strip()[-500:])


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
