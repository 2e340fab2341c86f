"""The folder: claimed, never cleared of what is not ours, and changed by commits alone."""

import errno
from pathlib import Path

import msgspec
import pytest

from aegis_async.errors import ExportError, InvalidArgumentError
from aegis_async.export._commits import Chunk, Commit, State, read_commits
from aegis_async.export._folder import Folder
from aegis_async.export._folder import claim as claimed
from aegis_async.export._holdings import Mark, Pass
from aegis_async.export._layout import FOLDERS, chunk_name, commit_prefix, is_part, part_name, partition_prefix


def files(out: Path) -> set[str]:
    paths = {str(path.relative_to(out)) for path in out.rglob("*") if not path.is_dir()}
    return paths - {"_commits/lock"}


def chunk(folder: Folder, data: bytes, *ids: int) -> Chunk:
    """Write a chunk of one part."""
    name = folder.shelf.new_name()
    part = folder.shelf.put("runs", name, "parquet", data, rows=len(ids))
    return Chunk(name, ("parquet",), tuple(Mark(id_, "f", 1, settled=True) for id_ in ids), (part,), 0)


def claim(out: Path) -> Folder:
    """Claim a folder as a process does that dies right after: without its lock."""
    folder = claimed(out)
    folder.lock.release()
    return folder


def test_a_new_folder_is_claimed(tmp_path: Path) -> None:
    """A folder that does not exist is made, with the commits' folder as the claim."""
    folder = claim(tmp_path / "deep" / "out")

    assert 0 == folder.state.number
    assert {"_commits", *FOLDERS} == {path.name for path in (tmp_path / "deep" / "out").iterdir()}


def test_a_claim_that_went_no_further_is_taken_up(tmp_path: Path) -> None:
    """A run that died right after its claim does not lock its folder."""
    (tmp_path / "_commits").mkdir()

    folder = claim(tmp_path)

    assert 0 == folder.state.number


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    """Nothing is written among somebody's own files."""
    (tmp_path / "thesis.txt").touch()

    with pytest.raises(InvalidArgumentError, match=r"^out must be a new or empty folder or an earlier export"):
        claim(tmp_path)

    assert {"thesis.txt"} == files(tmp_path)


def test_a_file_is_refused(tmp_path: Path) -> None:
    """Where a file stands, no folder can be made."""
    (tmp_path / "out").touch()

    with pytest.raises(InvalidArgumentError, match=r"^out must be a folder"):
        claim(tmp_path / "out")


@pytest.mark.parametrize("name", ["_commits", "runs"])
def test_a_link_in_place_of_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    """No part is written to, or removed from, wherever a link leads."""
    outside = tmp_path / "outside"
    outside.mkdir()
    out = tmp_path / "out"
    (out / "_commits").mkdir(parents=True)
    if name == "_commits":
        (out / "_commits").rmdir()
    (out / name).symlink_to(outside)

    with pytest.raises(InvalidArgumentError, match=r"^out must hold no links in place of its folders"):
        claim(out)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    """What the system refuses names the folder."""
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "out"

    with pytest.raises(ExportError, match=rf"^{out}: Not a directory$"):
        claim(out)


def test_a_commit_brings_parts_into_force(tmp_path: Path) -> None:
    """A later run takes up what was committed, and counts on."""
    folder = claim(tmp_path)
    made = chunk(folder, b"data", 1, 2, 3)
    folder.commit(added=(made,))

    again = claim(tmp_path)

    (part,) = made.parts
    assert {made.name: made} == again.state.chunks
    assert 1 == again.state.number
    assert ("runs/000001-0001.parquet", 3, 4) == (part.path, part.rows, part.bytes)
    assert "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7" == part.sha256


def test_a_retired_part_goes_only_after_the_commit(tmp_path: Path) -> None:
    """Until the new part is in force the old one stays, whatever happens."""
    first = claim(tmp_path)
    old = chunk(first, b"old", 1)
    first.commit(added=(old,))
    second = claim(tmp_path)
    dead = chunk(second, b"dead", 1)
    third = claim(tmp_path)
    before = files(tmp_path)
    new = chunk(third, b"new", 1)

    third.commit(added=(new,), retired=(old.name,))

    assert old.parts[0].path != new.parts[0].path == dead.parts[0].path
    assert {"_commits/000001.json", old.parts[0].path} == before
    assert {"_commits/000001.json", "_commits/000002.json", new.parts[0].path} == files(tmp_path)
    assert {new.name: new} == claim(tmp_path).state.chunks


def test_a_retired_part_that_a_crash_left_goes_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit whose clearing was cut short is cleared up by whoever comes next."""
    folder = claim(tmp_path)
    old = chunk(folder, b"old", 1)
    folder.commit(added=(old,))
    with monkeypatch.context() as dying:
        dying.setattr(folder.store, "delete", lambda _: None)
        folder.commit(added=(chunk(folder, b"new", 1),), retired=(old.name,))
    before = files(tmp_path)

    claim(tmp_path)

    assert {old.parts[0].path} == before - files(tmp_path)


def test_many_commits_become_one(tmp_path: Path) -> None:
    """Folding them stays quick for ever, and gives the same."""
    folder = claim(tmp_path)
    for number in range(1, 66):
        folder.commit(added=(chunk(folder, b"", number),), buried=(number,), current=Pass(number, "x"))
    before = State(read_commits(folder.store))

    folder.compact()

    after = claim(tmp_path).state
    assert {"000066.json"} == {path.name for path in (tmp_path / "_commits").glob("*.json")}
    assert 66 == after.number
    for name in ("current", "chunks", "set_aside", "buried", "listing", "formats"):
        assert getattr(before, name) == getattr(after, name)


def test_a_compaction_that_was_cut_short_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits that a whole one repeats are not read again, and go with the next compaction."""
    folder = claim(tmp_path)
    for number in range(1, 66):
        folder.commit(added=(chunk(folder, b"", number),))
    with monkeypatch.context() as dying:
        dying.setattr(folder.store, "delete", lambda _: None)
        folder.compact()

    again = claim(tmp_path)
    again.commit(retired=(chunk_name(commit_prefix(65), 1),))
    again.compact()

    assert 64 == len(claim(tmp_path).state.chunks)
    assert {"000068.json"} == {path.name for path in (tmp_path / "_commits").glob("*.json")}


def test_a_sweep_removes_only_our_own_parts(tmp_path: Path) -> None:
    """Files of other names, links and other folders stay, whatever they look like."""
    folder = claim(tmp_path)
    ours = [
        "runs/000001-0001.parquet",
        "raw/.000007-0001.ndjson.zst.tmp",
        "quarantine/000001-0001.body",
        "_commits/.000001.json.tmp",
    ]
    theirs = [
        "runs/notes.parquet",
        "runs/000001-0001.parquet.bak2",
        "runs/.hidden.tmp",
        "000001-0001.parquet",
        "_commits/notes.txt",
        "_commits/.notes.tmp",
    ]
    for path in (*ours, *theirs):
        (tmp_path / path).touch()
    (tmp_path / "runs" / "000001-0002.parquet").symlink_to(tmp_path / "000001-0001.parquet")
    (tmp_path / "runs" / "000001-0003.parquet").mkdir()

    folder.sweep()

    assert {*theirs, "runs/000001-0002.parquet"} == files(tmp_path)
    assert (tmp_path / "runs" / "000001-0003.parquet").is_dir()


def test_a_second_export_is_kept_out(tmp_path: Path) -> None:
    """While one export is at work another is refused at once; afterwards the folder is free."""
    first = claimed(tmp_path)

    with pytest.raises(ExportError, match=r"_commits/lock is held by another export into the same folder"):
        claimed(tmp_path)
    first.lock.release()

    assert 0 == claimed(tmp_path).state.number


def test_a_lock_that_nobody_refers_to_is_free(tmp_path: Path) -> None:
    """A claim that was dropped on the way does not keep the next one out."""
    claimed(tmp_path)

    assert 0 == claimed(tmp_path).state.number


def test_a_lock_that_cannot_be_had_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that knows no locks says so, and no claim is made on it."""

    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)

    with pytest.raises(ExportError, match=r"_commits/lock: No locks available$"):
        claimed(tmp_path)


def test_two_exports_without_locks_do_not_both_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no locks, the second of two that began from the same state is told."""
    monkeypatch.setattr("sys.platform", "win32")
    first, second = claimed(tmp_path), claimed(tmp_path)
    first.commit()

    with pytest.raises(ExportError, match=r"another export is writing to the same folder$"):
        second.commit()


def test_a_commit_of_another_format_is_refused(tmp_path: Path) -> None:
    """An export made by a version that this one cannot read is left alone."""
    claim(tmp_path)
    (tmp_path / "_commits" / "000001.json").write_text('{"format": 9, "sdk_version": "7.0"}')

    with pytest.raises(
        ExportError, match=r"_commits/000001\.json was written by aegis_async 7\.0, with format 9 .*: export"
    ):
        claim(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"format": 2, "schema_version": 1}',
        b'{"format": 2, "schema_version": 1, "x": "\xff"}',
        b'{"x": ' + b"[" * 100_000,
    ],
    ids=["empty", "cut", "list", "little", "not utf-8", "deep"],
)
def test_a_damaged_commit_is_refused(tmp_path: Path, content: bytes) -> None:
    """What cannot be read is never taken for an empty export, whose parts could go."""
    claim(tmp_path)
    (tmp_path / "_commits" / "000001.json").write_bytes(content)

    with pytest.raises(ExportError, match=r"^_commits/000001\.json is damaged: "):
        claim(tmp_path)


def test_a_commit_of_another_schema_is_refused(tmp_path: Path) -> None:
    """Rows of two schemas are never mixed."""
    folder = claim(tmp_path)
    folder.commit(schema_version=99)

    with pytest.raises(ExportError, match=r"with format 2 and schema 99, and this version knows 2 and 1: export into"):
        claim(tmp_path)


def test_a_commit_is_plain_json(tmp_path: Path) -> None:
    """What a commit says can be read without this package."""
    folder = claim(tmp_path)

    folder.commit(added=(chunk(folder, b"", 7),))

    said = msgspec.json.decode((tmp_path / "_commits" / "000001.json").read_bytes())
    assert [f.name for f in msgspec.structs.fields(Commit)] == list(said)
    assert [[7, "f", 1, True]] == said["added"][0]["marks"]


@pytest.mark.parametrize("number", [1, 9_999, 10_000, 123_456])
@pytest.mark.parametrize("commit", [1, 999_999, 1_000_000])
def test_a_parts_name_is_known_as_one(commit: int, number: int) -> None:
    """However many there are, a part's name is recognised."""
    folder, _, name = part_name("runs", chunk_name(commit_prefix(commit), number), "ndjson.zst").partition("/")

    assert "runs" == folder
    assert is_part(name)


@pytest.mark.parametrize("number", [1, 10_000])
@pytest.mark.parametrize(("partition", "attempt"), [(0, 1), (999_999, 9), (1_000_000, 100)])
def test_the_name_of_a_workers_part_is_known_as_one(partition: int, attempt: int, number: int) -> None:
    """What a worker wrote and no commit names is ours to remove, whichever partition and attempt it was."""
    name = chunk_name(partition_prefix("0a1b2c3d4e5f", partition, attempt), number)

    assert is_part(f"{name}.parquet")
