"""Claims about what users can import: all of it exported, described and in the reference."""

import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import msgspec
import pytest

import aegis_async
from aegis_async.errors import AegisError

ROOT = Path(__file__).parents[1]
PUBLIC = (
    "aegis_async",
    "aegis_async.dashboard",
    "aegis_async.errors",
    "aegis_async.export",
    "aegis_async.models",
    "aegis_async.sandbox",
)
COMMAND_LINE = "aegis_async.cli"  # reached as a command, never imported

NAMES = [(module, name) for module in PUBLIC for name in import_module(module).__all__ if name != "__version__"]
CLASSES = [
    pytest.param(value, id=f"{module}.{name}")
    for module, name in NAMES
    if inspect.isclass(value := getattr(import_module(module), name))
]


def modules() -> Iterator[str]:
    """Give the package and every module in it that has no underscore on its way."""
    yield "aegis_async"
    for found in pkgutil.walk_packages(aegis_async.__path__, "aegis_async."):
        if not any(part.startswith("_") for part in found.name.split(".")[1:]):
            yield found.name


def members(cls: type) -> Iterator[tuple[str, object]]:
    """Give the public methods and properties that a class of this package defines or inherits within it."""
    for base in cls.__mro__:
        if base.__module__.startswith("aegis_async"):
            for name, value in vars(base).items():
                descriptors = (property, cached_property, classmethod, staticmethod)
                kind = inspect.isfunction(value) or isinstance(value, descriptors)
                if kind and not name.startswith("_"):
                    yield name, value


def attributes(cls: type) -> set[str]:
    """Give the names of the values that an instance carries."""
    if issubclass(cls, msgspec.Struct):
        return set(cls.__struct_fields__)
    if is_dataclass(cls):
        return {field.name for field in fields(cls)}
    return set(vars(cls("what happened"))) if issubclass(cls, AegisError) else set()


def described(cls: type) -> set[str]:
    """Give the names that the docstrings of a class and its bases describe, one a line."""
    texts = (inspect.cleandoc(base.__doc__ or "") for base in cls.__mro__)
    return {name for text in texts for name in re.findall(r"^ {4}(\w+): ", text, re.MULTILINE)}


def in_reference(module: str) -> list[str]:
    """Give the names that a module's page of the reference describes."""
    page = (ROOT / "docs" / "reference" / f"{module.rpartition('.')[2]}.rst").read_text(encoding="utf-8")
    return re.findall(r"^\.\. (?:auto|py:)(?!module)\w+:: (\w+)", page, re.MULTILINE)


def run(code: str) -> str:
    """Run ``code`` in a fresh interpreter and give what it prints."""
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own code


def test_users_import_from_six_modules() -> None:
    """Every other module begins with an underscore or belongs to the command line."""
    public = {name for name in modules() if not name.startswith(COMMAND_LINE)}

    assert set(PUBLIC) == public


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_class_and_function_is_exported(module: str) -> None:
    """A class or function of ours that a module shows without an underscore is in its ``__all__``."""
    values = {
        name: value
        for name, value in vars(import_module(module)).items()
        if inspect.isclass(value) or inspect.isfunction(value)
    }

    ours = {n for n, value in values.items() if value.__module__.startswith("aegis_async") and not n.startswith("_")}

    assert ours <= set(import_module(module).__all__)


@pytest.mark.parametrize("module", PUBLIC)
def test_every_exported_name_is_there(module: str) -> None:
    """``__all__`` names nothing twice and nothing that is not there, and ``dir`` shows all of it."""
    loaded = import_module(module)

    assert len(set(loaded.__all__)) == len(loaded.__all__)
    assert all(hasattr(loaded, name) for name in loaded.__all__)
    assert set(loaded.__all__) <= set(dir(loaded))


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The lazy package fails as any module does on a name that it lacks."""
    with pytest.raises(AttributeError, match="module 'aegis_async' has no attribute 'AegisClint'"):
        aegis_async.AegisClint  # noqa: B018 - the point of the test


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_in_the_reference(module: str) -> None:
    """The reference has each exported name once, and no other."""
    assert sorted(import_module(module).__all__) == sorted(in_reference(module))


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_every_public_class_and_function_has_a_docstring(module: str, name: str) -> None:
    """A class or function says what it is; a constant does so in the source and the reference."""
    value = getattr(import_module(module), name)

    assert value.__doc__ or not (inspect.isclass(value) or inspect.isfunction(value))


@pytest.mark.parametrize("cls", CLASSES)
def test_every_public_member_has_a_docstring(cls: type) -> None:
    """So does every public method and property."""
    assert [] == [name for name, value in members(cls) if not value.__doc__]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_attribute_is_described(cls: type) -> None:
    """Each field of a Struct or dataclass and each value that an error carries has a line of its own."""
    assert set() == attributes(cls) - described(cls)


def test_the_version_is_the_metadata() -> None:
    """The version in the code is the version that pip knows."""
    assert version("aegis-async") == aegis_async.__version__


def test_importing_loads_nothing_heavy() -> None:
    """The client alone needs no Arrow, no terminal, no pytest and no sandbox."""
    loaded = run("import sys, aegis_async; aegis_async.AegisClient; print(*sys.modules)").split()

    assert set() == {
        "pyarrow",
        "rich",
        "pytest",
        "aegis_async.sandbox",
        "aegis_async.export",
        "aegis_async.dashboard",
        "aegis_async._spark",
        "pyspark",
    } & set(loaded)


def test_importing_begins_nothing() -> None:
    """No thread, no event loop and no output come from importing all that is public."""
    code = f"""
import asyncio, importlib, threading
for name in {PUBLIC!r}:
    module = importlib.import_module(name)
    for each in module.__all__:
        getattr(module, each)
print(threading.active_count(), asyncio._get_running_loop())
"""

    assert "1 None\n" == run(code)
