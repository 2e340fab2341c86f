"""Claims about types that keep a part of the body as it is: the rest is held to the same rules, and blamed alike."""

import json
from typing import Any

import msgspec
import pytest

from aegis_async._decode import BodyDecoder
from aegis_async.errors import DecodeError
from aegis_async.models import DataCollectionSummary, Page
from tests.decode.documents import encoded, listing

plain = BodyDecoder(Page[msgspec.Raw])


class Kept(msgspec.Struct):
    """A caller's item, with what it keeps as it is in every place where it may stand."""

    id: int
    user: msgspec.Raw
    runs: list[msgspec.Raw]
    datasets: tuple["Part", ...]
    first: "Part | None" = None
    author: dict[str, msgspec.Raw] = {}
    within: list["Kept"] = []
    either: int | str | None = None


class Part(msgspec.Struct):
    """Something within an item."""

    id: int
    name: msgspec.Raw


def bent(**meta: Any) -> bytes:
    """Give the page's own listing with another meta, indented: what is kept as it is shows in its blanks."""
    document = listing()
    item = document["items"][0]
    item |= {"author": {"name": "A", "age": 1.5}, "first": item["datasets"][0], "either": 7}
    return json.dumps(document | {"meta": document["meta"] | meta}, indent=1).encode()


@pytest.mark.parametrize(
    ("meta", "path"),
    [
        ({"total_pages": "x"}, "$.meta.total_pages"),
        ({"total_items": None}, "$.meta.total_items"),
        ({"next_page": 7.5}, "$.meta.next_page"),
    ],
)
@pytest.mark.parametrize("item", [DataCollectionSummary, msgspec.Raw, Kept], ids=lambda item: item.__name__)
def test_a_wrong_meta_is_named_by_its_path(item: Any, meta: dict[str, object], path: str) -> None:
    """Whatever the items are kept as, the error says what is wrong, and not that they are not to be kept."""
    with pytest.raises(DecodeError) as caught:
        BodyDecoder(Page[item])(bent(**meta))

    assert path == caught.value.path
    assert str(caught.value).startswith(path.removeprefix("$."))


@pytest.mark.parametrize("item", [DataCollectionSummary, msgspec.Raw], ids=lambda item: item.__name__)
@pytest.mark.parametrize("meta", [[], 7, None])
def test_a_meta_that_is_no_object_is_named_by_its_path(item: Any, meta: object) -> None:
    """Likewise for a meta of another kind."""
    with pytest.raises(DecodeError) as caught:
        BodyDecoder(Page[item])(encoded(listing() | {"meta": meta}))

    assert "$.meta" == caught.value.path


def test_an_integer_of_meta_written_as_a_float_leaves_items_as_they_are() -> None:
    """A page whose meta counts in floats is accepted, and its items are kept byte for byte."""
    today, floats = plain(bent()), plain(bent(total_pages=1.0, current_page=1.0))

    assert [bytes(item) for item in today.items] == [bytes(item) for item in floats.items]
    assert today.meta == floats.meta


def test_parts_that_are_kept_within_an_item_are_the_same_on_both_paths() -> None:
    """Fields, elements of arrays and values of objects that are kept as they are come byte for byte."""
    body = bent()
    today = BodyDecoder(Page[Kept])(body).items[0]
    other = BodyDecoder(Page[Kept])(body.replace(b'"id": 14', b'"id": 14.0')).items[0]

    assert shown(today) == shown(other)
    assert b'"gpt-4o"' in bytes(other.runs[0])
    assert b"1.5" == bytes(other.author["age"])


def test_a_kept_part_of_another_kind_is_named_by_its_path() -> None:
    """What should be an array of such parts and is none is what the error speaks of."""
    document = listing()
    document["items"][0]["runs"] = {}

    with pytest.raises(DecodeError) as caught:
        BodyDecoder(Page[Kept])(encoded(document))

    assert "$.items[0].runs" == caught.value.path


def shown(item: Kept) -> tuple[object, ...]:
    """Give an item with the bytes of what it keeps."""
    parts = [(part.id, bytes(part.name)) for part in (*item.datasets, item.first) if part]
    author = {name: bytes(value) for name, value in item.author.items()}
    return item.id, bytes(item.user), list(map(bytes, item.runs)), parts, author
