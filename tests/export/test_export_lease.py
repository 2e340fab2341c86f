"""The lease of an object store: one holder at a time, taken over when it is let go or runs out, and lost for good."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from queue import Queue

import pytest

from aegis_async.errors import ExportError
from aegis_async.export._folder import Folder
from aegis_async.export._layout import LOCK, REPORT
from aegis_async.export._lease import ObjectLease
from aegis_async.export._store import Store
from aegis_async.export._stores import store_at

_numbers = count(1)
GO_ON, END = False, True
FIRST = "_commits/lock-000001.json"


class Time:
    """A wall clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def never(ended: threading.Event, _: float) -> bool:
    """Wait for the end alone: nothing is renewed unless the test does it."""
    return ended.wait()


@pytest.fixture
def store() -> Store:
    return store_at(f"memory://lease-{next(_numbers)}/out")


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def take(store: Store, time: Time) -> Iterator[Callable[[], ObjectLease]]:
    taken: list[ObjectLease] = []

    def take() -> ObjectLease:
        taken.append(ObjectLease(store, LOCK, time, never))
        return taken[-1]

    yield take
    for lease in taken:
        lease.release()


def test_a_lease_that_is_held_is_refused_until_it_runs_out(take: Callable[[], ObjectLease], time: Time) -> None:
    """Another one is told until when to wait, and has it then."""
    take()
    time.pass_(59)
    with pytest.raises(ExportError, match=r"^_commits/lock is held by another export until 00:01:00 UTC at least"):
        take()
    time.pass_(1)

    second = take()

    second.check()
    assert 2 == second.term


def test_a_lease_that_is_renewed_does_not_run_out(take: Callable[[], ObjectLease], time: Time) -> None:
    """A holder that lives keeps it for as long as it wants."""
    first = take()
    for _ in range(5):
        time.pass_(30)
        first.renew()
    time.pass_(59)

    with pytest.raises(ExportError, match=r"is held by another export until 00:03:30 UTC"):
        take()


def test_a_released_lease_is_free_at_once(take: Callable[[], ObjectLease], store: Store) -> None:
    """Nobody waits for one that was let go, and old terms do not pile up."""
    for _ in range(5):
        take().release()

    assert ["_commits/lock-000004.json", "_commits/lock-000005.json"] == store.list("_commits")


def test_a_holder_that_was_held_up_learns_that_it_lost(take: Callable[[], ObjectLease], time: Time) -> None:
    """After a pause it looks before it does anything, and its late renewal takes nothing from the new holder."""
    first = take()
    time.pass_(61)
    second = take()

    with pytest.raises(ExportError, match=r"^_commits/lock went to another export while this one was held up"):
        first.check()

    first.release()
    second.check()


def test_a_holder_that_nobody_followed_goes_on(take: Callable[[], ObjectLease], time: Time) -> None:
    """After a pause in which nobody took it over, it is renewed."""
    first = take()
    time.pass_(3_600)

    first.check()

    with pytest.raises(ExportError, match=r"is held by another export"):
        take()


def test_who_lost_the_lease_changes_nothing(take: Callable[[], ObjectLease], store: Store, time: Time) -> None:
    """Its commit, sweep and report end with an error, and the parts of both have names of their own."""
    folder = Folder(store, take())
    name = folder.shelf.new_name()
    time.pass_(61)
    later = Folder(store, take())
    later.shelf.put("runs", later.shelf.new_name(), "parquet", b"x", rows=1)

    with pytest.raises(ExportError, match=r"went to another export"):
        folder.commit()
    with pytest.raises(ExportError, match=r"went to another export"):
        folder.sweep()
    with pytest.raises(ExportError, match=r"went to another export"):
        folder.tell(b"failed")

    assert name != later.shelf.new_name()
    assert ["runs/000001-2000001.parquet"] == store.list("runs")
    assert [] == [path for path in store.list("_commits") if path == "_commits/000001.json"]
    with pytest.raises(ExportError, match=r"no such"):
        store.get(REPORT)


def test_two_that_take_it_at_the_same_moment_do_not_both_have_it(
    take: Callable[[], ObjectLease], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number that was free only because a later holder cleared it away counts for nothing."""
    put = type(store).put_if_absent

    def overtaken(self: Store, path: str, data: bytes) -> bool:
        done = put(self, path, data)
        store.put("_commits/lock-000007.json", data)
        return done

    monkeypatch.setattr(type(store), "put_if_absent", overtaken)

    with pytest.raises(ExportError, match=r"was taken by another export at this moment"):
        take()


@pytest.mark.parametrize(
    "said", [b"{", b'{"holder": "\xff", "held_until": 0}', b'{"holder": "x", "held_until": "2026-01-01T00:00:00"}']
)
def test_a_damaged_lease_is_one_sentence(take: Callable[[], ObjectLease], store: Store, said: bytes) -> None:
    """What cannot be read is not taken for free."""
    store.put(FIRST, said)

    with pytest.raises(ExportError, match=r"^_commits/lock-000001.json is damaged: .* when no export is at work$"):
        take()


def test_it_is_renewed_while_it_is_held_and_no_longer(store: Store, time: Time) -> None:
    """A thread of its own renews it, goes on after a failure, and has ended when the release returns."""
    beats: Queue[bool] = Queue()
    asleep: Queue[float] = Queue()

    def beat(_: threading.Event, seconds: float) -> bool:
        asleep.put(seconds)
        return beats.get()

    lease = ObjectLease(store, LOCK, time, beat)
    asleep.get()
    time.pass_(30)
    beats.put(GO_ON)
    interval = asleep.get()
    renewed = store.get(FIRST)
    beats.put(END)
    lease.release()

    assert 15.0 == interval
    assert b'"held_until":"2026-01-01T00:01:30Z"' in renewed
    assert b'"held_until":"0001-01-01T00:00:00Z"' in store.get(FIRST)
    assert "aegis-async lease" not in [thread.name for thread in threading.enumerate()]


def test_a_lease_that_nobody_refers_to_is_renewed_no_more(store: Store) -> None:
    """The thread ends with what it renews."""
    lease = ObjectLease(store, LOCK)
    thread = lease._renewing

    del lease
    thread.join(30)

    assert not thread.is_alive()
