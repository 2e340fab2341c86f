"""One call on its way: what was asked, in which lane, until when, and what it is doing now."""

from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

import msgspec

from aegis_async._config import RetryPolicy, Timeout
from aegis_async._deadline import Deadline, Phase
from aegis_async._decode import Decode
from aegis_async._hooks import Priority
from aegis_async._session._request import Request

__all__ = ["Call", "Options", "Timings"]

T = TypeVar("T")


class Options(msgspec.Struct, frozen=True):
    """What a view on the client may change for its calls.

    Attributes:
        timeout: Of one attempt.
        retry: How often and after how long a failed attempt is made again.
        deadline: Seconds for each call as a whole.
        priority: The lane of every call; None leaves it to the kind of call.
    """

    timeout: Timeout
    retry: RetryPolicy
    deadline: float | None = None
    priority: Priority | None = None


class Timings(msgspec.Struct):
    """How long the parts of one attempt took, in seconds; None for what has not happened."""

    slot: float | None = None
    connect: float | None = None
    first_byte: float | None = None
    body: float | None = None
    decode: float | None = None
    on_wire: bool = False


Answer: TypeAlias = tuple[int | None, str | None, int | None]
"""Status, request id and size."""


class Call(Generic[T]):
    """One call.

    Attributes:
        phase: What it is doing, or did last.
        waits_until: When the wait that it is in will end, where that is known.
        attempts: Attempts begun.
        cut: Whether the deadline leaves the present attempt less than its own limit.
        size: Bytes of the answer's body.
        etag: Its ``ETag``, noted where it is kept and can be sent back.
        keeps_etag: Whether it is.
        answer: What came of the present attempt; noted only where somebody watches.
        timings: How long its parts took; likewise.
        number: What tells it from other calls; likewise.
        on_wait: Hears of each wait whose end is known: the phase and the instant.
    """

    __slots__ = (
        "answer",
        "attempts",
        "bulk",
        "cut",
        "deadline",
        "decode",
        "etag",
        "keeps_etag",
        "number",
        "on_wait",
        "options",
        "phase",
        "request",
        "size",
        "timings",
        "waits_until",
    )

    def __init__(self, request: Request, decode: Decode[T], options: Options, *, bulk: bool) -> None:
        self.request: Request = request
        self.decode: Decode[T] = decode
        self.options: Options = options
        self.bulk: bool = bulk if options.priority is None else options.priority == "bulk"
        self.deadline: Deadline | None = None
        self.phase: Phase = "slot"
        self.waits_until: float | None = None
        self.attempts: int = 0
        self.cut: bool = False
        self.size: int = 0
        self.etag: str | None = None
        self.keeps_etag: bool = False
        self.answer: Answer = (None, None, None)
        self.number: int = 0
        self.timings: Timings | None = None
        self.on_wait: Callable[[Phase, float], None] | None = None

    @property
    def which(self) -> str:
        """Which attempt it is at, for messages."""
        return f"(attempt {self.attempts} of {self.options.retry.max_attempts})"

    def begin(self, *, cut: bool) -> None:
        """Begin an attempt, ``cut`` short by the deadline or not."""
        self.attempts += 1
        self.cut = cut
        self.answer = (None, None, None)
        self.phase, self.waits_until = "attempt", None

    def wait(self, phase: Phase, until: float) -> None:
        """Begin a wait that ends at ``until``.

        Raises:
            DeadlineExceededError: The deadline comes first.
        """
        self.phase, self.waits_until = phase, until
        if self.deadline is not None and until >= self.deadline.at:
            raise self.deadline.error(self.request, phase, self.attempts)
        if self.on_wait is not None:
            self.on_wait(phase, until)

    def hold(self, until: float) -> None:
        """Hear at the gate that the client pauses until that instant.

        Raises:
            DeadlineExceededError: The deadline comes first.
        """
        self.wait("pause", until)
