"""The store: whole objects or nothing, and one clear sentence for what the system refuses."""

import errno
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from aegis_async.errors import ExportError
from aegis_async.export._layout import is_temporary_part, temporary_name
from aegis_async.export._store import LocalStore

PART = "runs/000001-0001.parquet"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    (tmp_path / "runs").mkdir()
    return LocalStore(tmp_path)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of 64 KiB; a test that cannot mount one is skipped."""
    mount = shutil.which("mount")
    place = tmp_path / "small"
    place.mkdir()
    if (
        mount is None
        or subprocess.run(  # noqa: S603 - arguments of ours
            [mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("mounting a small tmpfs needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)  # noqa: S603, S607 - what was mounted above


def test_what_was_put_is_got(store: LocalStore, tmp_path: Path) -> None:
    """An object comes back byte for byte, and nothing else is in the folder."""
    store.put(PART, b"one")
    store.put(PART, memoryview(b"two"))

    assert b"two" == store.get(PART)
    assert ["000001-0001.parquet"] == names(tmp_path / "runs")


def test_put_if_absent_keeps_the_first(store: LocalStore, tmp_path: Path) -> None:
    """The second of two finds out, and changes nothing."""
    stored = [store.put_if_absent(PART, data) for data in (b"first", b"second")]

    assert [True, False] == stored
    assert b"first" == store.get(PART)
    assert ["000001-0001.parquet"] == names(tmp_path / "runs")


def test_put_if_absent_works_without_hard_links(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On a file system without links the name is looked up before it is taken."""

    def refuse(_self: Path, target: Path) -> None:
        raise OSError(errno.ENOTSUP, "no links here", str(target))

    monkeypatch.setattr(Path, "hardlink_to", refuse)

    stored = [store.put_if_absent(PART, data) for data in (b"first", b"second")]

    assert [True, False] == stored
    assert b"first" == store.get(PART)
    assert ["000001-0001.parquet"] == names(tmp_path / "runs")


def test_another_fault_of_linking_is_not_taken_for_a_missing_feature(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A disk that fills up right then is a full disk."""

    def refuse(_self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "full", str(target))

    monkeypatch.setattr(Path, "hardlink_to", refuse)

    with pytest.raises(ExportError, match=r"the disk is full"):
        store.put_if_absent(PART, b"data")
    assert [] == names(tmp_path / "runs")


def test_a_temporary_file_of_a_dead_run_is_no_obstacle(store: LocalStore, tmp_path: Path) -> None:
    """What a crash left under the hidden name is replaced."""
    (tmp_path / "runs" / temporary_name("000001-0001.parquet")).write_bytes(b"half")

    store.put(PART, b"whole")

    assert b"whole" == store.get(PART)
    assert ["000001-0001.parquet"] == names(tmp_path / "runs")


def test_a_link_under_the_temporary_name_is_not_followed(store: LocalStore, tmp_path: Path) -> None:
    """A file elsewhere cannot be reached through a link in our folder."""
    outside = tmp_path / "outside"
    outside.write_bytes(b"theirs")
    (tmp_path / "runs" / temporary_name("000001-0001.parquet")).symlink_to(outside)

    store.put(PART, b"ours")

    assert b"theirs" == outside.read_bytes()


def test_a_link_under_the_final_name_is_replaced_not_followed(store: LocalStore, tmp_path: Path) -> None:
    """Putting an object replaces a link of its name."""
    outside = tmp_path / "outside"
    outside.write_bytes(b"theirs")
    (tmp_path / PART).symlink_to(outside)

    store.put(PART, b"ours")

    assert b"theirs" == outside.read_bytes()
    assert b"ours" == store.get(PART)


def test_the_list_holds_files_only(store: LocalStore, tmp_path: Path) -> None:
    """Folders and links are not listed, unfinished files are."""
    store.put(PART, b"")
    (tmp_path / "runs" / "folder").mkdir()
    (tmp_path / "runs" / "link").symlink_to(tmp_path / PART)
    (tmp_path / "runs" / ".unfinished").touch()

    assert ["runs/.unfinished", PART] == store.list("runs")


def test_deleting_twice_is_no_error(store: LocalStore) -> None:
    """An object that is gone is as gone as one that was deleted."""
    store.put(PART, b"")

    store.delete(PART)
    store.delete(PART)

    assert [] == store.list("runs")


def test_data_is_on_the_disk_before_its_name(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is flushed before the rename, and the folder after it."""
    steps: list[str] = []
    flush, rename = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        flush(descriptor)

    def replace(self: Path, target: Path) -> Path:
        steps.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)

    store.put(PART, b"data")

    assert ["file", "rename", "folder"] == steps


def test_a_system_that_cannot_open_folders_flushes_none(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no O_DIRECTORY, only the file is flushed."""
    monkeypatch.delattr(os, "O_DIRECTORY")

    store.put(PART, b"data")

    assert b"data" == store.get(PART)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full; make room and run the export again"),
        (errno.EDQUOT, "the disk quota is used up; make room and run the export again"),
        (errno.EACCES, "permission denied"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_what_the_system_refuses_is_one_sentence(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int, words: str
) -> None:
    """The text names the file and what to do, and nothing is left behind."""

    def refuse(_descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)

    with pytest.raises(ExportError) as caught:
        store.put(PART, b"data")

    assert f"{tmp_path / PART}: {words}" == str(caught.value)
    assert [] == names(tmp_path / "runs")


def test_an_error_without_a_number_is_told_in_its_own_words(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every OSError comes from the system."""

    def refuse(_descriptor: int) -> None:
        raise OSError("strange")

    monkeypatch.setattr(os, "fsync", refuse)

    with pytest.raises(ExportError, match=r": strange$"):
        store.put(PART, b"data")


def test_a_full_disk_is_one_sentence_and_no_half_file(full_disk: Path) -> None:
    """A real file system without room gives the same error, and keeps what was there."""
    store = LocalStore(full_disk)
    store.put("first", b"x" * 1_000)

    with pytest.raises(ExportError, match=r"second: the disk is full; make room and run the export again$"):
        store.put("second", b"x" * 1_000_000)

    assert ["first"] == names(full_disk)


def test_what_cannot_be_read_is_one_sentence(store: LocalStore, tmp_path: Path) -> None:
    """A missing object and a missing folder are errors of ours."""
    with pytest.raises(ExportError, match=r"No such file or directory"):
        store.get(PART)
    with pytest.raises(ExportError, match=rf"^{tmp_path / 'nowhere'}: No such file or directory$"):
        store.list("nowhere")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (".000001-0001.parquet.tmp", True),
        (".000001-0001.ndjson.zst.tmp", True),
        ("000001-0001.parquet", False),
        ("x000001-0001.parquet.tmp", False),
        (".notes.tmp", False),
        (".tmp", False),
    ],
)
def test_a_temporary_name_is_told_from_others(name: str, expected: bool) -> None:
    """Only what the store itself would write counts as unfinished."""
    assert expected == is_temporary_part(name)
