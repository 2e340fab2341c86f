"""Decodes what an outline has cut, piece by piece, and puts it together as if it had been read at once."""

import re
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

import msgspec

from aegis_async._decode._outline import Cut, Decoded, Outline, Span
from aegis_async._decode._shape import Array, with_arrays
from aegis_async.errors import DecodeError

__all__ = ["Parts", "Slice", "elements", "slices", "whole"]

T = TypeVar("T")
Parts: TypeAlias = Generator[Sequence[Any], None, T]  # gives what a step has decoded, perhaps nothing yet


class Slice(NamedTuple):
    """Some elements of an array, side by side.

    Attributes:
        elements: These elements.
        continues: Whether it is the last one of the slice before, with nothing in its own arrays but what comes next.
    """

    elements: Sequence[Any]
    continues: bool


_ELEMENT: Final = re.compile(r"\$\[(\d+)\]")
_FIELD: Final = re.compile(r"\$(?:\[0\])?\.([^.\[]+)")


def whole(
    body: bytes | bytearray, found: Outline, decode: Callable[[bytes], T], base: str = "$", without: str | None = None
) -> Parts[T]:
    """Give the value of an outlined object.

    Args:
        body: The body.
        found: The object's outline.
        decode: Decodes the object without the arrays that were cut.
        base: The object's path in the errors of ``decode``.
        without: A field whose array is left empty; None leaves none.

    Raises:
        DecodeError: The fault that comes first in the body.
    """
    faults: list[DecodeError] = []
    arrays: dict[str, Any] = {}
    for field, cut in found.arrays().items():
        if field == without:
            continue
        kept: list[Any] = []
        try:
            for part in elements(body, cut, base):
                kept.extend(part)
                yield ()
        except DecodeError as error:
            faults.append(error)
        arrays[field] = cut.place.array.made(kept)
    skeleton = found.skeleton(body)
    try:
        value: T = with_arrays(decode(skeleton), arrays)
    except DecodeError as error:
        faults.append(error)
    else:
        if not faults:
            return value
    try:
        raise min(faults, key=lambda fault: _place(fault, found))
    finally:
        faults.clear()  # they hold this frame, and that the body: a cycle


def elements(body: bytes | bytearray, cut: Cut, base: str = "$") -> Parts[None]:
    """Give the elements of one array, in order.

    Raises:
        DecodeError: The next of them is not what it should be; its path begins at ``base``.
    """
    given, array = 0, f"{base}{cut.place.step}"
    for batch in cut.batches:
        if isinstance(batch, Outline):
            part, fault = yield from _large(body, batch, cut.place.array)
        else:
            part, fault = _side_by_side(body, batch, cut.place.array)
        yield part
        if fault is not None:
            _move(fault, array, given)
            raise fault
        given += len(part)


def slices(body: bytes | bytearray, cut: Cut) -> Generator[Slice, None, None]:
    """Give the elements of one array, in order; one that is larger than a piece comes in several slices.

    Raises:
        DecodeError: As ``elements``.
    """
    given, array = 0, f"${cut.place.step}"
    for batch in cut.batches:
        if isinstance(batch, Outline):
            fault, count = (yield from _sliced(body, batch, cut.place.array)), 1
        else:
            part, fault = _side_by_side(body, batch, cut.place.array)
            count = len(part)
            yield Slice(part, continues=False)
        if fault is not None:
            _move(fault, array, given)
            raise fault
        given += count


def _sliced(body: bytes | bytearray, found: Outline, array: Array) -> Generator[Slice, None, DecodeError | None]:
    """Give one element without its arrays, then the elements of these; and what is wrong with them."""
    try:
        element = array.decode(b"[%b]" % found.skeleton(body))[0]
        yield Slice((element,), continues=False)
        for field, cut in found.arrays().items():
            for part in elements(body, cut, "$[0]"):
                yield Slice((with_arrays(element, {field: part}),), continues=True)
    except DecodeError as error:
        return error
    return None


def _text(body: bytes | bytearray, span: Span) -> bytes:
    start, stop = span
    return b"".join((b"[", memoryview(body)[start:stop], b"]"))


def _large(body: bytes | bytearray, found: Outline, array: Array) -> Parts[tuple[Sequence[Any], DecodeError | None]]:
    try:
        element = yield from whole(body, found, lambda text: array.decode(b"[%b]" % text)[0], "$[0]")
    except DecodeError as error:
        return (), error
    return (element,), None


def _side_by_side(
    body: bytes | bytearray, batch: Span | Decoded, array: Array
) -> tuple[Sequence[Any], DecodeError | None]:
    return (batch.elements, None) if isinstance(batch, Decoded) else _sound(_text(body, batch), array)


def _sound(text: bytes, array: Array) -> tuple[Sequence[Any], DecodeError | None]:
    """Give the elements before the first fault, and the fault."""
    try:
        return array.decode(text), None
    except DecodeError as error:
        fault = error
    element = _ELEMENT.match(fault.path)
    if element is None:
        return (), fault
    before = msgspec.json.decode(text, type=list[msgspec.Raw])[: int(element[1])]
    return array.decode(b"[%b]" % b",".join(before)), fault


def _move(error: DecodeError, array: str, by: int) -> None:
    """Change the path within some elements to the path within all of them."""
    element = _ELEMENT.match(error.path)
    if element is not None:
        before = error.path.removeprefix("$.")
        error.path = f"{array}[{by + int(element[1])}]{error.path[element.end() :]}"
        error.args = (error.path.removeprefix("$.") + str(error).removeprefix(before),)


def _place(fault: DecodeError, found: Outline) -> int:
    """Give the number of the field that a fault is in; what is missing is missed at the end."""
    field = _FIELD.match(fault.path)
    name = field[1].encode() if field else b""
    return found.names.index(name) if name in found.names else len(found.names)
