"""Session fixtures: one small network at every stage, made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from hand_nets import make_quant, map_by_hand, write_by_hand

from nnlogic.design.ir import HardwareDesign
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet
from nnlogic.tables.build import tabulate
from nnlogic.tables.ir import TableNet


@pytest.fixture(scope="session")
def quant() -> QuantNet:
    return make_quant()


@pytest.fixture(scope="session")
def tables(quant) -> TableNet:
    return tabulate(quant)


@pytest.fixture(scope="session")
def logic(tables) -> LogicNet:
    return map_by_hand(tables)


@pytest.fixture(scope="session")
def design(logic) -> HardwareDesign:
    out = HardwareDesign("tiny", logic, logic.node_layers, 3)
    out.verify()
    return out


@pytest.fixture(scope="session")
def verilog(design, tmp_path_factory) -> Path:
    return write_by_hand(design, tmp_path_factory.mktemp("rtl"))
