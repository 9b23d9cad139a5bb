from __future__ import annotations

import shutil
from collections import namedtuple

import pytest

from nnlogic.flows.targets import Target
from nnlogic.tools import doctor
from nnlogic.tools import find as find_module
from nnlogic.tools.doctor import diagnose
from nnlogic.tools.find import SPECS, look, name_of


@pytest.fixture(autouse=True)
def _fresh_cache():
    look.cache_clear()
    yield
    look.cache_clear()


PROGRAMS = (*SPECS, *Target.programs())


def by_name():
    found = diagnose(Target.programs())
    names = [status.name for status in found]
    assert len(set(names)) == len(names)
    return dict(zip(names, found, strict=True))


def test_lists_python_packages_programs_and_disk():
    found = by_name()
    assert set(map(name_of, PROGRAMS)) <= set(found)
    assert {"python", "numpy", "numba", "amaranth", "torch", "cocotb", "perl"} <= set(found)
    assert {"disk, here", "disk, scratch"} <= set(found)
    for status in found.values():
        assert status.purpose
        assert status.source
        assert bool(status.fix) is not status.ok
    assert found["yosys"].ok
    assert found["yosys"].required
    assert not found["nextpnr-ecp5"].required


def test_missing_program_has_a_reason_and_a_fix(on_path, monkeypatch):
    monkeypatch.setattr(find_module, "_package_dir", lambda package: None)
    found = by_name()
    for name in map(name_of, PROGRAMS):
        assert not found[name].ok
        assert "on PATH" in found[name].source
        assert "install" in found[name].fix
    assert not found["perl"].ok
    assert "perl" in found["perl"].fix


def test_missing_package_is_reported(monkeypatch):
    real = doctor.importlib.metadata.version

    def version(name):
        if name == "torch":
            raise doctor.importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor.importlib.metadata, "version", version)
    torch = by_name()["torch"]
    assert not torch.ok
    assert not torch.required
    assert torch.fix == "pip install 'nnlogic[train]'"


def test_full_disk_is_reported(monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 10, 1 << 20))
    disk = by_name()["disk, here"]
    assert not disk.ok
    assert disk.version == "0.0 GiB free"
    assert "free at least" in disk.fix
