"""Where a compile run starts: a network file, or a run that has its first stages."""

from __future__ import annotations

from pathlib import Path

from nnlogic.core.errors import CheckpointError, UsageError
from nnlogic.frontend.format import files_digest
from nnlogic.frontend.registry import is_source, load, made_by, recognize
from nnlogic.job.directory import ir_path, is_run
from nnlogic.job.options import STAGES, Options
from nnlogic.quant.ir import QuantNet
from nnlogic.report.rows import Source

CODED = "coded"
"""The stage with the network that came in, where that is not the one that was compiled."""


def load_source(source: Path, opts: Options, allow_pickle: bool) -> tuple[QuantNet, bool]:
    """Return the network, and whether it comes from a run that is gone on from.

    Raises
    ------
    UsageError, CheckpointError, UnsupportedModel
        Not a network, or a run that lacks the stages before ``--from``.
    """
    if source.is_dir() and opts.start_from is None:
        recognize(source)
    if opts.start_from is None or (opts.start_from == "quant" and not source.is_dir()):
        return load(source, allow_pickle=allow_pickle, read=opts.read), False
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
    came_in = ir_path(source, CODED)
    return QuantNet.load(came_in if came_in.exists() else ir_path(source, "quant")), True


def source_row(net: QuantNet, source: Path) -> Source:
    """Return name, digest and format of what was compiled."""
    if source.is_dir():
        return Source(source.name, files_digest([ir_path(source, "quant")]), "nnlogic run")
    own = is_source(net, source)
    fmt = (made_by(net) if own else None) or recognize(source)
    files = fmt.files(net, source) if own else [source]
    return Source(source.name, files_digest(files), fmt.text(net) if own else fmt.title)
