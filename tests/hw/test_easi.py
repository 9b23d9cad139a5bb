"""EASI in hardware: the core against its reference, and the reference against what it is for."""

import numpy as np
import pytest

from nnlogic.core.errors import Different, UsageError
from nnlogic.hw.easi import EasiParameters
from nnlogic.sim.easi import easi_verilog, simulate_easi


def mixed(parameters, count, seed=0):
    """Uniform sources of unit variance, mixed; rows as fixed-point integers, and the mixture."""
    rng = np.random.default_rng(seed)
    n = parameters.n
    sources = rng.uniform(-(3**0.5), 3**0.5, (count, n))
    mixture = np.eye(n) + 0.5 * rng.uniform(-1, 1, (n, n))
    return np.rint(sources @ mixture.T * parameters.one).astype(int), mixture


@pytest.fixture(scope="module")
def verilog():
    return easi_verilog(EasiParameters())


def test_the_core_is_its_reference_and_separates(verilog):
    p = EasiParameters()
    rows, mixture = mixed(p, 3000)
    b, y = simulate_easi(p, verilog, rows.tolist())
    whole = np.array(b) / p.one @ mixture
    # One source per component, up to order and sign: the others are small beside it.
    largest = np.abs(whole).max(1)
    rest = np.sort(np.abs(whole), axis=1)[:, -2]
    assert set(np.abs(whole).argmax(1)) == {0, 1}
    assert (rest / largest < 0.1).all()
    before = np.sort(np.abs(mixture), axis=1)[:, -2] / np.abs(mixture).max(1)
    assert before.max() > 0.2
    tail = np.array(y[-1000:]) / p.one
    np.testing.assert_allclose(tail.var(0), 1, atol=0.25)


def test_extreme_rows_saturate_as_in_the_reference(verilog):
    p = EasiParameters()
    top = (1 << (p.bits - 1)) - 1
    rng = np.random.default_rng(1)
    rows = rng.choice([top, -top - 1, 0, 1, -1, top // 2], (300, 2))
    b, _ = simulate_easi(p, verilog, rows.tolist())
    wide, roomy = EasiParameters(bits=24), p.start()
    for row in rows.tolist():
        roomy, _ = wide.step(roomy, row)
    assert roomy != b  # so something was saturated


@pytest.mark.parametrize("seed", [0, 1])
def test_the_reference_follows_the_rule_in_floats(seed):
    p = EasiParameters(n=3, bits=24, fraction=16, rate=7)
    rows, _ = mixed(p, 200, seed)
    b, exact = p.start(), np.eye(3)
    for row in rows.tolist():
        x = np.array(row) / p.one
        b, y = p.step(b, row)
        z = exact @ x
        np.testing.assert_allclose(np.array(y) / p.one, z, atol=2e-2)
        g = z**3
        step = np.outer(z, z) - np.eye(3) + np.outer(g, z) - np.outer(z, g)
        exact = exact - 2.0**-p.rate * step @ exact
    np.testing.assert_allclose(np.array(b) / p.one, exact, atol=5e-3)


def test_planted_faults_are_found(verilog):
    p = EasiParameters()
    rows, _ = mixed(p, 20)
    other = EasiParameters(rate=9)
    with pytest.raises(Different, match="row 0"):
        simulate_easi(other, verilog, rows.tolist())
    broken = verilog.replace("+", "-", 1) if "+" in verilog else ""
    with pytest.raises(Different):
        simulate_easi(p, broken, rows.tolist())


def test_sizes_that_make_no_sense_are_all_told():
    with pytest.raises(UsageError) as found:
        EasiParameters(n=9, bits=30, rate=0)
    assert [q.where for q in found.value.problems] == ["n", "bits", "rate"]
