"""Small networks of every family, compiled, and the surrogate learned from them."""
