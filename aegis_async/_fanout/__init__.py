"""From ids to values, many at once: a fixed pool of workers over a lazily read source."""

from aegis_async._fanout._fan_out import FanOut
from aegis_async._fanout._job import FanOutStats, Job, OnProgress, Outcome
from aegis_async._fanout._results import FanOutIterator, OutcomeIterator

__all__ = ["FanOut", "FanOutIterator", "FanOutStats", "Job", "OnProgress", "Outcome", "OutcomeIterator"]
