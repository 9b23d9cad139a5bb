"""What to do with an object that is not the stage that was asked for."""

from __future__ import annotations

from typing import Any

from nnlogic.core.errors import UsageError

MAKERS = {
    "QuantNet": "nnlogic.load(path), or nnlogic.from_torch(module, example_inputs)",
    "TableNet": "nnlogic.tabulate(quant_net)",
    "LogicNet": "nnlogic.minimize(table_net)",
    "HardwareDesign": "nnlogic.build(logic_net)",
}
"""What returns each stage, in the order in which they are made."""


def refused(call: str, given: Any, wanted: str) -> UsageError:
    """Return the error for a call that was given an object of another type.

    Parameters
    ----------
    call : str
        The function that was called, ``"nnlogic.build"``.
    given : object
    wanted : str
        The kind of stage it takes, one of `MAKERS`.
    """
    return UsageError(
        f"{call} takes a {wanted}", why=f"got {kind_of(given)}", fix=_fix(call, given, wanted)
    )


def kind_of(given: Any) -> str:
    """Return what an object is, as ``a torch.nn.modules.linear.Linear``."""
    name = getattr(type(given), "kind", "")
    if name in MAKERS:
        return f"a {name}"
    kind = type(given)
    place = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"a {place}{kind.__qualname__}"


def is_module(given: Any) -> bool:
    """Whether an object is a module of torch, which need not be installed to ask."""
    return any(base.__module__.startswith("torch.nn") for base in type(given).__mro__)


def way_in(given: Any) -> str:
    """Return what can be compiled, for an object that cannot."""
    if is_module(given):
        return "nnlogic.compile(nnlogic.from_torch(module, example_inputs), out)"
    return "a path that nnlogic.load reads, or a QuantNet, TableNet, LogicNet or HardwareDesign"


def _fix(call: str, given: Any, wanted: str) -> str:
    order = list(MAKERS)
    name = getattr(type(given), "kind", "")
    if name in order and order.index(name) > order.index(wanted):
        return f"it is made already: a {name} comes from a {wanted}, and none from it"
    if is_module(given):
        return f"begin with nnlogic.from_torch(module, example_inputs): {MAKERS[wanted]}"
    if isinstance(given, str) or hasattr(given, "__fspath__"):
        return f"begin with nnlogic.load(path): {MAKERS[wanted]}"
    return MAKERS[wanted]
