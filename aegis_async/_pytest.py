"""The pytest plugin: a sandbox for the tests of people who build on the SDK.

pytest loads it by its entry point; it imports nothing of the package until a test asks for the fixture.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from aegis_async.sandbox import Sandbox

_MARKER = "aegis_sandbox"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker that sets the sandbox up."""
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(collections=20, seed=0, latency=0.0): what the fixture of the same name starts with",
    )


@pytest.fixture
def aegis_sandbox(request: pytest.FixtureRequest) -> "Iterator[Sandbox]":
    """A `Sandbox` of the test's own, running in a thread, so that it suits any async plugin and loop.

    ``@pytest.mark.aegis_sandbox(collections=50, seed=7)`` on a test, class or module sets it up; it takes the
    arguments of `Sandbox`. Point a client at it with ``AegisClient(sandbox.api_key, base_url=sandbox.url)``.
    """
    from aegis_async.sandbox import Sandbox  # noqa: PLC0415 - only tests that ask for it pay for the import

    marker = request.node.get_closest_marker(_MARKER)
    if marker is not None and marker.args:
        raise pytest.UsageError(f"{_MARKER} takes keyword arguments only, as collections=50")
    with Sandbox(**(marker.kwargs if marker else {})) as sandbox:
        yield sandbox
