"""The client of a command: for the service that the environment names, or for a sandbox inside this process."""

import os
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aegis_async import AegisClient, Cache, RetryPolicy, Timeout
from aegis_async.errors import ConfigurationError, InvalidArgumentError

if TYPE_CHECKING:
    from aegis_async.sandbox import Sandbox

__all__ = ["connected", "made_sandbox", "service"]


@asynccontextmanager
async def connected(options: Namespace, cache: Cache | None = None) -> AsyncIterator[AegisClient]:
    """Give a client as the options ask for it, with a cache if it is to have one.

    Raises:
        ConfigurationError: There is no key, or an option or variable cannot work.
        InvalidArgumentError: The sandbox cannot be as asked for.
    """
    async with service(options) as environ:
        if "AEGIS_API_KEY" not in environ:
            raise ConfigurationError("no API key: set AEGIS_API_KEY, or add --sandbox to try it without one")
        # What is left to the client is looked up by itself, so that its complaints name the variable.
        given = environ if options.sandbox else {"AEGIS_BASE_URL": options.base_url}
        key, url = given.get("AEGIS_API_KEY"), given.get("AEGIS_BASE_URL")
        timeout = Timeout() if options.timeout is None else options.timeout
        retry = RetryPolicy() if options.max_attempts is None else RetryPolicy(max_attempts=options.max_attempts)
        made = AegisClient(
            key,
            base_url=url,
            timeout=timeout,
            retry=retry,
            max_concurrency=_slots(getattr(options, "concurrency", 1)),
            rate_limit=options.rate_limit,
            cache=cache,
        )
        async with made as client:
            yield client


def _slots(concurrency: int) -> int:
    """Give so many slots that the three quarters that bulk may take hold what is asked for, and a listing's page."""
    return max(16, 2 + (concurrency + 1) * 4 // 3)


@asynccontextmanager
async def service(options: Namespace) -> AsyncIterator[Mapping[str, str]]:
    """Give the variables that say where the service is and with which key; start the sandbox if it is that.

    Raises:
        ConfigurationError: A sandbox and a base URL are asked for.
        InvalidArgumentError: The sandbox cannot be as asked for.
    """
    if not options.sandbox:
        yield os.environ
        return
    if options.base_url is not None:
        raise ConfigurationError("--sandbox and --base-url exclude each other")
    async with made_sandbox(collections=options.sandbox_collections, seed=options.sandbox_seed) as sandbox:
        yield sandbox.env


def made_sandbox(*, collections: int, seed: int, port: int = 0, latency: float = 0.0) -> "Sandbox":
    """Give a sandbox that is not entered yet.

    Raises:
        InvalidArgumentError: A number is out of its bounds.
    """
    from aegis_async.sandbox import Sandbox  # noqa: PLC0415 - a server that most commands do without

    try:
        return Sandbox(collections=collections, seed=seed, port=port, latency=latency)
    except ValueError as error:
        complaint = str(error)
    raise InvalidArgumentError(f"sandbox: {complaint}")
