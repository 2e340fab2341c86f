"""``aegis-async doctor``: why it does not work, as a report for a ticket."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Final

from aegis_async.cli._command import Command

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["DOCTOR"]


def _configure(parser: ArgumentParser) -> None:
    del parser  # it takes nothing of its own


async def _run(options: Namespace, console: "Console") -> int:
    from aegis_async.cli._doctor import run_doctor  # noqa: PLC0415 - not for --help

    del console
    return await run_doctor(options)


DOCTOR: Final = Command(
    name="doctor",
    summary="find out why it does not work",
    description="""\
Check the key, proxies, the base URL, name look-up, TLS, requests, the clocks,
and how an answer differs from what this version knows. The report can be
pasted into a ticket: the key is masked in it. Each request is made once,
whatever --max-attempts and --rate-limit say.""",
    configure=_configure,
    run=_run,
)
