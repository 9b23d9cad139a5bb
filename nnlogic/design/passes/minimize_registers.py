def minimize_registers(design, levels):
    return design
