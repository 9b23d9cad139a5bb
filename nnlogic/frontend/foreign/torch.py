"""What torch writes besides `torch.save`."""

from nnlogic.frontend.foreign.kind import TRAIN, Kind
from nnlogic.frontend.look import Look


def _exported(file: Look) -> bool:
    ends = ("serialized_exported_program.json", "archive_format", "models/model.json")
    return any(name.endswith(ends) for name in file.members)


KINDS = (
    Kind(
        "a TorchScript program",
        f"it has no integer levels and no input encoder: {TRAIN}",
        look=lambda file: file.is_torchscript,
        suffixes=(".ptl",),
    ),
    Kind(
        "a program of torch.export without a graph that nnlogic reads",
        "save the module again, with torch 2.9 or later: torch.export.save(torch.export.export("
        "module.eval(), (example,)), 'm.pt2'); or nnlogic.from_torch(module, example)",
        look=_exported,
        suffixes=(".pt2",),
    ),
    Kind(
        "a torch.package archive",
        TRAIN,
        look=lambda file: any(".data/extern_modules" in name for name in file.members),
    ),
    Kind(
        "an ExecuTorch program",
        TRAIN,
        look=lambda file: file.head[4:6] == b"ET",
        suffixes=(".pte",),
    ),
)
