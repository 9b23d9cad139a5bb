"""A fuzzer of the whole compiler: random legal networks, every stage against an independent one.

A *case* is JSON data: a network (`plain`), or a stack of neuron families (`families`), the backend
and the options to compile it with. `strategies` draws cases, `walk` takes one through the compiler,
`reference` says what its outputs must be, `faults` what must not go unnoticed. ``python -m
tests.fuzz`` runs for a time and keeps what fails; `test_fuzz.py` is its short, seed-fixed form.
"""
