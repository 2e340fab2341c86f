"""What msgspec says of a body, in words for people, with the path and a short piece of the body."""

import re
from contextlib import suppress
from typing import Any, Final

import msgspec

from aegis_async._decode._skip import BROKEN
from aegis_async.errors import DecodeError

__all__ = ["decode_error"]

_EXCERPT: Final = 120  # characters: enough to recognise a value, too few to flood a log
_LOOKED_INTO: Final = 1 << 20  # bytes: decoding a larger body again, only to quote it, would block the loop
_AT: Final = re.compile(r"(?P<what>.*) - at (?:`key` in )?`(?P<path>.*)`", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_BLANK: Final = re.compile(rb"\s*+")
_CUT_NUMBER: Final = re.compile(rb"(?:[:,\[\s]-|\d\.|\d[eE][+-]?)\Z")
_BYTE: Final = re.compile(r"\(byte (\d+)\)")
_NAMES: Final = {
    "int": "an integer",
    "float": "a number",
    "str": "a string",
    "bool": "true or false",
    "array": "an array",
    "object": "an object",
    "decimal": "a decimal number",
    "datetime": "a timestamp",
}


def decode_error(fault: Exception, body: bytes | bytearray) -> DecodeError:
    """Give the error to raise for what msgspec found wrong with ``body``."""
    at = _AT.fullmatch(str(fault)) if isinstance(fault, msgspec.ValidationError) else None
    if at is not None:
        path, what = at["path"], _in_words(at["what"])
        excerpt = _value_at(path, body)
        return DecodeError(f"{path.removeprefix('$.')}: {what}: {excerpt}", path=path, excerpt=excerpt)
    what = _in_words(str(fault)) if isinstance(fault, msgspec.ValidationError) else _not_json(fault, body)
    excerpt = _piece(fault, body)
    error = DecodeError(f"$: {what}: {excerpt}", excerpt=excerpt)
    error.truncated = not _is_blank(body) and _breaks_off(fault, body)
    return error


def _is_blank(body: bytes | bytearray) -> bool:
    return _BLANK.fullmatch(body) is not None  # ``strip()`` would copy it


def _breaks_off(fault: Exception, body: bytes | bytearray) -> bool:
    text, byte = str(fault), _BYTE.search(str(fault))
    at_the_end = byte is not None and int(byte[1]) >= len(body)
    # msgspec calls a number that was cut at its point an invalid one.
    return "truncated" in text or (at_the_end and _CUT_NUMBER.search(body[-4:]) is not None)


def _not_json(fault: Exception, body: bytes | bytearray) -> str:
    if _is_blank(body):
        return "the body is empty"
    if isinstance(fault, RecursionError):
        return "the JSON is nested too deeply"
    if isinstance(fault, UnicodeDecodeError) or "UTF-8" in str(fault):  # msgspec's own error from 0.23 on
        return "the body is not UTF-8"
    if _breaks_off(fault, body):
        return "the JSON breaks off"
    return f"the body is not JSON ({str(fault).removeprefix('JSON is malformed: ')})"


def _in_words(text: str) -> str:
    named = re.sub(r"`([^`]*)`", lambda m: " or ".join(_NAMES.get(n, n) for n in m[1].split(" | ")), text)
    return named[:1].lower() + named[1:]


def _piece(fault: Exception, body: bytes | bytearray) -> str:
    """Give what surrounds the fault: the end of a body that breaks off, else the start or the named byte."""
    byte = _BYTE.search(str(fault))
    start = max(0, int(byte[1]) - _EXCERPT // 2) if byte else 0
    if _breaks_off(fault, body):
        start = max(0, len(body) - _EXCERPT)
    return bytes(body[start : start + _EXCERPT]).decode(errors="replace")


def _value_at(path: str, body: bytes | bytearray) -> str:
    try:
        value: Any = msgspec.json.decode(body if len(body) <= _LOOKED_INTO else b"")
    except BROKEN:  # too large to read again, a number that only its own field could hold, or no text somewhere else
        return _piece(ValueError(), body)
    with suppress(LookupError):  # a path through a free-form object names no key
        for name, index in _STEP.findall(path):
            value = value[int(index) if index else name]
    return msgspec.json.encode(value)[:_EXCERPT].decode(errors="ignore")
