"""What ports of AXI4-Stream modules mean, for tools that connect them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

CLOCK, RESET = "aclk", "aresetn"
_SIGNAL = re.compile(r"([sm])_axis_(t\w+)")


def buses(ports: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the streams among the ports of a module.

    Returns
    -------
    dict of str to dict
        By name of the bus, ``s_axis`` or ``m_axis``: signal of AXI4-Stream in capitals to port.
    """
    out: dict[str, dict[str, str]] = {}
    for port in ports:
        match = _SIGNAL.fullmatch(port)
        if match:
            out.setdefault(f"{match[1]}_axis", {})[match[2].upper()] = port
    return out


def interface_attributes(ports: Sequence[str]) -> Mapping[str, str]:
    """Return the Verilog attribute of each port that tells Vivado's IP integrator what it is.

    Empty for a module without streams, or without ``aclk`` and ``aresetn``.
    """
    found = buses(ports)
    if not found or CLOCK not in ports or RESET not in ports:
        return {}
    told = {
        port: _info("axis", bus, signal)
        for bus, signals in found.items()
        for signal, port in signals.items()
    }
    joined = f"ASSOCIATED_BUSIF {':'.join(found)}, ASSOCIATED_RESET {RESET}"
    told[CLOCK] = f"{_info('clock', CLOCK, 'CLK', 'signal')}{_parameter(joined)}"
    told[RESET] = f"{_info('reset', RESET, 'RST', 'signal')}{_parameter('POLARITY ACTIVE_LOW')}"
    return told


def _info(kind: str, bus: str, signal: str, library: str = "interface") -> str:
    text = f"xilinx.com:{library}:{kind}:1.0 {bus} {signal}"
    return f'  (* X_INTERFACE_INFO = "{text}" *)\n'


def _parameter(text: str) -> str:
    return f'  (* X_INTERFACE_PARAMETER = "{text}" *)\n'
