"""A client for which the listing never stands still."""

from aegis_async import AegisClient, Hooks, RequestEvent
from aegis_async.sandbox import Sandbox

__all__ = ["restless"]


def restless(sandbox: Sandbox) -> AegisClient:
    """Give a client; whenever it asks for the first page, one more collection is created after that page."""

    def move(event: RequestEvent) -> None:
        if "?page=1&" in event.url:
            sandbox.drift(after_page=1, add_first=1)

    return AegisClient(sandbox.api_key, base_url=sandbox.url, hooks=Hooks(on_request=move))
