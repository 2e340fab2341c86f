"""What an engine is asked to do, as the export's caller has said it."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = ["Asked", "EngineName"]

EngineName: TypeAlias = Literal["local", "ray"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an engine is asked to do.

    Attributes:
        engine: Which one.
        workers: How many workers; None for as many as there are CPUs.
        address: Where the cluster is.
        concurrency: Collections at a time, by all workers together.
        shared: Which collections: those shared with the account, its own, or all.
        batch_bytes: The size of bodies from which a batch is written.
        stream_above: Bytes of a body above which a collection is fetched by itself.
        max_outage: Seconds for which a service that does not answer is waited for.
        keys: Further keys of the account, whose limits add to those of the client's.
    """

    engine: EngineName
    workers: int | None
    address: str | None
    concurrency: int
    shared: bool | None
    batch_bytes: int
    stream_above: int
    max_outage: float
    keys: tuple[str, ...] = field(default=(), repr=False)
