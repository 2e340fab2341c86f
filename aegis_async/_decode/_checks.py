"""What must hold of a value beyond its types: msgspec has no constraint that forbids a Decimal's NaN and Infinity."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from aegis_async import models

__all__ = ["CHECKS"]


def _collection(collection: models.DataCollection) -> None:
    for r, run in enumerate(collection.runs):
        _costs(run.evaluations, "$.runs[{}].evaluations", r)


def _runs(runs: tuple[models.Run, ...]) -> None:
    for r, run in enumerate(runs):
        _costs(run.evaluations, "$[{}].evaluations", r)


def _run(run: models.Run) -> None:
    _costs(run.evaluations, "$.evaluations")


def _costs(evaluations: tuple[models.Evaluation, ...], path: str = "$", *at: int) -> None:
    for e, evaluation in enumerate(evaluations):
        cost = evaluation.evaluation_cost
        if cost is not None and not cost.is_finite():
            where = f"{path.format(*at)}[{e}].evaluation_cost"
            raise msgspec.ValidationError(f"Expected a finite number, got {cost} - at `{where}`")


CHECKS: Final[Mapping[Any, Callable[[Any], None]]] = MappingProxyType(
    {
        models.DataCollection: _collection,
        models.Run: _run,
        tuple[models.Run, ...]: _runs,
        tuple[models.Evaluation, ...]: _costs,
    }
)
"""Each raises ``msgspec.ValidationError``, as decoding does."""
