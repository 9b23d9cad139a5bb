"""What a user would do with a file; where a command goes on for long, its reading part alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .sandbox import Main


@dataclass(frozen=True)
class Command:
    """A command line and what runs it.

    Attributes
    ----------
    argv : tuple of str
        Relative to the folder of the case.
    main : function
        What runs it, by default ``nnlogic``.
    codes : frozenset of int
        Exit codes that a refusal may have.
    """

    argv: tuple[str, ...]
    codes: frozenset[int] = frozenset({3})
    main: Main | None = None

    def run(self, argv: Sequence[str]) -> int:
        """Run the command line."""
        from nnlogic.cli.main import main

        return (self.main or main)(argv)


def command(text: str, *codes: int, main: Main | None = None) -> Command:
    """Return a command whose words are separated by blanks; refusals end in 3, or in `codes`."""
    return Command(tuple(text.split()), frozenset({3, *codes}), main)


def load_archive(argv: Sequence[str]) -> int:
    """Load a saved IR of any kind, and print it."""
    from nnlogic.backends.chain.model.chain import Chain
    from nnlogic.backends.dsp.model.ir import OpGraph, Program
    from nnlogic.backends.dsp.model.kernel_chain import KernelChain
    from nnlogic.backends.mac.model.ir import MacNet
    from nnlogic.cli.errors import Guard
    from nnlogic.cli.options import Session
    from nnlogic.design.ir import HardwareDesign
    from nnlogic.logic.ir import LogicNet
    from nnlogic.quant.ir import QuantNet
    from nnlogic.tables.ir import TableNet

    kinds = {QuantNet, TableNet, LogicNet, HardwareDesign, OpGraph, Program, KernelChain, MacNet}
    guard = Guard(Session())
    with guard:
        from pathlib import Path

        cls = next(kind for kind in kinds | {Chain} if kind.__name__ == argv[0])
        value = cls.load(Path(argv[1]))
        value.text(), getattr(value, "stats", str)()
    return guard.exit_code


def verify_without_simulation(argv: Sequence[str]) -> int:
    """Verify a run up to its simulation, which takes long and reads no file of the run."""
    from nnlogic.cli.main import main
    from nnlogic.job.backend import backend_named

    type(backend_named("lut")).simulate = lambda self, run, ask: run.report
    return main(argv)


def train_without_epochs(argv: Sequence[str]) -> int:
    """Train a recipe up to the first epoch."""
    import click

    from nnlogic.cli.main import main
    from nnlogic.train import trainer

    make = trainer.training_of

    def made(*args: object) -> object:
        make(*args)  # type: ignore[arg-type]
        raise click.exceptions.Exit(0)

    trainer.training_of = made  # type: ignore[assignment]
    return main(argv)
