"""Claims about the settings of a client: what is accepted, and that the key is never shown."""

import math
import pickle
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_async._arguments import choice, integer, seconds
from aegis_async._config import ApiKey, RetryPolicy, Timeout, resolve_base_url, resolve_key
from aegis_async.errors import ConfigurationError, InvalidArgumentError

KEY = "sk_0123456789abcdef0123456789abcdef"


def test_an_explicit_key_beats_the_environment() -> None:
    """The argument counts, then AEGIS_API_KEY."""
    assert f"Bearer {KEY}" == resolve_key(KEY, {"AEGIS_API_KEY": "other"}).authorization
    assert "Bearer other" == resolve_key(None, {"AEGIS_API_KEY": "other"}).authorization


def test_whitespace_around_a_key_is_stripped() -> None:
    """A key read from a file with its line end is the key."""
    assert f"Bearer {KEY}" == resolve_key(f" {KEY}\n", {}).authorization


@pytest.mark.parametrize(
    "key", ["", "  \n", "sk_ab cd", "sk_ab\tcd", '"sk_abcd"', "sk_'abcd", "sk_äbcd", "sk_ab\x00cd", 7]
)
def test_a_key_that_cannot_work_is_refused_without_being_shown(key: Any) -> None:
    """An empty, quoted, split, non-ASCII or control-character key is refused in words that do not repeat it."""
    with pytest.raises(ConfigurationError, match="^api_key ") as caught:
        resolve_key(key, {})

    assert not str(key).strip() or str(key).strip() not in repr(caught.value)


def test_no_key_at_all_says_how_to_give_one() -> None:
    """Without a key the error names the argument and the variable."""
    with pytest.raises(ConfigurationError, match=r"pass api_key=… or set AEGIS_API_KEY"):
        resolve_key(None, {})


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\"'`"), min_size=1))
def test_a_shown_key_gives_at_most_four_characters_away(secret: str) -> None:
    """A repr holds the last four characters of a long key, and nothing of a short one."""
    shown = repr(resolve_key(secret, {}))

    assert len(shown.replace("sk_", "").strip("…*")) <= 4
    assert len(secret) >= 16 or shown == "***"


def test_a_key_is_masked_wherever_it_is_repeated() -> None:
    """Words that hold the key come out with the key masked."""
    assert "you sent sk_…cdef!" == ApiKey(KEY).mask(f"you sent {KEY}!")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"cut {KEY[:20]}", "cut sk_…cdef"),
        (f"{KEY[-9:]} cut", "sk_…cdef cut"),
        (f"{KEY}{KEY} twice", "sk_…cdefsk_…cdef twice"),
        (f"{b64encode(KEY.encode()).decode()}", "sk_…cdef="),
        ("sk_0123 is no secret", "sk_0123 is no secret"),
        ("", ""),
    ],
)
def test_pieces_of_a_key_are_masked(text: str, expected: str) -> None:
    """A text that was cut inside the key gives less than eight of its characters away; so does base64."""
    assert expected == ApiKey(KEY).mask(text)


def test_a_key_with_other_characters_is_masked_as_a_url_writes_it() -> None:
    """Percent-encoded, as a proxy may repeat a key, it is masked."""
    assert "?k=***&x" == ApiKey("a+b/c=d&e").mask("?k=a%2Bb%2Fc%3Dd%26e&x")


def test_a_key_does_not_pickle() -> None:
    """A key leaves the process in no pickle."""
    with pytest.raises(TypeError, match="does not pickle"):
        pickle.dumps(ApiKey(KEY))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://aegis.example/api/", "https://aegis.example/api"),
        ("https://aegis.example", "https://aegis.example"),
        ("https://aegis.example/", "https://aegis.example"),
        ("http://localhost:8000/x", "http://localhost:8000/x"),
        ("http://127.0.0.9:1", "http://127.0.0.9:1"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://aegis.example:8443/a%20b/", "https://aegis.example:8443/a%20b"),
    ],
)
def test_a_base_url_is_the_same_with_and_without_its_slash(given: str, expected: str) -> None:
    """A final slash makes no difference; https anywhere and http to loopback are accepted."""
    assert expected == str(resolve_base_url(given, {}))


@pytest.mark.parametrize(
    "given",
    [
        "",
        "aegis.example",
        "ftp://aegis.example",
        "http://aegis.example",
        "http://10.0.0.1",
        "https://user:secret@aegis.example",
        "https://user@aegis.example",
        "https://aegis.example?x=1",
        "https://aegis.example#x",
        "https://",
        "https://aegis.example:port",
        "https://aegis.example:99999",
        "https://[::1",
    ],
)
def test_a_base_url_that_could_leak_or_fail_is_refused(given: str) -> None:
    """Userinfo, query, fragment, a bad port and plain http beyond loopback are refused; a password is not repeated."""
    with pytest.raises(ConfigurationError, match="^base_url ") as caught:
        resolve_base_url(given, {})

    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


def test_the_base_url_comes_from_argument_environment_or_default() -> None:
    """The argument counts, then AEGIS_BASE_URL where it is set to something, then the public service."""
    environment = {"AEGIS_BASE_URL": "https://from.environment"}

    assert "https://explicit" == str(resolve_base_url("https://explicit", environment))
    assert "https://from.environment" == str(resolve_base_url(None, environment))
    assert "https://api.aegisevals.ai/api/v1" == str(resolve_base_url(None, {"AEGIS_BASE_URL": ""}))


def test_an_error_names_the_variable_that_is_wrong() -> None:
    """What came from the environment is named by its variable."""
    with pytest.raises(ConfigurationError, match="^AEGIS_BASE_URL must use https"):
        resolve_base_url(None, {"AEGIS_BASE_URL": "http://aegis.example"})


def test_the_defaults_are_those_of_the_design() -> None:
    """Five seconds to connect, thirty of silence, sixty an attempt; four attempts from half a second to eight."""
    assert Timeout(5.0, 30.0, 60.0) == Timeout()
    assert RetryPolicy(4, 0.5, 8.0, 60.0) == RetryPolicy()


def test_a_bare_number_is_the_limit_of_the_attempt() -> None:
    """``timeout=9`` limits the whole attempt and leaves the rest."""
    assert Timeout(attempt=9.0) == Timeout.of(9)
    assert Timeout(1, 2, 3) == Timeout.of(Timeout(1, 2, 3))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "more than zero, not 0"),
        (-1, "more than zero, not -1"),
        (-(10**400), "more than zero, not a far smaller one"),
        (math.nan, "more than zero, not nan"),
        (math.inf, "finite, not inf"),
        (10**400, "finite, not a far larger one"),
        ("5", "a number of seconds, not '5'"),
        (None, "a number of seconds, not None"),
        (True, "a number of seconds, not True"),
    ],
)
def test_a_timeout_is_a_positive_number_of_seconds(value: Any, words: str) -> None:
    """Zero, less, infinity, more than a float can hold and anything else than a number is refused by name."""
    with pytest.raises(ConfigurationError, match=rf"^timeout\.read must be {words}$"):
        Timeout(read=value)


@pytest.mark.parametrize("field", ["max_attempts", "initial", "maximum", "max_retry_after"])
@pytest.mark.parametrize("value", [-1, math.nan, "x", True])
def test_a_retry_policy_names_what_is_wrong(field: str, value: Any) -> None:
    """A setting that is no number of its kind is refused by name."""
    with pytest.raises(ConfigurationError, match=rf"^retry\.{field} must be"):
        RetryPolicy(**{field: value})


def test_a_wait_may_be_zero() -> None:
    """A policy without waits is for tests, and allowed."""
    assert 0.0 == RetryPolicy(initial=0, maximum=0, max_retry_after=0).initial


def test_an_integer_is_no_bool_and_within_its_bounds() -> None:
    """The text names the argument, its bounds and what was given."""
    assert 5 == integer("page", 5, minimum=1)
    for value, words in [
        (0, "page must be between 1 and 9, not 0"),
        (10, "page must be between 1 and 9, not 10"),
        (True, "page must be an integer, not True"),
        (1.0, "page must be an integer, not 1.0"),
        ("1" * 99, "page must be an integer, not '11111111111111111111111111111111111111111111111111111111…"),
        (10**5000, "page must be between 1 and 9, not a far larger one"),
        (-(10**5000), "page must be between 1 and 9, not a far smaller one"),
    ]:
        with pytest.raises(InvalidArgumentError) as caught:
            integer("page", value, minimum=1, maximum=9)
        assert words == str(caught.value)


def test_without_a_maximum_only_the_minimum_is_named() -> None:
    """An argument without an upper bound says at least what."""
    with pytest.raises(InvalidArgumentError, match="^id must be at least 1, not 0$"):
        integer("id", 0, minimum=1)


def test_seconds_come_back_as_float() -> None:
    """An int of seconds is a float of seconds."""
    assert isinstance(seconds("x", 3), float)


def test_a_choice_names_what_is_allowed() -> None:
    """A value that is none of the choices is refused with the choices."""
    choice("on_error", "skip", ("raise", "skip"))
    with pytest.raises(InvalidArgumentError, match="^on_error must be one of 'raise', 'skip', not 'ignore'$"):
        choice("on_error", "ignore", ("raise", "skip"))
