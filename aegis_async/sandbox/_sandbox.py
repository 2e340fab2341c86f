"""The sandbox as its users see it: started, scripted, read and stopped here."""

import asyncio
import errno
import math
import os
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from hashlib import blake2b
from threading import Thread
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from aegis_async.sandbox._account import Account, Drift
from aegis_async.sandbox._allowance import Allowance
from aegis_async.sandbox._capacity import Capacity, Overload, check_capacity
from aegis_async.sandbox._faults import Fault, FaultPlan
from aegis_async.sandbox._service import answer
from aegis_async.sandbox._wire import PREFIX, Log, RecordedRequest, Wire

_HOST: Final = "127.0.0.1"
_PORTS: Final = range(65_536)
_MOST: Final = 10**10  # collections; the ids of the evaluations of more would not fit 64 bits
_MOMENT: Final = 0.001  # seconds; any timer will do
_TURNS: Final = 4  # of the loop, from accepting a socket to the protocol's first callback
_SHUTDOWN: Final = 1.0  # seconds for connections that are between two requests


class Sandbox:
    """A real HTTP server on a loopback port that answers as the service's page says.

    Its account is made up from ``seed``: the same seed gives the same bytes, on any machine. Collections
    have the ids from 1 on and are listed by ascending id; collection 14 is the page's own example, word for
    word. Those whose id ends in 3 are a colleague's, those in 6 belong to the organization alone; both are
    what ``shared=true`` lists. ``/datasets``, ``/runs`` and ``/runs/{id}`` speak of the same account.

    As ``async with`` the server runs in the running loop; as ``with`` it runs in a thread with a loop of its
    own, which suits any test and any loop. One sandbox is entered once. All members but ``aclose`` may be
    used from any thread while it runs.

    Args:
        collections: How many collections there are at the start, 10^10 at most; any number starts at once.
        seed: Decides the account's content and the keys.
        latency: Seconds before every answer.
        port: The port to listen on; 0 takes a free one.
        capacity: Requests that are served at once, the latency included; None for any number.
        overload: What becomes of further ones: ``"wait"`` in the order of their arrival, or ``"refuse"`` with a 429
            at once.
        rate: Requests a second that each key may make; None for any number. A key may make a second's worth at once.
            Further ones are refused with a 429 and a ``Retry-After``.
        keys: How many keys see the whole account: ``api_keys``, of which ``api_key`` is the first.

    Raises:
        ValueError: An argument is out of its bounds.
    """

    def __init__(  # noqa: PLR0913 - the settings of a server, each with a default
        self,
        *,
        collections: int = 20,
        seed: int = 0,
        latency: float = 0.0,
        port: int = 0,
        capacity: int | None = None,
        overload: Overload = "wait",
        rate: float | None = None,
        keys: int = 1,
    ) -> None:
        _check("collections", collections, least=0)
        if collections > _MOST:
            raise ValueError(f"collections must be {_MOST} or fewer, not {collections}")
        _check("latency", latency, least=0)
        if port not in _PORTS:
            raise ValueError(f"port must be between 0 and 65535, not {port}")
        _check("keys", keys, least=1)
        self.api_key: Final = _key(seed, "member")
        further = (_key(seed, f"member {number}") for number in range(2, keys + 1))
        self.api_keys: Final = (self.api_key, *further)
        self.solo_api_key: Final = _key(seed, "solo")
        self._account = Account(collections, seed)
        self._faults = FaultPlan()
        self._log = Log()
        known = {**dict.fromkeys(self.api_keys, True), self.solo_api_key: False}
        self._capacity = Capacity(capacity, overload)
        service = partial(answer, self._account, known)
        places = {key: place for place, key in enumerate(self.api_keys)}
        self._wire = Wire(service, self._faults, self._log, latency, self._capacity, Allowance(rate), places)
        self._port = port
        self._url: str | None = None
        self._entered = False
        self._stack = AsyncExitStack()
        self._thread: Thread | None = None
        self._stop: Callable[[], object] | None = None

    def __repr__(self) -> str:
        return f"Sandbox(url={self._url!r}, collections={len(self._account)})"

    @property
    def url(self) -> str:
        """What to use as ``base_url`` (``http://127.0.0.1:49152/api/v1``); known once it is entered."""
        if self._url is None:
            raise RuntimeError("the sandbox has no url before it is entered")
        return self._url

    @property
    def env(self) -> dict[str, str]:
        """The environment variables that point a client, also one in another process, at this sandbox."""
        return {"AEGIS_API_KEY": self.api_key, "AEGIS_BASE_URL": self.url}

    @property
    def capacity(self) -> int | None:
        """How many requests are served at once; a new value counts from the next request on, or the next answer."""
        return self._capacity.limit

    @capacity.setter
    def capacity(self, places: int | None) -> None:
        check_capacity(places)
        self._capacity.limit = places

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests so far in the order of arrival, also those that met a fault; a new list each time."""
        return self._log.records()

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        self._log.clear()

    def add(self, *, first: bool = False) -> int:
        """Create a collection and give its id, the next one.

        Args:
            first: Put it at the head of the listing instead of the end, so that every later page shifts.
        """
        return self._account.add(first=first)

    def change(self, collection_id: int) -> None:
        """Change a collection as a team does: a run is added, one under way ends, ``updated_at`` moves.

        Raises:
            LookupError: There is no such collection.
        """
        self._account.change(collection_id)

    def delete(self, collection_id: int) -> None:
        """Delete a collection with its datasets and runs; later ones move up.

        Raises:
            LookupError: There is no such collection.
        """
        self._account.delete(collection_id)

    def drift(self, *, after_page: int, add: int = 0, add_first: int = 0, delete: Collection[int] = ()) -> None:
        """Let the listing move once, between one page and the next.

        Args:
            after_page: Right after this page of ``/data-collections`` was read, by whoever reads it first.
            add: How many collections to create at the end.
            add_first: How many to create at the head.
            delete: The ids to delete.

        Raises:
            ValueError: A number is out of its bounds.
            LookupError: One of the ids does not exist.
        """
        _check("after_page", after_page, least=1)
        _check("add", add, least=0)
        _check("add_first", add_first, least=0)
        self._account.script(Drift(after_page, add, add_first, tuple(delete)))

    def fail(  # noqa: PLR0913, PLR0917 - the kinds of fault, which combine
        self,
        path: str = "*",
        status: int | None = None,
        retry_after: float | str | None = None,
        delay: float | None = None,
        cut_body: int | None = None,
        reset: bool = False,  # noqa: FBT001, FBT002 - the design's signature
        times: float | None = 1,
        *,
        body: bytes | str | None = None,
    ) -> None:
        """Script a fault; each request uses up the first one that was scripted for its path.

        Faults combine: ``fail(status=503, delay=2)`` is a slow 503. What is not given stays true:
        ``fail(cut_body=10)`` cuts the true answer.

        Args:
            path: Which requests, as a shell pattern over the path relative to `url`; ``*`` matches slashes
                too.
            status: Answer with this status and ``{"detail": …}``; None keeps the true answer.
            retry_after: The header of that name, sent as it is, so that it may be nonsense too.
            delay: Seconds before the head, on top of the latency; inf never answers.
            cut_body: Announce the whole body, send so many bytes of it, then close the connection.
            reset: Reset the connection: before the head, or after ``cut_body`` bytes of the body.
            times: How many requests; None or inf is for ever.
            body: Answer with these bytes instead, as HTML if they begin with ``<``.

        Raises:
            ValueError: An argument is out of its bounds.
        """
        fault = Fault(
            path=path,
            status=status,
            retry_after=None if retry_after is None else str(retry_after),
            delay=delay or 0.0,
            cut_body=cut_body,
            reset=reset,
            body=body.encode() if isinstance(body, str) else body,
        )
        self._faults.script(fault, times)

    def clear_faults(self) -> None:
        """Forget the faults and drifts that have not happened yet."""
        self._faults.clear()
        self._account.forget_drifts()

    async def __aenter__(self) -> Self:
        self._enter()
        self._url = await self._stack.enter_async_context(_listening(self._wire, self._port))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop a server that was entered with ``async with``; twice is fine. Requests under way are ended."""
        await self._stack.aclose()

    def __enter__(self) -> Self:
        self._enter()
        ready: Future[None] = Future()
        self._thread = Thread(target=self._run, args=(ready,), name="aegis-sandbox", daemon=True)
        self._thread.start()
        try:
            ready.result()
        except OSError:
            self._thread.join()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop a server that was entered with ``with``; twice is fine. Requests under way are ended."""
        if self._stop is not None and self._thread is not None:
            stop, self._stop = self._stop, None
            stop()
            self._thread.join()

    def _enter(self) -> None:
        if self._entered:
            raise RuntimeError("a sandbox is entered once; make a new one")
        self._entered = True

    def _run(self, ready: "Future[None]") -> None:
        try:
            asyncio.run(self._serve(ready))
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)  # it belongs to the thread that asked for a sandbox

    async def _serve(self, ready: "Future[None]") -> None:
        stop = asyncio.Event()
        async with _listening(self._wire, self._port) as self._url:
            self._stop = partial(asyncio.get_running_loop().call_soon_threadsafe, stop.set)
            ready.set_result(None)
            await stop.wait()


@asynccontextmanager
async def _listening(wire: Wire, port: int) -> AsyncIterator[str]:
    server = web.Server(wire.handle, handler_cancellation=True)
    runner = web.ServerRunner(server, access_log=None, shutdown_timeout=_SHUTDOWN)
    await runner.setup()
    site = web.TCPSite(runner, _HOST, port)
    try:
        await _listen(site, port)
        yield f"http://{_HOST}:{site.port}{PREFIX}"
        # A timer comes after the accepts of its turn: asyncio loses a socket whose server closes right then.
        await asyncio.sleep(_MOMENT)
        await site.stop()
        await _turns()  # a connection accepted just now becomes known to aiohttp, which then closes it
        await wire.abandon()
    finally:
        await runner.cleanup()
        await _turns()  # the closed connections' last callbacks run


async def _turns() -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)


async def _listen(site: web.TCPSite, port: int) -> None:
    failure = None
    try:
        await site.start()
    except OSError as error:
        failure = error
    if failure is not None:
        reason = "it is in use" if failure.errno == errno.EADDRINUSE else os.strerror(failure.errno or 0)
        raise OSError(failure.errno, f"the sandbox cannot listen on {_HOST}:{port}: {reason}")


def _key(seed: int, owner: str) -> str:
    return f"sk_{blake2b(f'aegis sandbox {seed} {owner}'.encode(), digest_size=16).hexdigest()}"


def _check(name: str, value: float, *, least: int) -> None:
    if isinstance(value, bool) or not least <= value < math.inf:
        raise ValueError(f"{name} must be {least} or more, not {value!r}")
