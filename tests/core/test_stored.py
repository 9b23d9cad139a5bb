"""Files of every stage: those written before still load, and are written again as they were."""

from dataclasses import dataclass, field
from pathlib import Path
from types import GenericAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from nnlogic.backends.chain.model.chain import Chain
from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.kernel_chain import KernelChain
from nnlogic.backends.mac.model.ir import MacNet
from nnlogic.core import fields
from nnlogic.core.archive import read_archive, write_archive
from nnlogic.core.errors import CheckpointError
from nnlogic.core.fields import stored
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.stored import Stored
from nnlogic.design.ir import HardwareDesign
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet
from nnlogic.tables.ir import TableNet

ARCHIVES = Path(__file__).parent / "data" / "archives"
STAGES = [
    QuantNet, TableNet, LogicNet, HardwareDesign, OpGraph, Program, KernelChain, MacNet, Chain,
]  # fmt: skip
FILES = [(cls, path) for cls in STAGES for path in sorted(ARCHIVES.glob(f"{cls.__name__}*"))]


def test_every_stage_has_a_file():
    assert {cls for cls, _ in FILES} == set(STAGES)


@pytest.mark.parametrize(("cls", "path"), FILES, ids=[path.stem for _, path in FILES])
def test_older_files_load_and_are_written_as_they_were(cls, path, tmp_path):
    value = cls.load(path)
    value.save(tmp_path / "again")
    _, meta, arrays = read_archive(path, cls.kind, (1,))
    _, again, now = read_archive(tmp_path / "again", cls.kind, (1,))
    assert again == meta
    if cls is MacNet:  # the first files of this kind had an array that nothing reads
        del arrays["slices"]
    assert {n: a.dtype for n, a in now.items()} == {n: a.dtype for n, a in arrays.items()}
    assert all(np.array_equal(now[name], arrays[name]) for name in arrays)
    assert cls.load(tmp_path / "again").text() == value.text()


@pytest.mark.parametrize(("cls", "path"), FILES, ids=[path.stem for _, path in FILES])
def test_a_file_that_lacks_something_is_refused(cls, path, tmp_path):
    version, meta, arrays = read_archive(path, cls.kind, (1,))
    needless = {"slices"} if cls is MacNet else set()
    for name in meta.keys() - {"info"}:
        part = {k: v for k, v in meta.items() if k != name}
        write_archive(tmp_path / "part", cls.kind, version, part, arrays)
        if name not in {"input_register", "stream"}:  # they have defaults
            with pytest.raises(CheckpointError, match="incomplete"):
                cls.load(tmp_path / "part")
    for name in sorted(arrays.keys() - needless):
        if name.endswith((".thresholds", ".care", ".source")):
            continue  # optional, or the end of a list
        write_archive(
            tmp_path / "part", cls.kind, version, meta,
            {k: v for k, v in arrays.items() if k != name},
        )  # fmt: skip
        with pytest.raises(CheckpointError, match="incomplete"):
            cls.load(tmp_path / "part")


@dataclass(frozen=True)
class Leaf:
    at: int
    label: str | None


@dataclass(frozen=True, eq=False)
class Branch:
    values: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    leaf: Leaf
    note: str = ""


@dataclass(frozen=True, eq=False)
class Tree(Stored):
    name: str
    rate: float
    pairs: tuple[tuple[int, str], ...]
    branches: tuple[Branch, ...]
    mixed: tuple[Leaf | Port, ...]
    spare: np.ndarray[tuple[int, ...], np.dtype[np.int8]] | None = None
    lists: tuple[np.ndarray[tuple[int, ...], np.dtype[np.int32]], ...] = field(
        default=(), metadata=stored("lengths", ragged=True)
    )

    kind = "Tree"


def tree(**changes):
    branches = tuple(Branch(np.arange(n), Leaf(n, None)) for n in (2, 0, 3))
    mixed = (Leaf(1, "a"), Port("p", IntFormat(3, True)))
    return Tree(**{"name": "t", "rate": 0.5, "pairs": ((1, "x"),), "branches": branches,
                   "mixed": mixed, **changes})  # fmt: skip


def test_the_types_of_the_fields_are_the_layout(tmp_path):
    whole = tree(spare=np.ones(2, np.int8), lists=(np.arange(3, dtype=np.int32), np.zeros(0, "i4")))
    meta, arrays = whole.parts()
    assert meta == {
        "name": "t", "rate": 0.5, "pairs": [[1, "x"]],
        "branches": [{"leaf": [n, None], "note": ""} for n in (2, 0, 3)],
        "mixed": [{"type": "Leaf", "at": 1, "label": "a"}, {"type": "Port", "name": "p",
                                                            "format": "i3"}],
        "lengths": [3, 0],
    }  # fmt: skip
    assert sorted(arrays) == [
        "branches.0.values", "branches.1.values", "branches.2.values", "lists", "spare",
    ]  # fmt: skip
    whole.save(tmp_path / "t")
    back = Tree.load(tmp_path / "t")
    assert back.parts()[0] == meta
    assert back.mixed == whole.mixed
    assert not back.branches[0].values.flags.writeable
    assert [part.tolist() for part in back.lists] == [[0, 1, 2], []]
    tree().save(tmp_path / "t")
    assert Tree.load(tmp_path / "t").spare is None


@pytest.mark.parametrize(
    "changes",
    [
        {"name": 3}, {"rate": "fast"}, {"pairs": [[1]]}, {"pairs": [["x", 1]]}, {"pairs": 5},
        {"mixed": [{"type": "Root"}]}, {"mixed": [{"type": "Leaf", "at": True, "label": "a"}]},
        {"branches": [3]}, {"lengths": [1, 1]}, {"lengths": None},
    ],
)  # fmt: skip
def test_data_of_another_type_is_refused(changes, tmp_path):
    meta, arrays = tree(lists=(np.arange(3, dtype=np.int32),)).parts()
    write_archive(tmp_path / "t", "Tree", 1, {**meta, **changes}, arrays)
    with pytest.raises(CheckpointError, match="incomplete"):
        Tree.load(tmp_path / "t")


def test_another_version_is_refused(tmp_path):
    write_archive(tmp_path / "t", "Tree", 2, *tree().parts())
    with pytest.raises(CheckpointError, match="unknown version"):
        Tree.load(tmp_path / "t")


def test_arrays_whose_type_is_an_alias_of_its_own(monkeypatch):
    # As `NDArray` is from NumPy 2.5 on.
    class Alias:
        pass

    monkeypatch.setattr(fields, "ARRAYS", (np.ndarray, Alias))
    for hint in (GenericAlias(Alias, (np.int64,)), NDArray[np.int64]):
        codec, arrays = fields._codec(hint, fields._Form(), "x"), {}
        codec.write(np.arange(3), "x", arrays)
        assert codec.read(None, "x", arrays).tolist() == [0, 1, 2]
        with pytest.raises(ValueError, match="need int64"):
            codec.read(None, "x", {"x": np.zeros(3, np.float32)})
