"""How fast and how accurate jaxosc is, beside what else one could use: ``python -m benchmarks``.

Only the public API is used, so that what is measured is what a user gets.
"""
