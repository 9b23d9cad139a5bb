"""Budgets: which backend, asked for what each would take before it is built."""
