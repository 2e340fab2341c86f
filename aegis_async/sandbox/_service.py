"""The service as a function: a request's plain values in, status, headers and body out, nothing sent.

Source: get-data-collections, "Get all data collections (paginated)" and "Get data collection by id".
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from aegis_async.sandbox._account import COLLECTIONS, Account
from aegis_async.sandbox._documents import splice
from aegis_async.sandbox._parameters import Boolean, Integer, Parameter, UnprocessableError, read_all

NO_ORGANIZATION: Final = "User is not a member of an organization"
_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}

_SHARED: Final = Boolean("shared")
_PAGING: Final = (Integer("page", default=1), Integer("page_size", default=10, highest=10_000), _SHARED)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answers; the body comes in pieces, drawn as they are taken."""

    status: int
    body: Iterator[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, without anything of the wire."""

    method: str
    path: str
    query: Mapping[str, str]
    authorization: str | None


class RefusalError(Exception):
    """The service says no, with one sentence."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


def answer(account: Account, keys: Mapping[str, bool], question: Question) -> Answer:
    """Answer a question about the account.

    Args:
        account: What exists.
        keys: The keys that are accepted, and whether their user is in an organization.
        question: What was asked.
    """
    try:
        parameters, act, given = _route(question)
        member = _member(keys, question.authorization)
        values = read_all(parameters, {**question.query, **given})
        values["shared"] = _view(values["shared"], member=member)
        return Answer(200, act(account, **values))
    except UnprocessableError as error:
        return refusal(422, error.problems)
    except RefusalError as error:
        return refusal(error.status, error.detail, error.headers)


def refusal(status: int, detail: object, headers: Mapping[str, str] | None = None) -> Answer:
    """Give an answer with FastAPI's body for an error."""
    # Escaped, because what is echoed may hold half of a surrogate pair.
    return Answer(status, iter([json.dumps({"detail": detail}, separators=(",", ":")).encode()]), headers or {})


def _page(account: Account, kind: str, *, page: int, page_size: int, shared: bool | None) -> Iterator[bytes]:
    cut = account.cut(kind, shared, page, page_size)
    total_pages = -(-cut.total // page_size)
    meta = {
        "current_page": page,
        "page_size": page_size,
        "total_items": cut.total,
        "items_on_page": cut.on_page,
        "total_pages": total_pages,
        "has_next": page < total_pages,
        "has_previous": page > 1,
        "next_page": page + 1 if page < total_pages else None,
        "previous_page": page - 1 if page > 1 else None,
    }
    return splice({"items": [], "meta": meta}, "items", cut.rows)


def _collection(account: Account, *, data_collection_id: int, shared: bool | None) -> Iterator[bytes]:
    record = account.collection(data_collection_id, shared)
    if record is None:
        raise RefusalError(404, "Data collection not found")
    return record.full()


def _run(account: Account, *, run_id: int, shared: bool | None) -> Iterator[bytes]:
    body = account.run(run_id, shared)
    if body is None:
        raise RefusalError(404, "Run not found")
    return iter([body])


_Route = tuple[re.Pattern[str], tuple[Parameter, ...], Callable[..., Iterator[bytes]]]
_ROUTES: Final[tuple[_Route, ...]] = (
    (re.compile(f"/{COLLECTIONS}"), _PAGING, partial(_page, kind=COLLECTIONS)),
    (
        re.compile(rf"/{COLLECTIONS}/(?P<data_collection_id>[^/]+)"),
        (Integer("data_collection_id", where="path"), _SHARED),
        _collection,
    ),
    (re.compile("/datasets"), _PAGING, partial(_page, kind="datasets")),
    (re.compile("/runs"), _PAGING, partial(_page, kind="runs")),
    (re.compile(r"/runs/(?P<run_id>[^/]+)"), (Integer("run_id", where="path"), _SHARED), _run),
)


def _route(
    question: Question,
) -> tuple[tuple[Parameter, ...], Callable[..., Iterator[bytes]], dict[str, Any]]:
    for pattern, parameters, act in _ROUTES:
        if match := pattern.fullmatch(question.path):
            if question.method != "GET":
                raise RefusalError(405, "Method Not Allowed", {"Allow": "GET"})
            return parameters, act, match.groupdict()
    raise RefusalError(404, "Not Found")


def _member(keys: Mapping[str, bool], authorization: str | None) -> bool:
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise RefusalError(401, "Not authenticated", _CHALLENGE)
    if key.strip() not in keys:
        raise RefusalError(401, "Invalid API key", _CHALLENGE)
    return keys[key.strip()]


def _view(shared: bool | None, *, member: bool) -> bool | None:  # noqa: FBT001 - three states
    if member:
        return shared
    if shared:
        raise RefusalError(404, NO_ORGANIZATION)
    return False
