import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlogic.hw.lut.expression import evaluate, expression, to_text, variables
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool


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


def sum_bit(b, n, flipped=0):
    return sum(((i ^ flipped).bit_count() >> b & 1) << i for i in range(1 << n))


@pytest.mark.parametrize("flipped", [0, 0b100101, 0b111111])
@pytest.mark.parametrize(("b", "most"), [(0, 5), (1, 19), (2, 26)])
def test_bits_of_sums_are_sums_of_bits(b, most, flipped):
    assert gates(check(sum_bit(b, 6, flipped), 6)) <= most


@pytest.mark.parametrize("weights", [(1, 1, 1, 2, 2), (1, 1, 1, 1, 2, 2), (2, 1, 1, 2, 1)])
def test_bits_of_weighted_sums_are_found_at_any_place(weights):
    values = [
        sum(w for at, w in enumerate(weights) if i >> at & 1) for i in range(1 << len(weights))
    ]
    for b in range(3):
        table = sum((v >> b & 1) << i for i, v in enumerate(values))
        assert gates(check(table, len(weights))) <= 24


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 255), st.integers(0, 63), st.permutations(range(6)))
def test_functions_of_how_many_of_three_are_one(inner, flips, order):
    # A function of a count 0..3 of three inputs, and of one other.
    table = 0
    for i in range(64):
        bits = [(i ^ flips) >> at & 1 for at in order]
        table |= (inner >> (sum(bits[:3]) | bits[3] << 2) & 1) << i
    assert gates(check(table, 6)) <= 18


def test_verilog_computes_the_same(tmp_path):
    tables = [0, 0xFFFF, 0x6996, 0x1234, 0xCAFE, 0x7E81, 0x0001, 0xAAAA, 0x5555, 0x8000, 0x9669]
    lines = ["module bench;", "  reg [3:0] i;", f"  wire [{len(tables) - 1}:0] o;"]
    inputs = [f"i[{b}]" for b in range(4)]
    for at, table in enumerate(tables):
        expr = expression(table, 4)
        text = to_text(expr, inputs)
        assert variables(expr) == {b for b in range(4) if f"i[{b}]" in text}
        lines.append(f"  assign o[{at}] = {text};")
    lines += ["  initial for (i = 0; 1; i = i + 1) begin", '    #1 $display("%b", o);']
    lines += ["    if (i == 15) $finish;", "  end", "endmodule", ""]
    (tmp_path / "bench.v").write_text("\n".join(lines))
    run_tool(find("iverilog"), ["-o", "bench.vvp", "bench.v"], cwd=tmp_path, timeout=60)
    done = run_tool(find("vvp"), ["-n", "bench.vvp"], cwd=tmp_path, timeout=60)
    rows = [line for line in done.output.split() if set(line) <= set("01xz")]
    assert len(rows) == 16
    seen = [sum(int(row[~at]) << i for i, row in enumerate(rows)) for at in range(len(tables))]
    assert seen == tables


def test_operators_of_one_kind_need_no_brackets():
    assert to_text(expression(0x8000, 4), list("abcd")).count("(") == 0
    assert to_text(expression(0x6996, 4), list("abcd")).count("(") == 0
