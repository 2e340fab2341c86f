"""A driver in a process of its own, which kills itself after so many collections: ``driver.py OUT ADDRESS DONE``."""

import asyncio
import os
import signal
import sys

from aegis_async import AegisClient
from aegis_async.export import Progress, export


async def _main(out: str, address: str, done: int) -> None:
    def told(progress: Progress) -> None:
        if progress.done >= done:
            os.kill(os.getpid(), signal.SIGKILL)

    async with AegisClient() as client:
        await export(client, out, engine="ray", address=address, workers=2, batch_bytes=1, progress=told)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
