"""From a query to its answer. Documents that were sound are remembered: a widget sends the same ones all the time."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    execute_sync,
    parse,
    specified_rules,
    validate,
)
from graphql.language import OperationType
from graphql.utilities import get_operation_ast

from proca_common.graph import limits, schemas
from proca_common.graph.casing import camel_document, camel_variables
from proca_common.graph.context import Context
from proca_common.graph.errors import Told, told
from proca_common.graph.requests import Query

MAX_KNOWN = 120_000
"""Characters of all documents that are remembered: three times what the clients in use send. A character takes up to
300 bytes as a document.
"""
MAX_ERRORS = 20
ONLY_POST = "Can only perform a mutation from a POST request"
SUGGESTION = re.compile(r" Did you mean .*\?$")


class MethodNotAllowed(Exception):
    """A mutation came by GET (405)."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A document that a schema can answer."""

    document: DocumentNode
    schema: GraphQLSchema


class Remembered:
    """Sound documents by their text and whether staff asked; those asked for longest ago go first."""

    def __init__(self, most: int) -> None:
        self._most, self.size = most, 0
        self._known: OrderedDict[tuple[str, bool], Sound] = OrderedDict()

    def get(self, text: str, everything: bool) -> Sound | None:
        """A document that was remembered."""
        known = self._known.get((text, everything))
        if known is not None:
            self._known.move_to_end((text, everything))
        return known

    def put(self, text: str, everything: bool, sound: Sound) -> None:
        """Remember a document."""
        self._known[text, everything] = sound
        self.size += len(text)
        while self.size > self._most:
            (gone, _), _ = self._known.popitem(last=False)
            self.size -= len(gone)


_known = Remembered(MAX_KNOWN)


def answer(query: Query, context: Context, *, introspection: bool = False) -> dict[str, Any]:
    """What is asked, and what was refused of it, in the form of GraphQL. Raises `MethodNotAllowed`."""
    sound = _sound(query.text, everything=context.caller is not None, introspection=introspection)
    if isinstance(sound, list):
        return {"errors": _said(sound, introspection=introspection)}
    operation = get_operation_ast(sound.document, query.operation)
    if operation is None:
        return {"errors": [{"message": "Must provide the name of one operation of the document"}]}
    if query.is_get and operation.operation is not OperationType.QUERY:
        raise MethodNotAllowed(ONLY_POST)
    result = execute_sync(
        sound.schema,
        sound.document,
        context_value=context,
        variable_values={name: camel_variables(value) for name, value in query.variables.items()},
        operation_name=query.operation,
    )
    answered: dict[str, Any] = {"data": result.data}
    if result.errors:
        answered["errors"] = _said(result.errors, introspection=introspection)
        if result.data is None and all(error.path is None for error in result.errors):
            del answered["data"]
    return answered


def _sound(text: str, *, everything: bool, introspection: bool) -> Sound | list[GraphQLError]:
    known = _known.get(text, everything)
    if known is not None:
        return known
    try:
        document = parse(text, max_tokens=limits.MAX_TOKENS, no_location=False)
        limits.check(document)
    except GraphQLError as error:
        return [error]
    except RecursionError:
        return [GraphQLError("The query is nested too deep")]
    if "_" in text:
        document = camel_document(document)
    rules = specified_rules if introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
    schema = schemas.full() if everything else schemas.public()
    errors = validate(schema, document, rules, max_errors=MAX_ERRORS)
    if errors and not everything:  # it may be sound, and refused only in part
        schema = schemas.full()
        errors = validate(schema, document, rules, max_errors=MAX_ERRORS)
    if errors:
        return errors
    sound = Sound(document, schema)
    _known.put(text, everything, sound)
    return sound


def _said(errors: Iterable[GraphQLError], *, introspection: bool) -> list[Told]:
    """What is said of errors; without names of the schema that were not asked for, unless it is told."""
    said = [each for error in errors for each in told(error)]
    return said if introspection else [{**each, "message": SUGGESTION.sub("", each["message"])} for each in said]


def is_public(query: Query) -> bool:
    """Whether a query that an unknown caller was answered only reads what anybody may see."""
    known = _known.get(query.text, everything=False)
    return known is not None and known.schema is schemas.public()
