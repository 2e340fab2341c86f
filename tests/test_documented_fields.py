"""The service's description, the models and the sandbox, field by field; what differs on purpose is listed here."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import schemathesis
from msgspec import inspect as types

from aegis_async import AegisClient, models
from aegis_async.sandbox import Sandbox

SCHEMAS = schemathesis.openapi.from_path(Path(__file__).parent / "api" / "openapi.yaml").raw_schema["components"][
    "schemas"
]
MODELS: dict[str, tuple[type[msgspec.Struct], ...]] = {
    "Error": (),  # its text goes into an error's
    "User": (models.User,),
    "Lookup": (models.RunType, models.RunSource),
    "PageMeta": (models.PageMeta,),
    "DataCollectionPage": (models.Page[models.DataCollectionSummary],),
    "DatasetSummary": (models.DatasetSummary,),
    "Dataset": (models.Dataset,),
    "RunSummary": (models.RunSummary,),
    "Run": (models.Run,),
    "Evaluation": (models.Evaluation,),
    "DataCollectionSummary": (models.DataCollectionSummary,),
    "DataCollection": (models.DataCollection,),
}
# Beyond the description: an answer that is flattened has nothing but one of these.
FLATTENED: dict[type[msgspec.Struct], tuple[str, ...]] = {
    models.User: ("id",),
    models.RunType: models.RunType.__struct_fields__,
    models.RunSource: models.RunSource.__struct_fields__,
}
KINDS: dict[type[types.Type], str] = {
    types.IntType: "integer",
    types.FloatType: "number",
    types.StrType: "string",
    types.BoolType: "boolean",
    types.DateTimeType: "date-time",
    types.DecimalType: "decimal",
    types.DictType: "object",
    types.CollectionType: "object",
}


def documented(name: str) -> dict[str, Any]:
    """Give the fields of a schema, those of what it extends first."""
    schema = SCHEMAS[name]
    found: dict[str, Any] = {}
    for part in schema.get("allOf", [schema]):
        found |= documented(part["$ref"].rpartition("/")[2]) if "$ref" in part else part["properties"]
    return found


def described(field: dict[str, Any]) -> tuple[str, bool]:
    """Give the kind of a documented field, and whether it may be null."""
    if "oneOf" in field:
        (one,) = (each for each in field["oneOf"] if each != {"type": "null"})
        return described(one)[0], {"type": "null"} in field["oneOf"]
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2], False
    kind, *null = field["type"] if isinstance(field["type"], list) else [field["type"]]
    if kind == "array":
        return f"array of {described(field['items'])[0]}", bool(null)
    return "decimal" if "pattern" in field else str(field.get("format", kind)), bool(null)


def modelled(field: types.Type) -> tuple[str, bool]:
    """Give the same of a field of a model."""
    if isinstance(field, types.Metadata):
        return modelled(field.type)
    if isinstance(field, types.UnionType):
        (one,) = (each for each in field.types if not isinstance(each, types.NoneType))
        return modelled(one)[0], True
    if isinstance(field, types.StructType):
        return next(name for name, structs in MODELS.items() if field.cls in structs), False
    if isinstance(field, types.VarTupleType):
        return f"array of {modelled(field.item_type)[0]}", False
    return KINDS[type(field)], False


def is_laxer(struct: type[msgspec.Struct], name: str) -> bool:
    """Tell whether a model takes null on purpose where the description has none."""
    older = name == "author_email" or (name == "created_at" and struct is models.DatasetSummary)
    return older or name in FLATTENED.get(struct, ())


PAIRS = [pytest.param(name, struct, id=f"{name}-{struct.__name__}") for name, all_ in MODELS.items() for struct in all_]


def test_every_schema_has_its_model() -> None:
    """A schema that is new in the description, or gone from it, fails here first."""
    assert set(SCHEMAS) == set(MODELS)


@pytest.mark.parametrize(("name", "struct"), PAIRS)
def test_every_model_has_the_documented_fields(name: str, struct: type[msgspec.Struct]) -> None:
    """Names, kinds and what may be null are those of the description, but for what older revisions lack."""
    info = types.type_info(struct)
    assert isinstance(info, types.StructType)

    expected = {field: described(shape) for field, shape in documented(name).items()}
    expected = {field: (kind, null or is_laxer(struct, field)) for field, (kind, null) in expected.items()}

    assert expected == {field.encode_name: modelled(field.type) for field in info.fields}


def test_the_head_of_a_stream_is_the_collection_without_its_runs() -> None:
    """What ``stream`` gives first has every field of a collection but the runs."""
    fields = [name for name in models.DataCollection.__struct_fields__ if name != "runs"]

    assert fields == list(models.DataCollectionHead.__struct_fields__)


@pytest.fixture(scope="module")
def served() -> dict[str, list[Any]]:
    """Every object that a sandbox of sixty collections serves, by the name of its schema."""

    async def fetched() -> list[tuple[str, Any]]:
        with Sandbox(collections=60) as sandbox:
            async with AegisClient(sandbox.api_key, base_url=sandbox.url) as client:
                pages = [
                    await client.fetch("/data-collections", bytes, {"page": number, "page_size": 20})
                    for number in (1, 2, 3)
                ]
                fulls = [await client.fetch(f"/data-collections/{number}", bytes) for number in range(1, 61)]
        bodies = {"DataCollectionPage": pages, "DataCollection": fulls}
        return [(name, msgspec.json.decode(body)) for name, each in bodies.items() for body in each]

    found: dict[str, list[Any]] = {name: [] for name in MODELS}
    for name, document in asyncio.run(fetched()):
        for inner, value in objects(name, document):
            found[inner].append(value)
    return found


def objects(name: str, document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a document and every object in it, each with the name of its schema."""
    yield name, document
    for field, shape in documented(name).items():
        inner = described(shape)[0].removeprefix("array of ")
        value = document.get(field)
        if inner in MODELS and value is not None:
            for each in value if isinstance(value, list) else [value]:
                yield from objects(inner, each)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "Error"])
def test_the_sandbox_serves_the_documented_fields(name: str, served: dict[str, list[Any]]) -> None:
    """Each object has every documented field and no other; each field has a value somewhere, and null where it may."""
    shapes = documented(name)
    empty = {field for field, shape in shapes.items() if described(shape)[1]}

    assert {frozenset(shapes)} == {frozenset(each) for each in served[name]}
    assert set(shapes) == {field for each in served[name] for field, value in each.items() if value is not None}
    assert empty == {field for each in served[name] for field, value in each.items() if value is None}
