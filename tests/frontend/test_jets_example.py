"""The bundled checkpoint is what its README says."""

from pathlib import Path

import numpy as np

from nnlogic.frontend import load, read_golden
from nnlogic.job.rows import load_rows
from nnlogic.nn import load_network

FOLDER = Path(__file__).parents[2] / "examples" / "jets"
CHECKPOINT = FOLDER / "jets.safetensors"


def test_torch_quantnet_and_golden_rows_agree():
    net = load(CHECKPOINT)
    x, y = read_golden(CHECKPOINT)
    assert len(x) == net.info["golden_rows"] == 1000
    np.testing.assert_array_equal(net.evaluate(net.encode(x)), y)
    np.testing.assert_array_equal(load_network(CHECKPOINT).evaluate(x), y)
    # The comparison can fail: another network does not give these outputs.
    other = load(CHECKPOINT)
    weights = other.layers[0].weights
    weights.setflags(write=True)
    weights[:, :] *= -1
    assert not np.array_equal(other.evaluate(other.encode(x)), y)


def test_accuracy_and_provenance_as_in_the_readme():
    net = load(CHECKPOINT)
    rows = load_rows(net, FOLDER / "rows.npz")
    assert rows.data[0].matched == "by name, in order"
    found, labels = net.evaluate(rows.codes)[:, -1], rows.labels
    text = (FOLDER / "README.md").read_text()
    assert f"{100 * np.mean(found == labels):.3f}" in text
    for name in ("float", "quantized", "validation"):
        assert f"{100 * net.info['accuracy'][name]:.2f}" in text
    assert net.info["class_names"] == list("gqtwz")
    assert "Pythia 8.317" in net.info["dataset"]["provenance"]


def test_the_committed_recipe_is_the_one_it_was_trained_with():
    from nnlogic.train import load_recipe

    trained = load(CHECKPOINT).info["training"]["recipe"]
    expected = load_recipe("jets").to_meta()
    assert trained == {**expected, "layers": list(expected["layers"])}
