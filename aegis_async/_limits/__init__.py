"""How much a client may ask of the service: slots, lanes, rate, pause, and what its retries may cost."""

from aegis_async._limits._adaptive import AdaptiveLimit
from aegis_async._limits._budget import Bucket, Budgets
from aegis_async._limits._gate import Gate
from aegis_async._limits._spacing import Spacing

__all__ = ["AdaptiveLimit", "Bucket", "Budgets", "Gate", "Spacing"]
