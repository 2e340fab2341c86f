"""What an export lacks: missing collections, bodies in quarantine, and listings that do not stand still."""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aegis_async import AegisClient
from aegis_async._pagination import Listing
from aegis_async.export import Progress, export
from aegis_async.sandbox import Sandbox
from tests.export.folders import ids, raw_lines
from tests.export.restless import restless


async def test_what_cannot_be_fetched_is_missing(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """A collection that is gone and one that always fails are named with their reasons; the rest is there."""
    sandbox.fail("/data-collections/2", status=404, times=None)
    sandbox.fail("/data-collections/4", status=500, times=None)
    seen: list[Progress] = []

    report = await export(client, tmp_path, progress=seen.append)

    reasons = {one.id: (one.error, one.reason) for one in report.missing}
    assert ("partial", "2 could not be fetched") == (report.status, report.reason)
    assert [1, 3, 5, 6] == ids(tmp_path)
    assert {2: "NotFoundError", 4: "ServerError"} == {id_: error for id_, (error, _) in reasons.items()}
    assert "/data-collections/4" in reasons[4][1]
    assert 2 == seen[-1].failed


async def test_what_fails_once_is_not_missing(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """A retry that succeeds leaves no trace in the report."""
    sandbox.fail("/data-collections/4", status=503)
    sandbox.fail("/data-collections/5", reset=True)
    sandbox.fail("/data-collections/6", cut_body=40)

    report = await export(client, tmp_path)

    assert ("complete", ()) == (report.status, report.missing)
    assert [1, 2, 3, 4, 5, 6] == ids(tmp_path)


async def test_an_id_that_is_none_is_missing(client: AegisClient, tmp_path: Path) -> None:
    """A wrong id among good ones is that id's error."""
    report = await export(client, tmp_path, ids=[0, 1])

    assert [(0, "InvalidArgumentError", "id must be at least 1, not 0")] == [
        (one.id, one.error, one.reason) for one in report.missing
    ]
    assert [1] == ids(tmp_path)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>maintenance</html>", "the body is not JSON"),
        (b'{"id": 4, "name": "no runs"}', "missing required field"),
        (b"\xff\xfe", "JSON"),
    ],
)
async def test_what_cannot_be_decoded_is_in_quarantine(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, body: bytes, reason: str
) -> None:
    """The body is kept byte for byte with the reason beside it, and the rest goes on."""
    sandbox.fail("/data-collections/4", body=body)

    report = await export(client, tmp_path)

    (kept,) = report.quarantined
    note = msgspec.json.decode((tmp_path / kept.file).with_suffix(".json").read_bytes())
    assert ("partial", "1 set aside in quarantine") == (report.status, report.reason)
    assert body == (tmp_path / kept.file).read_bytes()
    assert {"id": 4, "sha256": hashlib.sha256(body).hexdigest(), "reason": kept.reason} == note
    assert reason in kept.reason
    assert [1, 2, 3, 5, 6] == ids(tmp_path) == sorted(line["id"] for line in raw_lines(tmp_path))


async def test_an_id_that_does_not_fit_is_in_quarantine(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, document: Callable[..., dict[str, Any]]
) -> None:
    """A number beyond 64 bits costs its own collection only."""
    sandbox.fail("/data-collections/4", body=msgspec.json.encode(document(4)).replace(b'"id":991', b'"id":%d' % 2**63))

    report = await export(client, tmp_path)

    (kept,) = report.quarantined
    assert 4 == kept.id
    assert kept.reason.startswith("runs.id holds a value that does not fit int64: ")
    assert [1, 2, 3, 5, 6] == ids(tmp_path)


async def test_the_body_of_another_collection_is_in_quarantine(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, document: Callable[..., dict[str, Any]]
) -> None:
    """An answer to another question does not become rows."""
    sandbox.fail("/data-collections/4", body=msgspec.json.encode(document(5)))

    report = await export(client, tmp_path)

    assert [(4, "the body is that of collection 5")] == [(one.id, one.reason) for one in report.quarantined]
    assert [1, 2, 3, 5, 6] == ids(tmp_path)


@pytest.mark.parametrize(("text", "sound"), [("é".encode(), True), (b"\xff", False)])
async def test_a_body_that_is_not_utf8_is_in_quarantine(  # noqa: PLR0917 - fixtures are arguments
    client: AegisClient,
    sandbox: Sandbox,
    tmp_path: Path,
    document: Callable[..., dict[str, Any]],
    text: bytes,
    sound: bool,
) -> None:
    """A field that the models do not know is not looked into by the decoder, but it is part of a raw line."""
    body = msgspec.json.encode(document(4, unknown="?")).replace(b'"?"', b'"%s"' % text)
    sandbox.fail("/data-collections/4", body=body)

    report = await export(client, tmp_path, ids=[4])

    assert sound == (not report.quarantined)
    assert sound == (4 in {line["id"] for line in raw_lines(tmp_path)})


async def test_a_listing_that_moves_is_read_again(sandbox: Sandbox, client: AegisClient, tmp_path: Path) -> None:
    """What a walk over a moving listing missed is found by the next one, and all of it is exported."""
    for _ in range(200):
        sandbox.add()
    sandbox.drift(after_page=1, add_first=1)

    report = await export(client, tmp_path)

    assert report.listing is not None
    assert ("complete", 207) == (report.status, report.listing.items)
    assert (1, True) == (report.listing.repeats, report.listing.sweeps > 1)


async def test_a_listing_that_never_stands_still_makes_it_partial(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When each walk over it meets another change, nobody can say that it was all."""
    monkeypatch.setattr("aegis_async._resources._api.Listing", partial(Listing, skim_size=100))
    for _ in range(200):
        sandbox.add()

    async with restless(sandbox) as client:
        report = await export(client, tmp_path)

    assert report.listing is not None
    assert ("partial", "none", 5) == (report.status, report.listing.evidence, report.listing.sweeps)
    assert report.reason is not None
    assert report.reason.startswith(f"the listing may lack something, {report.listing.reason}")
