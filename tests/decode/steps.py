"""Collections that are cut into small pieces, and decoding that is gone through step by step."""

from typing import Any, Final

from aegis_async._decode import PiecewiseDecoder
from tests.decode.documents import collection

__all__ = ["PIECE", "finished", "grown", "stepped"]

PIECE: Final = 2048  # bytes: small enough for small documents to be cut at every depth


def stepped(decoder: PiecewiseDecoder[Any], body: bytes | bytearray) -> tuple[Any, list[object]]:
    """Give what a decoder makes of a body in steps, and the steps."""
    return finished(decoder.steps(body))


def finished(steps: Any) -> tuple[Any, list[object]]:
    """Take every step, and give the result and the steps."""
    results: list[Any] = []

    def kept() -> Any:
        results.append((yield from steps))

    taken = list(kept())
    return results[0], taken


def grown(*, runs: int, evaluations: int, last: dict[str, Any] | None = None) -> Any:
    """Give the page's collection with more runs, each with more evaluations, the very last one bent."""
    document = collection()
    run = document["runs"][0]
    evaluation = run["evaluations"][0]
    document["runs"] = [
        run | {"id": r, "evaluations": [evaluation | {"id": e} for e in range(evaluations)]} for r in range(runs)
    ]
    document["runs"][-1]["evaluations"][-1] |= last or {}
    return document
