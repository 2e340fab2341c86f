"""Further keys of the account: what can be one, and whether it sees what the client's own sees."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from aegis_async._client import recipe_of
from aegis_async._config import checked_key
from aegis_async._resources.data_collections import list_items
from aegis_async.errors import AegisError, AuthenticationError, ConfigurationError, ExportError, InvalidArgumentError
from aegis_async.export._source import key_of

if TYPE_CHECKING:
    from aegis_async._client import AegisClient

__all__ = ["checked_keys", "see_the_same"]

_Seen: TypeAlias = tuple[int, int | bytes | None]


def checked_keys(client: "AegisClient", keys: Iterable[str]) -> tuple[str, ...]:
    """Give the further keys, each without the whitespace around it.

    Raises:
        InvalidArgumentError: They are no iterable of keys.
        ConfigurationError: One can be no key, or is there already; the text names its place alone.
    """
    if isinstance(keys, str | bytes) or not isinstance(keys, Iterable):
        raise InvalidArgumentError(f"keys must be an iterable of keys, not {type(keys).__name__}")
    checked = [checked_key(f"keys[{place}]", key) for place, key in enumerate(keys)]
    seen = {recipe_of(client).key} if checked else set[str]()
    for place, key in enumerate(checked):
        if key in seen:
            raise ConfigurationError(f"keys[{place}] is the client's own or comes twice: it has one limit all the same")
        seen.add(key)
    return tuple(checked)


async def see_the_same(client: "AegisClient", keys: tuple[str, ...], *, shared: bool | None) -> None:
    """Find out, with a listing of one item, whether every key sees as many collections and the same first one.

    Raises:
        ExportError: One does not, or cannot list.
        AegisError: The client's own key cannot list.
    """
    if not keys:
        return
    recipe = recipe_of(client)
    before = await _seen(client, shared=shared)
    seen = await asyncio.gather(*(_seen_with(recipe.with_key(key).client(1), shared=shared) for key in keys))
    own = (before, await _seen(client, shared=shared))  # the account may have moved meanwhile
    for place, one in enumerate(seen):
        if isinstance(one, AuthenticationError):
            raise ExportError(f"the service refused keys[{place}]: {one}")
        if isinstance(one, AegisError):
            raise ExportError(f"keys[{place}] cannot list the account: {one}")
        if one not in own:
            raise ExportError(f"keys[{place}] does not see the same account as the client's key: every key must")


async def _seen_with(client: "AegisClient", *, shared: bool | None) -> _Seen | AegisError:
    async with client:
        try:
            return await _seen(client, shared=shared)
        except AegisError as error:
            return error


async def _seen(client: "AegisClient", *, shared: bool | None) -> _Seen:
    """Give how many collections are listed, and the id of the first one."""
    page = await list_items(client.data_collections, key_of, page_size=1, prefetch=0, shared=shared)
    return page.meta.total_items, key_of(page.items[0]) if page.items else None
