"""The doctor: one finding after the other, and a report that says what to do and never the key."""

import platform
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

from yarl import URL

from aegis_async._config import ApiKey, Timeout, resolve_base_url, resolve_key
from aegis_async._version import __version__
from aegis_async.cli._answers import answer_findings
from aegis_async.cli._connect import service
from aegis_async.cli._findings import Finding, key_finding, proxy_finding
from aegis_async.cli._network import name_finding, tls_finding
from aegis_async.cli._terminal import plain, write_out
from aegis_async.errors import ConfigurationError

__all__ = ["run_doctor"]

_WIDTH: Final = 10
_DEPENDENCIES: Final = ("aiohttp", "msgspec")


async def run_doctor(options: Namespace) -> int:
    """Print the report, and give the status of the first finding that has one."""
    timeout = Timeout() if options.timeout is None else Timeout.of(options.timeout)
    async with service(options) as environ:
        findings = [finding async for finding in _findings(environ, options.base_url, timeout)]
    await write_out(plain(_report(findings)).encode())
    return next((finding.status for finding in findings if finding.status), 0)


async def _findings(environ: Mapping[str, str], base_url: str | None, timeout: Timeout) -> AsyncIterator[Finding]:
    yield Finding("ok", "versions", _versions())
    key, url = _key(environ), _url(base_url, environ)
    yield key_finding(environ.get("AEGIS_API_KEY"), key)
    yield proxy_finding(environ)
    if isinstance(url, ConfigurationError):
        yield Finding("FAIL", "base URL", str(url), status=2)
        return
    yield Finding("ok", "base URL", str(url))
    network = [name_finding, tls_finding]
    for look in network:
        finding = await look(url, timeout.connect)
        yield finding
        if finding.status:
            return
    if isinstance(key, ApiKey):
        async for finding in answer_findings(url, key, timeout):
            yield _masked(finding, key)


def _key(environ: Mapping[str, str]) -> ApiKey | ConfigurationError:
    try:
        return resolve_key(None, environ)
    except ConfigurationError as error:
        return error


def _url(base_url: str | None, environ: Mapping[str, str]) -> URL | ConfigurationError:
    try:
        return resolve_base_url(base_url, environ)
    except ConfigurationError as error:
        return error


def _masked(finding: Finding, key: ApiKey) -> Finding:
    return finding._replace(text=key.mask(finding.text))


def _versions() -> str:
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    return ", ".join([f"aegis-async {__version__}", python, *(f"{name} {version(name)}" for name in _DEPENDENCIES)])


def _report(findings: list[Finding]) -> str:
    lines = [f"aegis-async doctor, {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", ""]
    for level, title, text, _ in findings:
        first, *more = text.splitlines() or [""]
        lines += [f"{level:<5} {title:<{_WIDTH}} {first}", *(f"{'':<{_WIDTH + 7}}{line}" for line in more)]
    failed = sum(finding.level == "FAIL" for finding in findings)
    warned = sum(finding.level == "warn" for finding in findings)
    return "\n".join([*lines, "", f"{failed} failed, {warned} to look at", ""])
