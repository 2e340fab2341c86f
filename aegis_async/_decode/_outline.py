"""A large body's outline: where its arrays can be cut, found in steps between which others may run."""

import re
from collections.abc import Generator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

import msgspec

from aegis_async._decode._shape import Array, Field, Shapes
from aegis_async._decode._skip import broken_at, is_array, next_after

__all__ = ["Cut", "Decoded", "Outline", "Span", "Steps", "array_outline", "outline"]

T = TypeVar("T")
Steps: TypeAlias = Generator[int, None, T]  # gives the bytes gone through, after each step
Span: TypeAlias = tuple[int, int]

# Elements looked at in one step: about a microsecond and a half each.
_ELEMENTS: Final = 4096
_FIELDS: Final = 2048  # the same for the fields of an object, which cost twice as much
_MANY: Final = 16  # elements in a piece, for which it pays to guess where the last one ends
_NEAR: Final = 64  # times the size of the first, so far back it is looked for
_GROWTH: Final = 4  # times, of the piece that may hold a value which nothing can cut

# What stands between two elements, by the first byte of one.
_SEPARATORS: Final = {
    b"{": (b"},{", b"}, {"),
    b"[": (b"],[", b"], ["),
    b'"': (b'","', b'", "'),
    b"": (b",",),
}

_OPENED: Final = re.compile(rb'[ \t\n\r]*+\{(?=[ \t\n\r]*+")')
_KEY: Final = re.compile(rb'[ \t\n\r]*+("[^"\\]*+(?:\\.[^"\\]*+)*+")[ \t\n\r]*+:[ \t\n\r]*+', re.DOTALL)
_EMPTY: Final = re.compile(rb"\[[ \t\n\r]*+\]")
_KEYS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_FIRST_KEY: Final = re.compile(rb'\{[ \t\n\r]*+"[^"\\]*+"')
_BETWEEN: Final = re.compile(rb"\}[ \t\n\r]*+(,)[ \t\n\r]*+$")
_OPENS, _CLOSES = b"[]"
_BLANKS: Final = 64  # so many at most are looked for between two elements
_BLANK: Final = re.compile(rb"[ \t\n\r]*+")


class Outline(msgspec.Struct):
    """One object without its arrays.

    Attributes:
        texts: What stands before, between and behind the arrays that were taken out.
        cuts: These arrays, in order.
        names: Every field, in order.
        end: Where the object ends.
    """

    texts: list[Span] = []
    cuts: list["Cut"] = []
    names: list[bytes] = []
    end: int = 0

    def skeleton(self, body: bytes | bytearray) -> bytes:
        """Give the object with nothing in these arrays."""
        return b"[]".join(body[start:stop] for start, stop in self.texts)

    def arrays(self) -> Mapping[str, "Cut"]:
        """Give the array of each field; of a field that comes twice the last one, as decoding does."""
        return {cut.place.name: cut for cut in self.cuts}


class Cut(msgspec.Struct):
    """One array that was taken out.

    Attributes:
        place: Where it stands, and what it is.
        batches: Elements side by side, as many as make a piece; or one that is larger than a piece, by its outline.
        end: Where the array ends.
    """

    place: Field
    batches: list["Batch"] = []
    end: int = 0


class Decoded(msgspec.Struct):
    """Elements side by side that were decoded where they were found.

    Attributes:
        elements: These elements.
    """

    elements: Sequence[Any]


Batch: TypeAlias = Span | Outline | Decoded


def outline(body: bytes | bytearray, shapes: Shapes, piece: int, *, decoded: bool) -> Steps[Outline | None]:
    """Give the outline of a body, or None where it is no object with fields.

    Args:
        body: The body.
        shapes: Its arrays.
        piece: Bytes of one batch at most, where elements allow it.
        decoded: Whether batches may be decoded as they are found, which spares a second look at them.

    Raises:
        msgspec.DecodeError: The body is no JSON or breaks off.
        RecursionError: It is nested too deeply.
    """
    opened = _OPENED.match(body)
    if opened is None:
        return None
    with memoryview(body) as view:
        found = yield from _Walk(body, view, piece, decoded).object(opened, shapes)
    if _blank(body, found.end) != len(body):
        raise broken_at(b"{}", body, found.end)
    return found


def array_outline(body: bytes | bytearray, field: Field, piece: int) -> Steps[Cut | None]:
    """Give the outline of a body that is one array, or None where it is none.

    Args:
        body: The body.
        field: What it is.
        piece: Bytes of one batch at most, where elements allow it.

    Raises:
        msgspec.DecodeError: The body is no JSON or breaks off.
        RecursionError: It is nested too deeply.
    """
    start = _blank(body, 0)
    if body[start : start + 1] != b"[":
        return None
    with memoryview(body) as view:
        found = yield from _Walk(body, view, piece, decoded=True).array(start, field)
    if _blank(body, found.end) != len(body):
        raise broken_at(b"[]", body, found.end)
    return found


class _Looks(NamedTuple):
    begins: bytes
    keys: frozenset[str]
    size: int


class _Walk(msgspec.Struct):
    body: bytes | bytearray
    view: memoryview
    piece: int
    decoded: bool
    room: memoryview | None = None

    def object(self, opened: re.Match[bytes], shapes: Shapes) -> Steps[Outline]:
        found = Outline()
        start, at = opened.end() - 1, opened.end()
        while True:
            key = _KEY.match(self.body, at)
            if key is None:
                raise broken_at(b'{"":0,', self.body, at)
            found.names.append(_name(key[1]))
            if not len(found.names) % _FIELDS:
                yield key.end() - at
            field = shapes(found.names[-1])
            if field is not None and self._is_worth(key.end(), field.array):
                cut = yield from self.array(key.end(), field)
                found.texts.append((start, key.end()))
                found.cuts.append(cut)
                start, at = cut.end, _blank(self.body, cut.end)
            else:
                at = yield from self._past(key.end())
            if self._is(b"}", at):
                found.texts.append((start, at + 1))
                found.end = at + 1
                return found
            if not self._is(b",", at):
                raise broken_at(b'{"":0', self.body, at)
            at += 1

    def _is_worth(self, at: int, array: Array) -> bool:
        if not self._is(b"[", at):
            return False
        return not array.least or next_after(self.view, at, min(at + array.least, len(self.body))) is None

    def array(self, start: int, field: Field) -> Steps[Cut]:
        empty = _EMPTY.match(self.body, start)
        if empty is not None:
            return Cut(field, end=empty.end())
        cut, at = Cut(field), start + 1
        like = self._looks(_blank(self.body, at), self.piece // _MANY)
        guesses = like is not None or field.array.inside is None
        while True:
            batch, after = self._guessed(at, field.array, like) if guesses else (None, at)
            if batch is None:
                # One that is wrong costs as much as one that is right can spare; only among plain elements the next
                # is likely to be right again.
                guesses = like is None and field.array.inside is None
                batch, after = yield from self._batch(at, field.array.inside)
            cut.batches.append(batch)
            yield after - at
            if self._is(b"]", after):
                cut.end = after + 1
                return cut
            if not self._is(b",", after):
                raise broken_at(b"[0", self.body, after)
            at = after + 1

    def _guessed(self, start: int, array: Array, like: _Looks | None) -> tuple[Batch | None, int]:
        """Give the elements up to where, near the end of a piece, one most likely ends, if that is so."""
        end = self._end_before(start, like) if like else self._end_in_a_row(start)
        if end == start:
            return None, start
        text = self._enclosed(start, end, array)
        # What is a sound array up to there is one whatever follows, so a guess that passes is right.
        if self.decoded:
            elements = array.decode.as_documented(text)
            return None if elements is None else Decoded(elements), end
        return (start, end) if is_array(text) else None, end

    def _enclosed(self, start: int, end: int, array: Array) -> bytes | memoryview:
        """Give some elements as an array of their own, where possible in memory that is at hand."""
        if array.keeps_text:
            return b"".join((b"[", self.view[start:end], b"]"))
        self.room = self.room or memoryview(bytearray(self.piece + 2))
        size = end - start
        self.room[0], self.room[size + 1] = _OPENS, _CLOSES
        self.room[1 : size + 1] = self.view[start:end]
        return self.room[: size + 2]

    def _end_in_a_row(self, start: int) -> int:
        """Give where the last element ends that something follows which looks like a next one."""
        stop, first = start + self.piece, _blank(self.body, start)
        between = _SEPARATORS.get(bytes(self.body[first : first + 1]), _SEPARATORS[b""])
        end = max(self.body.rfind(text, start, stop) for text in between)
        return start if end <= first else end + (self.body[end : end + 1] != b",")

    def _end_before(self, start: int, like: _Looks) -> int:
        """Give where the last element ends before one that looks like the first."""
        stop = start + self.piece
        nearest = max(start, stop - _NEAR * like.size)
        while (stop := self.body.rfind(like.begins, nearest, stop)) > start:
            between = _BETWEEN.search(self.body, max(start, stop - _BLANKS), stop)
            looks = self._looks(stop, _NEAR * like.size) if between else None
            if between and looks and looks.keys == like.keys:
                return between.start(1)
        return start

    def _looks(self, at: int, size: int) -> _Looks | None:
        """Give what tells elements of one array from those of another within them; None for other and larger ones."""
        first = _FIRST_KEY.match(self.body, at)
        end = next_after(self.view, at, min(at + size, len(self.body))) if first else None
        return _Looks(first[0], frozenset(_KEYS(self.view[at:end])), end - at) if first and end else None

    def _batch(self, start: int, inside: Shapes | None) -> Steps[tuple[Batch, int]]:
        after = self._stepped(start)
        if after is not None:
            return (start, after), after
        opened = _OPENED.match(self.body, start) if inside else None
        if inside and opened:
            large = yield from self.object(opened, inside)
            return large, _blank(self.body, large.end)
        after = yield from self._past(start)
        return (start, after), after

    def _stepped(self, start: int) -> int | None:
        """Give what follows the last element that ends within a piece."""
        at, last, stop = start, None, min(start + self.piece, len(self.body))
        for _ in range(_ELEMENTS):
            after = next_after(self.view, at, stop)
            if after is None:
                break
            last, at = after, after + 1
            if not self._is(b",", after):
                break
        return last

    def _past(self, start: int) -> Steps[int]:
        """Give what follows a value that nothing cuts."""
        size = self.piece
        while True:
            stop = min(start + size, len(self.body))
            after = next_after(self.view, start, stop)
            if after is not None:
                return after
            yield stop - start
            size *= _GROWTH

    def _is(self, what: bytes, at: int) -> bool:
        return self.body[at : at + 1] == what


def _blank(body: bytes | bytearray, at: int) -> int:
    blank = _BLANK.match(body, at)
    return blank.end() if blank else at


def _name(quoted: bytes) -> bytes:
    return msgspec.json.decode(quoted, type=str).encode() if b"\\" in quoted else quoted[1:-1]
