"""What an engine cannot do is refused in one sentence, before there is a request or a folder."""

import pickle
import re
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from aegis_async import AegisClient, RetryPolicy, Timeout
from aegis_async._client import recipe_of
from aegis_async._session import Counts
from aegis_async.errors import ConfigurationError, ExportError, InvalidArgumentError
from aegis_async.export import export
from aegis_async.export._store import LocalStore
from aegis_async.sandbox import Sandbox


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"engine": "spark"}, "^engine must be one of 'local', 'ray', not 'spark'$"),
        ({"workers": 2}, "^workers is for engine='ray', and the engine is 'local'$"),
        ({"address": "auto"}, "^address is for engine='ray', and the engine is 'local'$"),
        ({"engine": "ray", "workers": 0}, "^workers must be at least 1, not 0$"),
        ({"engine": "ray", "workers": True}, "^workers must be an integer, not True$"),
        ({"engine": "ray", "workers": 9}, "^workers must be at most concurrency, 8, which is for all workers together"),
        ({"engine": "ray", "workers": 16, "concurrency": 32}, "^workers must be at most the client's max_concurrency"),
        ({"engine": "ray", "address": ""}, "^address must be 'auto' or a host and port as '10.0.0.1:6379', not ''$"),
        ({"engine": "ray", "address": "ray://head:10001"}, "^address must not be one of Ray's client"),
        ({"engine": "ray", "format": ["parquet", "sqlite"]}, "^engine='ray' writes files alone .*, not sqlite: "),
    ],
)
async def test_what_an_engine_cannot_do_is_refused_before_anything_is_made(
    refused: Callable[..., Awaitable[str]], arguments: dict[str, Any], words: str
) -> None:
    """The error names the argument; there is no request and no folder."""
    assert re.search(words, await refused(**arguments))


@pytest.mark.parametrize("name", ["session", "ssl"])
async def test_a_client_that_cannot_leave_its_process_is_refused(name: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """A session and a context of TLS are no more than this process has; the error names the one that is in the way."""
    async with aiohttp.ClientSession() as session:
        given: Any = {"session": session, "ssl": ssl.create_default_context()}[name]
        async with AegisClient(sandbox.api_key, base_url=sandbox.url, **{name: given}) as client:
            with pytest.raises(ConfigurationError, match=f"^a client with {name}=… cannot be made again"):
                await export(client, tmp_path / "out", engine="ray")

    assert not (tmp_path / "out").exists()


async def test_a_client_of_one_slot_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    """The listing and a worker need one each."""
    async with AegisClient(sandbox.api_key, base_url=sandbox.url, max_concurrency=1) as client:
        with pytest.raises(InvalidArgumentError, match="^engine='ray' needs a client with max_concurrency of 2"):
            await export(client, tmp_path / "out", engine="ray")

    assert not (tmp_path / "out").exists()


async def test_without_ray_it_says_what_to_install(
    client: AegisClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence has the command, and nothing is made."""
    monkeypatch.setitem(sys.modules, "ray", None)

    with pytest.raises(ExportError) as raised:
        await export(client, tmp_path / "out", engine="ray")

    command = 'pip install "aegis-async[ray]"'
    assert f"this export needs ray, which is not installed: {command}" == str(raised.value)
    assert not (tmp_path / "out").exists()


def test_an_export_on_one_machine_imports_no_ray(tmp_path: Path) -> None:
    """Neither the package nor its export nor a whole run of it has to do with ray."""
    program = (
        "import sys; from aegis_async.cli import main\n"
        f"code = main(['export', {str(tmp_path / 'out')!r}, '--sandbox', '--sandbox-collections', '2'])\n"
        "sys.exit(code or 'ray' in sys.modules)"
    )

    assert 0 == subprocess.run([sys.executable, "-c", program], check=False, capture_output=True).returncode  # noqa: S603 - ours


def test_a_client_is_made_again_in_another_process() -> None:
    """What the recipe makes has the same key, address, options and bounds; the recipe itself shows no secret."""
    key = "sk_0123456789abcdef"
    client = AegisClient(
        key,
        base_url="https://eval.example.com/v1",
        timeout=Timeout(attempt=7.0),
        retry=RetryPolicy(max_attempts=2),
        max_body_size=1000,
        headers={"X-Gateway": "hush-hush"},
        proxy="http://user:hush-hush@proxy:3128",
    ).with_options(deadline=9.0)

    recipe = pickle.loads(pickle.dumps(recipe_of(client)))
    made = recipe_of(recipe.client(3))

    assert key not in repr(recipe)
    assert "hush" not in repr(recipe)
    assert (key, recipe.base_url, 1000, recipe.headers) == (made.key, made.base_url, made.max_body_size, made.headers)
    assert (recipe.proxy, 9.0, Timeout(attempt=7.0)) == (made.proxy, made.options.deadline, made.options.timeout)
    assert 3 == made.limits.concurrency


def test_a_local_store_means_the_same_folder_in_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pickled, a relative folder is an absolute one, wherever the other process stands."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    pickled = pickle.dumps(LocalStore(Path("out")))
    monkeypatch.chdir("/")

    pickle.loads(pickled).put("a", b"here")

    assert b"here" == (tmp_path / "out" / "a").read_bytes()


def test_counts_of_others_are_added() -> None:
    """What is taken begins anew, and what others did is counted too."""
    ours, theirs = Counts(attempts=1), Counts(attempts=4, retries=2, waited_slot=0.5)

    ours.add(theirs.take())

    assert Counts(attempts=5, retries=2, waited_slot=0.5) == ours
    assert Counts() == theirs
