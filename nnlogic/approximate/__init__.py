"""Approximate mode: which table entries data never show, under an accuracy budget."""
