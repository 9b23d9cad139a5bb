"""Pictures, pages and programs: nothing a network could be in."""

import re

from nnlogic.frontend.foreign.kind import TRAIN, Kind

NONE = "give the file of the trained network"
PAGE = "download the file itself: on a web page of a repository that is its raw form"

KINDS = (
    Kind("an empty file", "copy it again, or save the network again",
         look=lambda file: not file.head),
    Kind("a PDF document", NONE, (b"%PDF-",), (".pdf",)),
    Kind("a picture", NONE,
         (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*"),
         (".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".bmp", ".webp", ".svg"),
         look=lambda file: "<svg" in file.text or file.head[8:12] == b"WEBP"
         or (file.head[:2] == b"BM" and file.head[6:10] == b"\0\0\0\0")),
    Kind("a web page", PAGE, suffixes=(".html", ".htm"),
         look=lambda file: re.match(r"\s*<(!doctype html|html)\b", file.text, re.I) is not None),
    Kind("a notebook", f"run it, and {TRAIN}", suffixes=(".ipynb",),
         look=lambda file: {"cells", "cell_type"} <= file.keys),
    Kind("a Python program", f"run it, and {TRAIN}", suffixes=(".py",)),
    Kind("a program or library", NONE,
         (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!"),
         (".so", ".exe", ".dll")),
    Kind("an office document", NONE, suffixes=(".docx", ".pptx", ".doc", ".odt"),
         look=lambda file: any(n.startswith(("word/", "ppt/")) for n in file.members)),
    Kind("a document", NONE, suffixes=(".md", ".rst", ".tex", ".log")),
    Kind("XML", NONE, (b"<?xml",), (".xml",), general=2),
    Kind("text in UTF-16", "save it as UTF-8", (b"\xff\xfe", b"\xfe\xff"), general=2),
    Kind("YAML", NONE, suffixes=(".yaml", ".yml")),
    Kind("JSON without a network in it", NONE, general=2,
         look=lambda file: bool(file.keys)),
    Kind("text", NONE, suffixes=(".txt",), general=2,
         look=lambda file: bool(file.text.strip())),
)  # fmt: skip
