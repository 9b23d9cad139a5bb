"""Where the files of other people's networks are, and what their own flows make of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.leaderboard.interval import of_bthowen

UTILIZATION = re.compile(
    r"^(?:LUT=|\|\s*(?:CLB|Slice) LUTs\*?\s*\|\s*|\|\s+model\s+\|\s+wisard\s+\|\s+)(\d+)",
    re.MULTILINE,
)
"""Of a report by Vivado, or an extract: LUTs of the design, or of the module that is the model."""


@dataclass(frozen=True)
class Peer:
    """Files of one family in one repository.

    Attributes
    ----------
    family : str
    repository : str
        Folder below the one of all peers.
    files : str
        Pattern below it.
    read : mapping of str to str
        Options of the importer; ``{rows}`` in one stands for a file that `benchmarks` writes.
    reports : tuple of str
        Patterns, from the file's folder, of reports of utilization by the peer's own flow;
        ``{stem}`` is the file's name up to its first point.
    stated : mapping of str to str
        LUTs that the peer's paper or repository states elsewhere, by a part of the file's path.
    source : str
        Where that is from.
    carries : mapping of str to int
        CARRY4 beside those LUTs, by a part of the file's path, where they are known.
    verilog : tuple of str
        Patterns, from the file's folder, of the Verilog that the peer's tool wrote for it.
    top : str
        Its module.
    same : mapping of str to str
        Options of the importer that leave off what the peer's hardware leaves off.
    bits : bool
        Whether the peer's hardware takes bits that are compared already.
    scores : bool
        Whether it gives the scores of classes.
    rows : mapping of str to str
        Data sets by a part of the file's path, see `benchmarks.leaderboard.data`.
    interval : callable, optional
        Gives the clocks that the peer's hardware takes for a row, of a file and the first report.
    rank : str, optional
        Matches once per rank of registers in the text of the module, which all paths cross; None
        where its clock is not compared.
    why : str
        What the peer's figure leaves out, or spends elsewhere.
    sizes : mapping of str to str
        What is known of files that take long to measure, by a part of their path.
    """

    family: str
    repository: str
    files: str
    read: Mapping[str, str] = field(default_factory=dict)
    reports: tuple[str, ...] = ()
    stated: Mapping[str, str] = field(default_factory=dict)
    source: str = "published"
    carries: Mapping[str, int] = field(default_factory=dict)
    verilog: tuple[str, ...] = ()
    top: str = ""
    same: Mapping[str, str] = field(default_factory=dict)
    bits: bool = False
    scores: bool = False
    rows: Mapping[str, str] = field(default_factory=dict)
    interval: Callable[[Path, str], int] | None = None
    rank: str | None = None
    why: str = ""
    sizes: Mapping[str, str] = field(default_factory=dict)

    def found(self, peers: Path) -> Iterator[Path]:
        """Yield the files that are there, in order."""
        yield from sorted((peers / self.repository).glob(self.files))

    def carry_cells(self, file: Path) -> int | None:
        """Return the CARRY4 beside the stated LUTs; None where they are not known."""
        return next((count for part, count in self.carries.items() if part in str(file)), None)

    def published(self, file: Path) -> str:
        """Return the LUTs that the peer states for a file; an empty text where it states none."""
        for name in self.reports:
            for report in _matching(file, name):
                match = UTILIZATION.search(report.read_text(errors="replace"))
                if match:
                    return match[1]
        return _of(self.stated, file)

    def clocks(self, file: Path) -> int | None:
        """Return the clocks that the peer's hardware takes for a row, None where none are known."""
        reports = [found for name in self.reports for found in _matching(file, name)]
        if self.interval is None or not reports:
            return None
        return self.interval(file, reports[0].read_text(errors="replace"))

    def sources(self, file: Path) -> list[Path]:
        """Return the Verilog that the peer's tool wrote for a file."""
        return [found for name in self.verilog for found in _matching(file, name)]

    def registers(self, file: Path) -> int | None:
        """Return the registers on every path of the Verilog; None where there is none to place."""
        tops = [path for path in self.sources(file) if path.stem == self.top]
        if self.rank is None or not tops:
            return None
        return len(re.findall(self.rank, tops[0].read_text(errors="replace")))

    def size(self, file: Path) -> str:
        """Return what is known of a file that was not measured; empty where nothing is."""
        return _of(self.sizes, file)

    def dataset(self, file: Path) -> str:
        """Return the name of the rows that a file is measured on; empty where there are none."""
        return _of(self.rows, file)


def _matching(file: Path, pattern: str) -> list[Path]:
    folder, pattern = file.parent, pattern.replace("{stem}", file.name.partition(".")[0])
    while pattern.startswith("../"):
        folder, pattern = folder.parent, pattern.removeprefix("../")
    return sorted(folder.glob(pattern))


def _of(known: Mapping[str, str], file: Path) -> str:
    return next((value for part, value in known.items() if part in str(file)), "")


NO_RANK = r"(?!)"
"""Matches nowhere."""


TRAIN = "{train}"
NONE = {"decision": "none"}
PEERS = (
    Peer("KANELE", "KANELE", "benchmarks/**/models/*/*.pt",
         stated={"JSC_OpenML/models": "1232", "JSC_CERNBox/models": "5034"},
         reports=("firmware/**/post_impl_util.rpt", "README.md"), same=NONE,
         rows={"JSC_OpenML/models": "jets:standardized", "Tran_study/Wine": "uci:wine"},
         sizes={"JSC_CERNBox": "predicted 3,239 LUT6, the peer's 5,034",
                "anomaly": "2,304 tables, 38,952 LUT6 before any is minimized"},
         why="the peer adds with carry chains, which are not counted"),
    Peer("KANELE", "KANELE", "benchmarks/MNIST/models/*/truth_tables.json",
         reports=("README.md",), same=NONE),
    Peer("DWN", "dwn-fpga-study", "training/artifacts/*_checkpoint.pt",
         stated={"distributive_50_l_b100": "108"}, bits=True,
         verilog=("{stem}/dwn_core.v", "../../rtl/*.v"), top="dwn_core", rank=r"\bpipe_reg #",
         rows={"jsc": "jets:raw"},
         why="every table of six bits is one LUT in both; only the sums and the argmax can shrink, "
         "and the peer's use carry chains, which are not counted"),
    Peer("LogicNets", "IIoT-LogicNets", "experiments/binary*/*/verilog/lut_based_model.pth",
         {"bits": "1/2/2", "decision": "threshold:0.75"}, ("results_logicnet/res.txt",),
         verilog=("*.v",), top="logicnet", rank=r"\bmyreg #", same=NONE),
    Peer("LogicNets", "IIoT-LogicNets", "experiments/6_*/*/verilog/lut_based_model.pth",
         {"bits": "1/2/2"}, ("results_logicnet/res.txt",), verilog=("*.v",), top="logicnet",
         rank=r"\bmyreg #", same=NONE),
    Peer("difflogic", "mase", "*.pth", {"classes": "10"}, rows={"mnist": "mnist:bits20"},
         sizes={"mnist": "48,000 gates of two inputs, before sums of 800 bits"}),
    Peer("BTHOWeN", "BTHOWeN", "software_model/selected_models/*.pickle.lzma", {"train": TRAIN},
         ("../../rtl/synthesis_reports/utilization/{stem}.rpt",), bits=True,
         rows={"iris": "uci-third:iris", "wine": "uci-third:wine",
               "vehicle": "uci-third:vehicle", "letter": "uci-third:letter",
               "satimage": "uci-third:satimage", "shuttle": "uci-third:shuttle",
               "mnist": "mnist:ink"},
         interval=of_bthowen,
         sizes={"letter": "predicted 27,749 LUT6, the peer's 21,242",
                "mnist_small": "29,008 LUT6 before any is minimized, the peer's 12,514",
                "mnist_medium": "the peer's 32,721", "mnist_large": "the peer's 141,592 or more"},
         why="the peer works out one hash function per clock, and needs as many clocks a row as it "
         "has of them; ours takes a row every clock, with all hashes side by side"),
    *(Peer("torchlogix", "torchlogix-models", f"{kind}*_{name}/state.pt",
           {"classes": classes, **meant}, bits=True, scores=True, verilog=("circuit.v",),
           top="circuit", rank=NO_RANK, rows={name: f"uci-third:{name}"},
           why="most of it is sums, and the peer's use carry chains, which are not counted")
      for name, classes in (("digits", "10"), ("vehicle", "4"))
      for kind, meant in (("raw", {}), ("warp", {"parametrization": "warp"}),
                          ("light", {"parametrization": "light"}))),
    Peer("TreeLUT (Verilog)", "treelut-models", "*/TreeLUT/verilog/TreeLUT.v", verilog=("*.v",),
         top="TreeLUT", rank=NO_RANK),
    Peer("LightGBM", "trees", "lightgbm_*.txt", rows={"vehicle": "uci-third:vehicle"}),
    Peer("xgboost", "trees", "xgboost_*.json", rows={"vowel": "uci-third:vowel"}),
    Peer("conifer", "trees", "conifer_*.json", rows={"wine": "uci-third:wine"}),
    Peer("HGQ-LUT (ALIR)", "HGQ-LUT-AE", "alir/*.json", {"inputs": "features"}, same=NONE,
         stated={"openml-598": "199", "openml-1439": "1237"},
         source="its Verilog, yosys", carries={"openml-598": 50, "openml-1439": 192},
         why="the peer adds with carry chains, which are not counted"),
    Peer("QONNX", "qonnx_model_zoo", "models/MNIST/**/*.onnx", rows={"MNIST": "mnist:ink"},
         sizes={"1W2A": "predicted 67,197 LUT6", "2W2A": "predicted 23,262 LUT6"}),
    Peer("QONNX", "qonnx_model_zoo", "models/JetTagging/**/*.onnx", {"inputs": "q6.10"},
         rows={"Jet": "jets:standardized"}),
    Peer("QONNX", "qonnx_model_zoo", "models/UNSW_NB15/**/*.onnx", {"inputs": "q2.0"}),
)  # fmt: skip
