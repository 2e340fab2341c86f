"""The export on Ray: the driver walks the listing and commits, workers fetch and write. Alone imports ray."""

from aegis_async.export._ray._engine import RayEngine

__all__ = ["RayEngine"]
