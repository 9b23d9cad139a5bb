"""What a network will take as a whole: measured, predicted, and said of itself."""

from pathlib import Path

import numpy as np
import pytest

import nnlogic
from benchmarks.surrogate import page as pages
from benchmarks.surrogate.fit import trees_of
from nnlogic.core import bits
from nnlogic.core.formats import IntFormat, LayerInfo, Port
from nnlogic.predict.whole.columns import columns_of, seen
from nnlogic.predict.whole.features import NAMES, features
from nnlogic.predict.whole.flow import Flow, Part
from nnlogic.predict.whole.surrogate import AS_FOUND, AS_STARTED, TARGETS, predict, surrogate
from nnlogic.predict.whole.trees import LEAF, Trees
from nnlogic.tables.ir import Function, Instance, TableNet

ROOT = Path(__file__).parents[2]
XS = ROOT / "zoo" / "jets_wire_xs.safetensors"


def table(n, *rows):
    return Function(n, bits.pack(np.array(rows, bool)))


def net(functions, blocks, outputs, n_inputs=8):
    ports = tuple(Port(f"x{i}", IntFormat(1)) for i in range(n_inputs))
    out = tuple(Port(f"y{i}", IntFormat(1)) for i in range(len(outputs)))
    made = TableNet("n", ports, out, functions, blocks, outputs, (LayerInfo("a", "network"),))
    made.verify()
    return made


def measured(made):
    return dict(zip(NAMES, features(made), strict=True))


def test_columns_are_what_outputs_depend_on():
    index = np.arange(8)
    x = [(index >> b) & 1 for b in range(3)]
    rows = np.array([x[0] & x[2], 1 - (x[0] & x[2]), x[1], index < 0], bool)
    block = Instance(0, (4, 5, 6), (8, 9, 10, 11), "a", 0)
    found = columns_of(block, rows, np.ones(8, bool))
    assert [c.signals for c in found] == [(4, 6), (4, 6), (5,), ()]
    assert found[0].table == found[1].table
    # Where the third input is always one, the first row is the first input.
    found = columns_of(block, rows[:1], x[2].astype(bool))
    assert found[0].signals == (4,)
    values = np.zeros((12, 5), bool)
    values[6, 2:] = True
    assert np.flatnonzero(seen(block, table(3, *rows), values)).tolist() == [0, 4]


def test_what_is_measured_of_tables_that_cost_nothing_twice():
    index = np.arange(64)
    parity = np.bitwise_count(index.astype(np.uint8)) & 1
    wide = np.bitwise_count(np.arange(256).astype(np.uint8)) & 1
    one, two = table(6, parity), table(8, wide)
    blocks = (
        Instance(0, (0, 1, 2, 3, 4, 5), (8,), "a", 0),
        Instance(0, (0, 1, 2, 3, 4, 5), (9,), "a", 0),
        Instance(1, tuple(range(8)), (10,), "a", 0),
        Instance(0, (0, 1, 2, 3, 4, 6), (11,), "a", 0),
    )
    found = measured(net((one, two), blocks, (8, 9, 10)))
    assert (found["narrow"], found["tables"], found["wide8"], found["outputs"]) == (1, 2, 1, 2)
    assert found["luts"] > 2
    assert measured(net((one, two), blocks, (8,)))["luts"] == 1


def chain(*parts):
    """A flow of one-level parts: output, inputs, layer; 0 and 1 enter, the last leaves."""
    made = [Part((out,), tuple(read), 1.0, layer) for out, read, layer in parts]
    return Flow.of(made, np.array([0, 1]), np.array([parts[-1][0]]), parts[-1][0] + 1)


def test_registers_follow_the_pipeline_that_is_built():
    # One level a layer: cut at the ends of layers; signal 1 waits twice for the last of them.
    flow = chain((2, (0, 1), 0), (3, (2,), 1), (4, (3, 1), 2))
    assert flow.depth == 3
    assert flow.pipeline() == (1.0, 2 + 2)
    # Four levels in two layers, three of them in the second: two stages of two levels.
    flow = chain((2, (0, 1), 0), (3, (2,), 1), (4, (3,), 1), (5, (4, 1), 1))
    assert flow.pipeline() == (2.0, 2)
    # What is needed late may be made late: two inputs wait, and not their four functions.
    fan = [Part((s,), (0, 1), 1.0, 0) for s in range(2, 6)]
    slow = [Part((6,), (0,), 1.0, 1), Part((7,), (6,), 1.0, 1), Part((8,), (7,), 1.0, 1)]
    last = Part((9,), (2, 3, 4, 5, 8), 1.0, 1)
    flow = Flow.of([*fan, *slow, last], np.array([0, 1]), np.array([9]), 10)
    assert flow.pipeline() == (2.0, 3)


def test_a_part_of_several_levels_has_signals_inside():
    sum_ = Part((16,), tuple(range(16)), 4.0, 0)
    other = Part((17,), (16,), 2.0, 1)
    flow = Flow.of([sum_, other], np.arange(16), np.array([17]), 18)
    # Six levels in two stages: after three of four, 16 ** (1 / 4) are left.
    assert flow.pipeline() == (3.0, pytest.approx(2))


def test_trees_add_up():
    trees = Trees(
        np.array([0, 1]),
        np.array([LEAF, 1, LEAF, LEAF]),
        np.array([0.0, 2.5, 0.0, 0.0]),
        np.array([0, 2, 0, 0]),
        np.array([0, 3, 0, 0]),
        np.array([10.0, 0.0, 1.0, 2.0]),
    )
    assert trees.predict(np.array([[9.0, 2.5], [9.0, 2.6]])).tolist() == [11.0, 12.0]


def test_trees_say_what_scikit_learn_says():
    from sklearn.ensemble import GradientBoostingRegressor

    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4)).astype(np.float32).astype(np.float64)
    y = x[:, 0] * x[:, 1] + np.sign(x[:, 2])
    model = GradientBoostingRegressor(n_estimators=20, loss="huber", random_state=0).fit(x, y)
    found = trees_of(model)
    np.testing.assert_allclose(found.predict(x), model.predict(x), atol=1e-6)
    # A value that was changed is seen.
    found.value[np.flatnonzero(found.feature == LEAF)[-8:]] += 1.0
    assert not np.allclose(found.predict(x), model.predict(x), atol=1e-6)


def test_predictions_are_near_what_is_compiled():
    tables = nnlogic.tabulate(nnlogic.load(XS))
    found = predict(tables)
    luts = nnlogic.minimize(tables, effort="fast", jobs=1).n_nodes
    assert found.luts == pytest.approx(luts, rel=0.4)
    assert 0 < found.segment <= found.depth
    assert predict(tables) == found
    assert predict(tables, trained=False) != found


def test_every_target_has_its_error():
    for kind in (AS_FOUND, AS_STARTED):
        facts = surrogate(kind).facts
        assert facts["networks"] > 2 * facts["held_out"] > 0
        assert set(facts["error"]) == {*TARGETS, "fmax"}


def test_the_page_says_the_errors_of_the_file():
    text = (ROOT / "docs" / "benchmarks" / "surrogate.md").read_text("utf-8")
    facts = {kind: surrogate(kind).facts for kind in (AS_FOUND, AS_STARTED)}
    for lines in pages.parts(facts).values():
        assert "\n".join(lines) in text
