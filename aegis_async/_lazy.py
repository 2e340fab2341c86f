"""Names of a package that are loaded when they are first used."""

from collections.abc import Mapping
from importlib import import_module

__all__ = ["load"]


def load(package: str, homes: Mapping[str, tuple[str, ...]], name: str) -> object:
    """Give a name of a package, from the module of the package that ``homes`` says it is in.

    Raises:
        AttributeError: It is in none of them.
    """
    for module, names in homes.items():
        if name in names:
            value: object = getattr(import_module(f"{package}.{module}"), name)
            return value
    raise AttributeError(f"module {package!r} has no attribute {name!r}")
