"""What cannot be decoded is kept byte for byte, with the reason beside it."""

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from aegis_async.export._batches import Rejected
from aegis_async.export._commits import Part
from aegis_async.export._layout import QUARANTINE
from aegis_async.export._report import Quarantined
from aegis_async.export._sinks import PutPart

__all__ = ["Quarantine"]


class Quarantine:
    """Keeps bodies that become no rows.

    Args:
        put: Writes a part of this run.
    """

    def __init__(self, put: PutPart) -> None:
        self._put = put
        self._number = 0
        self.kept: list[Quarantined] = []

    def write(self, rejected: Iterable[Rejected]) -> Iterator[Part]:
        """Write each body and its reason, and give the parts.

        Raises:
            ExportError: One could not be written.
        """
        for one in rejected:
            self._number += 1
            body = self._put(QUARANTINE, self._number, "body", one.body, rows=1)
            yield body
            note = {"id": one.id, "sha256": hashlib.sha256(one.body).hexdigest(), "reason": one.reason}
            yield self._put(QUARANTINE, self._number, "json", msgspec.json.encode(note), rows=1)
            self.kept.append(Quarantined(one.id, one.reason, body.path))
