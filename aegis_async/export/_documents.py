"""A collection as the export decodes it: what an evaluation carries stays the text that it came as.

Its column is a text anyway. Objects made of it, and text made of these again, would take longer, and a thousand objects
at a time are what the garbage collector looks for.
"""

from contextlib import suppress
from operator import attrgetter, itemgetter
from typing import Final

import msgspec

from aegis_async._decode import BROKEN
from aegis_async.models import DataCollection, Evaluation, Run

__all__ = ["NOTHING", "Texts"]

NOTHING: Final = b"null"

_BEGINS: Final = frozenset((b"{"[0], NOTHING[0]))
_metadata: Final = attrgetter("eval_metadata")
_first: Final = itemgetter(0)


class _Evaluation(Evaluation, frozen=True, gc=False):
    eval_metadata: msgspec.Raw  # type: ignore[assignment]  # the text of what it is


class _Run(Run, frozen=True, gc=False, kw_only=True):
    evaluations: tuple[_Evaluation, ...]


class _Collection(DataCollection, frozen=True, gc=False):
    runs: tuple[_Run, ...]


class Texts:
    """Decodes collections whose evaluations keep ``eval_metadata`` as a ``msgspec.Raw``, null included."""

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(_Collection).decode

    def __call__(self, body: bytes) -> DataCollection | None:
        """Decode a body that is sound and of the documented shape, and give None for any other."""
        with suppress(*BROKEN):
            collection = self._decode(body)
            if all(map(_is_sound, collection.runs)):
                return collection
        return None


def _is_sound(run: _Run) -> bool:
    begins = map(_first, map(bytes, map(_metadata, run.evaluations)))
    costs = (evaluation.evaluation_cost for evaluation in run.evaluations)
    return _BEGINS.issuperset(begins) and all(cost is None or cost.is_finite() for cost in costs)
