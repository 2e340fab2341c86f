"""The table of commands: a new one is a file here and a line below."""

from typing import Final

from aegis_async.cli._command import Command
from aegis_async.cli._commands._dashboard import DASHBOARD
from aegis_async.cli._commands._doctor import DOCTOR
from aegis_async.cli._commands._export import EXPORT
from aegis_async.cli._commands._get import GET
from aegis_async.cli._commands._list import LIST
from aegis_async.cli._commands._report import REPORT
from aegis_async.cli._commands._sandbox import SANDBOX
from aegis_async.cli._commands._verify import VERIFY

__all__ = ["COMMANDS", "Command"]

COMMANDS: Final = (LIST, GET, EXPORT, VERIFY, REPORT, DASHBOARD, SANDBOX, DOCTOR)
