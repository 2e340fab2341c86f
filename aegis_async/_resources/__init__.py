"""What can be asked of the service: fetch and paginate as functions, and one class for each resource on top of them.

Here is the table of them: a resource is its module and its rows below, which make it a property of the client and its
names those of the package. Nothing is loaded before it is used.
"""

from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aegis_async._lazy import load

if TYPE_CHECKING:
    from aegis_async._resources._api import Api
    from aegis_async._resources._streams import CollectionStream
    from aegis_async._resources._watching import Added, Changed, Removed, Watch, WatchCursor
    from aegis_async._resources.data_collections import DataCollections

__all__ = ["Added", "Changed", "CollectionStream", "DataCollections", "Removed", "Watch", "WatchCursor"]

_HOMES: Final = MappingProxyType(
    {
        "_streams": ("CollectionStream",),
        "_watching": ("Added", "Changed", "Removed", "Watch", "WatchCursor"),
        "data_collections": ("DataCollections",),
    }
)


class Resources:
    """What the client inherits: a property for each resource, made when it is first used."""

    _api: "Api"

    @cached_property
    def data_collections(self) -> "DataCollections":
        """The data collections, with ``list``, ``get`` and ``get_many``."""
        from aegis_async._resources.data_collections import DataCollections  # noqa: PLC0415 - the table loads nothing

        return DataCollections(self._api)


def __getattr__(name: str) -> object:
    """Load the name that is asked for the first time."""
    value = globals()[name] = load(__name__, _HOMES, name)
    return value
