"""The same records as pydantic models."""

import msgspec
import pydantic

from benchmarks.translated import Field, Make

__all__ = ["pydantic_model"]


def pydantic_model(base: type[pydantic.BaseModel] = pydantic.BaseModel) -> Make:
    """Give what makes pydantic models."""

    def make(name: str, fields: list[Field]) -> type:
        given = {field: (kind, ... if default is msgspec.NODEFAULT else default) for field, kind, default in fields}
        return pydantic.create_model(name, __base__=base, **given)  # type: ignore[no-any-return]  # by name

    return make
