"""A real fake of the service for tests and trials: a loopback server over a made-up account.

It imports nothing else of the package and builds its answers from documents of its own, so that a wrong model
cannot pass because both sides share it.

Example:
    >>> from aegis_async.sandbox import Sandbox
    >>> with Sandbox(collections=3) as sandbox:
    ...     sandbox.fail(status=503, retry_after=1)
    ...     environment = sandbox.env
"""

from aegis_async.sandbox._sandbox import Sandbox
from aegis_async.sandbox._wire import RecordedRequest

__all__ = ["RecordedRequest", "Sandbox"]
