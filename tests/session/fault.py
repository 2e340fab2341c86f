"""What a fault of the wire is: how it is made to happen, and what the caller gets."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Final

from aegis_async import Timeout
from aegis_async.errors import AegisError, DecodeError
from tests.session.wire import Answer, Wire, wire

Scene = Callable[[], AbstractAsyncContextManager[Wire]]

QUICK: Final = Timeout(connect=2, read=0.05, attempt=2)
DRIPPED: Final = Timeout(connect=2, read=1, attempt=0.15)
UNCONNECTED: Final = Timeout(connect=0.05, read=5, attempt=5)
PATIENT: Final = Timeout(connect=5, read=5, attempt=10)


@dataclass(frozen=True)
class Fault:
    """One fault and what the caller gets.

    Attributes:
        what: What happens, in words.
        scene: Makes it happen.
        error: The class of the error, exactly.
        says: What its text holds, as a pattern.
        bound: What ends it: the setting, or nothing where the fault is seen at once.
        again: Whether another attempt is made.
        timeout: The limits of the attempt.
        floods: Whether it sends more than anybody should keep.
        options: Further settings of the client.
    """

    what: str
    scene: Scene
    error: type[AegisError]
    says: str
    bound: str = "at once"
    again: bool = True
    timeout: Timeout = PATIENT
    floods: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def row(self) -> tuple[str, str, str, str]:
        """Its row in the docs."""
        again = "once" if self.error is DecodeError else "yes"
        return self.what, f"`{self.error.__name__}`", self.bound, again if self.again else "no"


def sent(*answers: Answer, **how: Any) -> Scene:
    """Make a scene of a server with a script."""
    return lambda: wire(*answers, **how)
