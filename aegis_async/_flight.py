"""One flight for identical requests: whoever asks for what is already being fetched gets on."""

import asyncio
import copy
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

from msgspec.structs import replace

from aegis_async._deadline import Deadline, Phase, nearest, without_deadline
from aegis_async._session import Call, Session, closed_error
from aegis_async._tasks import finish
from aegis_async.errors import AegisError

__all__ = ["Alike", "Flights"]

T = TypeVar("T")


class Alike:
    """What calls must have in common to share a flight, hashed once for all of them.

    Args:
        value: Anything that can be hashed, and is equal where they have.
    """

    __slots__ = ("_hash", "_value")

    def __init__(self, value: Hashable) -> None:
        self._value = value
        self._hash = hash(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Alike) and self._value == other._value

    def __hash__(self) -> int:
        return self._hash


class Flights:
    """The flights of one client.

    A flight is a task of the client's, without any caller's deadline. A passenger's cancellation or deadline ends
    the wait of that passenger only; the last one to leave ends the flight. An error of this package reaches each of
    them as an exception of its own.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._flights: dict[Hashable, _Flight[Any]] = {}

    async def join(self, key: Hashable, call: Call[T]) -> T:
        """Give the result of ``call``, or of the one of the same ``key`` that is on its way.

        Raises:
            AegisError: A copy of the error that ended the flight.
            DeadlineExceededError: The flight cannot end, or wait, before this caller's own deadline.
        """
        deadline = nearest(call.options.deadline, self._session.clock.monotonic)
        if deadline is not None and deadline.at <= self._session.clock.monotonic():
            return await self._session.call(call)  # which refuses it; a flight, which has no deadline, would be sent
        known: _Flight[T] | None = self._flights.get(key)
        flight = known if known is not None and known.alive() else _Flight(self._session, call)
        seat = flight.seat(deadline)  # before it begins: it may land at once
        if flight is known:
            self._session.counts.shared += 1
        else:
            tasks = self._session.tasks()
            self._flights[key] = flight
            flight.task = tasks.start_here(self._fly(flight))
            flight.task.add_done_callback(lambda _: self._ended(key, flight))
        result = await flight.carry(seat, deadline)
        call.size, call.etag = flight.call.size, flight.call.etag
        return result

    async def _fly(self, flight: "_Flight[Any]") -> None:
        without_deadline()
        try:
            result = await self._session.call(flight.call)
        except Exception as error:  # noqa: BLE001 - each passenger raises it
            flight.crash(error)
        except BaseException as error:
            flight.crash(error)
            raise
        else:
            flight.land(result)
        finally:
            flight.call.on_wait = None  # it holds the flight, which holds the call

    def _ended(self, key: Hashable, flight: "_Flight[Any]") -> None:
        if not flight.landed:  # it was cancelled before its first step
            flight.crash(asyncio.CancelledError())
        if self._flights.get(key) is flight:
            del self._flights[key]


class _Flight(Generic[T]):
    """One request and those who wait for it."""

    __slots__ = ("_clock", "_seats", "call", "landed", "task")

    def __init__(self, session: Session, call: Call[T]) -> None:
        if call.options.deadline is not None:
            call.options = replace(call.options, deadline=None)
        call.on_wait = self._wait_begins
        self._clock = session.clock
        self._seats: dict[asyncio.Future[T], Deadline | None] = {}
        self.call = call
        self.landed = False
        self.task: asyncio.Task[None]

    def alive(self) -> bool:
        """Whether it can still be joined."""
        return bool(self._seats) and not self.landed and self.task.get_loop() is asyncio.get_running_loop()

    def seat(self, deadline: Deadline | None) -> "asyncio.Future[T]":
        """Give what the result or an error will be in, for a caller who has until ``deadline``."""
        seat: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._seats[seat] = deadline
        return seat

    async def carry(self, seat: "asyncio.Future[T]", deadline: Deadline | None) -> T:
        """Wait for the result, no longer than until ``deadline``."""
        alarm = self._bound(seat, deadline) if deadline is not None else None
        try:
            return await seat
        except BaseException:
            if seat.done() and not seat.cancelled():
                seat.exception()  # marks it as seen, where a cancellation came first
            raise
        finally:
            if alarm is not None:
                alarm.cancel()
            del self._seats[seat]
            if not self._seats and not self.landed:
                await finish(self.task)

    def land(self, result: T) -> None:
        """Give everybody the result."""
        self.landed = True
        for seat in self._seats:
            if not seat.done():
                seat.set_result(result)

    def crash(self, error: BaseException) -> None:
        """Give everybody the error, each an exception of its own."""
        self.landed = True
        for seat in self._seats:
            if not seat.done():
                seat.set_exception(_of_its_own(error))

    def _bound(self, seat: asyncio.Future[T], deadline: Deadline) -> asyncio.TimerHandle:
        if self.call.waits_until is not None:
            self._wait_begins(self.call.phase, self.call.waits_until)
        left = deadline.at - self._clock.monotonic()
        return asyncio.get_running_loop().call_later(left, self._expire, seat, deadline)

    def _wait_begins(self, phase: Phase, until: float) -> None:
        for seat, deadline in self._seats.items():
            if deadline is not None and until >= deadline.at and not seat.done():
                seat.set_exception(deadline.error(self.call.request, phase, self.call.attempts))

    def _expire(self, seat: asyncio.Future[T], deadline: Deadline) -> None:
        if not seat.done():
            seat.set_exception(deadline.error(self.call.request, self.call.phase, self.call.attempts))


def _of_its_own(error: BaseException) -> BaseException:
    if isinstance(error, asyncio.CancelledError):  # nobody cancels a flight with passengers but the client's end
        return closed_error()
    if not isinstance(error, AegisError):
        return error
    own = copy.copy(error)
    own.__cause__ = error.__cause__
    return own.with_traceback(error.__traceback__)
