"""What list and get write, and what a terminal is kept from."""

import csv
import io
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aegis_async.cli._body import indented
from aegis_async.cli._terminal import plain
from aegis_async.models import DataCollectionSummary
from aegis_async.sandbox import Sandbox
from aegis_async.sandbox._account import Account
from aegis_async.sandbox._service import Question, answer
from tests.cli.ends import Run

HOSTILE = "a\x1b[2Jb\x9bc\x00d"


def queries(server: Sandbox) -> list[dict[str, str]]:
    return [dict(request.query) for request in server.requests]


@pytest.mark.usefixtures("server")
def test_a_pipe_gets_every_summary_as_a_line_of_json(run: Run) -> None:
    """NDJSON is the default where nobody reads along, and every line decodes to the model."""
    ended = run("list")

    decoded = [msgspec.json.decode(line, type=DataCollectionSummary) for line in ended.out.splitlines()]
    assert [1, 2, 3, 4, 5, 6] == [summary.id for summary in decoded]
    assert "" == ended.err


@pytest.mark.usefixtures("server")
def test_csv_has_a_head_and_a_line_for_each_collection(run: Run) -> None:
    """CSV has one row for each collection, with counts in place of what is nested."""
    rows = list(csv.DictReader(io.StringIO(run("list", "--format", "csv").out)))

    assert ["1", "2", "3", "4", "5", "6"] == [row["id"] for row in rows]
    assert {"id": "1", "datasets": "1", "runs": "2", "user_email": "analyst@acme.com"}.items() <= rows[0].items()
    assert all(row["created_at"].endswith("Z") for row in rows)


def test_an_empty_account_is_no_error(run: Run) -> None:
    """CSV still has its head, and the table says in words that there is nothing."""
    empty = ("--sandbox", "--sandbox-collections", "0")

    assert (0, "") == run("list", *empty)[:2]
    assert 1 == len(run("list", "--format", "csv", *empty).out.splitlines())
    assert "no data collections\n" == run("list", "--format", "table", *empty).err


@pytest.mark.parametrize("format_", ["ndjson", "csv", "table"])
def test_limit_stops_and_asks_for_no_page_beyond(format_: str, server: Sandbox, run: Run) -> None:
    """Two of six are given from pages of two, and nothing beyond the one page ahead is asked for."""
    ended = run("list", "--format", format_, "--page-size", "2", "--limit", "2")

    heads = {"ndjson": 0, "csv": 1, "table": 1}
    assert heads[format_] + 2 == len(ended.out.splitlines())
    assert {"1", "2"} >= {query["page"] for query in queries(server)}


@pytest.mark.parametrize(
    ("given", "sent"), [([], None), (["--shared", "true"], "true"), (["--shared", "false"], "false")]
)
def test_shared_is_sent_as_given(given: list[str], sent: str | None, server: Sandbox, run: Run) -> None:
    """Without the option the parameter is not sent at all."""
    run("list", *given)

    assert [sent] == [query.get("shared") for query in queries(server)]


def test_a_table_in_a_pipe_has_no_colours(run: Run) -> None:
    """Asked for by name, the table is plain text."""
    ended = run("list", "--format", "table", "--sandbox", "--sandbox-collections", "2")

    assert "\x1b" not in ended.out
    assert ["1", "2"] == [line.split()[0] for line in ended.out.splitlines()[1:]]


def test_get_writes_the_exact_body_into_a_pipe(server: Sandbox, run: Run) -> None:
    """The service's own bytes, spaces and all, and nothing more."""
    body = _collection(name="two  spaces").replace(b'"id":', b'"id" : ', 1)
    server.fail("/data-collections/1", body=body)

    assert (0, body.decode(), "") == run("get", "1")


def test_get_writes_a_body_that_it_cannot_read_and_fails(server: Sandbox, run: Run) -> None:
    """What came is not lost because a model does not fit; the status and one sentence say that it does not."""
    server.fail("/data-collections/1", body=b'{"id": "one"}')

    status, out, err = run("get", "1")

    assert (1, '{"id": "one"}') == (status, out)
    assert "aegis-async: " in err


def test_nothing_that_steers_a_terminal_reaches_it() -> None:
    """Escape sequences in a name are shown as replacement characters; line ends stay."""
    assert "a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}c\N{REPLACEMENT CHARACTER}d\n" == plain(
        f"{HOSTILE}\n"
    )
    assert b'{\n  "a": "\xef\xbf\xbd"\n}\n' == indented('{"a":"\x9b"}'.encode())


def test_a_name_is_one_line_of_a_table(server: Sandbox, run: Run) -> None:
    """Whoever names a collection adds no row."""
    name_one(server, "one\n99  two")

    assert 2 == len(run("list", "--format", "table").out.splitlines())


def test_the_service_s_words_are_one_line_of_ours(server: Sandbox, run: Run, tmp_path: Path) -> None:
    """No refusal poses as another line of the summary, of the log or of a complaint."""
    server.fail("/data-collections/1", status=503, retry_after=0.001, body=b'{"detail":"no\\nCOMPLETE"}', times=None)

    ended = run("export", str(tmp_path / "OUT"), "--max-attempts", "2")

    assert 3 == ended.status
    assert [] == [line for line in (ended.out + ended.err).splitlines() if line.startswith("COMPLETE")]
    assert "503: no COMPLETE" in ended.out
    assert "503: no COMPLETE" in ended.err


@pytest.mark.parametrize("at_a_terminal", [False, True])
def test_rows_for_programs_do_not_steer_a_terminal(
    at_a_terminal: bool, server: Sandbox, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a pipe they are as they are, and shown to people without what could."""
    name_one(server, HOSTILE)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: at_a_terminal)

    written = run("list", "--format", "csv").out

    assert (HOSTILE in written) != at_a_terminal
    assert ("\x1b" in written) != at_a_terminal


def test_an_error_of_the_service_cannot_steer_a_terminal(server: Sandbox, run: Run) -> None:
    """The service's words are shown, its control characters are not."""
    server.fail("/data-collections/1", status=403, body=msgspec.json.encode({"detail": HOSTILE}))

    ended = run("get", "1")

    assert 1 == ended.status
    assert "403" in ended.err
    assert "\x1b" not in ended.err


def name_one(server: Sandbox, name: str) -> None:
    """Let the next listing hold one collection, of this name."""
    question = Question("GET", "/data-collections", {}, "Bearer key")
    page = msgspec.json.decode(b"".join(answer(Account(1, 0), {"key": True}, question).body))
    page["items"][0]["name"] = name
    server.fail("/data-collections", body=msgspec.json.encode(page))


def _collection(**changes: Any) -> bytes:
    made = {"created_at": "2026-04-01T09:20:00Z", "updated_at": None}
    owned = {"user": None, "name": "n", "org_id": 3, "author_email": None}
    return msgspec.json.encode({"id": 1, **owned, "datasets": [], "runs": [], **made, **changes})
