"""The pytest plugin as its users have it: installed, found by its entry point, in a project of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


# The package without its own __init__, so that only what the module itself imports is seen.
BARE_PACKAGE = f"""
import sys, types
sys.modules["aegis_async"] = types.ModuleType("aegis_async")
sys.modules["aegis_async"].__path__ = [{str(Path(__file__).parents[1] / "aegis_async")!r}]
"""
# Plugins that are slow to load and have no part in this.
LEAN = ("-n", "0", "-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:cacheprovider")


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest in a process of its own, with the plugin found by its entry point."""
    return pytester.runpytest_subprocess(*LEAN, *arguments)


def modules_after(statement: str) -> set[str]:
    """Import something in a fresh interpreter and give the names of all modules that are there then."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    return set(subprocess.check_output([sys.executable, "-c", code], text=True).split())  # noqa: S603 - our own line


def test_the_fixture_is_a_running_sandbox_for_a_plain_test(pytester: pytest.Pytester) -> None:
    """A test without any loop gets a server that answers it, and a new one each time."""
    pytester.makepyfile(
        """
        from urllib.request import Request, urlopen

        urls = []

        def fetch(sandbox):
            urls.append(sandbox.url)
            request = Request(sandbox.url + "/data-collections/14")
            request.add_header("Authorization", "Bearer " + sandbox.api_key)
            assert urlopen(request).status == 200
            assert [one.status for one in sandbox.requests] == [200]

        def test_one(aegis_sandbox):
            fetch(aegis_sandbox)

        def test_two(aegis_sandbox):
            fetch(aegis_sandbox)
            assert len(set(urls)) == 2
        """
    )

    result = run(pytester, "--strict-markers", "-W", "error::ResourceWarning")

    result.assert_outcomes(passed=2)


def test_the_fixture_suits_any_loop(pytester: pytest.Pytester) -> None:
    """A test that makes its own loops uses one sandbox from two of them."""
    pytester.makepyfile(
        """
        import asyncio

        import aiohttp

        async def fetch(sandbox):
            headers = {"Authorization": "Bearer " + sandbox.api_key}
            async with aiohttp.ClientSession(headers=headers) as session:
                async with session.get(sandbox.url + "/data-collections") as response:
                    return (await response.json())["meta"]["total_items"]

        def test_two_loops(aegis_sandbox):
            assert [asyncio.run(fetch(aegis_sandbox)) for _ in range(2)] == [20, 20]
        """
    )

    result = run(pytester, "-W", "error::ResourceWarning")

    result.assert_outcomes(passed=1)


def test_the_marker_sets_the_sandbox_up(pytester: pytest.Pytester) -> None:
    """The nearest marker's arguments are the sandbox's; --strict-markers knows it."""
    pytester.makepyfile(
        """
        import pytest
        from aegis_async.sandbox import Sandbox

        pytestmark = pytest.mark.aegis_sandbox(collections=2)

        def test_module(aegis_sandbox):
            assert aegis_sandbox.add() == 3

        @pytest.mark.aegis_sandbox(collections=50, seed=7)
        def test_own(aegis_sandbox):
            assert aegis_sandbox.add() == 51
            assert aegis_sandbox.api_key == Sandbox(seed=7).api_key
        """
    )

    result = run(pytester, "--strict-markers")

    result.assert_outcomes(passed=2)


def test_a_wrong_marker_is_an_error_of_that_test(pytester: pytest.Pytester) -> None:
    """The message says what is wrong with it."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.aegis_sandbox(50)
        def test_positional(aegis_sandbox):
            pass

        @pytest.mark.aegis_sandbox(collections=-1)
        def test_bounds(aegis_sandbox):
            pass

        @pytest.mark.aegis_sandbox(size=3)
        def test_name(aegis_sandbox):
            pass
        """
    )

    result = run(pytester)

    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(
        [
            "*aegis_sandbox takes keyword arguments only, as collections=50*",
            "*collections must be 0 or more, not -1*",
            "*unexpected keyword argument 'size'*",
        ]
    )


def test_the_marker_is_described(pytester: pytest.Pytester) -> None:
    """``pytest --markers`` shows what it takes."""
    result = run(pytester, "--markers")

    result.stdout.fnmatch_lines(["@pytest.mark.aegis_sandbox(collections=20, seed=0, latency=0.0):*"])


def test_the_fixture_is_described(pytester: pytest.Pytester) -> None:
    """``pytest --fixtures`` shows how to use it."""
    result = run(pytester, "--fixtures")

    result.stdout.fnmatch_lines(["aegis_sandbox*", "*running in a thread*"])


def test_loading_the_plugin_loads_nothing_else_of_the_package() -> None:
    """A test run that does not use the fixture does not pay for the SDK or its dependencies."""
    before, after = modules_after("import pytest"), modules_after(f"{BARE_PACKAGE}import aegis_async._pytest")

    assert {"aegis_async._pytest"} == {name for name in after - before if name.startswith("aegis_async.")}
    assert not {"aiohttp", "msgspec", "tenacity"} & after


def test_the_sandbox_loads_nothing_else_of_the_package() -> None:
    """Its bytes cannot come from our models: neither they nor anything beside it is imported."""
    after = modules_after(f"{BARE_PACKAGE}import aegis_async.sandbox")

    beside = {name for name in after if name.startswith("aegis_async.") and ".sandbox" not in name}
    assert "aegis_async.sandbox" in after
    assert not beside
