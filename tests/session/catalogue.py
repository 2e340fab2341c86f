"""Every fault of the wire that a client must live with, one row each; docs/faults.md has the same rows."""

import gzip
import zlib
from typing import Final

import brotli

from aegis_async.errors import (
    APIConnectionError,
    DecodeError,
    RequestError,
    RequestTimeoutError,
    StatusError,
)
from tests.session.connecting import CONNECTING, secure, trusting
from tests.session.fault import DRIPPED, QUICK, Fault, sent
from tests.session.wire import HANG_UP, RESET, Drip, Endless, chunks, head, http
from tests.session.zstd import zstd

__all__ = ["FAULTS", "JSON", "LIMIT", "cut_codings", "moved"]

JSON: Final = f'{{"rows": {[i * i * i for i in range(500)]}}}'.encode()
BOMB: Final = 64 << 20  # bytes that 64 KiB become
LIMIT: Final = 1 << 20

HEADS: Final = (
    Fault("closed before the head", sent(HANG_UP), APIConnectionError, "the service closed the connection"),
    Fault("reset before the head", sent(RESET), APIConnectionError, "the connection failed: .*reset"),
    Fault("closed inside the head", sent((http()[:20], HANG_UP)), APIConnectionError, "closed the connection"),
    Fault("reset inside the head", sent((http()[:20], RESET)), APIConnectionError, "the connection failed: .*reset"),
    Fault("no answer at all", sent(None), RequestTimeoutError, "no bytes for 0.05 s", "`read`", timeout=QUICK),
    Fault(
        "a head that stops in its middle",
        sent((http()[:20], None)),
        RequestTimeoutError,
        "no bytes for 0.05 s",
        "`read`",
        timeout=QUICK,
    ),
    Fault(
        "a head that comes in drips and never ends",
        sent((b"HTTP/1.1 200 OK\r\nX: ", Drip(b"y", 0.01))),
        RequestTimeoutError,
        "not done within 0.15 s",
        "`attempt`",
        timeout=DRIPPED,
    ),
    Fault(
        "headers without end",
        sent((b"HTTP/1.1 200 OK\r\n", Endless(b"X-Header: y\r\n" * 1000))),
        APIConnectionError,
        "the answer is not HTTP: .*[Tt]oo many",
        floods=True,
    ),
    Fault(
        "one header without end",
        sent((b"HTTP/1.1 200 OK\r\nX: ", Endless(b"y" * 65536))),
        APIConnectionError,
        "the answer is not HTTP: ",
        floods=True,
    ),
    Fault(
        "a status line without end",
        sent((b"HTTP/1.1 200 ", Endless(b"y" * 65536))),
        APIConnectionError,
        "the answer is not HTTP: ",
        floods=True,
    ),
    Fault(
        "`100 Continue` without end",
        sent(Endless(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)),
        RequestTimeoutError,
        "not done within 0.15 s",
        "`attempt`",
        timeout=DRIPPED,
        floods=True,
    ),
    Fault(
        "`101 Switching Protocols` that nobody asked for",
        sent((head("101 Switching Protocols", Upgrade="x", Connection="upgrade"), b"\x00\x01", None)),
        StatusError,
        ": 101",
        again=False,
        timeout=QUICK,
    ),
    Fault("another protocol", sent((b"SSH-2.0-OpenSSH\r\n\r\n", None)), APIConnectionError, "the answer is not HTTP"),
    Fault("a status that is no number", sent(head("abc OK")), APIConnectionError, "the answer is not HTTP"),
    Fault("a header without its colon", sent(head()[:-2] + b"nonsense\r\n\r\n"), APIConnectionError, "not HTTP"),
    Fault("a NUL in a header", sent(head(X="a\0b")), APIConnectionError, "the answer is not HTTP"),
    Fault("a negative Content-Length", sent(head(Content_Length="-5")), APIConnectionError, "the answer is not HTTP"),
    Fault("a Content-Length that is no number", sent(head(Content_Length="many")), APIConnectionError, "not HTTP"),
    Fault(
        "two lengths that differ",
        sent(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} "),
        APIConnectionError,
        "the answer is not HTTP",
    ),
    Fault(
        "a length and chunks at once",
        sent(head(Content_Length="2", Transfer_Encoding="chunked") + chunks(b"{}") + b"0\r\n\r\n"),
        APIConnectionError,
        "the answer is not HTTP",
    ),
)


def cut_codings() -> dict[str, bytes]:
    """Give the first half of a compressed JSON in each coding."""
    zlibbed = zlib.compress(JSON)
    whole = {
        "gzip": gzip.compress(JSON),
        "deflate": zlibbed,
        "br": brotli.compress(JSON),
        "zstd": zstd.compress(JSON),
    }
    return {coding: body[: len(body) // 2] for coding, body in whole.items()}


BODIES: Final = (
    Fault("closed after the head", sent((head(Content_Length="9"), HANG_UP)), APIConnectionError, "the body broke off"),
    Fault("reset after the head", sent((head(Content_Length="9"), RESET)), APIConnectionError, "the body broke off"),
    Fault("closed inside a body of known length", sent((http(JSON)[:-9], HANG_UP)), APIConnectionError, "broke off"),
    Fault("reset inside a body of known length", sent((http(JSON)[:-9], RESET)), APIConnectionError, "broke off"),
    Fault(
        "closed before the last chunk",
        sent((head(Transfer_Encoding="chunked") + chunks(JSON), HANG_UP)),
        APIConnectionError,
        "the body broke off",
    ),
    Fault(
        "reset before the last chunk",
        sent((head(Transfer_Encoding="chunked") + chunks(JSON), RESET)),
        APIConnectionError,
        "the body broke off",
    ),
    Fault("closed inside a body of no length", sent((head() + JSON[:99], HANG_UP)), DecodeError, "the JSON breaks off"),
    Fault("reset inside a body of no length", sent((head() + JSON[:99], RESET)), APIConnectionError, "broke off"),
    Fault(
        "a chunk whose size never ends",
        sent((head(Transfer_Encoding="chunked") + b"5;x=", Endless(b"y" * 65536))),
        RequestTimeoutError,
        "not done within 0.15 s",
        "`attempt`",
        timeout=DRIPPED,
        floods=True,
    ),
    Fault(
        "trailers without end",
        sent((head(Transfer_Encoding="chunked") + b"2\r\n{}\r\n0\r\n", Endless(b"X-Trailer: y\r\n" * 1000))),
        APIConnectionError,
        "broke off|not HTTP",
        floods=True,
    ),
    Fault(
        "a chunk whose size is no number",
        sent(head(Transfer_Encoding="chunked") + chunks(JSON) + b"ZZ\r\n"),
        APIConnectionError,
        "broke off|not HTTP",
    ),
    *(
        Fault(
            f"a {coding} body that is cut, in a frame that is whole",
            sent(http(cut, Content_Encoding=coding)),
            APIConnectionError,
            "the body broke off",
        )
        for coding, cut in cut_codings().items()
    ),
    *(
        Fault(
            f"a body that is called {coding} and is not",
            sent(http(JSON, Content_Encoding=coding)),
            APIConnectionError,
            f"not what it says: .*{coding}|broke off: .*{coding}",
        )
        for coding in cut_codings()
    ),
    Fault(
        "a coding that nobody asked for",
        sent(http(JSON, Content_Encoding="compress")),
        APIConnectionError,
        "the body is not what it says: .*compress",
    ),
    Fault(
        "a coding inside a coding",
        sent(http(gzip.compress(gzip.compress(JSON)), Content_Encoding="gzip, gzip")),
        APIConnectionError,
        "the body is not what it says: .*gzip, gzip",
    ),
    Fault(
        "a body that stops in its middle",
        sent((http(JSON)[:-9], None)),
        RequestTimeoutError,
        "no bytes for 0.05 s",
        "`read`",
        timeout=QUICK,
    ),
    Fault(
        "a body that comes in drips and never ends",
        sent((head(Content_Length="1000000"), Drip(b" ", 0.01))),
        RequestTimeoutError,
        "not done within 0.15 s",
        "`attempt`",
        timeout=DRIPPED,
    ),
    Fault(
        "a length above `max_body_size`",
        sent((head(Content_Length=str(LIMIT + 1)), None)),
        RequestError,
        rf"larger than max_body_size \({LIMIT}\)",
        "`max_body_size`, unread",
        again=False,
    ),
    Fault(
        "a body without end",
        sent((head(), Endless(b" " * 65536))),
        RequestError,
        "larger than max_body_size",
        "`max_body_size`",
        again=False,
        floods=True,
    ),
    Fault(
        "chunks without end",
        sent((head(Transfer_Encoding="chunked"), Endless(chunks(b" " * 65536)))),
        RequestError,
        "larger than max_body_size",
        "`max_body_size`",
        again=False,
        floods=True,
    ),
    *(
        Fault(
            f"a {coding} bomb",
            sent(http(bomb, Content_Encoding=coding)),
            RequestError,
            "larger than max_body_size",
            "`max_body_size`",
            again=False,
            floods=True,
        )
        for coding, bomb in {
            "gzip": gzip.compress(bytes(BOMB)),
            "deflate": zlib.compress(bytes(BOMB)),
            "br": brotli.compress(bytes(BOMB), quality=1),
            "zstd": zstd.compress(bytes(BOMB)),
        }.items()
    ),
    Fault("a body and then something that is no HTTP", sent(http(b"{}") + b"!"), APIConnectionError, "not HTTP"),
    Fault("a 200 without a body", sent(http(b"")), DecodeError, "empty", again=False),
    Fault("`204 No Content`", sent(head("204 No Content")), DecodeError, "empty", again=False),
    Fault("`205 Reset Content`", sent(http(b"", "205 Reset Content")), DecodeError, "empty", again=False),
    Fault("`304 Not Modified` that nobody asked for", sent(head("304 X")), StatusError, ": 304", again=False),
)


def moved(location: str) -> bytes:
    """Give a redirect."""
    return http(b"", "302 Found", Location=location)


_LEAVES: Final = "302: a redirect that leaves the service's origin, or one too many, is not followed"

REDIRECTS: Final = (
    Fault("a redirect in circles", sent(moved("/x")), StatusError, _LEAVES, "5 redirects", again=False),
    Fault("a redirect to another host", sent(moved("https://example.org/x")), StatusError, _LEAVES, again=False),
    Fault("a redirect to another port", sent(moved("http://127.0.0.1:1/x")), StatusError, _LEAVES, again=False),
    Fault(
        "a redirect from https to http",
        secure(moved("http://127.0.0.1/x")),
        StatusError,
        _LEAVES,
        again=False,
        options={"ssl": trusting},
    ),
    Fault("a redirect to a file", sent(moved("file:///etc/passwd")), StatusError, _LEAVES, again=False),
    Fault("a redirect with a password", sent(moved("http://u:p@127.0.0.1/x")), StatusError, _LEAVES, again=False),
    Fault("a redirect to what is no URL", sent(moved("http://[")), StatusError, _LEAVES, again=False),
    Fault("a redirect without a place", sent(http(b"", "302 Found")), StatusError, "302", again=False),
)

FAULTS: Final = (*CONNECTING, *HEADS, *BODIES, *REDIRECTS)
