"""What can be asked of the service: fetch and paginate as functions, and one class for each resource on top of them."""

from aegis_async._resources._api import Api, Shared
from aegis_async._resources._paging import PageSize, Paging
from aegis_async._resources._streams import CollectionStream
from aegis_async._resources._watching import Added, Change, Changed, Removed, Watch, WatchCursor
from aegis_async._resources.data_collections import DataCollections

__all__ = [
    "Added",
    "Api",
    "Change",
    "Changed",
    "CollectionStream",
    "DataCollections",
    "PageSize",
    "Paging",
    "Removed",
    "Shared",
    "Watch",
    "WatchCursor",
]
