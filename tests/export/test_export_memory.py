"""What an export leaves to the garbage collector, which a command lets look rarely: nothing that holds a body."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aegis_async import AegisClient
from aegis_async.export import export
from aegis_async.sandbox import Sandbox
from tests.export import documents

_BODY = 4096  # bytes: smaller than any collection here, larger than a head


@pytest.fixture
def uncollected() -> Iterator[list[Any]]:
    """Give the list of what only the collector would have freed; it is filled by ``gc.collect``."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


@pytest.mark.parametrize("stream_above", [2 << 20, 1])
async def test_no_cycle_holds_a_body(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, uncollected: list[Any], stream_above: int
) -> None:
    """Bodies go when they are written, also those of an older revision, at fault, or at a second try."""
    sandbox.fail("/data-collections/1", status=500)
    sandbox.fail("/data-collections/2", cut_body=2 * _BODY)
    sandbox.fail("/data-collections/3", body=b'{"id": 3, "name": "' + b" " * 2 * _BODY)
    sandbox.fail("/data-collections/4", body=b'{"id": 4, "name": [%b0]}' % (b"0, " * _BODY), times=None)
    older = documents.collection(5, evaluations=40, user="analyst@acme.com")
    sandbox.fail("/data-collections/5", body=msgspec.json.encode(older), times=None)

    report = await export(client, tmp_path, stream_above=stream_above)

    gc.collect()
    held = [one for each in uncollected for one in gc.get_referents(each) if isinstance(one, bytes | bytearray)]
    assert (5, 1) == (report.fetched, len(report.quarantined))
    assert [] == [len(one) for one in held if len(one) >= _BODY]
