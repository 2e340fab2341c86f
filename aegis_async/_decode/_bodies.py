"""Large bodies copied, and given back to the system, in parts: all at once would block the loop."""

import asyncio
from typing import Final

__all__ = ["COPIED", "as_bytes", "release"]

COPIED: Final = 1 << 22  # bytes: some 3 ms, most of it spent by the system on fresh memory
_FREED_AT_ONCE: Final = 1 << 26  # bytes: some 4 ms


async def as_bytes(body: bytes | bytearray) -> bytes:
    """Give a body as bytes; a bytearray is empty afterwards."""
    if isinstance(body, bytes):
        return body
    if len(body) <= COPIED:
        whole = bytes(body)
        body.clear()
        return whole
    parts: list[bytes] = []
    for start in range(0, len(body), COPIED):
        with memoryview(body) as view:
            parts.append(bytes(view[start : start + COPIED]))
        await asyncio.sleep(0)
    await release(body)
    joined = await asyncio.to_thread(b"".join, parts)  # which gives up the interpreter's lock, as copying does not
    while parts:
        parts.pop()
        await asyncio.sleep(0)
    return joined


async def release(body: bytes | bytearray) -> None:
    """Let go of what a bytearray holds, by halves, since it gives back nothing before it is less than half full."""
    while isinstance(body, bytearray) and len(body) > _FREED_AT_ONCE:
        del body[(len(body) - 1) // 2 :]
        await asyncio.sleep(0)
    if isinstance(body, bytearray):
        body.clear()
