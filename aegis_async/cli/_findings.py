"""What the doctor finds without asking anybody: the key and the proxy variables."""

import re
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

from yarl import URL

from aegis_async._config import ApiKey
from aegis_async.errors import ConfigurationError

__all__ = ["Finding", "Level", "key_finding", "proxy_finding"]

Level: TypeAlias = Literal["ok", "warn", "FAIL"]

_USUAL_KEY: Final = re.compile(r"sk_[0-9a-f]{32}")
_PROXIES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")


class Finding(NamedTuple):
    """One line of the report.

    Attributes:
        level: Whether it works.
        title: What was looked at.
        text: What was found, and what to do.
        status: The exit status that it asks for.
    """

    level: Level
    title: str
    text: str
    status: int = 0


def key_finding(value: str | None, key: ApiKey | ConfigurationError) -> Finding:
    """Tell whether the key can work and looks as the service's keys do."""
    if value is None:
        return Finding("FAIL", "key", "AEGIS_API_KEY is not set: set it, or add --sandbox", status=2)
    if isinstance(key, ConfigurationError):
        return Finding("FAIL", "key", str(key), status=2)
    if value != value.strip():
        return Finding("warn", "key", f"{key!r}: there is whitespace around it, which is ignored")
    if not _USUAL_KEY.fullmatch(value):
        return Finding("warn", "key", f"{key!r}: not sk_ and 32 hexadecimal digits, as keys are; is it all there?")
    return Finding("ok", "key", f"{key!r}, from AEGIS_API_KEY")


def proxy_finding(environ: Mapping[str, str]) -> Finding:
    """Tell which proxy variables are set, without user names and passwords; this program uses none of them."""
    found = [f"{name}={_host(environ[name])}" for name in environ if name.upper() in _PROXIES and environ[name]]
    if not found:
        return Finding("ok", "proxies", "no variable is set")
    return Finding("warn", "proxies", f"{', '.join(sorted(found))}: set, but not used by this program")


def _host(proxy: str) -> str:
    try:
        url = URL(proxy)
    except ValueError:
        return "(no URL)"
    if url.host is None:  # NO_PROXY is a list of names; a proxy without a scheme may hold a password
        return "…" if "@" in proxy else proxy
    port = "" if url.port is None else f":{url.port}"  # of socks5 none is known
    return f"{url.scheme}://{url.host}{port}"
