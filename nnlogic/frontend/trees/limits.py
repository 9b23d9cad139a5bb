"""How large a model of trees may be: checked before memory is taken for what a file claims."""

from nnlogic.core.limits import Limit

BYTES = Limit("tree_bytes", 1 << 28, "bytes of a model of trees")
"""Up to ten times as much memory is taken while it is read."""
TREES = Limit("trees", 1 << 17, "trees")
NODES = Limit("tree_nodes", 1 << 22, "nodes of all trees")
DEPTH = Limit("tree_depth", 1 << 8, "splits one behind another")
ENTRIES = Limit("comparator_entries", 1 << 25, "entries in the tables of all comparators")
"""Each is 8 bytes."""
