"""Further keys of an account: what can be one, and whether it sees the same account, before anything is made."""

from pathlib import Path
from typing import Any

import pytest

from aegis_async import AegisClient
from aegis_async.cli import main
from aegis_async.errors import AuthenticationError, ConfigurationError, ExportError, InvalidArgumentError
from aegis_async.export import export
from aegis_async.export._keys import see_the_same
from aegis_async.sandbox import Sandbox

SECOND = "sk_second_0123456789"


@pytest.mark.parametrize(
    ("keys", "error", "words"),
    [
        (SECOND, InvalidArgumentError, "^keys must be an iterable of keys, not str$"),
        (7, InvalidArgumentError, "^keys must be an iterable of keys, not int$"),
        ([7], ConfigurationError, r"^keys\[0\] must be a string, not int$"),
        ([SECOND, " "], ConfigurationError, r"^keys\[1\] is empty$"),
        ([f"{SECOND} {SECOND}"], ConfigurationError, r"^keys\[0\] holds whitespace$"),
        ([SECOND, f" {SECOND}"], ConfigurationError, r"^keys\[1\] is the client's own or comes twice"),
    ],
)
async def test_what_can_be_no_key_is_refused(  # noqa: PLR0917 - fixtures and a case
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, keys: Any, error: type[Exception], words: str
) -> None:
    """The error names its place and never the key; there is no request and no folder."""
    with pytest.raises(error, match=words) as raised:
        await export(client, tmp_path / "out", engine="ray", keys=keys)

    assert SECOND not in repr(raised.value)
    assert [] == sandbox.requests
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"engine": "local"}, "^keys is for engine='ray', and the engine is 'local'$"),
        ({"workers": 1}, "^workers must be at least 2, one for each key, not 1$"),
        ({"concurrency": 1}, "^concurrency must be at least 2, one for each key, not 1$"),
        ({"workers": 31, "concurrency": 40}, "^workers must be at most the client's .*, for each key, 30, "),
    ],
)
async def test_every_key_needs_a_worker(
    client: AegisClient, sandbox: Sandbox, tmp_path: Path, arguments: dict[str, Any], words: str
) -> None:
    """What leaves a key without one is refused by the name of the argument, and so is an engine without workers."""
    with pytest.raises(InvalidArgumentError, match=words):
        await export(client, tmp_path / "out", **{"engine": "ray", "keys": [SECOND], **arguments})

    assert [] == sandbox.requests
    assert not (tmp_path / "out").exists()


async def test_the_clients_own_key_is_no_further_one(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """The service gives it one limit, however often it is named."""
    with pytest.raises(ConfigurationError, match=r"^keys\[0\] is the client's own") as raised:
        await export(client, tmp_path / "out", engine="ray", keys=[sandbox.api_key])

    assert sandbox.api_key not in str(raised.value)


async def test_a_key_of_another_account_is_refused(client: AegisClient, sandbox: Sandbox, tmp_path: Path) -> None:
    """One that sees less ends it before there is a folder."""
    with pytest.raises(ExportError, match=r"^keys\[0\] does not see the same account") as raised:
        await export(client, tmp_path / "out", engine="ray", keys=[sandbox.solo_api_key])

    assert sandbox.solo_api_key not in repr(raised.value)
    assert not (tmp_path / "out").exists()


async def test_a_key_that_the_service_refuses_is_named_by_its_place(client: AegisClient, tmp_path: Path) -> None:
    """Which of several is wrong is what one has to know."""
    with pytest.raises(ExportError, match=r"^the service refused keys\[0\]: .*401") as raised:
        await export(client, tmp_path / "out", engine="ray", keys=[SECOND])

    assert SECOND not in repr(raised.value)
    assert not (tmp_path / "out").exists()


async def test_a_key_that_cannot_list_is_named_by_its_place(client: AegisClient, sandbox: Sandbox) -> None:
    """A user in no organization has nothing that is shared with it."""
    with pytest.raises(ExportError, match=r"^keys\[0\] cannot list the account: .*404"):
        await see_the_same(client, (sandbox.solo_api_key,), shared=True)


async def test_without_a_key_of_its_own_the_error_is_the_clients(sandbox: Sandbox) -> None:
    """What is wrong with the client is said as without further keys."""
    async with AegisClient(SECOND, base_url=sandbox.url) as client:
        with pytest.raises(AuthenticationError):
            await see_the_same(client, (sandbox.api_key,), shared=None)


@pytest.mark.parametrize("collections", [0, 6])
async def test_keys_of_one_account_see_the_same(collections: int) -> None:
    """Each lists one item, and the client's key two: what is empty is the same too."""
    async with (
        Sandbox(collections=collections, keys=3) as sandbox,
        AegisClient(sandbox.api_key, base_url=sandbox.url) as client,
    ):
        await see_the_same(client, sandbox.api_keys[1:], shared=None)

    assert [0, 0, 1, 2] == sorted(request.key for request in sandbox.requests if request.key is not None)


def test_the_command_takes_them_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Between spaces or commas; each is looked at as the client's own is, and none is printed."""
    with Sandbox(collections=2, keys=2) as sandbox:
        for name, value in sandbox.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AEGIS_API_KEYS", f"{sandbox.api_keys[1]}, {SECOND}\n")

        local = main(["export", str(tmp_path / "out")])
        few = main(["export", str(tmp_path / "out"), "--engine", "ray", "--workers", "2"])
        refused = main(["export", str(tmp_path / "out"), "--engine", "ray", "--workers", "3"])

    said = capfd.readouterr().err
    assert [2, 2, 1] == [local, few, refused]
    assert "keys is for engine='ray'" in said
    assert "workers must be at least 3, one for each key" in said
    assert "the service refused keys[1]" in said
    assert not [key for key in (*sandbox.api_keys, SECOND) if key in said]
    assert not (tmp_path / "out").exists()


def test_a_sandbox_of_the_commands_own_has_no_further_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Those of the environment are the service's, and go nowhere else."""
    monkeypatch.setenv("AEGIS_API_KEYS", SECOND)

    assert 0 == main(["export", str(tmp_path / "out"), "--sandbox", "--sandbox-collections", "2"])
