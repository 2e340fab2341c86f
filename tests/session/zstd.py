"""Zstandard from where this Python has it: its own library from 3.14 on, a package before."""

import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["zstd"]
