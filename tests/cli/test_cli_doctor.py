"""The doctor's findings, and that its report never holds the key."""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from yarl import URL

from aegis_async._config import resolve_key
from aegis_async.cli._answers import clock_finding
from aegis_async.cli._findings import key_finding, proxy_finding
from aegis_async.cli._network import certificate_finding, name_finding, tls_finding
from aegis_async.cli._shape import differences
from aegis_async.models import DataCollectionSummary, Page
from aegis_async.sandbox import Sandbox
from aegis_async.sandbox._account import Account
from aegis_async.sandbox._service import Question, answer
from tests.cli.ends import Run
from tests.session.connecting import authority, tls

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
TITLES = ["versions", "key", "proxies", "base URL", "DNS", "TLS", "request", "clock", "page", "collection"]


def test_a_healthy_service_gives_a_report_without_complaints(server: Sandbox, run: Run) -> None:
    """Every part is looked at, nothing is found, and the key is masked."""
    ended = run("doctor")

    assert 0 == ended.status
    assert TITLES == [line[6:16].strip() for line in ended.out.splitlines() if line.startswith("ok ")]
    assert ended.out.endswith("\n0 failed, 0 to look at\n")
    assert server.api_key not in ended.out
    assert f"sk_…{server.api_key[-4:]}" in ended.out


def test_without_a_key_the_rest_is_still_looked_at(server: Sandbox, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing key is 2, and name and TLS are reported all the same; nothing is asked."""
    monkeypatch.delenv("AEGIS_API_KEY")

    ended = run("doctor")

    assert 2 == ended.status
    assert "FAIL  key        AEGIS_API_KEY is not set" in ended.out
    assert "ok    DNS" in ended.out
    assert [] == server.requests


@pytest.mark.parametrize("before", ["", "Bearer ", "x" * 280], ids=["plain", "with its scheme", "cut"])
@pytest.mark.parametrize("written", [str, lambda key: b64encode(key.encode()).decode()], ids=["as it is", "in base64"])
def test_a_key_that_the_service_repeats_is_masked(
    before: str, written: Callable[[str], str], server: Sandbox, run: Run
) -> None:
    """An error body that quotes the key does not carry it, or a piece of it, into a ticket."""
    form = written(server.api_key)
    server.fail(status=500, body=msgspec.json.encode({"detail": f"{before}{form}"}))

    ended = run("doctor")

    assert 1 == ended.status
    assert "FAIL  request" in ended.out
    pieces = (form[at : at + 8] for at in range(len(form) - 7))
    assert [] == [piece for piece in pieces if piece in ended.out + ended.err]


def test_an_answer_that_is_no_json_is_a_failure(server: Sandbox, run: Run) -> None:
    """A proxy's page with status 200 is found out, and said once."""
    server.fail(body="<html>sign in</html>", times=None)

    ended = run("doctor")

    assert 1 == ended.status
    assert "FAIL  page       cannot be read: $: the body is not JSON" in ended.out
    assert 1 == ended.out.count("FAIL")


def test_unknown_and_missing_fields_are_told_by_path(server: Sandbox, run: Run) -> None:
    """A service that is older and newer than the models at once is read, and its differences are listed."""
    made = {"created_at": "2026-04-01T09:20:00Z", "updated_at": None}
    item: dict[str, object] = {"id": 1, "user": "a@b.c", "name": "n", "org_id": None, "datasets": [], "runs": []}
    item |= {**made, "colour": 1}
    meta = {"current_page": 1, "page_size": 10, "total_items": 2, "items_on_page": 2, "total_pages": 1}
    ends = {"has_next": False, "has_previous": False, "next_page": None, "previous_page": None}
    page = {"items": [item, {**item, "id": 2}], "meta": {**meta, **ends}}
    server.fail("/data-collections", body=msgspec.json.encode(page))

    ended = run("doctor")

    assert 0 == ended.status
    assert "warn  page       can be read, and differs:" in ended.out
    assert "unknown field $.items[].colour (2 times)" in ended.out
    assert "missing field $.items[].author_email (2 times)" in ended.out
    assert "flattened to a string: $.items[].user (2 times)" in ended.out


@pytest.mark.parametrize("value", [b'"\xff"', b"1e999"], ids=["no text", "no number"])
def test_what_only_an_unknown_field_holds_stops_no_examination(value: bytes, server: Sandbox, run: Run) -> None:
    """What the client passes over is told as what cannot be compared, and the rest is looked at."""
    page = b"".join(answer(Account(1, 0), {"key": True}, Question("GET", "/data-collections", {}, "Bearer key")).body)
    server.fail("/data-collections", body=page[:-1] + b',"colour":' + value + b"}")

    ended = run("doctor")

    assert 0 == ended.status
    assert "warn  page       can be read, and not be compared: " in ended.out
    assert "ok    collection" in ended.out


def test_a_base_url_that_cannot_work_ends_the_examination(run: Run) -> None:
    """Plain http to another machine would show the key to the network: 2, and nothing is looked up."""
    ended = run("doctor", "--base-url", "http://example.com")

    assert 2 == ended.status
    assert "FAIL  base URL   base_url must use https:// for a host that is not loopback" in ended.out
    assert "DNS" not in ended.out


def test_tls_that_fails_is_told_and_nothing_is_asked(server: Sandbox, run: Run) -> None:
    """A server that speaks plain http on an https address is found out before the key goes anywhere."""
    ended = run("doctor", "--base-url", server.url.replace("http://", "https://"))

    assert 1 == ended.status
    assert "FAIL  TLS        127.0.0.1:" in ended.out
    assert [] == server.requests


async def test_a_name_that_nobody_knows_is_a_failure() -> None:
    """A name that cannot exist is not found, without asking any network."""
    finding = await name_finding(URL(f"https://{'a' * 64}.invalid"), 5.0)

    assert ("FAIL", "DNS", 1) == (finding.level, finding.title, finding.status)


@pytest.mark.parametrize(("trusted", "level"), [(True, "ok"), (False, "FAIL")])
async def test_a_certificate_is_verified_and_its_days_are_counted(
    trusted: bool, level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handshake as the client makes it tells the days that are left; a stranger's certificate is a failure."""
    if trusted:
        authority().cert_pem.write_to_path(tmp_path / "authority.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = tls(not_after=datetime.now(UTC) + timedelta(days=30))
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)

    async with server:
        finding = await tls_finding(URL(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"), 5.0)

    assert level == finding.level
    assert ("certificate good for 29 more days" if trusted else "unable to get local issuer") in finding.text


@pytest.mark.parametrize(("days", "level"), [(90, "ok"), (14, "ok"), (13, "warn"), (-1, "warn")])
def test_a_certificate_that_ends_soon_is_worth_a_look(days: int, level: str) -> None:
    """Two weeks before its end a certificate should have been renewed."""
    ends = NOW + timedelta(days=days, hours=1)

    finding = certificate_finding({"notAfter": f"{ends:%b %d %H:%M:%S %Y} GMT"}, NOW, "TLSv1.3")

    assert level == finding.level
    assert f"good for {days} more days, until {ends:%Y-%m-%d}" in finding.text


@pytest.mark.parametrize(
    ("date", "level", "words"),
    [
        ("Tue, 24 Nov 2026 12:00:01 GMT", "ok", "1 s off"),
        ("Tue, 24 Nov 2026 11:58:00 GMT", "warn", "120 s ahead of the service"),
        ("Tue, 24 Nov 2026 13:00:00 GMT", "warn", "3600 s behind the service"),
        (None, "warn", "not compared"),
        ("soon", "warn", "not compared"),
    ],
)
def test_the_clock_is_held_against_the_date_of_the_answer(date: str | None, level: str, words: str) -> None:
    """Half a minute is nothing; more is worth a look, and so is an answer without a date."""
    finding = clock_finding(date, NOW)

    assert level == finding.level
    assert words in finding.text


@pytest.mark.parametrize(
    ("value", "level", "words"),
    [
        ("sk_" + "0" * 32, "ok", "sk_…0000"),
        (" sk_" + "0" * 32 + "\n", "warn", "whitespace around it"),
        ("sk_" + "0" * 31, "warn", "is it all there?"),
    ],
)
def test_the_key_is_looked_at_and_never_shown(value: str, level: str, words: str) -> None:
    """A key that works may still look strange, which is where copying went wrong."""
    finding = key_finding(value, resolve_key(value))

    assert level == finding.level
    assert words in finding.text
    assert value.strip() not in finding.text


@pytest.mark.parametrize(
    ("environ", "level", "words"),
    [
        ({"PATH": "/bin"}, "ok", "no variable is set"),
        ({"HTTPS_PROXY": "http://user:secret@proxy:8080"}, "warn", "HTTPS_PROXY=http://proxy:8080"),
        ({"ALL_PROXY": "socks5://user:secret@proxy"}, "warn", "ALL_PROXY=socks5://proxy: set"),
        ({"https_proxy": "user:secret@proxy:8080"}, "warn", "https_proxy="),
        ({"no_proxy": "localhost,10.0.0.1"}, "warn", "no_proxy=localhost,10.0.0.1"),
    ],
)
def test_proxy_variables_are_told_without_passwords(environ: Mapping[str, str], level: str, words: str) -> None:
    """Only host and port of a proxy are shown."""
    finding = proxy_finding(environ)

    assert level == finding.level
    assert words in finding.text
    assert "secret" not in finding.text


def test_what_is_no_object_has_no_fields() -> None:
    """An array where an object belongs is the decoder's to complain of, not a list of differences."""
    assert [] == differences([], Page[DataCollectionSummary])
