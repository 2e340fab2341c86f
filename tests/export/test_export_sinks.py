"""What every sink keeps to, whatever its format; a new one joins by a line in `READERS`."""

import sys
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest

from aegis_async._resources.data_collections import CollectionBody
from aegis_async.errors import ExportError
from aegis_async.export import FORMATS, TABLES
from aegis_async.export import _sinks as sinks
from aegis_async.export._arrow import TABLE_SCHEMAS
from aegis_async.export._batches import Draft, Fetched, add_to, batch_of
from aegis_async.export._folder import claim
from aegis_async.export._sinks import FILES, SINKS, Batch, Rejected, Sink, databases, file_formats, files_of
from aegis_async.export._source import Listed
from aegis_async.models import DataCollection
from tests.export.places import READERS, Place

MakeDocument = Callable[..., dict[str, Any]]
Decode = Callable[[dict[str, Any]], DataCollection]

SERVICES = {"postgres"}
every_sink = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.service) if name in SERVICES else name for name in FORMATS]
)


@pytest.fixture
def place(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    """A place for exports of one format, read with a tool that is not ours."""
    return READERS[name](tmp_path, request)


@pytest.fixture
def batch(decoded: Decode) -> Callable[..., Any]:
    """Give the maker of a batch of documents, each listed with the fingerprint given."""

    async def make(*documents: dict[str, Any], fingerprint: str = "f", rejected: Iterable[Rejected] = ()) -> Batch:
        values = [decoded(document) for document in documents]
        bodies = [CollectionBody(value.id, b'{"id": %d}' % value.id, value, None) for value in values]
        draft = Draft(rejected=list(rejected))
        await add_to(draft, (Fetched(body, Listed(fingerprint)) for body in bodies))
        return batch_of(draft)

    return make


class Session:
    """One run's sinks, the last of which is the one under test."""

    def __init__(self, place: Place, name: str, intent: str = "listing") -> None:
        self._folder = claim(place.out)
        files = files_of(self._folder, [name], intent)
        self._sinks = [files, *databases([name], intent, sinks.Place(place.out, place.to))]
        self.sink: Sink = self._sinks[-1]

    def close(self) -> None:
        for sink in self._sinks:
            sink.close()
        self._folder.lock.release()

    def __enter__(self) -> Sink:
        return self.sink

    def __exit__(self, *_: object) -> None:
        self.close()


def finished(place: Place, name: str, *batches: Batch) -> None:
    """Write batches and come to the end."""
    with Session(place, name) as sink:
        for one in batches:
            sink.write(one)
        sink.finish(None)


def ids(place: Place, table: str) -> list[int]:
    return sorted(place.read(table)["collection_id"].to_pylist())


def test_every_sink_has_a_reader() -> None:
    """No format is without these tests."""
    assert set(READERS) == set(SINKS)


@every_sink
async def test_every_value_comes_back(name: str, place: Place, document: MakeDocument, batch: Any) -> None:
    """Types, nulls, unicode, 64-bit ids, decimals and empty texts are as they went in."""
    odd = document(2**53 + 1, name="\N{SNOWMAN} '\"\n\r,\\ \U0001f600", org_id=2**63 - 1, author_email="")
    odd["runs"][0]["evaluations"][1]["evaluation_cost"] = "123456789012345678.000000000000000001"
    one = await batch(odd, document(2))

    finished(place, name, one)

    for table in TABLES:
        keys = [(key, "ascending") for key in table.key]
        assert one.tables[table.name].sort_by(keys).to_pylist() == place.read(table.name).sort_by(keys).to_pylist()
    assert Decimal("123456789012345678.000000000000000001") in place.read("evaluations")["evaluation_cost"].to_pylist()


@every_sink
async def test_batches_add_up(name: str, place: Place, document: MakeDocument, batch: Any) -> None:
    """Rows of every batch are there once, with those that have no runs in between."""
    documents = [document(1), document(2, runs=[], datasets=[]), document(3)]

    finished(place, name, *[await batch(one) for one in documents])

    assert {"collections": [1, 2, 3], "datasets": [1, 3], "runs": [1, 3], "evaluations": [1, 1, 3, 3]} == {
        table.name: ids(place, table.name) for table in TABLES
    }


@every_sink
def test_an_empty_account_gives_empty_tables(name: str, place: Place) -> None:
    """Without a collection each table is there with its columns, and no row."""
    finished(place, name)

    for table in TABLES:
        rows = place.read(table.name)
        assert [column.name for column in table.columns] == rows.schema.names
        assert 0 == rows.num_rows


@every_sink
async def test_rows_are_replaced_and_their_neighbours_stay(
    name: str, place: Place, document: MakeDocument, batch: Any
) -> None:
    """A collection that is written again has its new rows alone; those that came in the same batch are as they were."""
    first = await batch(document(1), document(2), document(3))
    finished(place, name, first)

    finished(place, name, await batch(document(2, name="renamed", runs=[]), fingerprint="g"))

    collections = place.read("collections")  # once: a reader of several files promises no order
    names = dict(zip(*(collections[c].to_pylist() for c in ("collection_id", "name")), strict=True))
    assert {1: "My bundle", 2: "renamed", 3: "My bundle"} == names
    assert [1, 1, 3, 3] == ids(place, "evaluations")
    assert [1, 2, 3] == ids(place, "datasets")


@every_sink
async def test_a_sink_knows_again_what_it_holds(name: str, place: Place, document: MakeDocument, batch: Any) -> None:
    """The next run lacks what is new, what has changed, and what had a run under way; and nothing else."""
    running = document(2)
    running["runs"][0]["finished_at"] = None
    finished(place, name, await batch(document(1), running))

    with Session(place, name) as sink:
        lacking = {(id_, mark): sink.holdings.lacks(id_, mark, anew=False) for id_ in (1, 2, 3) for mark in "fg"}
        anew = sink.holdings.lacks(1, "f", anew=True)

    assert [(1, "f")] == [key for key, lacks in lacking.items() if not lacks]
    assert anew


@every_sink
async def test_an_interrupted_pass_is_taken_up(name: str, place: Place, document: MakeDocument, batch: Any) -> None:
    """What a run wrote before it died is not lacking when the next one wants the same, whatever else it says."""
    running = document(2)
    running["runs"][0]["finished_at"] = None
    with Session(place, name, "listing full") as sink:
        sink.write(await batch(document(1), running))

    with Session(place, name, "listing full") as sink:
        lacking = [id_ for id_ in (1, 2, 3) if sink.holdings.lacks(id_, "f", anew=True)]
    with Session(place, name, "another") as sink:
        lacking_for_another = [id_ for id_ in (1, 2, 3) if sink.holdings.lacks(id_, "f", anew=False)]

    assert ([3], [2, 3]) == (lacking, lacking_for_another)


@every_sink
async def test_what_is_gone_is_buried_and_stays(name: str, place: Place, document: MakeDocument, batch: Any) -> None:
    """A collection that the service no longer has keeps its rows; it is no longer looked for, and may come back."""
    finished(place, name, await batch(document(1), document(2)))

    with Session(place, name) as sink:
        sink.bury([2, 9], drop=False)
        sink.finish(None)
    with Session(place, name) as sink:
        known = (sink.holdings.living, sink.holdings.buried, sink.holdings.lacks(2, "f", anew=False))
        sink.write(await batch(document(2)))
    with Session(place, name) as sink:
        risen = sink.holdings.living

    assert ({1}, frozenset({2}), True) == known
    assert {1, 2} == risen
    assert [1, 2] == ids(place, "collections")


@every_sink
async def test_what_is_gone_is_dropped_when_asked(name: str, place: Place, document: MakeDocument, batch: Any) -> None:
    """Dropping takes the rows of what is gone now, and of what was buried before."""
    finished(place, name, await batch(document(1), document(2), document(3)))
    with Session(place, name) as sink:
        sink.bury([2], drop=False)

    with Session(place, name) as sink:
        sink.bury([3], drop=True)
        sink.finish(None)

    with Session(place, name) as sink:
        assert frozenset({2, 3}) == sink.holdings.buried
    for table in TABLES:
        assert {1} == set(ids(place, table.name))


@pytest.mark.parametrize("tables_before", [0, 1, 3, 5])
async def test_a_drop_into_delta_that_was_cut_short_is_made_good(  # noqa: PLR0917 - fixtures are arguments
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    document: MakeDocument,
    batch: Any,
    tables_before: int,
) -> None:
    """Where each table is a transaction, what is gone is either held in full, or fetched when it is there again."""
    place = READERS["delta"](tmp_path, request)
    finished(place, "delta", await batch(document(1), document(2)))
    passed = iter(range(tables_before))

    def dying(*arguments: Any) -> None:
        if next(passed, None) is None:
            raise LookupError
        replace(*arguments)

    with Session(place, "delta") as sink, monkeypatch.context() as patch:
        replace = type(sink)._replace  # type: ignore[attr-defined]  # what writes one table
        patch.setattr(type(sink), "_replace", dying)
        with pytest.raises(LookupError):
            sink.bury([2], drop=True)
    left = [2 in ids(place, table.name) for table in TABLES]
    with Session(place, "delta") as sink:
        lacking = sink.holdings.lacks(2, "f", anew=False)
        sink.bury([2], drop=True)

    assert lacking or all(left)
    assert {1} == {id_ for table in TABLES for id_ in ids(place, table.name)}


@every_sink
async def test_it_counts_its_rows(name: str, place: Place, document: MakeDocument, batch: Any) -> None:
    """The report's figures are those of what is there."""
    with Session(place, name) as sink:
        sink.write(await batch(document(1), document(2, runs=[])))
        sink.finish(None)
        counted = dict(sink.rows())

    assert {"collections": 2, "datasets": 2, "runs": 1, "evaluations": 2} == counted


@every_sink
def test_a_missing_package_is_named_with_its_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text has the command that brings what is missing."""
    for package in SINKS[name].needs:
        monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(ExportError) as caught:
        SINKS[name].require()

    needs, extra = " and ".join(SINKS[name].needs), SINKS[name].extra
    command = f'pip install "aegis-async[{extra}]"'
    assert f"this export needs {needs}, which is not installed: {command}" == str(caught.value)


@pytest.mark.parametrize("name", FILES)
async def test_a_file_comes_back_in_its_schema(name: str, document: MakeDocument, batch: Any) -> None:
    """What a rewrite reads is exactly what was written, types included."""
    form = file_formats()[name]
    tables = (await batch(document(1, name="", org_id=None))).tables

    for table in form.tables:
        data = bytes(memoryview(form.encode(tables[table])))
        assert tables[table] == form.decode(data, TABLE_SCHEMAS[table])


def test_parquet_names_its_schema(tmp_path: Path) -> None:
    """A Parquet file carries the version of the schema."""
    form = file_formats()["parquet"]
    table = TABLE_SCHEMAS["runs"].empty_table()
    (tmp_path / "a.parquet").write_bytes(memoryview(form.encode(table)))

    file = pq.ParquetFile(tmp_path / "a.parquet")

    assert b"1" == file.schema_arrow.metadata[b"aegis_async.schema_version"]


async def test_parquet_is_compressed_with_zstd(tmp_path: Path, document: MakeDocument, batch: Any) -> None:
    """Every column of a part is compressed."""
    form = file_formats()["parquet"]
    (tmp_path / "a.parquet").write_bytes(memoryview(form.encode((await batch(document(1))).tables["runs"])))

    group = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0)

    assert {"ZSTD"} == {group.column(n).compression for n in range(group.num_columns)}


async def test_what_is_set_aside_is_let_go_when_it_is_sound(
    tmp_path: Path, request: pytest.FixtureRequest, document: MakeDocument, batch: Any
) -> None:
    """The quarantine holds the latest of each collection, and nothing of one that decodes by now."""
    place = READERS["parquet"](tmp_path, request)
    bad = [Rejected(1, b"one", "bad"), Rejected(2, b"two", "bad"), Rejected(None, b"item", "no id")]
    finished(place, "parquet", await batch(rejected=bad))
    again = [Rejected(2, b"again", "worse")]

    finished(place, "parquet", await batch(document(1), rejected=again))

    bodies = {file.read_bytes() for file in (tmp_path / "quarantine").glob("*.body")}
    assert {b"again", b"item"} == bodies


def test_a_damaged_part_is_no_table() -> None:
    """A part that cannot be read back is never taken for an empty one."""
    for name, form in file_formats().items():
        if name != "csv":  # which takes any text for a line of names
            with pytest.raises((ValueError, OSError)):
                form.decode(b"not what it should be", pa.schema([("id", pa.int64())]))
