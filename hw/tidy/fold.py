"""Fold the numbered wires of a module into what reads them, where no width can change.

In Verilog, the width of an expression depends on what stands around it. A wire is folded only
into a place whose width is its own: a whole right-hand side or a branch of one, a condition, or,
for logic on single bits, another expression on single bits.
"""

from __future__ import annotations

import re
from collections import Counter

from nnlogic.hw.tidy.parse import ModuleText

TEMPORARY = re.compile(r"\b_\d+_\b")
_ASSIGN = re.compile(r"  assign (\w+) = ([^;]+);")
_WORD = re.compile(r"(?<!\.)\b[A-Za-z_]\w*")
# Names of one bit and bitwise operators, so that no operand's width depends on its context.
_BITWISE = re.compile(r"(?:1'h[01]|[\w$~&|^?: ()])+")
# What is one bit wide, and whose operands only look at each other.
_JUDGED = re.compile(
    r"[\w\[\]:]+ (?:==|!=|<|<=|>|>=) (?:\d+'h[0-9a-f]+|[\w\[\]:]+)|[|&^~] ?[|&^]? ?[\w\[\]:]+"
)
_INNER = re.compile(rf"\((?:{_JUDGED.pattern})\)")


def fold(module: ModuleText) -> None:
    """Fold until nothing changes."""
    while _name_register(module):
        pass
    # Into other numbered wires first: those may be folded as a whole afterwards.
    while _fold_once(module, inner=True) or _fold_once(module, inner=False):
        pass


def drop_dead(module: ModuleText) -> None:
    """Drop wires that are given a value and never read."""
    reads = Counter(word for s in module.body for word in _WORD.findall(s))
    for at, statement in enumerate(module.body):
        match = _ASSIGN.fullmatch(statement)
        net = module.nets.get(match[1]) if match else None
        if match and net and not net.direction and reads[match[1]] == 1:
            module.body[at] = ""
            del module.nets[match[1]]
    module.body = [s for s in module.body if s]


def _name_register(module: ModuleText) -> bool:
    """Give a numbered register the name of the only wire it drives."""
    for at, statement in enumerate(module.body):
        match = _ASSIGN.fullmatch(statement)
        if not match or not TEMPORARY.fullmatch(match[2]) or match[1] not in module.nets:
            continue
        old, new = module.nets[match[2]], module.nets[match[1]]
        if old.kind == "reg" and new.kind == "wire" and old.range == new.range:
            module.body[at] = ""
            module.body = [re.sub(rf"\b{match[2]}\b", match[1], s) for s in module.body if s]
            new.kind, new.start = "reg", old.start
            del module.nets[match[2]]
            return True
    return False


def _fold_once(module: ModuleText, inner: bool) -> bool:
    reads = Counter(word for s in module.body for word in _WORD.findall(s))
    readers: dict[str, int] = {}
    given: dict[str, tuple[int, str]] = {}
    for at, statement in enumerate(module.body):
        match = _ASSIGN.fullmatch(statement)
        if match and TEMPORARY.fullmatch(match[1]):
            given[match[1]] = at, match[2]
        for word in TEMPORARY.findall(statement):
            if not match or word != match[1]:
                readers[word] = at
    changed: set[int] = set()
    for name, (at, value) in given.items():
        place = readers.get(name)
        # One read besides the assignment, and nothing about it changed in this round.
        if reads[name] != 2 or place is None or {at, place} & changed:
            continue
        if inner and not module.body[place].startswith("  assign _"):
            continue
        folded = _folded(module, module.body[place], name, value)
        if folded is not None:
            module.body[place], module.body[at] = folded, ""
            changed |= {at, place}
            del module.nets[name]
    module.body = [s for s in module.body if s]
    return bool(changed)


def _folded(module: ModuleText, statement: str, name: str, value: str) -> str | None:
    """Return the statement with `value` in place of `name`; None where that is not safe."""
    net = module.nets[name]
    inner = _operand(value)
    target = re.search(rf"(?:assign )?(\w+)(\[[^]]*\])? <?= {name};", statement)
    if target and not target[2] and _same(module, target[1], net.range):
        return re.sub(rf"\b{name};", lambda _: f"{value};", statement)
    branch = re.search(rf"(\w+) <?= [^;]* (?:\? {name} : [^;]*|: {name}(?=;))", statement)
    if branch and _same(module, branch[1], net.range) and statement.count("?") < 4:
        return re.sub(rf"\b{name}\b", lambda _: inner, statement)
    if not net.scalar or not (_logic(module, value) or _JUDGED.fullmatch(value)):
        return None
    if re.search(rf"if \({name}\)", statement):
        return statement.replace(f"({name})", f"({value})")
    if re.search(rf"<?= {name} \? ", statement):
        return re.sub(rf"\b{name}\b", lambda _: inner, statement)
    condition = re.search(rf"<?= \(([^;?]*\b{name}\b[^;?]*)\) \? ", statement)
    if condition and _logic(module, condition[1]):
        return re.sub(rf"\b{name}\b", lambda _: inner, statement)
    outer = _ASSIGN.fullmatch(statement)
    if outer and _same(module, outer[1], "") and _logic(module, outer[2]):
        return re.sub(rf"\b{name}\b", lambda _: inner, statement)
    return None


def _same(module: ModuleText, name: str, bits: str) -> bool:
    net = module.nets.get(name)
    return net is not None and not net.array and net.range == bits


def _logic(module: ModuleText, value: str) -> bool:
    """Whether an expression is bitwise on single bits."""
    plain = _INNER.sub("1'h0", value)
    names = _WORD.findall(re.sub(r"1'h[01]", "", plain))
    return bool(_BITWISE.fullmatch(plain)) and all(
        n in module.nets and module.nets[n].scalar for n in names
    )


def _operand(value: str) -> str:
    return value.replace("~ ", "~") if re.fullmatch(r"~? ?\w+", value) else f"({value})"
