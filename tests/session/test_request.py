"""Claims about where a request goes: under the base URL, to the endpoint that the caller named, with what was given."""

import posixpath
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from aegis_async import AegisClient
from aegis_async._session import Request
from aegis_async.errors import InvalidArgumentError, StatusError
from aegis_async.sandbox import Sandbox
from tests.session.catalogue import moved
from tests.session.wire import KEY, http, once, wire

BASE: Final = "https://aegis.example:8443/api/v1"
NASTY: Final = st.text(alphabet=st.sampled_from("/.%2eE5cCfF?#@:;\\&=+ \r\n\t\x00aä~_-\ud800"), max_size=20)
PATHS: Final = st.one_of(NASTY.map(lambda text: f"/{text}"), NASTY, st.text(max_size=20).map(lambda text: f"/{text}"))
VALUES: Final = st.one_of(st.text(max_size=20), NASTY, st.integers(), st.booleans(), st.none())


@given(path=PATHS)
def test_every_path_stays_under_the_base(path: str) -> None:
    """Whatever path is accepted, decoded once, twice or three times it is the base's with plain steps behind."""
    try:
        request = Request.get(BASE, path)
    except InvalidArgumentError as error:
        assert str(error).startswith("path must")
        return

    url = request.under(URL(BASE))
    assert request.url == str(url)
    assert URL(BASE).origin() == url.origin()
    assert ("", "") == (url.raw_query_string, url.raw_fragment)
    decoded = url.raw_path
    for _ in range(3):
        assert decoded == posixpath.normpath(decoded)
        assert decoded.startswith("/api/v1/")
        decoded = unquote(decoded)


@given(params=st.dictionaries(st.one_of(st.text(max_size=9), NASTY), VALUES, max_size=4))
def test_parameters_arrive_as_they_were_given(params: dict[str, Any]) -> None:
    """No parameter changes the path, another parameter or the host: the query has exactly what was given."""
    try:
        request = Request.get(BASE, "/runs", params)
    except InvalidArgumentError as error:
        assert str(error).startswith("params[")
        return

    texts = {name: value for name, value in params.items() if value is not None}
    expected = [(name, str(value).lower() if isinstance(value, bool) else str(value)) for name, value in texts.items()]
    url = request.under(URL(BASE))
    assert request.url == str(url)
    assert (URL(BASE).origin(), "/api/v1/runs", "") == (url.origin(), url.raw_path, url.raw_fragment)
    assert expected == parse_qsl(url.raw_query_string, keep_blank_values=True)
    assert url.raw_query_string.isascii()


@pytest.mark.parametrize("params", [{"a": "\ud800"}, {"\udfff": 1}], ids=["value", "name"])
def test_a_parameter_that_no_url_can_hold_is_named(params: dict[str, Any]) -> None:
    """Half a character, as a broken decoding leaves it, is refused as an argument."""
    with pytest.raises(InvalidArgumentError, match=r"^params\['.*'\] holds half a character"):
        Request.get(BASE, "/runs", params)


class Sly(int):
    """An int that says something else of itself."""

    def __str__(self) -> str:
        return "1/secrets"

    __repr__ = __str__


async def test_an_id_is_sent_as_the_number_it_is(client: AegisClient, sandbox: Sandbox) -> None:
    """An int of a class of its own goes out as its number, whatever its words are."""
    assert 7 == (await client.data_collections.get(Sly(7))).id
    assert [7] == [each.id for each in await client.data_collections.get_many([Sly(7)]).collect()]
    assert {"/data-collections/7"} == {request.path[-19:] for request in sandbox.requests}


@pytest.mark.parametrize("status", ["301 X", "302 X", "303 X", "307 X", "308 X"])
async def test_a_redirect_takes_the_key_to_no_other_server(status: str) -> None:
    """A living server on another port of the same host, to which the service redirects, hears nothing."""
    async with wire(http(b"1")) as other:
        location = moved(f"{other.url}/x").replace(b"302 Found", status.encode())
        async with wire(location) as service, once(service.url) as client:
            with pytest.raises(StatusError, match="a redirect that leaves"):
                await client.fetch("/x", bytes)

    assert ([], 0) == (other.heads, other.connections)
    assert f"Bearer {KEY}" in service.heads[0]
