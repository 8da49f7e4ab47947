"""GraphQL as clients send it, on the handler of this process or over HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.api import JSON
from tests.desks import NOBODY, Desk
from tests.world import Answer, api_event, call

DOCUMENTS = Path(__file__).parent / "graphql_documents.json"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A document that a client in use sends, and what of the client sends it."""

    client: str
    name: str
    used: str
    document: str


def recorded() -> list[Recorded]:
    """All of them."""
    return [Recorded(**each) for each in json.loads(DOCUMENTS.read_text())]


def ask(
    query: str, variables: dict[str, Any] | None = None, by: Desk = NOBODY, headers: dict[str, str] | None = None
) -> Answer:
    """POST /api."""
    said = {} if by.token is None else {"Authorization": f"Bearer {by.token}"}
    body = json.dumps({"query": query, "variables": variables})
    return call("GraphqlFunction", api_event("POST", "/api", body, {**JSON, **said, **(headers or {})}))


def get(query: str, variables: dict[str, Any] | None = None, **parameters: str) -> Answer:
    """GET /api?query=."""
    given = {"query": query, **({} if variables is None else {"variables": json.dumps(variables)}), **parameters}
    return call("GraphqlFunction", api_event("GET", "/api", None, None, given))


def data(answer: Answer) -> dict[str, Any]:
    """What was answered, if nothing was refused."""
    assert answer.status == 200, answer.body
    assert "errors" not in answer.body, answer.body["errors"]
    found: dict[str, Any] = answer.body["data"]
    return found


def errors(answer: Answer) -> list[tuple[str, str | None, list[Any] | None]]:
    """What was refused: each with its message, code and path."""
    return [
        (error["message"], error.get("extensions", {}).get("code"), error.get("path"))
        for error in answer.body["errors"]
    ]
