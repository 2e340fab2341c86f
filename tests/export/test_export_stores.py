"""Every store keeps the same promises: a local folder, an S3 server, and fsspec's memory."""

import pickle
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from aegis_async.errors import ExportError, InvalidArgumentError
from aegis_async.export._folder import claim
from aegis_async.export._layout import COMMITS, FOLDERS
from aegis_async.export._store import LocalStore, Store
from aegis_async.export._stores import local_folder, place_in, store_at, store_of
from tests.export.s3 import S3, SECRET

PART = "runs/000001-0001.parquet"

_numbers = count(1)


@pytest.fixture(params=["local", "s3", "memory"])
def out(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give a place that does not exist yet."""
    places: dict[str, Callable[[], str]] = {
        "local": lambda: str(tmp_path / "out"),
        "s3": lambda: f"{request.getfixturevalue('bucket')}/some/prefix",
        "memory": lambda: f"memory://stores-{next(_numbers)}/out",
    }
    return places[request.param]()


@pytest.fixture
def store(out: str) -> Store:
    made = store_at(out)
    made.claim((COMMITS, *FOLDERS))
    return made


def test_what_was_put_is_got(store: Store) -> None:
    """An object comes back byte for byte, whatever it was given as, and is the only one."""
    for data in (b"one", bytearray(b"two"), memoryview(b"three"), pa.py_buffer(b"four")):
        store.put(PART, data)

    assert b"four" == store.get(PART)
    assert [PART] == store.list("runs")


def test_put_if_absent_keeps_the_first(store: Store) -> None:
    """The second of two finds out, and changes nothing."""
    stored = [store.put_if_absent(PART, data) for data in (b"first", b"second")]

    assert [True, False] == stored
    assert b"first" == store.get(PART)


def test_the_list_is_that_of_one_folder(store: Store) -> None:
    """Objects of a folder are listed in order, without those beside it."""
    for path in ("runs/b", "runs/a", "collections/x"):
        store.put(path, b"x")

    assert ["runs/a", "runs/b"] == store.list("runs")
    assert [] == store.list("raw")


def test_deleting_twice_is_no_error(store: Store) -> None:
    """An object that is gone is as gone as one that was deleted."""
    store.put(PART, b"")

    store.delete(PART)
    store.delete(PART)

    assert [] == store.list("runs")


def test_what_is_not_there_is_one_sentence(store: Store, out: str) -> None:
    """A missing object is an error of ours that names its place."""
    with pytest.raises(ExportError, match=r"(?i)no such") as caught:
        store.get(PART)

    assert str(caught.value).startswith(f"{place_in(out, PART)}: ")


def test_a_store_can_be_sent_to_another_process(store: Store) -> None:
    """A pickled store reaches the same objects."""
    store.put(PART, b"data")

    sent: Store = pickle.loads(pickle.dumps(store))

    assert b"data" == sent.get(PART)


def test_a_place_is_an_export_once_it_is_claimed(out: str) -> None:
    """Nothing is an export until one has claimed it."""
    with pytest.raises(ExportError, match=r"is no export: it has no _commits$"):
        store_of(out)

    claim(out).lock.release()

    assert store_of(out).has(COMMITS)


def test_a_second_export_is_kept_out(out: str) -> None:
    """One export holds the place at a time, and the next can have it afterwards."""
    first = claim(out)
    with pytest.raises(ExportError, match=r"held by another export"):
        claim(out)
    first.lock.release()

    second = claim(out)

    second.lock.check()
    second.lock.release()


def test_other_things_in_the_place_are_refused_and_stay(out: str) -> None:
    """A place that is not empty and no export is left as it is."""
    theirs = store_at(out)
    if isinstance(theirs, LocalStore):
        Path(out).mkdir()
        (Path(out) / "notes").mkdir()
    theirs.put("notes/theirs.txt", b"theirs")

    with pytest.raises(InvalidArgumentError, match=r"^out must be a new or empty .* holds other"):
        claim(out)

    assert b"theirs" == theirs.get("notes/theirs.txt")
    assert not theirs.has(COMMITS)


def test_a_sweep_removes_only_our_own_parts(out: str) -> None:
    """Of what no commit names, only files with our own names go."""
    claim(out).lock.release()
    store = store_at(out)
    for path in (PART, "runs/theirs.parquet"):
        store.put(path, b"x")

    claim(out).lock.release()

    assert ["runs/theirs.parquet"] == store.list("runs")


@pytest.mark.parametrize(
    "url",
    [
        f"s3://user:{SECRET}@bucket/prefix",
        f"s3://{SECRET}@bucket/prefix",
        f"s3://bucket/prefix?secret={SECRET}",
        f"s3://bucket/prefix#{SECRET}",
        f"file://user:{SECRET}@/folder",
        f"s3://[{SECRET}/prefix",
    ],
)
def test_a_url_with_a_secret_is_refused_and_not_repeated(url: str) -> None:
    """Credentials come from the environment alone."""
    with pytest.raises(InvalidArgumentError, match=r"credentials come from the environment$") as caught:
        store_at(url)

    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nothing://bucket/prefix", r"^out must be a folder or a URL that fsspec knows, .* nothing:// is none$"),
        ("s3://", r"^out must name a bucket, as s3://bucket/prefix$"),
        ("file://elsewhere/folder", r"^out must be on this machine, as file:///folder, not on elsewhere$"),
    ],
)
def test_a_url_that_is_no_place_is_refused(url: str, words: str) -> None:
    """The sentence says what a place looks like."""
    with pytest.raises(InvalidArgumentError, match=words):
        store_at(url)


@pytest.mark.parametrize("out", [7, None, b"out"])
def test_what_is_no_place_is_refused_by_name(out: Any) -> None:
    """The error names the argument and what it may be."""
    with pytest.raises(InvalidArgumentError, match=rf"^out must be a path or a URL, not {type(out).__name__}$"):
        store_at(out)


def test_the_url_of_a_local_folder_is_that_folder(tmp_path: Path) -> None:
    """A file URL means the folder it names, its escapes undone."""
    assert tmp_path / "a b" == local_folder(f"{tmp_path.as_uri()}/a%20b")
    assert isinstance(store_at(tmp_path.as_uri()), LocalStore)


def test_a_marker_of_an_empty_folder_is_no_other_object(s3: S3, bucket: str) -> None:
    """What a console makes for an empty folder does not keep an export out."""
    store_at(bucket).put("prefix/", b"")

    claim(f"{bucket}/prefix").lock.release()

    assert store_at(f"{bucket}/prefix").has(COMMITS)
    assert [] == [asked for asked in s3.asked if asked[0] == "DELETE"]


def test_long_listings_come_whole(bucket: str, s3: S3) -> None:
    """A listing of several pages is followed to its end."""
    store = store_at(bucket)
    for number in range(5):
        store.put(f"runs/{number}", b"")
    s3.asked.clear()
    s3.page = 2

    listed = store.list("runs")

    assert [f"runs/{number}" for number in range(5)] == listed
    assert ["GET", "GET", "GET"] == [method for method, _, _ in s3.asked]


def test_a_put_whose_answer_was_lost_counts(bucket: str) -> None:
    """The same bytes a second time are the same request again; S3 would call it refused."""
    store = store_at(bucket)

    assert [True, True] == [store.put_if_absent(PART, b"same") for _ in range(2)]


def test_a_conflict_is_settled_by_asking_again(bucket: str, s3: S3) -> None:
    """S3 answers 409 to one of two puts that meet, which is neither yes nor no."""
    conflicts = iter([("409 Conflict", "ConditionalRequestConflict")])
    s3.refuse = lambda _: next(conflicts, None)

    assert store_at(bucket).put_if_absent(PART, b"data")
    assert ["PUT", "PUT"] == [method for method, _, _ in s3.asked]


@pytest.mark.parametrize("kind", ["s3", "s3a"])
def test_a_store_that_fails_is_asked_three_times(bucket: str, s3: S3, kind: str) -> None:
    """Whichever of its names the kind has, nobody waits for long."""
    s3.refuse = lambda _: ("503 Service Unavailable", "ServiceUnavailable")

    with pytest.raises(ExportError, match=r"the object store failed: ServiceUnavailable$"):
        store_at(f"{kind}://{bucket.removeprefix('s3://')}").put(PART, b"data")

    assert ["PUT", "PUT", "PUT"] == [method for method, _, _ in s3.asked]


def test_a_store_that_ignores_conditions_is_refused(bucket: str, s3: S3) -> None:
    """Where a second put under a new name goes through, two exports cannot be kept apart."""
    s3.conditions = False

    with pytest.raises(ExportError, match=r"ignores If-None-Match"):
        claim(bucket)


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever lacks fsspec or s3fs is told what to install."""
    monkeypatch.setitem(sys.modules, "fsspec", None)

    with pytest.raises(ExportError, match=r'pip install "aegis-async\[s3\]"$'):
        store_at("s3://bucket")
