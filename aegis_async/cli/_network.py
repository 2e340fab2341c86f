"""What the doctor finds on the way to the service: its name and its certificate."""

import asyncio
import socket
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from yarl import URL

from aegis_async.cli._findings import Finding, Level

__all__ = ["certificate_finding", "name_finding", "tls_finding"]

_SHOWN: Final = 4
_SOON: Final = 14  # days in which a certificate that renews itself has long done so


async def name_finding(url: URL, timeout: float) -> Finding:
    """Look up the host's addresses."""
    host, port = _place(url)
    started = time.monotonic()
    try:
        async with asyncio.timeout(timeout):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        return Finding("FAIL", "DNS", f"no answer for {host} within {timeout} s", status=1)
    except UnicodeError:  # of the codec for names, which checks the length of each part
        return Finding("FAIL", "DNS", f"{host} is not found: it is no valid name", status=1)
    except OSError as error:
        return Finding("FAIL", "DNS", f"{host} is not found: {error.strerror or error}", status=1)
    addresses = sorted({str(address[0]) for *_, address in found})
    shown = ", ".join(addresses[:_SHOWN]) + (", …" if len(addresses) > _SHOWN else "")
    return Finding("ok", "DNS", f"{host} is {shown} ({_ms(started)})")


async def tls_finding(url: URL, timeout: float) -> Finding:
    """Shake hands as the client does, and read the certificate's end."""
    if url.scheme != "https":
        return Finding("ok", "TLS", "not used: plain http to this machine itself")
    host, port = _place(url)
    started = time.monotonic()
    try:
        context = await asyncio.to_thread(ssl.create_default_context)
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except TimeoutError:
        return Finding("FAIL", "TLS", f"no connection to {host}:{port} within {timeout} s", status=1)
    except OSError as error:  # ssl.SSLError is one
        reason = getattr(error, "verify_message", None) or getattr(error, "reason", None) or error.strerror or error
        return Finding("FAIL", "TLS", f"{host}:{port}: {reason}", status=1)
    tls = writer.get_extra_info("ssl_object")
    certificate, version = tls.getpeercert(), tls.version()
    writer.transport.abort()
    return certificate_finding(certificate, datetime.now(UTC), f"{version} ({_ms(started)})")


def certificate_finding(certificate: Mapping[str, Any], now: datetime, how: str) -> Finding:
    """Tell how many days the certificate is still good for."""
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    days = (ends - now).days
    level: Level = "warn" if days < _SOON else "ok"
    return Finding(level, "TLS", f"{how}, certificate good for {days} more days, until {ends:%Y-%m-%d}")


def _place(url: URL) -> tuple[str, int]:
    return url.host or "", url.port or 0


def _ms(started: float) -> str:
    return f"{1000 * (time.monotonic() - started):.0f} ms"
