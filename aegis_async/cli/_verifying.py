"""The check of an export as a command: a line for each fault."""

import asyncio
from argparse import Namespace
from typing import Final

from aegis_async.cli._connect import connected
from aegis_async.cli._terminal import one_line, plain, write_out
from aegis_async.export import compare, verify

__all__ = ["run_verify"]

_FAULTY: Final = 1


async def run_verify(options: Namespace) -> int:
    """Check an export, print what is wrong with it, and give the exit status."""
    faults = await asyncio.to_thread(verify, options.out)
    if options.against_service:
        async with connected(options) as client:
            faults += await compare(client, options.out, shared=options.shared)
    text = "".join(f"{one_line(fault)}\n" for fault in faults) or f"{options.out} is whole\n"
    await write_out(plain(text).encode())
    return _FAULTY if faults else 0
