"""What the doctor finds in the service's answers: status, time, clock and shape."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec
from yarl import URL

from aegis_async._config import ApiKey, Timeout
from aegis_async._decode import BodyDecoder
from aegis_async._session import RawResponse, Request, Transport, Wire
from aegis_async._session._status import status_error
from aegis_async.cli._failures import status
from aegis_async.cli._findings import Finding
from aegis_async.cli._shape import differences
from aegis_async.errors import AegisError, DecodeError
from aegis_async.models import DataCollection, DataCollectionSummary, Page

__all__ = ["answer_findings", "clock_finding", "shape_finding"]

_MAX_BODY: Final = 64 << 20
_LISTED: Final = 20
_SKEW: Final = 30.0  # seconds; below that nothing of ours depends on it


async def answer_findings(url: URL, key: ApiKey, timeout: Timeout) -> AsyncIterator[Finding]:
    """Ask for a page and for its first collection, once each, and tell what came."""
    transport = Transport(Wire(base_url=url, key=key, max_body_size=_MAX_BODY))
    path, type_, params = "/data-collections", Page[DataCollectionSummary], {"page": 1, "page_size": 10}
    try:
        raw, took = await _answer(transport, Request.get(str(url), path, params), timeout)
        yield Finding(
            "ok", "request", f"{path}: {raw.status}, {len(raw.body):,} bytes in {took:.0f} ms, connecting included"
        )
        yield clock_finding(raw.headers.get("Date"), datetime.now(UTC))
        yield shape_finding("page", raw.body, type_)
        page = BodyDecoder(type_)(raw.body)
        if page.items:
            raw, _ = await _answer(transport, Request.get(str(url), f"{path}/{page.items[0].id}"), timeout)
            yield shape_finding("collection", raw.body, DataCollection)
    except DecodeError:  # its own finding has said so
        return
    except AegisError as error:
        yield Finding("FAIL", "request", str(error), status=status(error))
    finally:
        await transport.aclose()


async def _answer(transport: Transport, request: Request, timeout: Timeout) -> tuple[RawResponse, float]:
    started = time.monotonic()
    raw = await transport.send(request, timeout)
    if not raw.ok:
        raise status_error(raw, request, datetime.now(UTC))
    return raw, 1000 * (time.monotonic() - started)


def clock_finding(date: str | None, now: datetime) -> Finding:
    """Compare this machine's clock with the answer's ``Date``."""
    try:
        theirs = parsedate_to_datetime(date or "")
    except (ValueError, OverflowError):  # no date, or one beyond the year 9999
        return Finding("warn", "clock", f"not compared: the answer's Date is {date!r}")
    ahead = (now - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))).total_seconds()
    if abs(ahead) <= _SKEW:
        return Finding("ok", "clock", f"{abs(ahead):.0f} s off the service's, which is nothing")
    way = "ahead of" if ahead > 0 else "behind"
    return Finding("warn", "clock", f"this machine is {abs(ahead):.0f} s {way} the service; TLS and dates may suffer")


def shape_finding(title: str, body: bytes | bytearray, type_: type[Any]) -> Finding:
    """Tell how a body differs from the models, field by field, and whether it can be read all the same."""
    try:
        BodyDecoder(type_)(body)
    except DecodeError as error:
        return Finding("FAIL", title, f"cannot be read: {error}", status=status(error))
    try:
        found = differences(msgspec.json.decode(body), type_)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:  # in a field that nobody knows, which is passed over
        return Finding("warn", title, f"can be read, and not be compared: {error}")
    if not found:
        return Finding("ok", title, "just as this version knows it")
    more = [f"and {len(found) - _LISTED} more"] if len(found) > _LISTED else []
    return Finding("warn", title, "\n".join(["can be read, and differs:", *found[:_LISTED], *more]))
