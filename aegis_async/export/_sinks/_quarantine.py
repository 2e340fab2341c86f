"""What cannot be decoded is kept byte for byte, with the reason beside it."""

import hashlib

import msgspec

from aegis_async.export._commits import SetAside
from aegis_async.export._layout import QUARANTINE
from aegis_async.export._shelf import Shelf
from aegis_async.export._sinks._protocol import Rejected

__all__ = ["set_aside"]


def set_aside(shelf: Shelf, one: Rejected, number: int) -> SetAside:
    """Write the bytes and the note beside them, which count from a commit on.

    Raises:
        ExportError: They could not be written.
    """
    name = shelf.new_name()
    body = shelf.put(QUARANTINE, name, "body", one.body, rows=1)
    said = {"id": one.id, "sha256": hashlib.sha256(one.body).hexdigest(), "reason": one.reason}
    note = shelf.put(QUARANTINE, name, "json", msgspec.json.encode(said), rows=1)
    return SetAside(one.id, one.reason, number, (body, note))
