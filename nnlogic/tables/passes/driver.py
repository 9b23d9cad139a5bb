"""The order of the passes, repeated until nothing changes."""

from __future__ import annotations

from dataclasses import replace

from nnlogic.core import bits
from nnlogic.core.passes import PassRecord, run_passes
from nnlogic.core.progress import Progress
from nnlogic.tables.ir import TableNet
from nnlogic.tables.passes.drop_unneeded import drop_unneeded_inputs, share_equal_bits
from nnlogic.tables.passes.effort import Effort
from nnlogic.tables.passes.mark_unreachable_inputs import mark_unreachable_inputs
from nnlogic.tables.passes.reach import Reach

PROBE_ROWS = 1024
DERIVABLE = {"", "exact SDC"}


def run_all(
    net: TableNet, *, effort: str, timeout: float, progress: Progress
) -> tuple[TableNet, tuple[PassRecord, ...]]:
    """Run the passes; see `nnlogic.tables.passes.simplify`."""
    limits = Effort.named(effort)
    net.verify()
    if any(f.justification not in DERIVABLE for f in net.functions):
        return net, ()
    probe = bits.random_codes(net.inputs, bits.sample_count(len(net.inputs), PROBE_ROWS))
    found: list[Reach] = []

    def mark(before: TableNet) -> TableNet:
        after, reach = mark_unreachable_inputs(before, limits, timeout)
        found.append(reach)
        return after

    drop = (
        ("drop unneeded inputs", drop_unneeded_inputs),
        ("share equal bits", share_equal_bits),
    )
    records: list[PassRecord] = []
    with progress.step("simplify tables", total=limits.rounds) as step:
        # What is plainly not needed goes first: it would cost the most to look at.
        net, done = run_passes(net, drop, probe=probe)
        records += done
        for round_ in range(limits.rounds):
            net, done = run_passes(net, (("mark unreachable inputs", mark), *drop), probe=probe)
            records += [replace(done[0], name=f"{done[0].name}: {found[-1].text()}"), *done[1:]]
            step.advance(1, f"round {round_ + 1}")
            if not any(record.changed for record in done[1:]):
                break
    return net, tuple(records)
