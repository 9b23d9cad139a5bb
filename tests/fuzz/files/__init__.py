"""Broken and hostile files: every format that nnlogic reads, mutated, given to a command for it.

A *case* is a format, a file made of a right one by one to three mutations, and a command. It runs
in a forked child with limits of time and memory (`sandbox`), and `judge` says what is wrong with
how it ended. ``python -m tests.fuzz files`` runs many and keeps what fails, file included.
"""
