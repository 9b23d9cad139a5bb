"""Post-training quantization, step by step, each measured on rows that take no part."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnlogic.core.archive import digest
from nnlogic.core.errors import InputError, UsageError
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import SILENT, Progress
from nnlogic.data.split import take
from nnlogic.frontend.pt2.perceptron import FloatLayer
from nnlogic.model.architecture import FAN_IN_BITS
from nnlogic.nn.checkpoint import save_checkpoint
from nnlogic.nn.network import Network
from nnlogic.nn.quantizers import fit_thresholds
from nnlogic.train.quantize.calibrate import calibrated, fitted, plan, with_statistics
from nnlogic.train.quantize.source import float_layers
from nnlogic.train.quantize.tune import more_rows, tune

if TYPE_CHECKING:
    from torch import nn

    from nnlogic.quant.ir import QuantNet

HELD_OUT, SPLIT_SEED = 0.25, 20
LEAST_ROWS = 40
GOLDEN = 256
WIDE_WEIGHT_BITS, TABLE_WEIGHT_BITS = 4, 8
"""Of weights that become adders, and of those that become tables, where bits cost nothing."""
MOST_WIDE = 1 << 14
"""Input bits of a neuron that is built from adders."""


@dataclass(frozen=True)
class Step:
    """A step from floats to logic, and what is left after it, on rows that took no part.

    Attributes
    ----------
    what : str
    agreement : float
        Share of rows with the class that the float network gives.
    accuracy : float or None
        Share of rows with the right class; None without labels.
    """

    what: str
    agreement: float
    accuracy: float | None


@dataclass(frozen=True, eq=False)
class Quantized:
    """A float network in few bits.

    Attributes
    ----------
    network : Network
        In eval mode; can be trained further.
    steps : tuple of Step
        From the float network to the exact one of few bits.
    rows : int
        That were held out, on which steps are measured; `used` others were fitted to.
    used : int
    info : dict
        JSON data for the checkpoint.
    golden : float32 array, shape (rows, features)
        Rows that are recorded in the checkpoint.
    tables : bool
        Whether all neurons fit tables; others are compiled with ``arith="auto"``.
    """

    network: Network
    steps: tuple[Step, ...]
    rows: int
    used: int
    info: dict[str, Any]
    golden: NDArray[np.float32] = field(repr=False)
    tables: bool = True

    @property
    def net(self) -> QuantNet:
        """The network as integers: what is compiled."""
        return self.network.quantnet(self.info)

    def save(self, path: Path | str) -> None:
        """Write a checkpoint, with rows and what torch gives for them."""
        save_checkpoint(self.network, path, info=self.info, golden_rows=self.golden)

    def text(self) -> str:
        """Return the steps as a table of plain lines; change is of what stands left of it."""
        width = max(len(step.what) for step in self.steps)
        lines = [f"{'step':{width}}  as the float   correct  change"]
        before: float | None = None
        for step in self.steps:
            shown = step.agreement if step.accuracy is None else step.accuracy
            right = "-" if step.accuracy is None else f"{100 * step.accuracy:.2f} %"
            change = "" if before is None else f"{100 * (shown - before):+.2f}"
            lines.append(
                f"{step.what:{width}}  {100 * step.agreement:10.2f} %  {right:>8}  {change:>6}"
            )
            before = shown
        lines.append(f"on {self.rows:,} rows that took no part; {self.used:,} were fitted to")
        return "".join(f"{line.rstrip()}\n" for line in lines)

    def __repr__(self) -> str:
        """Return first and last step in a line."""
        last = self.steps[-1]
        return f"<Quantized {self.network.name}: {100 * last.agreement:.2f} % as the float network>"


def quantize(
    module: nn.Module | Path | str,
    rows: NDArray | Tensor,
    labels: NDArray | Tensor | None = None,
    *,
    bits: int = 2,
    input_bits: int = 4,
    score_bits: int = 5,
    weight_bits: int | None = None,
    fan_in: int | Sequence[int] | None = None,
    steps: int = 1500,
    inputs: str = "uniform",
    seed: int = 0,
    name: str | None = None,
    features: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    progress: Progress = SILENT,
) -> Quantized:
    """Return a float classifier in few bits and few connections, without training from scratch.

    Ranges are calibrated on rows, connections cut to `fan_in`, and the rest fine-tuned for some
    steps with the float network as teacher. A quarter of the rows takes no part and says what each
    step cost.

    Parameters
    ----------
    module : torch.nn.Module or path
        Linear layers, batch norm and activations one after another, in floats, that gives a score
        per class, or one score for two classes. A path is a ``.pt2`` file of `torch.export`.
    rows : array or tensor, shape (rows, features)
        As the module takes them, `LEAST_ROWS` or more.
    labels : int array, shape (rows,), optional
        Classes, from 0. Without them the float network is all there is to learn from.
    bits, input_bits, score_bits : int
        Of what hidden neurons give, of input codes, and of scores; 1 to 8.
    weight_bits : int, optional
        Default: 8 where a neuron becomes a table, which costs nothing, else 4.
    fan_in : int or sequence of int, optional
        Most connections of a neuron, of all layers or of each; 0 for all. Default: as many as a
        table of 12 bits has. Wider neurons are compiled with ``arith="auto"``.
    steps : int
        Of fine-tuning; 0 for none.
    inputs : {"uniform", "quantile", "fixed"}
        How input codes are fitted, see `nnlogic.nn.fit_thresholds`.
    seed : int
        Of the order of rows in fine-tuning.
    name : str, optional
        Default: the class of the module, or the name of the file.
    features, classes : sequence of str, optional
    progress : Progress

    Returns
    -------
    Quantized

    Raises
    ------
    UnsupportedModel
        The module is no chain of linear layers; all operations concerned are listed.
    InputError
        Rows or labels do not fit.
    UsageError
        An option is out of range.
    """
    x, y = _checked(rows, labels)
    label, layers = float_layers(module, x, name)
    outputs = len(layers[-1].weight)
    classes = _classes(classes, outputs, y)
    features = list(features or (f"x{i}" for i in range(x.shape[1])))
    fans = _fan_ins(fan_in, len(layers), bits, input_bits)
    widths = [f * (bits if i else input_bits) for i, f in enumerate(fans)]
    wide = any(w > FAN_IN_BITS or not f for w, f in zip(widths, fans, strict=True))
    weight_bits = weight_bits or (WIDE_WEIGHT_BITS if wide else TABLE_WEIGHT_BITS)
    arch = plan(
        label, layers, features, classes, input_bits=input_bits, bits=bits,
        score_bits=score_bits, weight_bits=weight_bits, fan_in=fans,
    )  # fmt: skip
    _refuse(arch)
    torch.manual_seed(seed)
    network = Network(arch, seed=seed, fan_in_limit=MOST_WIDE)
    teacher = _scores(layers, torch.from_numpy(x).double())
    kept, held = _split(y if y is not None else teacher.argmax(1).numpy(), y is not None)
    network.quantizer.set_thresholds(
        fit_thresholds(x[kept], arch.input_bits, inputs, labels=None if y is None else y[kept])
    )
    run = _Run(network, layers, x, y, teacher, held)
    run.note("float network", teacher.argmax(1))
    codes = network.quantizer(torch.from_numpy(x))
    values = network.values(codes).double()
    gain, shift = fitted(values[kept], torch.from_numpy(x[kept]).double())
    run.note(f"inputs in {input_bits} bits", _scores(layers, gain * values + shift).argmax(1))
    calibrated(network, layers, torch.from_numpy(x[kept]).double(), codes[kept])
    network.eval()
    for block in network.blocks:
        block.linear.quantized = False
    run.note(f"neurons in {bits} bits, scores in {score_bits}", run.fake(network, codes))
    network.set_quantized(True)
    with_statistics(network, codes[kept])
    run.note(f"weights in {weight_bits} bits", run.fake(network, codes))
    if any(fans):
        cut = copy.deepcopy(network)
        cut.prune(1.0)
        with_statistics(cut, codes[kept])
        fan_words = ", ".join(str(f) if f else "all" for f in dict.fromkeys(fans))
        run.note(f"fan-in of {fan_words}, cut at once", run.fake(cut, codes))
    else:
        cut = network
    if steps:
        right = None if y is None else torch.from_numpy(y[kept])
        more = more_rows(torch.from_numpy(x[kept]), seed)
        tune(
            network, network.quantizer(more), _scores(layers, more.double()), right, steps=steps,
            seed=seed, progress=progress,
        )  # fmt: skip
    else:
        network = cut
    network.eval()
    exact = torch.from_numpy(network.evaluate(x)[:, -1])
    run.note(f"fine-tuned for {steps:,} steps, exact" if steps else "exact integers", exact)
    last = run.steps[-1]
    info: dict[str, Any] = {
        "training": "quantized from a float network: calibration"
        + (f", {steps:,} steps with the float network as teacher" if steps else ""),
        "digest": digest(x) if y is None else digest(x, y),
        "accuracy": {
            "float": run.steps[0].accuracy, "quantized": last.accuracy,
        },
    }  # fmt: skip
    if y is None:
        del info["accuracy"]
    golden = x[held][:GOLDEN]
    return Quantized(network, tuple(run.steps), len(held), len(kept), info, golden, not wide)


@dataclass
class _Run:
    network: Network
    layers: Sequence[FloatLayer]
    x: NDArray[np.float32]
    y: IntArray | None
    teacher: Tensor
    held: IntArray
    steps: list[Step] = field(default_factory=list)

    def note(self, what: str, found: Tensor) -> None:
        """Measure classes of all rows on those that were held out."""
        held = torch.from_numpy(self.held)
        mine = found[held]
        same = float((mine == self.teacher.argmax(1)[held]).double().mean())
        right = None
        if self.y is not None:
            right = float((mine.numpy() == self.y[self.held]).mean())
        self.steps.append(Step(what, same, right))

    @torch.no_grad()
    def fake(self, network: Network, codes: Tensor) -> Tensor:
        """Return the classes that the fake-quantized float graph gives."""
        network.eval()
        return network.body(network.values(codes)).argmax(1)


@torch.no_grad()
def _scores(layers: Sequence[Callable[[Tensor], Tensor]], x: Tensor) -> Tensor:
    for layer in layers:
        x = layer(x)
    return x


def _checked(rows: Any, labels: Any) -> tuple[NDArray[np.float32], IntArray | None]:
    x = np.asarray(rows.detach().cpu() if isinstance(rows, Tensor) else rows)
    if x.ndim < 2 or x.dtype.kind not in "fiub" or len(x) < LEAST_ROWS:
        why = f"got shape {x.shape} of {x.dtype}"
        raise InputError("rows that cannot be calibrated on", why=why,
                         fix=f"an array of numbers, {LEAST_ROWS} rows or more")  # fmt: skip
    x = x.reshape(len(x), -1).astype(np.float32)
    if not np.isfinite(x).all():
        row = int(np.flatnonzero(~np.isfinite(x).all(axis=1))[0])
        raise InputError("input rows hold NaN or infinity", why=f"row {row}",
                         fix="drop or impute these rows")  # fmt: skip
    if labels is None:
        return x, None
    y = np.asarray(labels.detach().cpu() if isinstance(labels, Tensor) else labels)
    if y.shape != (len(x),) or y.dtype.kind not in "iub":
        raise InputError("labels do not fit the rows",
                         why=f"shape {y.shape} of {y.dtype}, {len(x)} rows",
                         fix="one class per row, as an integer from 0")  # fmt: skip
    return x, y.astype(np.int64)


def _classes(classes: Sequence[str] | None, outputs: int, y: IntArray | None) -> tuple[str, ...]:
    names = tuple(classes or map(str, range(outputs)))
    if len(names) != outputs:
        raise UsageError("names of classes do not fit", why=f"{len(names)} names, {outputs} scores")
    if y is not None and len(y) and not (y.min() >= 0 and y.max() < outputs):
        raise InputError(
            "labels do not fit the network", why=f"{y.min()} to {y.max()}, {outputs} classes",
            fix="classes count from 0, in the order of the scores",
        )  # fmt: skip
    return names


def _fan_ins(
    fan_in: int | Sequence[int] | None, layers: int, bits: int, input_bits: int
) -> list[int]:
    if fan_in is None:
        return [max(1, FAN_IN_BITS // (bits if i else input_bits)) for i in range(layers)]
    given = [fan_in] * layers if isinstance(fan_in, int) else list(fan_in)
    if len(given) != layers or any(f < 0 for f in given):
        raise UsageError("fan-ins do not fit", why=f"{given} for {layers} layers",
                         fix="a number, or one per layer, 0 for all connections")  # fmt: skip
    return given


def _refuse(arch: Any) -> None:
    problems = arch.problems()
    if problems:
        raise UsageError("a network that cannot be", where=arch.name, problems=problems)


def _split(by: IntArray, labelled: bool) -> tuple[IntArray, IntArray]:
    counts = np.bincount(by)
    stratified = labelled and bool((counts[counts > 0] >= 2).all())
    kept, held = take(by, HELD_OUT, SPLIT_SEED, stratified=stratified)
    return kept, held
