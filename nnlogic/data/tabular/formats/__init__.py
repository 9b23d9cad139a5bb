"""A format is one file here with a `FORMAT`, or an entry point of the group ``nnlogic.tables``."""
