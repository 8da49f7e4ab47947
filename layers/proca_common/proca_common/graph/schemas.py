"""The two schemas: what widgets ask for, and everything. The second is made when something first needs it."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

from graphql import GraphQLObjectType, GraphQLSchema, build_schema

from proca_common.graph import scalars

TEXTS = Path(__file__).parent / "schema"


@cache
def public() -> GraphQLSchema:
    """What anybody may ask for."""
    return _made("public")


@cache
def full() -> GraphQLSchema:
    """Everything."""
    return _made("public", "private")


def _made(*parts: str) -> GraphQLSchema:
    text = "\n".join((TEXTS / f"{part}.graphql").read_text() for part in parts)
    schema = build_schema(text, assume_valid=True, assume_valid_sdl=True)
    scalars.complete(schema)
    for part in parts:
        for type_name, fields in import_module(f"proca_common.graph.{part}_fields").FIELDS.items():
            kind = schema.type_map[type_name]
            if not isinstance(kind, GraphQLObjectType):
                raise TypeError(f"{type_name} has no fields to resolve")
            for name, resolve in fields.items():
                kind.fields[name].resolve = resolve
    return schema
