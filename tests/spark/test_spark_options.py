"""Claims about the options of the Spark source: what is read, what is refused, and that no error holds the key."""

import pickle

import pytest

from aegis_async._spark._options import Options
from aegis_async.errors import ConfigurationError

KEY = "sk_0123456789abcdef"
URL = "http://127.0.0.1:1/api/v1"


def test_options_are_read_from_texts() -> None:
    """Numbers and flags come out of the texts that Spark hands over."""
    read = Options.of(
        {
            "table": "evaluations",
            "token": KEY,
            "base_url": f"{URL}/",
            "shared": "TRUE",
            "partitions": "4",
            "parallelism": "2",
            "concurrency": "3",
            "rate_limit": "12.5",
            "page_size": "10000",
            "stream_above": "1",
            "on_incomplete": "warn",
            "pushdown": "true",
        }
    )

    assert read == Options("evaluations", URL, KEY, True, 4, 2, 3, 12.5, 10_000, 1, "warn", True)  # noqa: FBT003 - in order


def test_the_table_alone_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """All else has a default; the address is the one that the driver's environment names."""
    monkeypatch.setenv("AEGIS_BASE_URL", URL)

    assert Options("runs", URL) == Options.of({"table": "runs"})


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("table", "run", "option table must be one of collections, datasets, runs, evaluations, not 'run'"),
        ("base_url", "http://example.com", "option base_url: base_url must use https://"),
        ("shared", "yes", "option shared must be true or false, not 'yes'"),
        ("partitions", "0", "option partitions must be an integer from 1, not '0'"),
        ("partitions", "9" * 5000, "option partitions must be an integer from 1"),
        ("parallelism", "-1", "option parallelism must be an integer from 1, not '-1'"),
        ("concurrency", "two", "option concurrency must be an integer from 1, not 'two'"),
        ("rate_limit", "0", "option rate_limit must be a number of requests per second above 0, not '0'"),
        ("rate_limit", "inf", "option rate_limit must be a number of requests per second above 0, not 'inf'"),
        ("rate_limit", "fast", "option rate_limit must be a number of requests per second above 0, not 'fast'"),
        ("page_size", "10001", "option page_size must be an integer between 1 and 10000, not '10001'"),
        ("stream_above", "1.5", "option stream_above must be an integer from 1, not '1.5'"),
        ("on_incomplete", "ignore", "option on_incomplete must be one of raise, warn, not 'ignore'"),
        ("pushdown", "1", "option pushdown must be true or false, not '1'"),
        ("path", "x", "unknown option path: known are table, token, base_url, shared, partitions,"),
    ],
)
def test_an_option_that_cannot_be_is_named(name: str, text: str, complaint: str) -> None:
    """The error names the option, says what it may be, and shows what it was."""
    with pytest.raises(ConfigurationError) as raised:
        Options.of({"table": "runs", "base_url": URL, name: text})

    assert str(raised.value).startswith(complaint)


def test_a_missing_table_is_named() -> None:
    """Without a table there is nothing to read, and the error has the choices."""
    with pytest.raises(ConfigurationError, match="option table is missing: one of collections, datasets, runs, evalu"):
        Options.of({"base_url": URL})


@pytest.mark.parametrize("name", ["api_key", "apikey", "key"])
def test_a_key_under_a_name_that_spark_shows_is_refused(name: str) -> None:
    """The key has one name, which Spark redacts, and the error says so without the key."""
    with pytest.raises(ConfigurationError, match="the key goes into the option token") as raised:
        Options.of({"table": "runs", name: KEY})

    assert KEY not in str(raised.value)


def test_a_bad_key_is_not_repeated() -> None:
    """An error about the token says what is wrong with it, and does not show it."""
    with pytest.raises(ConfigurationError) as raised:
        Options.of({"table": "runs", "token": f"{KEY} {KEY}"})

    assert "option token: api_key holds whitespace" == str(raised.value)


def test_the_key_is_in_no_repr() -> None:
    """What the options show of themselves is all but the key; a pickle of them, which goes to the tasks, has it."""
    options = Options.of({"table": "runs", "token": KEY, "base_url": URL})

    assert KEY not in repr(options)
    assert KEY == pickle.loads(pickle.dumps(options)).token


def test_without_any_key_the_error_says_where_it_may_be() -> None:
    """A process without the option and without the variable names both."""
    with pytest.raises(ConfigurationError, match="give the option token, or set AEGIS_API_KEY in the environment of"):
        Options.of({"table": "runs", "base_url": URL}).client(None)


def test_the_environment_may_have_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the option each process takes the key of its own environment."""
    monkeypatch.setenv("AEGIS_API_KEY", KEY)

    client = Options.of({"table": "runs", "base_url": URL}).client(None)

    assert f"<AegisClient {URL} key=sk_…cdef>" == repr(client)
