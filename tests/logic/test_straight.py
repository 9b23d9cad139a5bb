"""Networks as straight-line code: ternary operations, parts, and machine code."""

import os

import numpy as np
import pytest
from helpers_logic import layered_net, logic_net, logic_nets
from hypothesis import given, settings

from nnlogic.core.errors import Different, InputError
from nnlogic.logic.rewrite import cone_of
from nnlogic.logic.straight import Emulator, emulator, native, straight, ternary
from nnlogic.logic.straight.parts import PART
from nnlogic.logic.straight.ternary import PROJECTIONS, expressions, widened


def words(net, count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2**64, (net.n_inputs, count), dtype=np.uint64)


def test_every_expression_is_its_table():
    values = {letter: table for table, letter in PROJECTIONS.items()}
    found = expressions()
    assert sorted(found) == list(range(1, 255))
    for table, text in found.items():
        assert eval(text, {}, values) & 0xFF == table  # noqa: S307
    assert max(len(t.replace("(", "").replace(")", "")) for t in found.values()) < 24


def test_a_table_of_two_inputs_does_not_read_the_third():
    assert widened(0b1000, 2) == 0b10001000
    assert widened(1, 0) == 0xFF


@settings(max_examples=10, deadline=None)
@given(net=logic_nets())
def test_ternary_networks_are_equal(net):
    cone = ternary(net)
    assert cone.widest <= 3
    values = np.random.default_rng(1).random((net.n_inputs, 200)) < 0.5
    assert (cone.evaluate(values) == cone_of(net).evaluate(values)).all()


def test_slots_hold_what_later_parts_read_until_they_have_read_it():
    code = straight(ternary(layered_net(5, layers=24, width=40, inner=60)))
    assert len(code.parts) > 2
    holds = {}
    for number, part in enumerate(code.parts):
        for node in part:
            for s in code.cone.fanins[node]:
                if 0 <= code.part_of(s) < number:
                    assert holds[code.stores[s]] == s
        for node in part:
            s = code.cone.n_inputs + node
            if s in code.stores:
                holds[code.stores[s]] = s
    assert code.slots < len(code.stores)
    assert all(len(part) <= PART for part in code.parts)


@pytest.mark.parametrize("count", [1, 7, 8, 64, 131])
def test_machine_code_computes_the_network(count):
    net = layered_net(1, k=6)
    compiled = emulator(net)
    x = words(net, count)
    assert (compiled.evaluate_words(x) == net.evaluate_words(x)).all()
    assert (compiled.evaluate_words(x, threads=3) == net.evaluate_words(x)).all()


def test_outputs_that_are_inputs_or_constants():
    net = logic_net([([], 1), ([], 0), ([0], 1)], inputs=(2, 1), outputs=[[0, 2], [3, 4, 5]])
    x = words(net, 9)
    assert (emulator(net).evaluate_words(x) == net.evaluate_words(x)).all()


def test_a_wrong_number_of_rows_is_refused():
    net = layered_net(1, k=6)
    with pytest.raises(InputError, match="wrong shape"):
        emulator(net).evaluate_words(np.zeros((net.n_inputs + 1, 4), np.uint64))


def test_machine_code_is_kept_and_a_damaged_file_is_replaced(tmp_path, caplog):
    net = layered_net(2, k=6)
    emulator(net, tmp_path / "first")
    (good,) = (tmp_path / "first" / "native").iterdir()
    emulator.cache_clear()
    emulator(net, tmp_path / "first")
    assert not caplog.records
    # The loader knows files by name: the damaged one has to be another.
    (tmp_path / "second" / "native").mkdir(mode=0o700, parents=True)
    kept = tmp_path / "second" / "native" / good.name
    kept.write_bytes(good.read_bytes()[:200])
    x = words(net, 5)
    assert (emulator(net, tmp_path / "second").evaluate_words(x) == net.evaluate_words(x)).all()
    assert "compiled again" in caplog.text
    assert kept.stat().st_size == good.stat().st_size


def test_a_folder_that_others_can_write_to_keeps_nothing(tmp_path):
    (tmp_path / "native").mkdir()
    os.chmod(tmp_path / "native", 0o777)
    emulator(layered_net(4, k=6), tmp_path)
    assert not list((tmp_path / "native").iterdir())


def test_machine_code_of_another_network_is_not_believed(monkeypatch):
    other = layered_net(7, k=6)
    monkeypatch.setattr(native, "ternary", lambda net: ternary(other))
    with pytest.raises(Different, match="compiled code differs"):
        emulator(layered_net(6, k=6))


def test_an_emulator_holds_its_network():
    net = layered_net(1, k=6)
    assert isinstance(emulator(net), Emulator)
    assert emulator(net).net is net
