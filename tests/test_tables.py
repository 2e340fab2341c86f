"""What is added in one place and forgotten in another: resources, sinks and errors of a status."""

import ast
import asyncio
import pkgutil
import tomllib
from pathlib import Path

import pytest

import aegis_async
from aegis_async import AegisClient, _resources, errors
from aegis_async._session._status import STATUS_ERRORS
from aegis_async.errors import OrganizationRequiredError, ServerError, StatusError
from aegis_async.export import _sinks
from aegis_async.sandbox import Sandbox

ROOT = Path(__file__).parents[1]
# A module without an underscore is a resource.
RESOURCES = [found.name for found in pkgutil.iter_modules(_resources.__path__) if not found.name.startswith("_")]
NOT_IN_THE_TABLE = {StatusError, ServerError, OrganizationRequiredError}  # any other, 5xx, and a 404 by its text


def sink_modules() -> set[str]:
    """Give the modules of sinks that hold what the table of sinks asks for."""
    found = set()
    for path in Path(_sinks.__file__).parent.glob("_[a-z]*.py"):
        names = {getattr(node, "name", None) for node in ast.parse(path.read_text(encoding="utf-8")).body}
        if names & {"Format", "opened"}:
            found.add(path.stem)
    return found


@pytest.mark.parametrize("name", RESOURCES)
def test_every_resource_is_reached_through_the_client(name: str) -> None:
    """A module of ``_resources`` has its property on the client, and its class is what users import."""
    client = AegisClient("sk_0123456789abcdef0123456789abcdef")

    resource = type(getattr(client, name))

    assert name == resource.__module__.rpartition(".")[2]
    assert resource.__name__ in aegis_async.__all__


@pytest.mark.parametrize("name", RESOURCES)
def test_every_resource_is_served_by_the_sandbox(name: str) -> None:
    """The sandbox lists what each resource is about."""

    async def listed() -> bytes:
        with Sandbox() as sandbox:
            async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
                return await client.fetch(f"/{name.replace('_', '-')}", bytes)

    assert b'{"items":[' == asyncio.run(listed())[:10]


def test_every_sink_is_in_the_table() -> None:
    """A module of a sink without its line in the table would be a format that nobody can name."""
    assert sink_modules() == {known.module for known in (_sinks.RAW_FILES, *_sinks.SINKS.values())}


def test_every_sink_is_kept_apart_from_the_others() -> None:
    """The contract by which sinks know nothing of each other names each of them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (apart,) = (each["modules"] for each in contracts if each["name"] == "sinks know nothing of each other")

    assert sink_modules() == {name.rpartition(".")[2] for name in apart}


def test_every_error_of_a_status_is_in_the_table() -> None:
    """A class under StatusError without its status in the table would never be raised."""
    classes = {getattr(errors, name) for name in errors.__all__}
    of_a_status = {cls for cls in classes if issubclass(cls, StatusError)}

    assert of_a_status - NOT_IN_THE_TABLE == set(STATUS_ERRORS.values())
