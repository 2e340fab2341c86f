"""The JSON API over a real server: what it answers, what it refuses, and what never gets out."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from aegis_async.dashboard import LiveSource
from aegis_async.dashboard._headers import POLICY
from aegis_async.sandbox import Sandbox
from tests.dashboard.serving import Site, documents, site

PATHS = (
    "/",
    "/static/main.js",
    "/api/health",
    "/api/overview",
    "/api/below",
    "/api/collections",
    "/api/collections/14",
    "/api/collections/14/runs/991",
)
BAD = (
    "/api/collections/x",
    "/api/collections/0",
    "/api/collections/-1",
    "/api/collections/1.5",
    "/api/collections/" + "9" * 40,
    "/api/collections/" + quote("\uff11\uff14"),  # digits, but not ASCII
    "/api/collections/14/runs/x",
    "/api/collections/14/runs/991?page=0",
    "/api/overview?days=0",
    "/api/overview?days=nan",
    "/api/overview?days=36501",
    "/api/overview?span=year",
    "/api/below?page=1001",
    "/api/collections?search=" + "x" * 201,
)
MISSING = (
    "/api/collections/999",
    "/api/collections/14/runs/1",
    "/api/nothing",
    "/static/../_app.py",
    "/static/%2e%2e/_app.py",
    "/static//etc/passwd",
    "/static/main.py",
    "/api/collections/14%2f..%2f15",
)


async def test_every_answer_says_where_scripts_may_come_from(live_site: Site) -> None:
    """Page, files and API carry a policy without exceptions, and forbid to guess types."""
    replies = [await live_site.get(path) for path in PATHS]

    assert {200} == {reply.status for reply in replies}
    assert {POLICY} == {reply.headers["content-security-policy"] for reply in replies}
    assert {"nosniff"} == {reply.headers["x-content-type-options"] for reply in replies}
    assert "default-src 'none'; script-src 'self'" in POLICY
    assert "unsafe" not in POLICY


async def test_the_key_never_gets_out(live_site: Site, sandbox: Sandbox) -> None:
    """No answer, no header and no file holds the key."""
    replies = [await live_site.get(path) for path in (*PATHS, *BAD, *MISSING)]

    assert not any(sandbox.api_key.encode() in reply.body for reply in replies)
    assert not any(sandbox.api_key in str(reply.headers) for reply in replies)


async def test_what_cannot_be_asked_is_refused_in_one_sentence(live_site: Site, sandbox: Sandbox) -> None:
    """Bad ids and parameters are a 422 that names them, and the service is not asked."""
    sandbox.clear_requests()

    replies = {path: await live_site.get(path) for path in BAD}

    assert dict.fromkeys(BAD, 422) == {path: reply.status for path, reply in replies.items()}
    assert all("must " in reply.json["detail"] for reply in replies.values())
    assert not any(request.path.startswith("/data-collections/") for request in sandbox.requests)


async def test_what_is_not_there_is_a_404(live_site: Site) -> None:
    """Ids that nobody has, and paths that lead elsewhere, find nothing."""
    replies = {path: await live_site.get(path) for path in MISSING}

    assert dict.fromkeys(MISSING, 404) == {path: reply.status for path, reply in replies.items()}
    assert all(reply.json["detail"] for reply in replies.values())


async def test_nothing_can_be_changed(live_site: Site) -> None:
    """Every path answers GET alone."""
    methods = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS")

    assert {405} == {(await live_site.get(path, method)).status for path in PATHS for method in methods}


async def test_the_overview_is_the_sandbox_s_own_sum(live_site: Site) -> None:
    """What goes over the wire is what one counts in the sandbox's JSON."""
    runs = [run for collection in documents(20) for run in collection["runs"]]

    numbers = (await live_site.get("/api/overview")).json["numbers"]

    assert len(runs) == numbers["runs"]
    assert sum(run["is_gte_threshold"] is True for run in runs) == numbers["passed"]


async def test_a_collection_leads_to_its_runs_and_evaluations(live_site: Site) -> None:
    """The drill-down shows what the sandbox has."""
    document = max(documents(20), key=lambda each: len(each["runs"]))
    run = document["runs"][0]

    collection = (await live_site.get(f"/api/collections/{document['id']}")).json
    detail = (await live_site.get(f"/api/collections/{document['id']}/runs/{run['id']}")).json

    assert {each["id"] for each in document["runs"]} == {each["id"] for each in collection["runs"]}
    assert [each["id"] for each in run["evaluations"]][:100] == [each["id"] for each in detail["evaluations"]]
    assert len(run["evaluations"]) == detail["total"]
    assert run["result"] == detail["run"]["result"]


async def test_evaluations_come_in_pages(live_site: Site) -> None:
    """A page beyond the last is empty and says how many there are."""
    reply = (await live_site.get("/api/collections/14/runs/991?page=7")).json

    assert (7, 1, 1, []) == (reply["page"], reply["pages"], reply["total"], reply["evaluations"])


async def test_an_unchanged_answer_is_not_sent_again(live_site: Site) -> None:
    """The tag is that of the numbers' version."""
    first = await live_site.get("/api/overview")

    again = await live_site.get("/api/overview", **{"If-None-Match": first.headers["etag"]})

    assert (304, b"") == (again.status, again.body)


async def test_an_answer_of_yesterday_is_not_kept(live_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last seven days are others tomorrow, with the same numbers."""
    first = await live_site.get("/api/overview?days=7")
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    monkeypatch.setattr("aegis_async.dashboard._board._today", lambda: tomorrow)

    again = await live_site.get("/api/overview?days=7", **{"If-None-Match": first.headers["etag"]})

    assert 200 == again.status
    assert first.headers["etag"] != again.headers["etag"]


async def test_errors_of_the_service_do_not_tell_its_address(live_site: Site, sandbox: Sandbox) -> None:
    """Who looks at the page learns that the service fails, not where it is."""
    sandbox.fail("/data-collections/*", status=500, times=None)

    reply = await live_site.get("/api/collections/3")

    assert 503 == reply.status
    assert "127.0.0.1" not in reply.json["detail"]


async def test_a_refused_key_is_a_bad_gateway(live_site: Site, sandbox: Sandbox) -> None:
    """A 401 of the service is none of the page: the browser must not ask anybody for a password."""
    sandbox.fail("/data-collections/*", status=401, times=None)

    assert 502 == (await live_site.get("/api/collections/3")).status


async def test_events_tell_the_state_at_once_and_after_each_change(quick: LiveSource, sandbox: Sandbox) -> None:
    """A stream begins with the state and goes on with the version after a change in the sandbox."""
    async with site(quick) as served, served.session.get(f"{served.url}/api/events") as stream:
        first = await _state(stream.content)
        sandbox.change(3)
        later = first
        while later["version"] == first["version"]:
            later = await _state(stream.content)

    assert "text/event-stream" in stream.headers["content-type"]
    assert "live" == later["status"]


async def test_streams_end_with_their_source(live: LiveSource) -> None:
    """A server that stops does not wait for its tabs."""
    async with site(live) as served, served.session.get(f"{served.url}/api/events") as stream:
        await _state(stream.content)
        live.bell.silence()
        rest = await stream.content.read()

    assert rest.count(b"event: ") <= 1


async def test_a_request_under_another_name_is_refused(live: LiveSource) -> None:
    """A site whose name leads to loopback cannot read the dashboard."""
    async with site(live, frozenset({"127.0.0.1"})) as served:
        mine = await served.get("/api/overview")
        other = await served.get("/api/overview", Host="evil.example:80")

    assert (200, 421) == (mine.status, other.status)
    assert b"runs" not in other.body


async def _state(content: object) -> dict[str, object]:
    """Read up to the next state."""
    async for line in content:  # type: ignore[attr-defined]  # aiohttp's stream
        if line.startswith(b"data: "):
            state: dict[str, object] = json.loads(line.removeprefix(b"data: "))
            return state
    raise AssertionError("the stream ended")
