"""Puts the document together."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import TypeAdapter

from proca_common.http.problems import CONTENT_TYPE as PROBLEM_TYPE
from proca_common.http.problems import TYPE
from proca_common.http.requests import MAX_BODY_BYTES
from proca_common.http.shapes import ProblemDetails
from tools.openapi import management
from tools.openapi.endpoints import ENDPOINTS, Endpoint
from tools.openapi.examples import EXAMPLES, Example, generic, problem
from tools.openapi.limits import limits
from tools.openapi.parameters import HEADERS, PARAMETERS
from tools.openapi.problems import CODES, PROBLEMS

Json = dict[str, Any]

JSON_TYPE = "application/json"
SCHEMAS = "#/components/schemas/"
RESPONSES = "#/components/responses/"
PROBLEM = SCHEMAS + ProblemDetails.__name__
REFERENCE = re.compile(r" \((?:domain|design)[^)]*\)")
DESCRIPTION = """\
What a widget on a campaign's page may call, without authentication, and what those who run campaigns call, who say who
they are. Errors are problems of RFC 9457 and name every
broken rule at once. Nothing is stored when anything is refused, and no answer depends on what is stored about a person.
Fields that are not in a schema are refused, except in `customFields`. New fields may come in answers. Links in mails
lead to pages for people, those of supporters (`/link/...`) and, where no front end has them, those of accounts
(`/account/...`); they are not described here: only whoever got one may use it. GraphQL, for clients that speak it, is
at `/api`."""
TAGS = {
    "Actions": "Taking signatures and what people do afterwards.",
    "Payments": "What only the key of the page's org may create at a payment service.",
    "Pages": "What a widget needs to show itself.",
    "Campaigns": "What anybody may see of campaigns: numbers, and actions where campaigns show them.",
    management.TAG: "For those who run campaigns; the bodies are told in `docs/management.md`.",
    "System": "For monitors and developers.",
}


def text() -> str:
    """The document as it is committed and served."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def document() -> Json:
    """The document as JSON, for the caller to keep: the tables that it was made of stay as they are."""
    paths: Json = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    for managed in management.MANAGED:
        paths.setdefault(f"/v1{managed.path}", {})[managed.method.lower()] = management.operation(managed, _reference)
    made = {
        "openapi": "3.1.1",
        "info": {"title": "Campaign actions", "version": "1", "description": DESCRIPTION},
        # Relative to where this document is served, which is inside the stage.
        "servers": [{"url": "../", "description": "The instance that serves this document."}],
        "tags": [{"name": name, "description": said} for name, said in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "responses": {code: _problem_response(code) for code in PROBLEMS if RESPONSES + code in str(paths)},
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "securitySchemes": management.SECURITY,
        },
    }
    return copy.deepcopy(made)


def _reference(code: str) -> Json:
    return {str(PROBLEMS[code].status): {"$ref": RESPONSES + code}}


def schemas() -> Json:
    """The schemas of all models of the endpoints, with the limits of the rules."""
    shapes: dict[str, Any] = {ProblemDetails.__name__: ProblemDetails}
    for endpoint in ENDPOINTS:
        shapes |= {shape.__name__: shape for shape in (endpoint.body, endpoint.answer.shape) if shape is not None}
    asked = [(name, "validation", TypeAdapter(shape)) for name, shape in shapes.items()]
    _, found = TypeAdapter.json_schemas(asked, by_alias=True, ref_template=SCHEMAS + "{model}")  # type: ignore[arg-type]
    made: Json = _plain(found["$defs"])
    for place, keywords in limits().items():
        schema = _at(made, place)
        schema |= keywords
        for name in [name for name, value in schema.items() if value is None]:
            del schema[name]
    made["FailedRule"]["properties"]["code"]["enum"] = sorted(CODES)
    return dict(sorted(made.items()))


def _at(models: Json, place: str) -> Json:
    """The schema at a place of `limits`."""
    model, *names = place.split(".")
    schema: Json = models[model]
    for name in names:
        schema = schema["items"] if name == "[]" else schema["properties"][name]
    return schema


def _plain(schema: Any) -> Any:
    """The schema without what repeats names or points at our own papers, and with null as one type among others."""
    if isinstance(schema, list):
        return [_plain(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _plain(value) for key, value in schema.items() if not (key == "title" and isinstance(value, str))}
    if plain.get("default", ...) is None:
        del plain["default"]
    if isinstance(plain.get("description"), str):
        plain["description"] = " ".join(REFERENCE.sub("", plain["description"]).split())
    match plain:
        case {"anyOf": [{"type": str(kind), **rest}, {"type": "null"}]} if not {"const", "enum"} & rest.keys():
            del plain["anyOf"]
            return {"type": [kind, "null"], **rest, **plain}
    return plain


def _operation(endpoint: Endpoint) -> Json:
    in_path = [name for name in PARAMETERS if f"{{{name}}}" in endpoint.path]
    operation: Json = {
        "operationId": endpoint.operation,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "description": endpoint.description,
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in (*in_path, *endpoint.parameters)],
    }
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": True,
            "description": f"At most {MAX_BODY_BYTES:,} bytes of UTF-8.",
            "content": {
                JSON_TYPE: {
                    "schema": {"$ref": SCHEMAS + endpoint.body.__name__},
                    "examples": {
                        example.name: {"summary": example.summary, "value": example.body}
                        for example in _examples(endpoint, endpoint.answer.status)
                    },
                }
            },
        }
    operation["responses"] = _responses(endpoint)
    return operation


def _examples(endpoint: Endpoint, status: int) -> list[Example]:
    return [example for example in EXAMPLES if (example.operation, example.status) == (endpoint.operation, status)]


def _responses(endpoint: Endpoint) -> Json:
    responses = {str(endpoint.answer.status): _success(endpoint)}
    if endpoint.answer.cached:
        responses["304"] = {
            "description": "The client has it already.",
            "headers": _headers("ETag", "Cache-Control", maybe=("Access-Control-Allow-Origin",)),
        }
    for code in endpoint.problems:
        status = PROBLEMS[code].status
        own = _examples(endpoint, status)
        responses[str(status)] = _problem_response(code, own) if own else {"$ref": RESPONSES + code}
    return dict(sorted(responses.items()))


def _success(endpoint: Endpoint) -> Json:
    answer = endpoint.answer
    always = ("ETag", "Cache-Control") if answer.cached else ("Cache-Control",)
    return {
        "description": answer.description,
        "headers": _headers(*always, maybe=(*answer.headers, "Access-Control-Allow-Origin")),
        "content": {JSON_TYPE: {"schema": _shape(endpoint), **_shown(_examples(endpoint, answer.status))}},
    }


def _problem_response(code: str, own: Sequence[Example] = ()) -> Json:
    """A problem in the words of a function, or of the gateway; `own`: examples of one endpoint.

    Where those are no problems, the endpoint has an answer of its own for this status, and only the gateway a problem.
    """
    kind = PROBLEMS[code]
    limited: Json = {"properties": {"type": {"const": TYPE + code}, "status": {"const": kind.status}}}
    if code == "invalid-input":
        limited["required"] = ["errors"]
    examples = own or _generic_example(code)
    problems = [example for example in examples if "type" in (example.answer or {})]
    content: Json = {PROBLEM_TYPE: {"schema": {"allOf": [{"$ref": PROBLEM}, limited]}, **_shown(problems, code)}}
    others = [example for example in examples if example not in problems]
    if others:
        content[JSON_TYPE] = {"schema": _shape(others[0].endpoint), **_shown(others)}
    always = ("Retry-After",) if kind.retry_after and not others else ()
    return {
        "description": kind.when,
        "headers": _headers(*always, maybe=("Cache-Control", "Access-Control-Allow-Origin")),
        "content": content,
    }


def _shape(endpoint: Endpoint) -> Json:
    shape = endpoint.answer.shape
    return {"type": "object"} if shape is None else {"$ref": SCHEMAS + shape.__name__}


def _generic_example(code: str) -> list[Example]:
    found = (example for endpoint in ENDPOINTS for example in generic(endpoint) if example.name == code)
    return list(found)[:1]


def _shown(examples: Iterable[Example], code: str = "") -> Json:
    shown = {example.name: {"summary": example.summary, "value": example.answer} for example in examples}
    if code and not shown:
        shown = {"gateway": {"summary": "As the gateway says it", "value": problem(code)}}
    return {"examples": shown} if shown else {}


def _headers(*always: str, maybe: Iterable[str] = ()) -> Json:
    """References to headers; those that are always there are written out, because a reference cannot say so."""
    sent: Json = {name: {**HEADERS[name], "required": True} for name in always}
    return {**sent, **{name: {"$ref": f"#/components/headers/{name}"} for name in maybe}}
