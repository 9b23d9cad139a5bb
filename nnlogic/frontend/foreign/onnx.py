"""ONNX: how its models begin, and what is none."""

from nnlogic.frontend.foreign.kind import Kind

# Fields of a ModelProto by number, each with the wire type it has: onnx/onnx.proto.
FIELDS = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2}
GRAPH = 7


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            break
    return value, at


def is_model(head: bytes) -> bool:
    """Whether bytes begin as a ModelProto: its version first, and its fields as far as they go."""
    at = 0
    seen: list[int] = []
    while at < len(head) and len(seen) < 64:
        key, at = _varint(head, at)
        if FIELDS.get(key >> 3) != key & 7:
            return False
        seen.append(key >> 3)
        value, at = _varint(head, at)
        at += value if key & 7 else 0
    return seen[:1] == [1] and GRAPH in seen


KINDS = (
    Kind(
        "an ONNX Runtime model",
        "convert the model it was made from, or give the .onnx file",
        look=lambda file: file.head[4:8] == b"ORTM",
    ),
)
