"""GraphQL over HTTP, as the clients in use speak it: from a request of API Gateway to a query. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from proca_common.documents import json_object
from proca_common.failures import Malformed

MAX_QUERY = 20_000
"""Characters of a document."""
NO_QUERY = "No query document supplied"
TOO_LONG = f"Query document should be at most {MAX_QUERY} character(s)"
BAD_VARIABLES = "The variables are no JSON object"


class BadRequest(Exception):
    """The request holds no query that could be worked on; `status` is that of HTTP."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked. `variables` have the names of the schema; `is_get`: nothing may be changed."""

    text: str
    variables: dict[str, Any] = field(default_factory=dict)
    operation: str | None = None
    extensions: dict[str, Any] = field(default_factory=dict)
    is_get: bool = False


def of_parameters(given: dict[str, str]) -> Query:
    """The query of a GET. Other parameters than those of GraphQL say nothing. Raises `BadRequest`."""
    return _query(given, is_get=True)


def of_body(body: bytes) -> Query:
    """The query of a POST: one, for there are no batches. Raises `BadRequest`."""
    try:
        return _query(json_object(body), is_get=False)
    except Malformed as error:
        raise BadRequest(str(error)) from None


def _query(given: dict[str, Any], *, is_get: bool) -> Query:
    text = given.get("query")
    if not isinstance(text, str) or not text.strip():
        raise BadRequest(NO_QUERY)
    if len(text) > MAX_QUERY:
        raise BadRequest(TOO_LONG)
    operation = given.get("operationName")
    return Query(
        text,
        _object(given.get("variables")),
        operation if isinstance(operation, str) and operation else None,
        _object(given.get("extensions")),
        is_get,
    )


def _object(given: Any) -> dict[str, Any]:
    """An object, or its JSON text; nothing where there is none."""
    if isinstance(given, str) and given.strip():
        try:
            return json_object(given.encode())
        except Malformed:
            raise BadRequest(BAD_VARIABLES) from None
    if given is None or given == "":
        return {}
    if not isinstance(given, dict):
        raise BadRequest(BAD_VARIABLES)
    return given
