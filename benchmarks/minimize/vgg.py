"""NullaNet's VGG16 kernels: one Verilog file, one module per kernel, written by ABC."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from benchmarks.minimize.parts import Netlist, Part
from nnlogic.tools.abc import run_abc

_MODULE = re.compile(r"^module (kernel_\d+_\d+) .*?^endmodule", re.MULTILINE | re.DOTALL)


def read_vgg(path: Path) -> list[Part]:
    """Return all kernels as one netlist; the wrapper, which only names pins, is left out."""
    with tempfile.TemporaryDirectory(prefix="nnlogic-vgg-") as name:
        folder = Path(name)
        kernels = {m[1]: m[0] for m in _MODULE.finditer(path.read_text())}
        for kernel, text in kernels.items():
            (folder / f"{kernel}.v").write_text(text + "\n")
        outputs = tuple(folder / f"{kernel}.blif" for kernel in kernels)
        script = "; ".join(f"read_verilog {k}.v; strash; write_blif {k}.blif" for k in kernels)
        (folder / "convert.abc").write_text(script.replace("; ", "\n") + "\n")
        run_abc("source convert.abc", cwd=folder, outputs=outputs, timeout=300)
        return [Netlist("kernel_8", stitched([out.read_text() for out in outputs]))]


def stitched(blifs: list[str]) -> str:
    """Return BLIF networks side by side; inputs of one name are one input."""
    inputs: dict[str, None] = {}
    outputs: list[str] = []
    body: list[str] = []
    for number, text in enumerate(blifs):
        lines = text.replace("\\\n", " ").splitlines()
        own: dict[str, list[str]] = {"inputs": [], "outputs": []}
        for line in lines:
            word, *names = line.split() or [""]
            if word in (".inputs", ".outputs"):
                own[word[1:]] += names
        inputs |= dict.fromkeys(own["inputs"])
        outputs += own["outputs"]
        ports = {*own["inputs"], *own["outputs"]}
        for line in lines:
            word, *names = line.split() or [""]
            if word == ".names":
                names = [name if name in ports else f"k{number}_{name}" for name in names]
                body.append(" ".join([".names", *names]))
            elif not word.startswith((".", "#")):
                body.append(line)
    head = [".model kernels", " ".join([".inputs", *inputs]), " ".join([".outputs", *outputs])]
    return "\n".join([*head, *body, ".end", ""])
