"""Which engine fetches and writes: this process, or workers on a cluster."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from aegis_async._arguments import choice, integer
from aegis_async._client import recipe_of
from aegis_async.errors import InvalidArgumentError
from aegis_async.export._asked import Asked, EngineName
from aegis_async.export._sinks import FILES, is_installed, missing_package

if TYPE_CHECKING:
    from aegis_async._client import AegisClient
    from aegis_async.export._fetching import Engine
    from aegis_async.export._outage import Outage
    from aegis_async.export._output import Output
    from aegis_async.export._writer import BatchWriter

__all__ = ["ENGINES", "check_engine", "made_engine", "require_engine"]

ENGINES: Final[tuple[EngineName, ...]] = ("local", "ray")


def check_engine(client: "AegisClient", asked: Asked, formats: Sequence[str]) -> None:
    """Refuse what no engine can do, before anything is written.

    Raises:
        InvalidArgumentError: An argument is out of its bounds, or is not for this engine.
        ConfigurationError: The client holds something that cannot leave this process.
    """
    choice("engine", asked.engine, ENGINES)
    integer("concurrency", asked.concurrency, minimum=1)
    if asked.engine == "local":
        for name, value in (("workers", asked.workers), ("address", asked.address), ("keys", asked.keys or None)):
            if value is not None:
                raise InvalidArgumentError(f"{name} is for engine='ray', and the engine is 'local'")
        return
    _check_address(asked.address)
    for name in formats:
        if name not in FILES:
            known = ", ".join(FILES)
            raise InvalidArgumentError(
                f"engine='ray' writes files alone ({known}), not {name}: export into that with engine='local'"
            )
    limit = recipe_of(client).limits.concurrency
    if limit == 1:
        raise InvalidArgumentError("engine='ray' needs a client with max_concurrency of 2 or more: one for the listing")
    keys = 1 + len(asked.keys)
    _for_each_key("concurrency", asked.concurrency, keys)
    if asked.workers is not None:
        integer("workers", asked.workers, minimum=1)
        _for_each_key("workers", asked.workers, keys)
        _at_most("workers", asked.workers, "concurrency", asked.concurrency)
        if limit != "auto":
            bound = "the client's max_concurrency less one for the listing"
            _at_most("workers", asked.workers, bound if keys == 1 else f"{bound}, for each key", keys * (limit - 1))


def _for_each_key(name: str, value: int, keys: int) -> None:
    if value < keys:
        raise InvalidArgumentError(f"{name} must be at least {keys}, one for each key, not {value}")


def _at_most(name: str, value: int, bound: str, most: int) -> None:
    if value > most:
        raise InvalidArgumentError(
            f"{name} must be at most {bound}, {most}, which is for all workers together, not {value}"
        )


def _check_address(address: object) -> None:
    if address is None:
        return
    if not isinstance(address, str) or not address:
        raise InvalidArgumentError(f"address must be 'auto' or a host and port as '10.0.0.1:6379', not {address!r}")
    if address.startswith("ray://"):
        raise InvalidArgumentError(
            "address must not be one of Ray's client (ray://…): run the export on a machine of the cluster with 'auto'"
        )


def require_engine(engine: EngineName) -> None:
    """Find out what is not installed before anything is written, and import what is slow to import.

    Raises:
        ExportError: A package is not installed; the text has the command to run.
    """
    from aegis_async.export import _fetching, _run  # noqa: F401, PLC0415 - they import pyarrow, which is an extra

    if engine == "ray":
        if not is_installed("ray"):
            raise missing_package(("ray",), "ray")
        from aegis_async.export import _ray  # noqa: F401, PLC0415 - an extra


def made_engine(
    client: "AegisClient", output: "Output", writer: "BatchWriter", outage: "Outage", asked: Asked
) -> "Engine":
    """Give the engine, whose modules `require_engine` has imported."""
    if asked.engine == "ray":
        from aegis_async.export._ray import RayEngine  # noqa: PLC0415 - an extra

        return RayEngine(client, output, writer, asked)
    from aegis_async.export._courier import Courier  # noqa: PLC0415 - beside the next one
    from aegis_async.export._fetching import Fetching  # noqa: PLC0415 - imports pyarrow, which is an extra

    collections = client.data_collections
    courier = Courier(collections, outage, asked.concurrency, asked.stream_above, shared=asked.shared)
    return Fetching(courier, writer)
