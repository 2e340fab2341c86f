"""Claims about secrets: whatever fails, and whatever the service repeats, none is shown anywhere."""

import base64
import logging
import pickle
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final
from urllib.parse import quote

import pytest

from aegis_async import AegisClient, Hooks, RequestEvent, RetryPolicy, Timeout, deadline
from aegis_async._resources.data_collections import get_bodies, stream_body
from aegis_async.errors import AegisError, APIConnectionError, ConfigurationError
from tests.decode.documents import collection, encoded, listing
from tests.session.catalogue import FAULTS, moved
from tests.session.connecting import nobody, tls, trusting
from tests.session.fault import Fault
from tests.session.test_faults import scene
from tests.session.wire import Answer, chunks, head, http, tunnel, wire

SECRET: Final = "sk_9f/8e+7d=6c&5b%4a~0123456789abcdef"
GATEWAY: Final = "gw-0a1b2c3d4e5f"
PASSWORD: Final = "px-4e5f60718293"
MOST_SHOWN: Final = 7  # characters in a row that may be left where somebody cut a text


def forms(secret: str) -> Iterator[str]:
    """Give a secret as somebody may repeat it."""
    yield secret
    yield quote(secret, safe="")
    yield from (base64.b64encode(pad + secret.encode()).decode()[4:-4] for pad in (b"", b"a", b"ab"))
    yield base64.b64encode(b"Bearer " + secret.encode()).decode()[10:-4]


def shown(text: str) -> set[str]:
    """Give every piece of a secret that a text holds."""
    size = MOST_SHOWN + 1
    pieces = {
        form[at : at + size]
        for secret in (SECRET, GATEWAY, PASSWORD)
        for form in forms(secret)
        for at in range(len(form) - size + 1)
    }
    return {piece for piece in pieces if piece in text}


def told(error: BaseException | None) -> Iterator[str]:
    """Give everything that an error and those behind it hold, but for the locals of the code that raised them."""
    if error is None:
        return
    yield from (str(error), repr(error), repr(error.args), repr(vars(error)))
    yield "".join(traceback.format_exception(error))
    if isinstance(error, AegisError):
        yield pickle.dumps(error).decode("latin-1")
        yield pickle.dumps(error, protocol=0).decode("latin-1")
    yield from told(error.__cause__)
    yield from told(error.__context__)


def said_by(client: AegisClient) -> Iterator[str]:
    """Give what a client and its parts say of themselves."""
    session = client._session
    view = client.with_options(deadline=5)
    parts = (client, view, session, session._wire, session._transport, client.stats(), view._api.options)
    yield from map(repr, (*parts, client.data_collections, client.data_collections.list(), session.counts))


class Ears:
    """Hears all that a client says while it works."""

    def __init__(self) -> None:
        self.events: list[RequestEvent] = []

    @property
    def hooks(self) -> Hooks:
        """Hooks that keep every event."""
        keep = self.events.append
        return Hooks(on_request=keep, on_response=keep, on_retry=keep, on_give_up=keep)

    def heard(self) -> Iterator[str]:
        """Give each event, with what its error holds."""
        for event in self.events:
            yield repr(event)
            yield from told(event.error)


@pytest.fixture
def ears(caplog: pytest.LogCaptureFixture) -> Ears:
    caplog.set_level(logging.DEBUG)  # of every logger
    return Ears()


def settings(ears: Ears) -> dict[str, Any]:
    """Give the settings of a client with every secret that it can have."""
    return {"api_key": SECRET, "hooks": ears.hooks, "headers": {"X-Gateway": GATEWAY}}


def nothing_shown(error: BaseException, client: AegisClient, ears: Ears, caplog: pytest.LogCaptureFixture) -> None:
    """Check all that was said for all that must not be."""
    logged = (f"{record.__dict__}" for record in caplog.records)
    for text in (*told(error), *said_by(client), *ears.heard(), *logged, caplog.text):
        assert set() == shown(text), text


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
async def test_no_fault_of_the_wire_shows_a_secret(fault: Fault, ears: Ears, caplog: pytest.LogCaptureFixture) -> None:
    """In every row of the catalogue, no error, chain, pickle, log record, event or repr holds a secret."""
    async with scene(fault, **settings(ears)) as (_, client):
        with pytest.raises(AegisError) as caught:
            await client.fetch("/x", dict[str, list[int]])
        nothing_shown(caught.value, client, ears, caplog)
    assert ears.events


def repeated(form: str) -> dict[str, Answer]:
    """Give answers in which the service repeats the key in that form."""
    echo = form.encode()
    complaint = b'{"detail": [{"loc": ["header", "%b"], "msg": "bad %b", "type": "%b"}]}' % (echo, echo, echo)
    return {
        "401": http(b'{"detail": "bad key %b"}' % echo, "401 X", X_Request_ID=form),
        "403, cut": http(b"x" * 2030 + echo * 3, "403 X"),
        "404, long": http(b'{"detail": "%b"}' % (b"x" * 290 + echo), "404 X"),
        "404, an object": http(b'{"detail": {"key": "%b"}}' % echo, "404 X"),
        "422": http(complaint, "422 X"),
        "429": http(b'{"detail": "%b"}' % echo, "429 X", X_Request_ID=form),
        "500": http(b"<html>" + echo, "500 X", X_Request_ID=form),
        "a reason": http(b"", f"500 {form}"),
        "a wrong shape": http(b'{"rows": "%b"}' % echo, X_Request_ID=form),
        "a wrong name": http(b'{"%b": 1}' % echo),
        "no JSON": http(b"x" * 100 + echo),
        "a JSON that breaks off": http(b'{"rows": ["%b' % echo),
        "a JSON that breaks off in the key": http(b'{"rows": ["%b' % echo[: len(echo) // 2]),
        "no HTTP": f"HTTP/1.1 {form}\r\n\r\n".encode(),
        "no header": head()[:-2] + echo + b"\r\n\r\n",
        "no chunk": head(Transfer_Encoding="chunked") + echo + b"\r\n",
        "a coding": http(b"{}", Content_Encoding=form),
        "a redirect": moved(f"https://example.org/{form}"),
        "garbage behind": http(b"{}") + echo,
        "a chunk and an end": (head(Transfer_Encoding="chunked") + chunks(echo), b""),
    }


ECHOES: Final = {(what, n): answer for n, form in enumerate(forms(SECRET)) for what, answer in repeated(form).items()}


@pytest.mark.parametrize(("what", "form"), ECHOES, ids=str)
async def test_a_service_that_repeats_the_key_shows_it_to_nobody(
    what: str, form: int, ears: Ears, caplog: pytest.LogCaptureFixture
) -> None:
    """A key that comes back, plain, percent-encoded or in base64, whole or cut, is masked wherever it would show."""
    retry = RetryPolicy(max_attempts=2, initial=0)
    async with (
        wire(ECHOES[what, form]) as served,
        AegisClient(base_url=served.url, retry=retry, timeout=2, **settings(ears)) as client,
    ):
        with pytest.raises(AegisError) as caught:
            await client.fetch("/x", dict[str, list[int]])
        nothing_shown(caught.value, client, ears, caplog)


def with_the_key(what: str) -> bytes:
    """Give a collection that has the key where a number should be: in its own field or in its run's."""
    document = collection()
    (document if what == "head" else document["runs"][0])["id"] = SECRET
    return encoded(document)


async def streamed(client: AegisClient) -> AegisError:
    """Give the error of a collection that is read run by run."""
    with pytest.raises(AegisError) as caught:
        async with client.data_collections.stream(14) as stream:
            _ = [run async for run in stream.runs()]
    return caught.value


async def kept(client: AegisClient) -> AegisError | None:
    """Give the error of a collection that the export fetches."""
    return (await get_bodies(client.data_collections, [14]).collect())[0].error


async def kept_in_slices(client: AegisClient) -> AegisError:
    """Give the error of a collection that the export reads in slices."""
    async with stream_body(client.data_collections, 14) as stream:
        if stream.error is not None:
            return stream.error
        with pytest.raises(AegisError) as caught:
            _ = [part async for part in stream.slices()]
    return caught.value


@pytest.mark.parametrize("what", ["head", "run"])
@pytest.mark.parametrize("read", [streamed, kept, kept_in_slices], ids=lambda read: read.__name__)
async def test_a_collection_that_holds_the_key_shows_it_to_nobody(
    what: str, read: Callable[[AegisClient], Awaitable[AegisError]], ears: Ears, caplog: pytest.LogCaptureFixture
) -> None:
    """However a body is read, the key is masked in what is said of the place where it stood."""
    async with (
        wire(http(with_the_key(what))) as served,
        AegisClient(base_url=served.url, **settings(ears)) as client,
    ):
        error = await read(client)
        assert "(GET /data-collections/14)" in str(error)
        nothing_shown(error, client, ears, caplog)


async def test_a_listing_that_holds_the_key_shows_it_to_nobody(ears: Ears, caplog: pytest.LogCaptureFixture) -> None:
    """What a watch logs of a summary that it leaves out, and says of an id that is none, has the key masked."""
    page = listing()
    item = dict(page["items"][0])
    page["meta"] |= {"total_items": 2, "items_on_page": 2, "total_pages": 1, "has_next": False, "next_page": None}
    async with (
        wire(
            http(encoded(page | {"items": [item | {"id": 1, "name": [SECRET]}, item | {"id": 2}]})),
            http(encoded(page | {"items": [item | {"id": SECRET}, item]})),
        ) as served,
        AegisClient(base_url=served.url, **settings(ears)) as client,
    ):
        async with client.data_collections.watch(interval=0.001) as changes:
            assert 2 == (await anext(changes)).id
            with pytest.raises(AegisError) as caught:
                await anext(changes)
        assert "id 1 is left out" in caplog.text
        nothing_shown(caught.value, client, ears, caplog)


WAITS: Final[dict[str, Callable[[AegisClient], AegisClient]]] = {
    "an attempt": lambda client: client.with_options(timeout=Timeout(read=0.05)),
    "a deadline": lambda client: client.with_options(deadline=0.05),
    "a deadline before a wait": lambda client: client.with_options(deadline=0.05, retry=RetryPolicy(initial=9)),
}


@pytest.mark.parametrize("name", WAITS)
async def test_what_took_too_long_shows_no_secret(name: str, ears: Ears, caplog: pytest.LogCaptureFixture) -> None:
    """Timeouts and deadlines, with what came before them as their cause, show no secret."""
    answers = (http(SECRET.encode(), "503 X", Retry_After="5", X_Request_ID=SECRET), None)
    async with (
        wire(*answers[name == "an attempt" :]) as served,
        AegisClient(base_url=served.url, **settings(ears)) as client,
    ):
        view = WAITS[name](client).with_options(retry=RetryPolicy(max_attempts=2))
        with pytest.raises(AegisError) as caught:
            async with deadline(5):
                await view.fetch("/x", bytes)
        nothing_shown(caught.value, client, ears, caplog)


PROXIES: Final[dict[str, Answer]] = {
    "hangs up": b"",
    "wants more": head("407 Proxy Authentication Required", Content_Length="0"),
    "fails": head("502 Bad Gateway", Content_Length="0"),
    "speaks no HTTP": b"SOCKS\r\n\r\n",
}


@pytest.mark.parametrize("user", [f"user:{PASSWORD}@", ""], ids=["known", "unknown"])
@pytest.mark.parametrize("what", PROXIES)
async def test_a_proxy_learns_no_key_and_its_password_is_not_shown(
    what: str, user: str, ears: Ears, caplog: pytest.LogCaptureFixture
) -> None:
    """On the way to https a proxy is asked for a tunnel, without key or headers; its password shows nowhere."""
    async with wire(PROXIES[what]) as proxy:
        url = f"http://{user}127.0.0.1:{proxy.port}"
        options: dict[str, Any] = {"proxy": url, "retry": RetryPolicy(max_attempts=1), "timeout": 2}
        async with AegisClient(base_url="https://127.0.0.1:9", ssl=trusting(), **options, **settings(ears)) as client:
            with pytest.raises(APIConnectionError) as caught:
                await client.fetch("/x", bytes)
            nothing_shown(caught.value, client, ears, caplog)

    asked = proxy.heads[0]
    assert asked.startswith("CONNECT 127.0.0.1:9 HTTP/1.1\r\n")
    assert not any(secret in asked for secret in (SECRET, GATEWAY, "Bearer"))
    assert bool(user) == ("Proxy-Authorization: Basic" in asked)


async def test_a_tunnel_through_a_proxy_carries_the_key_to_the_service_alone() -> None:
    """Through the tunnel that a proxy opens, the service gets the key and the headers inside TLS."""
    async with wire(http(b"7"), tls=tls()) as service, tunnel(service.port) as proxy:
        options: dict[str, Any] = {"proxy": proxy.url, "ssl": trusting(), "headers": {"X-Gateway": GATEWAY}}
        async with AegisClient(SECRET, base_url=service.url, **options) as client:
            assert 7 == await client.fetch("/x", int)

    assert f"Authorization: Bearer {SECRET}\r\n" in service.heads[0]
    assert f"X-Gateway: {GATEWAY}\r\n" in service.heads[0]
    assert [] == [head for head in proxy.heads if SECRET in head or GATEWAY in head or "Authorization" in head]


async def test_a_proxy_that_is_not_there_shows_nothing(ears: Ears, caplog: pytest.LogCaptureFixture) -> None:
    """The error of a proxy that cannot be reached names its host, not its password."""
    async with nobody() as absent:
        url = f"http://user:{PASSWORD}@127.0.0.1:{absent.port}"
        retry = RetryPolicy(max_attempts=1)
        async with AegisClient(base_url="https://127.0.0.1:9", proxy=url, retry=retry, **settings(ears)) as client:
            with pytest.raises(AegisError, match=str(absent.port)) as caught:
                await client.fetch("/x", bytes)
            nothing_shown(caught.value, client, ears, caplog)


@pytest.mark.parametrize(
    "proxy",
    [
        f"user:{PASSWORD}@127.0.0.1:9",
        f"http://user:{PASSWORD}@[::1",
        f"socks5://user:{PASSWORD}@127.0.0.1:9",
        "http://",
    ],
    ids=["no scheme", "no address", "no HTTP", "no host"],
)
def test_a_proxy_that_cannot_be_is_refused_and_not_repeated(proxy: str) -> None:
    """What is no URL of an HTTP proxy is refused when the client is built, rather than left out, or shown with it."""
    with pytest.raises(ConfigurationError, match="^proxy must be the URL of a proxy, as http://host:port$") as caught:
        AegisClient(SECRET, proxy=proxy)

    assert not any(shown(text) for text in told(caught.value))


async def test_a_proxy_of_the_environment_that_cannot_be_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that holds none is named in the error of each call, and its value is not."""
    monkeypatch.setenv("https_proxy", f"http://user:{PASSWORD}@[::1")
    client = AegisClient(SECRET, base_url="https://127.0.0.1:9", trust_env=True)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="^https_proxy of the environment must be the URL of") as caught:
            await client.fetch("/x", bytes)

        assert not any(shown(text) for text in told(caught.value))


async def test_a_hook_that_raises_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    """What a hook raises is logged with its traceback, and with nothing of the client's."""

    def hook(event: RequestEvent) -> None:
        raise RuntimeError(event.path)

    caplog.set_level(logging.DEBUG)
    async with (
        wire(http(b"1")) as served,
        AegisClient(SECRET, base_url=served.url, hooks=Hooks(on_response=hook)) as client,
    ):
        assert 1 == await client.fetch("/x", int)

    assert "a hook raised" in caplog.text
    assert set() == shown(caplog.text)
