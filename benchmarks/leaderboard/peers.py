"""Where the files of other people's networks are, and what their own flows reported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

UTILIZATION = re.compile(r"^(?:LUT=|\|\s*(?:CLB|Slice) LUTs\*?\s*\|\s*)(\d+)", re.MULTILINE)


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
        Options of the importer.
    reports : tuple of str
        Patterns, from the file's folder, of reports of utilization by the peer's own flow.
    stated : mapping of str to str
        What the peer's paper or repository states elsewhere, by a part of the file's path.
    """

    family: str
    repository: str
    files: str
    read: Mapping[str, str] = field(default_factory=dict)
    reports: tuple[str, ...] = ()
    stated: Mapping[str, str] = field(default_factory=dict)

    def found(self, peers: Path) -> Iterator[Path]:
        """Yield the files that are there, in order."""
        yield from sorted((peers / self.repository).glob(self.files))

    def published(self, file: Path) -> str:
        """Return the LUTs that the peer states for a file; an empty text where it states none."""
        for report in (found for name in self.reports for found in sorted(file.parent.glob(name))):
            match = UTILIZATION.search(report.read_text(errors="replace"))
            if match:
                return f"{int(match[1]):,}"
        return next((said for part, said in self.stated.items() if part in str(file)), "")


PEERS = (
    Peer("KANELE", "KANELE", "benchmarks/**/truth_tables.json",
         reports=("firmware/**/post_impl_util.rpt", "README.md"),
         stated={"JSC_OpenML": "1,232 (paper)", "JSC_CERNBox": "5,034 (paper)"}),
    Peer("DWN", "dwn-fpga-study", "training/artifacts/*_checkpoint.pt",
         stated={"distributive_50_l_b100": "108, without the encoder"}),
    Peer("LogicNets", "IIoT-LogicNets", "experiments/binary*/*/verilog/lut_based_model.pth",
         {"bits": "1/2/2", "decision": "threshold:0.75"}, ("results_logicnet/res.txt",)),
    Peer("LogicNets", "IIoT-LogicNets", "experiments/6_*/*/verilog/lut_based_model.pth",
         {"bits": "1/2/2"}, ("results_logicnet/res.txt",)),
    Peer("difflogic", "mase", "*.pth", {"classes": "10"}),
    Peer("BTHOWeN", "BTHOWeN", "software_model/selected_models/*.pickle.lzma"),
    Peer("HGQ-LUT", "HGQ-LUT-AE", "models/**/*.keras"),
    Peer("QONNX", "qonnx_model_zoo", "models/**/*.onnx"),
)  # fmt: skip
