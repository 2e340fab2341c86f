"""Bytes of an answer to a value, or a DecodeError; no I/O, and no foreign exception leaves it."""

from aegis_async._decode._assembly import Slice
from aegis_async._decode._bodies import as_bytes
from aegis_async._decode._decoder import BodyDecoder
from aegis_async._decode._pieces import Decode, Decoders, Lent, PiecewiseDecoder
from aegis_async._decode._skip import BROKEN
from aegis_async._decode._split import Split, Splitter

__all__ = [
    "BROKEN",
    "BodyDecoder",
    "Decode",
    "Decoders",
    "Lent",
    "PiecewiseDecoder",
    "Slice",
    "Split",
    "Splitter",
    "as_bytes",
]
