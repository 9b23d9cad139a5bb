"""Write multiply-accumulate cores as Verilog, alone or with the LUT core behind them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from nnlogic.backends.mac.model.ir import MacNet
from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import IRError
from nnlogic.core.formats import Port
from nnlogic.core.inert import CommentText
from nnlogic.core.names import Identifier, identifier
from nnlogic.core.progress import SILENT, Progress
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.convert import component_verilog
from nnlogic.hw.header import Origin, header
from nnlogic.hw.lut.verilog import write_verilog
from nnlogic.hw.lut_cell import LutCell
from nnlogic.hw.mac.core import MacCore
from nnlogic.hw.names import Core, port_names
from nnlogic.hw.slice_kinds import FABRIC
from nnlogic.hw.slices import MODELS, model_text
from nnlogic.hw.stream_wrapper import StreamParameters, StreamWrapper


@dataclass(frozen=True, eq=False)
class MacPair:
    """A multiply-accumulate core and the LUT core that reads its fields, as one core.

    Attributes
    ----------
    name : str
        Name of the Verilog module; the two cores are ``<name>_mac`` and ``<name>_tail``.
    mac : MacNet
    design : HardwareDesign
        Of the plan's tail; its inputs are the outputs of `mac`.
    stream : bool
        Add a valid/ready wrapper ``<name>_stream``.
    """

    name: str
    mac: MacNet
    design: HardwareDesign
    stream: bool = True

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Input ports."""
        return self.mac.inputs

    @property
    def outputs(self) -> tuple[Port, ...]:
        """Output ports."""
        return self.design.outputs

    @property
    def latency(self) -> int:
        """Clock cycles from input to output of the core."""
        return self.mac.latency + self.design.latency


class _Series(wiring.Component):
    """Two cores, the outputs of the first being the inputs of the second."""

    def __init__(self, pair: Core, first: Core, second: Core) -> None:
        self.pair, self.first, self.second = pair, first, second
        x, y = (names.values() for names in port_names(pair))
        members = {"in_valid": In(1), "out_valid": Out(1)}
        members |= {n: In(p.format.bits) for n, p in zip(x, pair.inputs, strict=True)}
        members |= {n: Out(p.format.bits) for n, p in zip(y, pair.outputs, strict=True)}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        x, y = port_names(self.pair)
        first_x, first_y = port_names(self.first)
        second_x, second_y = port_names(self.second)
        between = {p.name: Signal(p.format.bits, name=f"s_{i}_{first_y[p.name][2:]}")
                   for i, p in enumerate(self.first.outputs)}  # fmt: skip
        valid = Signal(name="between_valid")
        clock = {"i_clk": ClockSignal(), "i_rst": ResetSignal()}
        m.submodules.first = Instance(
            self.first.name, **clock, i_in_valid=self.in_valid, o_out_valid=valid,
            **{f"i_{first_x[n]}": getattr(self, x[n]) for n in first_x},
            **{f"o_{first_y[n]}": between[n] for n in first_y},
        )  # fmt: skip
        m.submodules.second = Instance(
            self.second.name, **clock, i_in_valid=valid, o_out_valid=self.out_valid,
            **{f"i_{second_x[n]}": between[n] for n in second_x},
            **{f"o_{second_y[n]}": getattr(self, y[n]) for n in second_y},
        )  # fmt: skip
        return m


def write_mac(
    mac: MacNet, folder: Path, *, origin: Origin | None = None, progress: Progress = SILENT
) -> tuple[Path, ...]:
    """Write ``<name>.v``, and for DSP slices the simulation model ``dsp48_models.v``.

    The top module has the net's name as a Verilog identifier, and the protocol of a LUT core.
    The model is for simulation only: synthesis tools know the cells.

    Parameters
    ----------
    mac : MacNet
        Verified.
    folder : Path
        Made when it does not exist.
    origin : Origin, optional
        Told at the top of the files.
    progress : Progress

    Returns
    -------
    tuple of Path
        The core, then the model where there is one.

    Raises
    ------
    ToolNotFound, ToolFailed
        Yosys is missing or failed.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    name = identifier(mac.name)
    path = folder / f"{name}.v"
    with progress.step(f"write {path.name}", 1) as step:
        text = _head(mac, name, origin) + component_verilog(MacCore(mac), name)
        write_bytes(path, text.encode())
        step.advance()
    if mac.slice_kind == FABRIC:
        return (path,)
    models = folder / MODELS
    write_bytes(models, model_text().encode())
    return (path, models)


def write_mac_pair(
    pair: MacPair,
    folder: Path,
    *,
    primitives: LutCell | None = None,
    origin: Origin | None = None,
    progress: Progress = SILENT,
) -> tuple[Path, ...]:
    """Write both cores, the module around them, and the stream wrapper when asked for.

    Parameters
    ----------
    pair : MacPair
    folder : Path
        Made when it does not exist.
    primitives : LutCell, optional
    origin : Origin, optional
        As for `nnlogic.hw.lut.verilog.write_verilog`.
    progress : Progress

    Returns
    -------
    tuple of Path
        ``<name>.v``, ``<name>_mac.v``, ``<name>_tail.v``, ``<name>_stream.v`` when asked for,
        and the simulation model of the slices last, where there is one.

    Raises
    ------
    IRError
        The inputs of the design are not the outputs of the MacNet, or a name differs.
    ToolNotFound, ToolFailed
        Yosys is missing or failed.
    """
    names = (identifier(pair.mac.name), pair.design.name)
    if pair.mac.outputs != pair.design.inputs or names != (f"{pair.name}_mac", f"{pair.name}_tail"):
        raise IRError("these cores are no pair", where=pair.name, why=" and ".join(names))
    mac, *models = write_mac(pair.mac, folder, origin=origin, progress=progress)
    tail = write_verilog(
        pair.design, folder, primitives=primitives, origin=origin, progress=progress
    )
    tops = {pair.name: component_verilog(_Series(pair, pair.mac, pair.design), pair.name)}
    if pair.stream:
        stream = f"{pair.name}_stream"
        tops[stream] = component_verilog(StreamWrapper(StreamParameters.of(pair)), stream)
    files = []
    for name, text in tops.items():
        files.append(Path(folder) / f"{name}.v")
        write_bytes(files[-1], (header(Identifier(name), origin=origin) + text).encode())
    return (files[0], mac, *tail, *files[1:], *models)


def _head(mac: MacNet, name: Identifier, origin: Origin | None) -> str:
    """Return the comment at the top of the core: what it is, and what its ports carry."""
    stats = mac.stats()
    x_names, y_names = port_names(mac)
    lines = [
        f"{stats['slices']} slices of kind {mac.slice_kind} in {stats['chains']} chains",
        f"latency {mac.latency} cycles, one result per cycle",
        "",
        "clk        rising edge",
        "rst        synchronous, active high, clears the valid chain only",
        *(f"{x_names[p.name]}  {p.format}" for p in mac.inputs),
        *(
            f"{y_names[p.name]}  {p.format}  neuron {f.neuron}: sum = {f.scale} * this + {f.offset}"
            for p, (_, f) in zip(mac.outputs, mac.fields, strict=True)
        ),
    ]
    return header(name, [CommentText(line) for line in lines], origin)
