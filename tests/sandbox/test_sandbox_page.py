"""The sandbox against the service's own page: its examples word for word, and every shape it prints."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from aegis_async.sandbox import Sandbox

PAGE = Path(__file__).parents[1] / "api" / "get-data-collections.txt"
SHARED = Path(__file__).parents[3] / "shared" / "api"


class Number(NamedTuple):
    """A number as it is written, so that 86 and 86.0 are two things."""

    text: str


def spelled(text: str | bytes) -> Any:
    """Read JSON with the order of its fields and the spelling of its numbers."""
    return json.loads(text, object_pairs_hook=list, parse_int=Number, parse_float=Number)


def examples() -> list[Any]:
    """Read every JSON object that the page prints, in order."""
    text, found, decoder = PAGE.read_text(), [], json.JSONDecoder(object_pairs_hook=list)
    strict = json.JSONDecoder(object_pairs_hook=list, parse_int=Number, parse_float=Number)
    start = 0
    while match := re.compile(r"^\{$", re.MULTILINE).search(text, start):
        _, start = decoder.raw_decode(text, match.start())
        found.append(strict.raw_decode(text, match.start())[0])
    return found


def names(shape: Any) -> list[str]:
    """List an object's fields in order."""
    return [name for name, _ in shape]


LISTING, LISTING_SHAPE, RUN_SUMMARY, FULL, FULL_SHAPE, RUN, DATASET, EVALUATION = examples()


async def test_the_example_listing_is_served_word_for_word(sandbox: Sandbox, ask: Any) -> None:
    """An account that holds nothing but collection 14 is listed exactly as the page prints it."""
    for collection_id in range(1, 21):
        if collection_id != 14:
            sandbox.delete(collection_id)

    reply = await ask(sandbox, "/data-collections")

    assert LISTING == spelled(reply.body)


async def test_the_example_collection_is_served_word_for_word(sandbox: Sandbox, ask: Any) -> None:
    """Collection 14 has the page's fields, in its order, with its values and its spelling of numbers."""
    reply = await ask(sandbox, "/data-collections/14")

    assert FULL == spelled(reply.body)


async def test_the_example_summary_stands_in_any_listing(sandbox: Sandbox, ask: Any) -> None:
    """Among others too, collection 14 is listed as the page's listing shows it."""
    reply = await ask(sandbox, "/data-collections?page=14&page_size=1")

    assert dict(LISTING)["items"] == dict(spelled(reply.body))["items"]


async def test_the_example_run_is_served_alone_as_in_its_collection(sandbox: Sandbox, ask: Any) -> None:
    """Run 991 of the page is found by its id too."""
    reply = await ask(sandbox, "/runs/991")

    assert dict(FULL)["runs"] == [spelled(reply.body)]


async def test_every_object_has_the_printed_fields_in_the_printed_order(steady: Sandbox, ask: Any) -> None:
    """Every collection, dataset, run and evaluation of sixty collections is laid out as the page's shapes."""
    for collection_id in range(1, 61):
        full = spelled((await ask(steady, f"/data-collections/{collection_id}")).body)
        assert names(FULL_SHAPE) == names(full)
        for dataset in dict(full)["datasets"]:
            assert names(dict(FULL)["datasets"][0]) == names(dataset)
        for run in dict(full)["runs"]:
            assert names(RUN) == names(run)
            assert dict(run)["dataset"] is None or names(DATASET) == names(dict(run)["dataset"])
            for evaluation in dict(run)["evaluations"]:
                assert names(EVALUATION) == names(evaluation)


async def test_every_summary_has_the_printed_fields_in_the_printed_order(steady: Sandbox, ask: Any) -> None:
    """Every summary in a listing is laid out as the page's shapes."""
    listing = dict(spelled((await ask(steady, "/data-collections?page_size=60")).body))

    assert names(dict(LISTING_SHAPE)["meta"]) == names(listing["meta"])
    for item in listing["items"]:
        assert names(dict(LISTING_SHAPE)["items"][0]) == names(item)
        for dataset in dict(item)["datasets"]:
            assert names(dict(dict(LISTING_SHAPE)["items"][0])["datasets"][0]) == names(dataset)
        for run in dict(item)["runs"]:
            assert names(RUN_SUMMARY) == names(run)


@pytest.mark.skipif(not SHARED.is_dir(), reason="only beside the service's own files can the copies be compared")
@pytest.mark.parametrize("name", ["openapi.yaml", "get-data-collections.txt"])
def test_our_copies_of_the_service_files_are_true(name: str) -> None:
    """What the tests read is, byte for byte, what the service publishes."""
    assert (SHARED / name).read_bytes() == (PAGE.parent / name).read_bytes()
