"""Who is measured: each name's module and the settings that its ``connect`` is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

__all__ = ["AHEAD", "ALL", "CALLS", "CONTESTANTS", "CONTROL", "READERS", "Contestant"]


@dataclass(frozen=True, slots=True)
class Contestant:
    """A module of this folder with a ``connect``, and how it is set.

    Attributes:
        module: Its name.
        settings: Arguments of its ``connect`` beside the URL.
        loop: ``"uvloop"``, or that of asyncio.
        without: A module that its process must not find.
    """

    module: str
    settings: Mapping[str, object] = field(default_factory=dict)
    loop: str = "asyncio"
    without: str | None = None


_AHEAD: Final = {f"prefetch={pages}": Contestant("ours", {"prefetch": pages}) for pages in (0, 1, 2, 4, 8, 16)}

CONTESTANTS: Final[Mapping[str, Contestant]] = MappingProxyType(
    {
        "bare": Contestant("bare"),
        "bare again": Contestant("bare"),
        "bare, default Structs": Contestant("bare_changed", {"change": "default Structs"}),
        "aegis_async": Contestant("ours"),
        "sockets alone": Contestant("floor"),
        "httpx + pydantic": Contestant("httpx_pydantic"),
        "githubkit": Contestant("githubkit_pages"),
        "openai-python": Contestant("openai_pages"),
        "aegis_async, no single flight": Contestant("ours", {"single_flight": False}),
        "aegis_async, no single flight, four hooks": Contestant("ours_hooked"),
        "aegis_async, warm cache": Contestant("ours_cached"),
        **_AHEAD,
        "bare, through tenacity": Contestant("bare_changed", {"change": "tenacity"}),
        "bare, URLs as they are": Contestant("bare_changed", {"change": "quoted URLs"}),
        "bare, chunks into one buffer": Contestant("bare_changed", {"change": "chunks"}),
        "bare, a task per id": Contestant("bare_changed", {"change": "tasks"}),
        "bare, isal": Contestant("bare_changed", {"change": "isal"}),
        "bare, uvloop": Contestant("bare", loop="uvloop"),
        "aegis_async, without isal": Contestant("ours", without="isal"),
        "aegis_async, uvloop": Contestant("ours", loop="uvloop"),
    },
)
"""By name. The bare loop stands against itself as a control of the noise."""

CONTROL: Final = ("bare", "bare again", "aegis_async")
READERS: Final = (*CONTROL, "sockets alone", "httpx + pydantic")
ALL: Final = (*READERS, "githubkit", "openai-python")
CALLS: Final = (*CONTROL, "aegis_async, no single flight", "aegis_async, no single flight, four hooks")
AHEAD: Final = tuple(_AHEAD)
