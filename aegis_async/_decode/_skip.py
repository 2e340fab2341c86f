"""Where a JSON value ends: msgspec reads past it, much faster than Python could, and names the byte that follows."""

import re
from typing import Final

import msgspec

__all__ = ["BROKEN", "broken_at", "is_array", "next_after"]

# msgspec's own errors, and the two that it lets through.
BROKEN: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_READ: Final = msgspec.json.Decoder(msgspec.Raw).decode
_NEAR: Final = 1 << 16  # bytes: nearly every fault is at the very start, and the rest of a body may be long
_BYTE: Final = re.compile(r"\(byte (\d+)\)")
_FOLLOWS: Final = re.compile(r"JSON is malformed: trailing characters \(byte (\d+)\)")


def next_after(body: memoryview, start: int, stop: int) -> int | None:
    """Give the place of what follows the value at ``start``, blanks passed over; None if ``stop`` comes before it.

    At the end of the body, its length stands for what follows.

    Raises:
        msgspec.DecodeError: No value is there, seen only once ``stop`` is the end of the body: a piece that is cut
            inside a number looks malformed too.
        RecursionError: The value is nested too deeply.
    """
    last = stop >= len(body)
    complaint = _complaint(body[start:stop])
    if complaint is None:
        return stop if last else None
    follows = _FOLLOWS.fullmatch(complaint)
    if follows is not None:
        return start + int(follows[1]) - 1
    if last:
        raise _moved(complaint, start)
    return None


def broken_at(context: bytes, body: bytes | bytearray, start: int) -> msgspec.DecodeError:
    """Give what msgspec says of a body that goes wrong at ``start``.

    Args:
        context: The shortest JSON that leads to the same state as everything before ``start``.
        body: The body.
        start: From here on it is no JSON, or too little of it.
    """
    complaint = "Input data was truncated"
    for stop in (start + _NEAR, len(body)):
        complaint = _complaint(context + body[start:stop]) or complaint
        if "truncated" not in complaint:
            break
    return _moved(complaint, start - len(context))


def is_array(text: bytes | memoryview) -> bool:
    """Whether ``text`` is one sound array."""
    return _complaint(text) is None


def _complaint(text: bytes | memoryview) -> str | None:
    """Give what msgspec says of a value, in words alone.

    An error that is kept holds the frames that it came through, and these the body: a cycle, which keeps the body
    until the garbage collector looks.
    """
    try:
        _READ(text)
    except msgspec.DecodeError as error:
        return str(error)
    return None


def _moved(complaint: str, by: int) -> msgspec.DecodeError:
    return msgspec.DecodeError(_BYTE.sub(lambda byte: f"(byte {int(byte[1]) + by})", complaint))
