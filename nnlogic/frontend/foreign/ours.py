"""Files of nnlogic itself that are no networks."""

from nnlogic.frontend.foreign.kind import Kind

KINDS = (
    Kind("a report of an nnlogic run", "nnlogic report RUN shows it; --from STAGE goes on from one",
         look=lambda file: "nnlogic.report/" in file.text[:4096] and "schema" in file.keys),
    Kind("a recipe or options", "nnlogic train makes a checkpoint of it", suffixes=(".toml",)),
)  # fmt: skip
