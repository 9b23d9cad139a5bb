import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.hw.lut.expression import evaluate, expression, to_value


def gates(expr):
    own = {"v": 0, "0": 0, "1": 0, "~": 0, "?": 3}.get(expr[0], 1)
    return own + sum(gates(e) for e in expr[1:] if isinstance(e, tuple))


def check(table, n):
    expr = expression(table, n)
    assert sum(evaluate(expr, i) << i for i in range(1 << n)) == table
    return expr


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_every_function_of_up_to_three_inputs(n):
    for table in range(1 << (1 << n)):
        check(table, n)


@settings(max_examples=200, deadline=None)
@given(st.integers(4, 6).flatmap(lambda n: st.tuples(st.integers(0, 2**2**n - 1), st.just(n))))
def test_random_functions_of_four_to_six_inputs(function):
    check(*function)


@pytest.mark.parametrize(
    ("table", "n", "count"),
    [(0x8000000000000000, 6, 5), (0x6996, 4, 3), (0xCA, 3, 3), (0xFE, 3, 2), (0xAAAA, 4, 0)],
    ids=["and6", "xor4", "mux", "or3", "wire"],
)
def test_known_functions_are_small(table, n, count):
    assert gates(check(table, n)) == count


def test_amaranth_values_agree():
    inputs = [Signal(name=f"i{b}") for b in range(4)]
    tables = [0, 0xFFFF, 0x6996, 0x1234, 0xCAFE, 0x7E81, 0x0001, 0xAAAA, 0x5555]
    outs = [Signal(name=f"o{i}") for i in range(len(tables))]
    m = Module()
    for out, table in zip(outs, tables, strict=True):
        m.d.comb += out.eq(to_value(expression(table, 4), inputs))
    seen = [0] * len(tables)

    async def bench(ctx):
        for index in range(16):
            for b, signal in enumerate(inputs):
                ctx.set(signal, index >> b & 1)
            await ctx.delay(1e-9)
            for i, out in enumerate(outs):
                seen[i] |= ctx.get(out) << index

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen == tables
