"""Bytes of an answer to a value, or a DecodeError; no I/O, and no foreign exception leaves it."""

from aegis_async._decode._decoder import BodyDecoder, Decoders

__all__ = ["BodyDecoder", "Decoders"]
