"""The sandbox's answers against openapi.yaml, by schemathesis: data within the bounds and outside them."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import settings

from aegis_async.sandbox import Sandbox

API = Path(__file__).parents[1] / "api"

SCHEMA = schemathesis.openapi.from_path(API / "openapi.yaml")
# FastAPI ignores parameters that it does not know, and the key has tests of its own.
SCHEMA.config.generation.update(allow_extra_parameters=False, with_security_parameters=False)


@pytest.fixture(scope="module")
def seen() -> Iterator[Counter[tuple[str, int]]]:
    statuses: Counter[tuple[str, int]] = Counter()
    yield statuses
    assert {200, 422} <= {status for _, status in statuses}, "the generated requests prove nothing"


@SCHEMA.parametrize()
@settings(max_examples=80, deadline=None, derandomize=True)
def test_generated_requests_are_answered_as_the_schema_says(
    case: schemathesis.Case[Any], steady: Sandbox, seen: Counter[tuple[str, int]]
) -> None:
    """Valid parameters are accepted, others refused, and each answer has its documented shape."""
    response = case.call_and_validate(base_url=steady.url, headers={"Authorization": f"Bearer {steady.api_key}"})

    seen[case.path, response.status_code] += 1


@pytest.mark.parametrize("collection_id", range(1, 61))
def test_every_collection_has_the_documented_shape(collection_id: int, steady: Sandbox) -> None:
    """Each of sixty collections, whatever was drawn for it, fits the schema of its full form."""
    operation = SCHEMA["/data-collections/{data_collection_id}"]["GET"]
    case = operation.Case(path_parameters={"data_collection_id": collection_id})

    response = case.call_and_validate(base_url=steady.url, headers={"Authorization": f"Bearer {steady.api_key}"})

    assert 200 == response.status_code


def test_every_summary_has_the_documented_shape(steady: Sandbox) -> None:
    """A listing of the whole account fits the schema of a page."""
    case = SCHEMA["/data-collections"]["GET"].Case(query={"page_size": 60})

    response = case.call_and_validate(base_url=steady.url, headers={"Authorization": f"Bearer {steady.api_key}"})

    assert 60 == response.json()["meta"]["items_on_page"]


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer sk_00000000000000000000000000000000", "Basic c2s6"])
def test_no_request_passes_without_a_key(key: str, steady: Sandbox) -> None:
    """Any other Authorization than the sandbox's own is refused in the documented shape."""
    case = SCHEMA["/data-collections"]["GET"].Case()

    response = case.call(base_url=steady.url, headers={"Authorization": key})

    case.validate_response(response)
    assert (401, ["Bearer"]) == (response.status_code, response.headers["www-authenticate"])
