"""The client: wires session, decoders and resources together; the only place that does."""

import warnings
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as renewed
from ssl import SSLContext
from types import EllipsisType, UnionType
from typing import Final, Literal, Self, TypeVar

from msgspec.structs import replace

from aegis_async._arguments import integer, seconds
from aegis_async._cache import Cache
from aegis_async._clock import Clock
from aegis_async._config import (
    RateLimit,
    RetryPolicy,
    Timeout,
    checked_proxy,
    resolve_base_url,
    resolve_headers,
    resolve_key,
)
from aegis_async._decode import Decoders
from aegis_async._flight import Flights
from aegis_async._hooks import Hooks, Priority
from aegis_async._pagination import Cursor, OnDrift, Paginator, Prefetch
from aegis_async._resources import Resources
from aegis_async._resources._api import Api, Shared
from aegis_async._resources._paging import PageSize, Paging
from aegis_async._session import ClientSession, ClientStats, Limits, Options, Param, Session, Wire
from aegis_async._tasks import Closing
from aegis_async.errors import ConfigurationError

__all__ = ["AegisClient", "Recipe", "recipe_of", "session_of"]

T = TypeVar("T")

_MAX_BODY_SIZE: Final = 268_435_456
_PRIORITIES: Final = ("interactive", "bulk", None)


class AegisClient(Resources, Closing):
    """The way to the service; one for each program and event loop.

    Use it as ``async with AegisClient() as client:``, or call ``aclose()`` at the end. It may be built before there
    is an event loop, and works in the loop it is first used in; when that loop is closed, the next use starts anew.

    Args:
        api_key: The key; default ``AEGIS_API_KEY``. Whitespace around it is stripped.
        base_url: Where the service is; default ``AEGIS_BASE_URL``, else the public service. Plain http only to
            loopback.
        timeout: Limits of one attempt; a bare number of seconds limits the whole attempt.
        retry: How often and after how long a failed attempt is made again.
        max_concurrency: Requests of this client on the wire at once; others wait their turn, first come first
            served, and that wait is in no timeout. Bulk work never takes the last quarter of them. ``"auto"`` begins
            with 4 and finds how many the service can take, 128 at most.
        rate_limit: Requests that may begin in a second, every attempt counted; a number, or a ``RateLimit`` with a
            burst. Default: as many as there are slots for.
        max_body_size: Bytes of one body after decompression; a larger one is a ``RequestError``.
        cache: Keeps answers for a while; None, the default, keeps none.
        single_flight: Whether identical requests in flight share one, except for bulk work and for types that are
            not frozen.
        hooks: What hears of every attempt.
        headers: More headers for every request. Authorization and those that the connection needs are not taken.
        session: An aiohttp session of yours. It is never closed and never changed: redirects, status handling and
            timeouts are set for each request, and its middlewares do not run, since they could repeat one. Its
            cookies, default headers, proxies and pool stay its own: cookies are then kept and sent back, its
            headers go along, its ``trust_env`` and NETRC apply, and a pool that is smaller than ``max_concurrency``
            makes a request wait inside its ``connect`` timeout.
        proxy: The URL of a proxy for every request.
        trust_env: Whether to take the proxy from ``HTTPS_PROXY`` and the like. NETRC is never read.
        ssl: TLS settings of yours, as for a private certificate authority; default verifies against the system's.

    Raises:
        ConfigurationError: An argument or the environment cannot work; the text never holds the key.
    """

    def __init__(  # noqa: PLR0913 - the settings of a client, each with a default
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: Timeout | float = Timeout(),  # noqa: B008 - frozen
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        max_concurrency: int | Literal["auto"] = 16,
        rate_limit: RateLimit | float | None = None,
        max_body_size: int = _MAX_BODY_SIZE,
        cache: Cache | None = None,
        single_flight: bool = True,
        hooks: Hooks | None = None,
        headers: Mapping[str, str] | None = None,
        session: ClientSession | None = None,
        proxy: str | None = None,
        trust_env: bool = False,
        ssl: SSLContext | None = None,
    ) -> None:
        self._parent: AegisClient | None = None
        self._key = resolve_key(api_key)
        _require("session", session, ClientSession | None)
        _require("headers", headers, Mapping | None)
        _require("proxy", proxy, str | None)
        _require("trust_env", trust_env, bool)
        _require("ssl", ssl, SSLContext | None)
        _require("hooks", hooks, Hooks | None)
        _require("cache", cache, Cache | None)
        _require("single_flight", single_flight, bool)
        wire = Wire(
            base_url=resolve_base_url(base_url),
            key=self._key,
            max_body_size=integer("max_body_size", max_body_size, minimum=1, error=ConfigurationError),
            session=session,
            proxy=checked_proxy("proxy", proxy) if proxy else None,
            trust_env=trust_env,
            ssl=ssl,
            headers=resolve_headers(headers),
            traced=hooks is not None,
        )
        self._wire = wire
        self._limits = _limits(max_concurrency, rate_limit)
        self._session = Session(wire, self._limits, Clock(), hooks)
        flights = Flights(self._session) if single_flight else None
        space = (self._session.base, self._key.fingerprint)
        shared = Shared(Decoders(), flights, cache, space)
        self._api = Api(self._session, _options(timeout, retry, None, None), shared)

    def __repr__(self) -> str:
        return f"<AegisClient {self._session.base} key={self._key!r}>"

    @property
    def cache(self) -> Cache | None:
        """The cache that this client was given, with ``stats`` and ``clear``."""
        return self._api.cache

    def with_options(
        self,
        *,
        timeout: Timeout | float | None = None,
        retry: RetryPolicy | None = None,
        deadline: float | None = None,
        priority: Priority | None = None,
    ) -> "AegisClient":
        """Give a view on this client: the same connections and limits, with other options for its calls.

        Closing the view closes the client.

        Args:
            timeout: Limits of one attempt; None keeps this client's.
            retry: How often and after how long a failed attempt is made again; None keeps this client's.
            deadline: Seconds that each call, one ``get`` or one page, may take as a whole: slot, attempts, waits and
                bodies. It begins anew with each, so a slow consumer is not counted. A wait that cannot end in time
                is not begun: the ``DeadlineExceededError`` comes at once. None keeps this client's.
            priority: The lane of every call. Default: ``get_many`` and pages fetched ahead are ``"bulk"``, all else
                ``"interactive"``. None keeps this client's.
        """
        now = self._api.options
        view = object.__new__(AegisClient)
        view._parent = self
        view._key = self._key
        view._wire, view._limits = self._wire, self._limits
        view._session = self._session
        view._api = self._api.with_options(
            _options(
                now.timeout if timeout is None else timeout,
                now.retry if retry is None else retry,
                now.deadline if deadline is None else deadline,
                now.priority if priority is None else priority,
            )
        )
        return view

    def stats(self) -> ClientStats:
        """Give what this client has done so far, with all of its views, and what it is doing now."""
        return self._session.stats(self._api.options.retry.budget)

    async def ping(self) -> float:
        """Ask for one item of a listing, once, and give the seconds that it took: for a health check.

        Raises:
            AegisError: The service does not answer as it should, or refuses the key.
        """
        once = replace(self._api.options, retry=RetryPolicy(max_attempts=1), priority="interactive")
        begun = self._session.clock.monotonic()
        await self._api.with_options(once).ping()
        return self._session.clock.monotonic() - begun

    async def fetch(self, path: str, type: type[T], params: Mapping[str, Param] | None = None) -> T:  # noqa: A002 - reads best at the call
        """Give one answer of any endpoint, decoded into a type of yours.

        Args:
            path: Under the base URL, as ``"/runs/1"``: plain steps, no query.
            type: A msgspec Struct or anything that msgspec decodes JSON into; ``bytes`` gives the body.
            params: The query; True and False go out as ``true`` and ``false``, None not at all.

        Raises:
            InvalidArgumentError: ``path``, ``type`` or ``params`` cannot be used; nothing was sent.
            StatusError: The service answered with something else than a 2xx.
            DecodeError: The body is not of ``type``.
        """
        return await self._api.fetch(path, type, params)

    def paginate(  # noqa: PLR0913 - the arguments of a listing
        self,
        path: str,
        item_type: type[T],
        *,
        page: int = 1,
        page_size: PageSize = 100,
        max_pages: int | None = None,
        prefetch: Prefetch = 0,
        on_drift: OnDrift = "warn",
        cursor: Cursor | None = None,
        params: Mapping[str, Param] | None = None,
        key: Callable[[T], Hashable] | EllipsisType | None = ...,
    ) -> Paginator[T]:
        """Give a listing of any endpoint that pages as the service does, with items of a type of yours.

        Args:
            path: Under the base URL, as ``"/datasets"``.
            item_type: The type of one item; ``msgspec.Raw`` gives its bytes.
            page: The first page, from 1.
            page_size: Items on a page, 1 to 10000, or ``"auto"``, as in ``data_collections.list``.
            max_pages: Pages to read at most.
            prefetch: Pages to keep in flight ahead of the consumer, or ``"auto"``, likewise.
            on_drift: What to do when the listing moves while it is read, likewise; ``"repair"`` needs a key.
            cursor: Where to go on, likewise; ``params`` other than ``shared`` are to be given again.
            params: More of the query.
            key: What makes two items the same, so that the second is not given again. Default: the ``id`` of a
                Struct that has one, else nothing. None turns it off.

        Raises:
            InvalidArgumentError: An argument is outside its bounds.
        """
        paging = Paging(page, page_size, max_pages, prefetch, on_drift, cursor)
        return self._api.paginate(path, item_type, paging, params, key)

    async def aclose(self) -> None:
        """End every task and connection of the client; calling it again does nothing."""
        await self._session.aclose()

    async def __aenter__(self) -> Self:
        self._session.tasks()
        return self

    def __del__(self) -> None:
        session: Session | None = getattr(self, "_session", None)
        if session is not None and session.opened and self._parent is None:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What it takes to make a client like another one in another process. It holds the key, and does not show it.

    Attributes:
        key: The key.
        base_url: Where the service is.
        options: Those of the client's calls.
        limits: Requests at once, and their rate, for all that use the key together.
        max_body_size: Bytes of one body after decompression.
        proxy: The URL of a proxy for every request.
        trust_env: Whether to take the proxy from the environment, which is that of the other process.
        headers: More headers for every request.
    """

    key: str = field(repr=False)
    base_url: str
    options: Options
    limits: Limits
    max_body_size: int
    proxy: str | None = field(repr=False)
    trust_env: bool
    headers: Mapping[str, str] = field(repr=False)

    def with_key(self, key: str) -> "Recipe":
        """Give the same with another key."""
        return renewed(self, key=key)

    def client(self, slots: int | Literal["auto"]) -> AegisClient:
        """Make a client with so many slots, and without a rate of its own."""
        made = AegisClient(
            self.key,
            base_url=self.base_url,
            timeout=self.options.timeout,
            retry=self.options.retry,
            max_concurrency=slots,
            max_body_size=self.max_body_size,
            headers=self.headers,
            proxy=self.proxy,
            trust_env=self.trust_env,
        )
        # Whoever has all slots to itself needs no lane that leaves some to others.
        return made.with_options(deadline=self.options.deadline, priority="interactive")


def recipe_of(client: AegisClient) -> Recipe:
    """Give what it takes to make this client in another process.

    Raises:
        ConfigurationError: It holds something that cannot leave this process.
    """
    wire = client._wire  # noqa: SLF001 - the same module's
    for name, value in (("session", wire.session), ("ssl", wire.ssl)):
        if value is not None:
            raise ConfigurationError(f"a client with {name}=… cannot be made again in another process: leave it out")
    return Recipe(
        key=wire.key.authorization.removeprefix("Bearer "),
        base_url=str(wire.base_url),
        options=client._api.options,  # noqa: SLF001 - as above
        limits=client._limits,  # noqa: SLF001 - as above
        max_body_size=wire.max_body_size,
        proxy=wire.proxy,
        trust_env=wire.trust_env,
        headers=dict(wire.headers),
    )


def session_of(client: AegisClient) -> Session:
    """Give the session of a client, for what shares its limits with other processes."""
    return client._session  # noqa: SLF001 - the same module's


def _options(
    timeout: Timeout | float, retry: RetryPolicy, deadline: float | None, priority: Priority | None
) -> Options:
    _require("retry", retry, RetryPolicy)
    if deadline is not None:
        seconds("deadline", deadline)
    if priority not in _PRIORITIES:
        raise ConfigurationError(f"priority must be 'interactive', 'bulk' or None, not {priority!r}")
    return Options(Timeout.of(timeout), retry, deadline, priority)


def _limits(concurrency: int | Literal["auto"], rate_limit: RateLimit | float | None) -> Limits:
    if concurrency != "auto":
        integer("max_concurrency", concurrency, minimum=1, error=ConfigurationError)
    return Limits(concurrency, RateLimit.of(rate_limit))


def _require(name: str, value: object, kind: type | UnionType) -> None:
    if not isinstance(value, kind):
        wanted = kind.__name__ if isinstance(kind, type) else str(kind)
        raise ConfigurationError(f"{name} must be {wanted}, not {type(value).__name__}")
