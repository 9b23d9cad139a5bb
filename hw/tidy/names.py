"""Names for the numbered wires that stay."""

from __future__ import annotations

import re

from nnlogic.core.names import identifier
from nnlogic.hw.tidy.fold import TEMPORARY
from nnlogic.hw.tidy.parse import ModuleText


def plain_names(text: str) -> str:
    r"""Return the text of a module with escaped names as plain ones: ``\row$12`` is ``row_12``."""
    used = {word.lower() for word in re.findall(r"(?<!\\)\b[A-Za-z_]\w*", text)}
    made: dict[str, str] = {}

    def plain(match: re.Match[str]) -> str:
        name = match[1]
        if name not in made:
            base = new = str(identifier(name))
            count = 1
            while new.lower() in used:
                count += 1
                new = f"{base}_{count}"
            used.add(new.lower())
            made[name] = new
        # The space ends an escaped name, and Yosys writes another one where it wants one.
        return made[name]

    return re.sub(r"\\(\S+) ", plain, text)


def name_temporaries(module: ModuleText) -> None:
    """Name each numbered wire after the first signal that is made of it."""
    used = {name.lower() for name in module.nets}
    renamed: dict[str, str] = {}
    for old in [name for name in module.nets if TEMPORARY.fullmatch(name)]:
        base = _base(module, old, renamed)
        new, count = base, 1
        while new.lower() in used:
            count += 1
            new = f"{base}_{count}"
        used.add(new.lower())
        renamed[old] = new
    if renamed:

        def word(match: re.Match[str]) -> str:
            return renamed.get(match[0], match[0])

        module.body = [TEMPORARY.sub(word, s) for s in module.body]
        module.nets = {renamed.get(n, n): net for n, net in module.nets.items()}


def _base(module: ModuleText, name: str, renamed: dict[str, str]) -> str:
    seen = {name}
    current = name
    while True:
        pattern = re.compile(rf"\b(\w+)(?:\[[^]]*\])? (<?=) [^;]*\b{current}\b")
        match = next((m for s in module.body if (m := pattern.search(s))), None)
        if match is None:
            return "part"
        if not TEMPORARY.fullmatch(match[1]):
            return f"{match[1]}_next" if match[2] == "<=" else f"{match[1]}_part"
        if match[1] in seen:
            return "part"
        seen.add(match[1])
        current = match[1]
