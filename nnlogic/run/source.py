"""Where a compile run starts: a network file, or a run that has its first stages."""

from __future__ import annotations

from pathlib import Path

from nnlogic.core.errors import CheckpointError, UsageError
from nnlogic.quant.ir import QuantNet
from nnlogic.run.directory import ir_path, is_run
from nnlogic.run.options import STAGES, Options


def load_source(source: Path, opts: Options, allow_pickle: bool) -> tuple[QuantNet, bool]:
    """Return the network, and whether it comes from a run that is gone on from.

    Raises
    ------
    UsageError, CheckpointError, UnsupportedModel
        Not a network, or a run that lacks the stages before ``--from``.
    """
    if opts.start_from is None or opts.start_from == "quant":
        if source.is_dir():
            raise UsageError(
                "a directory is not a checkpoint",
                where=str(source),
                fix="give a checkpoint file, or --from STAGE to go on from a run",
            )
        from nnlogic.frontend import load

        return load(source, allow_pickle=allow_pickle), False
    if not is_run(source):
        raise UsageError(
            "--from needs a run directory as source",
            where=str(source),
            why="earlier stages are read from it",
        )
    needed = STAGES[: STAGES.index(opts.start_from)]
    missing = [s for s in needed if not ir_path(source, s).exists()]
    if missing:
        raise CheckpointError(
            f"cannot start from {opts.start_from}",
            where=str(source),
            why=f"the run has no {', '.join(missing)} stage",
            fix=f"--from {missing[0]}",
        )
    return QuantNet.load(ir_path(source, "quant")), True
