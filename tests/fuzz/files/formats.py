"""The formats: right files, how they are mutated, and the commands for them."""

from __future__ import annotations

import functools
import io
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from . import absurd, codecs, corpus, texts
from .commands import (
    Command,
    command,
    load_archive,
    train_without_epochs,
    verify_without_simulation,
)
from .format import Format, Mutation, member, tree

SAFETENSORS = (*[tree(codecs.ARCHIVE)] * 6, tree(codecs.HEADER), *texts.RAW[:2])
JSON = (*[tree(codecs.JSON)] * 4, texts.worded, *texts.RAW)
TOML = (*[tree(codecs.TOML)] * 3, texts.worded, texts.lined, *texts.RAW)
NPZ = (*[tree(codecs.NPZ)] * 4, member, *texts.RAW)
NPY = (*[tree(codecs.NPY)] * 3, texts.worded, *texts.RAW)
EFFORT = "--effort fast --jobs 1"
TABLES = f"-o out --stop-after tables {EFFORT}"
NET = "toy.safetensors"
TRAIN = "-o out --data data --effort none"
RIGHT = Callable[[Path], list[bytes]]


def _made(*names: str) -> RIGHT:
    return lambda made: [(made / name).read_bytes() for name in names]


def _files(*paths: Path) -> RIGHT:
    return lambda made: [path.read_bytes() for path in paths]


def _bytes(content: bytes) -> RIGHT:
    return lambda made: [content]


def _beside(name: str, folder: str = ".") -> Callable[[Path, Path], object]:
    def put(made: Path, case: Path) -> object:
        if (made / name).is_dir():
            return shutil.copytree(made / name, case / name)
        (case / folder).mkdir(exist_ok=True)
        return shutil.copy(made / name, case / folder)

    return put


def _networks() -> list[Format]:
    """Networks that training wrote, and files of torch."""

    def commands(file: str) -> tuple[Command, ...]:
        return command(f"inspect {file}"), command(f"compile {file} {TABLES}", 1)

    name, pt = "f.safetensors", (member, member, member, *texts.RAW)
    torch = _made("state.pt", "module.pt", "old.pt")
    return [
        Format(
            "checkpoint", name, _made("net.safetensors"), commands(name), SAFETENSORS,
            absurd.CHECKPOINT,
        ),
        Format("quantnet", name, _made(NET), commands(name), SAFETENSORS),
        Format("torch", "f.pt", torch, commands("f.pt"), pt, absurd.TORCH),
    ]  # fmt: skip


def _stage(name: str) -> Format:
    """A stage of a finished run."""
    file = f"run/ir/{name}.safetensors"
    after = {"quant": "tables", "simplified": "logic", "tables": "logic"}.get(name, "design")
    commands = (
        command(f"inspect {file}"),
        command(f"compile run -o out --from {after} --stop-after {after} {EFFORT}", 1),
        command("verify run", 1, main=verify_without_simulation),
    )
    return Format(f"stage-{name}", file, _made(file), commands, SAFETENSORS, around=_beside("run"))


def _archive(path: Path) -> Format:
    """A saved IR of any kind."""
    commands = (command(f"{path.stem.partition('_')[0]} f.nnl", main=load_archive),)
    return Format(f"ir-{path.stem}", "f.nnl", _files(path), commands, SAFETENSORS)


def _of_run(name: str, mutations: Sequence[Mutation], whole: Sequence[absurd.Maker] = ()) -> Format:
    """Another file of a finished run."""
    commands = (
        command("inspect run", 1, 2),
        command("report run --html out.html", 1, 2),
        command("report run --json", 1, 2),
        command("verify run", 1, 2, main=verify_without_simulation),
        command(f"compile run --from tables {TABLES}", 1, 2),
    )
    file = f"run/{name}"
    return Format(
        f"run-{Path(name).name}", file, _made(file), commands, mutations, whole, _beside("run")
    )


def _rows(
    suffix: str, right: RIGHT, mutations: Sequence[Mutation], whole: Sequence[absurd.Maker]
) -> Format:
    commands = (command(f"compile {NET} {TABLES} --rows rows{suffix}", 2),)
    name = f"rows-{suffix[1:]}"
    return Format(name, f"rows{suffix}", right, commands, mutations, whole, _beside(NET))


def _npz(made: Path) -> list[bytes]:
    _, x, y = corpus.rows()
    named, plain = io.BytesIO(), io.BytesIO()
    np.savez(named, X=x.astype(np.float32), y=y)
    np.savez(plain, X=x)
    return [named.getvalue(), plain.getvalue()]


def _npy(made: Path) -> list[bytes]:
    out = io.BytesIO()
    np.save(out, corpus.rows()[1])
    return [out.getvalue()]


def _logic(
    suffix: str, content: bytes, whole: Sequence[absurd.Maker], more: Sequence[Mutation] = ()
) -> Format:
    """A file of logic for `minimize`."""
    file = f"f{suffix}"
    commands = (command(f"minimize {file} -o out.blif {EFFORT}"),)
    return Format(suffix[1:], file, _bytes(content), commands, (*texts.TEXT, *more), whole)


def _patterns() -> Format:
    def around(made: Path, case: Path) -> None:
        (case / "f.pla").write_bytes(corpus.PLA)

    commands = (command(f"minimize f.pla -o out.blif --care p.txt {EFFORT}", 2),)
    right = _bytes(corpus.PATTERNS)
    return Format("patterns", "p.txt", right, commands, texts.TEXT, absurd.PATTERNS, around)


def _verilog(name: str, broken: str, whole: Sequence[absurd.Maker] = ()) -> Format:
    """One of several files of Verilog."""
    files = corpus.verilog()

    def around(made: Path, case: Path) -> None:
        for file, text in files.items():
            (case / file).write_text(text)

    commands = (command("inspect logicnet.v"), command(f"compile logicnet.v {TABLES}"))
    right = _bytes(files[broken].encode())
    return Format(name, broken, right, commands, texts.TEXT, whole, around)


def _xgboost() -> Format:
    right = _files(*(corpus.XGBOOST / f"xgboost_{name}.json" for name in ("binary", "multi")))
    commands = command("inspect f.json"), command(f"compile f.json {TABLES}")
    return Format("xgboost", "f.json", right, commands, JSON, absurd.XGBOOST)


def _others() -> list[Format]:
    """Networks that other programs wrote."""
    compiled = command(f"compile f.json {TABLES}")
    files, trees = corpus.kanele(), [corpus.XGBOOST / "xgboost" / f"{name}.ubj"
                                     for name in ("logistic", "softprob_stop")]  # fmt: skip
    ubjson = (*[tree(codecs.UBJSON)] * 4, *texts.RAW)
    torch = (*[tree(codecs.TORCH)] * 5, member, *texts.RAW)
    gates = f"compile f.pth {TABLES} --read classes=3"

    def beside(name: str) -> Callable[[Path, Path], object]:
        return lambda made, case: (case / name).write_bytes(files[name])

    return [
        Format(
            "xgboost-ubj", "f.ubj", _files(*trees),
            (command("inspect f.ubj"), command(f"compile f.ubj {TABLES}")), ubjson, absurd.UBJSON,
        ),
        Format(
            "kanele", "f.json", _bytes(files["f.json"]), (compiled,), JSON, absurd.KANELE,
            beside("config.json"),
        ),
        Format(
            "kanele-config", "config.json", _bytes(files["config.json"]), (compiled,), JSON, (),
            beside("f.json"),
        ),
        Format(
            "dwn", "f.pt", _made("dwn.pt"),
            (command("inspect f.pt"), command(f"compile f.pt {TABLES}")), torch,
        ),
        Format(
            "alir", "f.json", _files(*(corpus.XGBOOST / "alir" / f"{name}.json"
                                       for name in ("alkaid", "da4ml", "pipeline"))),
            (command("inspect f.json"), compiled), JSON, absurd.ALIR,
        ),
        Format(
            "onnx", "f.onnx", _files(*sorted((corpus.XGBOOST / "onnx").glob("*.onnx"))),
            (command("inspect f.onnx"), command(f"compile f.onnx {TABLES} --arith auto")),
            texts.RAW,
        ),
        Format("difflogic", "f.pth", _made("gates.pth"), (command(gates, 2),), torch),
    ]  # fmt: skip


def _training() -> list[Format]:
    """A recipe, and a local copy of a data set."""
    names = ("small", "tree", "luts", "additive")
    right = _files(*(corpus.RECIPES / f"jets_{name}.toml" for name in names))
    recipe, small = (
        (command(f"train {name} {TRAIN}", 2, main=train_without_epochs),)
        for name in ("f.toml", "jets_small")
    )
    data, around = "jets16.npz", _beside("jets16.npz", "data")
    return [
        Format("recipe", "f.toml", right, recipe, TOML, absurd.RECIPE, around),
        Format("dataset", f"data/{data}", _made(data), small, NPZ, absurd.NPZ),
    ]


def _target() -> Format:
    commands = (command(f"compile {NET} {TABLES} --target t.toml", 2),)
    right = _files(*sorted(corpus.TARGETS.glob("*.toml")))
    return Format("target", "t.toml", right, commands, TOML, absurd.TARGET, _beside(NET))


@functools.cache
def formats() -> dict[str, Format]:
    """Return all formats by name."""
    known = [
        *_networks(),
        *map(_stage, corpus.STAGES),
        *map(_archive, sorted(corpus.ARCHIVES.iterdir())),
        *(_of_run(f"{name}.json", JSON) for name in ("report", "config", "manifest")),
        _of_run("STATUS", texts.TEXT),
        _of_run("sim/rows.npz", NPZ, absurd.NPZ),
        _xgboost(),
        *_others(),
        _verilog("verilog", "logicnet.v", absurd.VERILOG),
        _verilog("verilog-neuron", "layer0_N0.v"),
        _logic(".pla", corpus.PLA, absurd.PLA),
        _logic(".blif", corpus.BLIF, absurd.BLIF),
        _logic(".aag", corpus.AAG, absurd.AAG),
        _logic(".aig", corpus.aig(), absurd.AIG, texts.RAW),
        _logic(".truth", corpus.TRUTH, absurd.TRUTH),
        _patterns(),
        _rows(".csv", _bytes(corpus.rows_csv()), texts.TEXT, absurd.CSV),
        _rows(".npy", _npy, NPY, absurd.NPY),
        _rows(".npz", _npz, NPZ, absurd.NPZ),
        *_training(),
        _target(),
    ]
    return {fmt.name: fmt for fmt in known}
