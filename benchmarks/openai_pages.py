"""openai-python's client machinery, pointed at the service: its page, its paginator and its models."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, Generic, TypeVar

from openai import AsyncOpenAI, BaseModel
from openai._base_client import BaseAsyncPage, BasePage, PageInfo, make_request_options

from aegis_async.models import DataCollection, DataCollectionSummary, PageMeta
from benchmarks.pydantic_models import pydantic_model
from benchmarks.translated import translated
from benchmarks.works import Reader

__all__ = ["connect"]

_ItemT = TypeVar("_ItemT")

_SUMMARY: Final[Any] = translated(DataCollectionSummary, pydantic_model(BaseModel))
_FULL: Final[Any] = translated(DataCollection, pydantic_model(BaseModel))
_META: Final[Any] = translated(PageMeta, pydantic_model(BaseModel))


class _Page(BaseAsyncPage[_ItemT], BasePage[_ItemT], Generic[_ItemT]):  # type: ignore[misc]  # not there for mypy
    items: list[_ItemT]
    meta: _META

    def _get_page_items(self) -> list[_ItemT]:
        return self.items

    def next_page_info(self) -> PageInfo | None:
        number = self.meta.next_page
        return None if number is None else PageInfo(params={"page": number})


class _OpenAI:
    def __init__(self, client: AsyncOpenAI) -> None:
        self._client = client

    async def walk(self, page_size: int, _pages: int) -> int:
        options = make_request_options(query={"page": 1, "page_size": page_size})
        items = 0
        async for _ in self._client.get_api_list(
            "/data-collections", page=_Page[_SUMMARY], model=_SUMMARY, options=options
        ):
            items += 1
        return items

    async def get(self, ids: Iterable[int]) -> int:
        evaluations = 0
        for id_ in ids:
            full = await self._client.get(f"/data-collections/{id_}", cast_to=_FULL)
            evaluations += sum(len(run.evaluations) for run in full.runs)
        return evaluations


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Reader]:
    """Give its client for a base URL."""
    async with AsyncOpenAI(api_key="sk_benchmark", base_url=url) as client:
        yield _OpenAI(client)
