"""This package against others at the same work, side by side in one run: ``python -m benchmarks``."""
