"""githubkit's client and its paginator of numbered pages, pointed at the service."""

import warnings
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

from githubkit import GitHub, Response

from aegis_async.models import DataCollection, DataCollectionSummary, Page
from benchmarks.pydantic_models import pydantic_model
from benchmarks.translated import translated
from benchmarks.works import Reader

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # its newer paginator wants links in the head of an answer
    from githubkit.paginator import Paginator

from githubkit.compat import GitHubModel

__all__ = ["connect"]

_PAGE: Final[Any] = translated(Page[DataCollectionSummary], pydantic_model(GitHubModel))
_FULL: Final[Any] = translated(DataCollection, pydantic_model(GitHubModel))


def _items(answer: Response[Any]) -> list[Any]:
    found: list[Any] = answer.parsed_data.items
    return found


class _GitHubKit:
    def __init__(self, github: GitHub[Any]) -> None:
        self._github = github

    async def walk(self, page_size: int, _pages: int) -> int:
        """Walk to the empty page beyond the end, which its paginator asks for too."""

        async def asked(page: int, per_page: int) -> Response[Any]:
            params = {"page": page, "page_size": per_page}
            return await self._github.arequest("GET", "/data-collections", params=params, response_model=_PAGE)

        items = 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            pages = Paginator(asked, 1, page_size, _items)
        async for _ in pages:
            items += 1
        return items

    async def get(self, ids: Iterable[int]) -> int:
        evaluations = 0
        for id_ in ids:
            answer = await self._github.arequest("GET", f"/data-collections/{id_}", response_model=_FULL)
            evaluations += sum(len(run.evaluations) for run in answer.parsed_data.runs)
        return evaluations


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Reader]:
    """Give its client for a base URL, without its cache of answers."""
    async with GitHub("sk_benchmark", base_url=url, http_cache=False) as github:
        yield _GitHubKit(github)
