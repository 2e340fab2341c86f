"""One collection's body, byte for byte, and how it is shown to people."""

import msgspec

from aegis_async import AegisClient
from aegis_async._resources.data_collections import CollectionBody, get_bodies
from aegis_async.cli._terminal import plain

__all__ = ["fetched_body", "indented"]


async def fetched_body(client: AegisClient, id_: int) -> CollectionBody:
    """Give the body of one collection, with the error of one that does not decode.

    Raises:
        AegisError: It could not be fetched.
    """
    (body,) = await get_bodies(client.data_collections, [id_]).collect()
    return body


def indented(body: bytes) -> bytes:
    """Give JSON with one field a line, and nothing in it that could steer a terminal."""
    return plain(msgspec.json.format(body, indent=2).decode()).encode() + b"\n"
