"""The API's document: valid, whole, and as strict as the rules; what it shows is tested in tests/integration."""

# ruff: noqa: RUF001 - the apostrophes of people's names are meant

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator

from proca_common.actions.fields import UNSENDABLE
from proca_common.actions.input import action_type_failures, contact_ref_failures
from proca_common.contacts.rules import FIELD_RULES
from proca_common.contacts.text import longer_than
from proca_common.http.problems import TITLES
from proca_common.http.requests import IDEMPOTENCY_KEY
from tests.api import endpoints_of_template
from tests.harness.template import project_template
from tools import openapi
from tools.emulator import ROOT
from tools.openapi import management
from tools.openapi.endpoints import ENDPOINTS
from tools.openapi.examples import EXAMPLES, Example, every_example, sound
from tools.openapi.limits import CONTACT_MODELS, CONTACT_REF, SENDABLE
from tools.openapi.problems import CODES, PROBLEMS

DOCUMENT = openapi.document()
SCHEMAS = DOCUMENT["components"]["schemas"]
Json = dict[str, Any]


def test_it_is_valid() -> None:
    # The validator's regular expressions are Python's, which has no \p{L}.
    OpenAPIV31SpecValidator(json.loads(openapi.text().replace(r"\\p{L}", "a-z"))).validate()


ELSEWHERE = ("/link/", "/account/", "/api")
"""Pages for people, and GraphQL, which tells its own schema."""


def test_it_has_every_endpoint_of_the_template_that_is_its_own_and_no_other() -> None:
    documented = {(method.upper(), path) for path, operations in DOCUMENT["paths"].items() for method in operations}
    deployed = {(method, path) for method, path in endpoints_of_template() if not path.startswith(ELSEWHERE)}
    assert documented == deployed


def resolved(part: Json) -> Json:
    """What a part of the document refers to, or itself."""
    while "$ref" in part:
        found: Any = DOCUMENT
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def responses() -> Iterator[tuple[str, str, Json]]:
    """Every answer of the document as (operation, status, response)."""
    for operations in DOCUMENT["paths"].values():
        for operation in operations.values():
            if operation["tags"] == [management.TAG]:
                continue  # told in words
            for status, response in operation["responses"].items():
                yield operation["operationId"], status, resolved(response)


@pytest.mark.parametrize(("operation", "status", "response"), list(responses()))
def test_every_answer_shows_an_example_that_is_valid_by_its_schema(operation: str, status: str, response: Json) -> None:
    if (operation, status) == ("getOpenapi", "200") or status == "304":
        return  # itself, and nothing
    for media in response["content"].values():
        assert media["examples"]
        for shown in media["examples"].values():
            validator(media["schema"]).validate(shown["value"])


@pytest.mark.parametrize("sent", [sent for sent in EXAMPLES if sent.body is not None], ids=lambda sent: sent.operation)
def test_the_body_of_an_example_that_succeeds_is_valid(sent: Example) -> None:
    assert sent.endpoint.body is not None
    schema = {"$ref": f"#/components/schemas/{sent.endpoint.body.__name__}"}
    assert validator(schema).is_valid(sent.body) or sent.status == 422


def validator(schema: Json) -> Any:
    """A validator of a schema of the document."""
    return jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.operation)
def test_every_endpoint_has_examples_of_success_and_of_every_problem(endpoint: Any) -> None:
    if endpoint.operation != "getOpenapi":  # whose one answer is the document
        assert sound(endpoint).status == endpoint.answer.status
    statuses = {sent.status for sent in every_example() if sent.operation == endpoint.operation}
    missing = {code for code in endpoint.problems if PROBLEMS[code].status not in statuses}
    assert missing <= BY_GATEWAY.keys()


BY_GATEWAY = {"too-many": "THROTTLED", "unavailable": "INTEGRATION_TIMEOUT"}
"""Problems that the gateway answers by itself, for every endpoint."""


@pytest.mark.parametrize(("code", "kind"), [*BY_GATEWAY.items(), ("too-large", "REQUEST_TOO_LARGE")])
def test_the_gateway_says_what_is_documented(code: str, kind: str) -> None:
    answer = project_template().resources("AWS::Serverless::Api")["Api"]["GatewayResponses"][kind]
    assert answer["StatusCode"] == PROBLEMS[code].status
    body = json.loads(answer["ResponseTemplates"]["application/json"])
    assert body == {"type": f"urn:proca:problem:{code}", "title": TITLES[body["status"]], "status": body["status"]}
    assert ("Retry-After" in answer["ResponseParameters"]["Headers"]) is PROBLEMS[code].retry_after
    media = resolved(DOCUMENT["components"]["responses"][code])["content"]["application/problem+json"]
    validator(media["schema"]).validate(body)


SOURCES = [*ROOT.glob("layers/proca_common/proca_common/**/*.py"), *ROOT.glob("functions/*/app.py")]


def test_no_function_pays_for_shapes() -> None:
    for path in (source for source in SOURCES if source.name != "shapes.py"):
        imported = [node.module for node in ast.parse(path.read_text()).body if isinstance(node, ast.ImportFrom)]
        assert not [module for module in imported if str(module).endswith(".shapes")], path


# --- every problem and every code is told


@cache
def calls_of(*names: str) -> list[tuple[ast.Call, Path]]:
    """All calls of these in the layer and the functions."""
    return [
        (node, path)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    ]


def codes_in(argument: ast.expr, path: Path) -> set[str]:
    """The codes that an expression can be: a text, a constant of its module, or a text with one part of several."""
    match argument:
        case ast.Constant(value=str(code)):
            return {code}
        case ast.Name(id=name):
            return set(re.findall(rf'^{name} = "(\w+)"', path.read_text(), re.MULTILINE))
        case ast.JoinedStr(values=parts):
            form = "".join(str(part.value) if isinstance(part, ast.Constant) else r"\w+" for part in parts)
            return {code for code in CODES if re.fullmatch(form, code)}
    return set()


def test_every_code_of_a_failed_rule_is_documented_and_no_other() -> None:
    found = set()
    for call, path in calls_of("Failure", "cls"):
        if len(call.args) == 3:
            codes = codes_in(call.args[1], path)
            assert codes or path.name == "failures.py", ast.unparse(call)
            found |= codes
    assert found == CODES.keys()


def test_every_problem_type_is_documented_with_its_status_and_no_other() -> None:
    found = {}
    for call, _ in calls_of("Problem"):
        match call.args:
            case [ast.Constant(value=int(status)), ast.Constant(value=str(code)), *_]:
                found[code] = status
            case _:
                raise AssertionError(ast.unparse(call))
    assert found == {code: kind.status for code, kind in PROBLEMS.items()}
    assert set(found.values()) <= TITLES.keys()


# --- it is as strict as the rules


def body_schemas() -> set[str]:
    """Names of the schemas that bodies are made of."""
    found: set[str] = set()
    waiting = [endpoint.body.__name__ for endpoint in ENDPOINTS if endpoint.body is not None]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            text = json.dumps(SCHEMAS[name])
            waiting += re.findall(r'"#/components/schemas/(\w+)"', text)
    return found


def texts(schema: Any, place: str) -> Iterator[tuple[str, Json]]:
    """Every schema of a text in a schema, with its place."""
    if isinstance(schema, list):
        for entry in schema:
            yield from texts(entry, place)
    elif isinstance(schema, dict):
        if "string" in (kinds := schema.get("type", [])) or kinds == "string":
            yield place, schema
        for key, entry in schema.items():
            yield from texts(entry, f"{place}.{key}")


LIMITS = {"pattern", "maxLength", "enum", "const", "format"}


ONLY_LIMITED_BY_THE_BODY = {"captcha", "captchaService", "schema"}


def test_every_text_that_may_be_sent_has_a_limit_or_is_cut() -> None:
    for name in body_schemas():
        for place, schema in texts(SCHEMAS[name], name):
            if place.rpartition(".")[2] in ONLY_LIMITED_BY_THE_BODY:
                continue
            assert LIMITS & schema.keys() or "Cut to" in schema.get("description", ""), place


def test_every_object_that_may_be_sent_refuses_unknown_fields_but_custom_fields() -> None:
    for name in body_schemas():
        assert SCHEMAS[name]["additionalProperties"] is False


@cache
def field(pointer: str) -> Any:
    """A validator of a field of a contact."""
    parent, _, name = pointer.rpartition("/")
    return jsonschema_rs.Draft202012Validator(SCHEMAS[CONTACT_MODELS[parent]]["properties"][name])


LIKELY = st.text(
    st.one_of(st.characters(codec="utf-8", exclude_categories=["Cn"]), st.sampled_from("aZé李ß 09'’.,-_@+()/\n\u2003")),
    max_size=12,
)


@pytest.mark.parametrize("pointer", FIELD_RULES)
@settings(deadline=None)
@given(text=LIKELY)
@example(text="")
@example(text="Anne-Marie O’Brien")
@example(text=" Ida ")
@example(text="'")
@example(text="A-")
@example(text="<SCRIPT>")
@example(text="urs@localhost")
@example(text="se")
@example(text="114 55")
@example(text="12.34-56 a")
@example(text=" . ")
@example(text="a" * 20)
@example(text="a" * 129)
@example(text="a\n")
def test_the_form_of_a_field_is_that_of_its_rule(pointer: str, text: str) -> None:
    # Two kinds of white space are seen differently by regular expressions, and letters outside ASCII may have capitals
    # within it: of those the document says less than the rule accepts.
    assume(not any(char in "\x85\ufeff" or (char.upper().isascii() and not char.isascii()) for char in text))
    rule = FIELD_RULES[pointer]
    normalised = rule.normalise(text)
    accepted = bool(rule.accepts(normalised)) and not (rule.limit and longer_than(normalised, rule.limit))
    if accepted and rule.limit and len(text) > rule.limit:
        return  # what is dropped before counting counts in the document
    assert field(pointer).is_valid(text) is (accepted or text == "")


def test_unsendable_characters_are_those_of_the_rule() -> None:
    sendable = jsonschema_rs.Draft202012Validator({"pattern": SENDABLE})
    for code in [*range(0xD800), *range(0xE000, 0x10001)]:
        assert sendable.is_valid(chr(code)) is (UNSENDABLE.search(chr(code)) is None), hex(code)


@settings(deadline=None)
@given(st.text("aZ09_-=+ é", max_size=70))
@example("a" * 64)
@example("a" * 65)
@example("a" * 5)
def test_forms_of_words_are_those_of_the_rules(text: str) -> None:
    ref = jsonschema_rs.Draft202012Validator({"pattern": CONTACT_REF, "maxLength": 64})
    assert ref.is_valid(text) is (contact_ref_failures(text) == [])
    action_type = jsonschema_rs.Draft202012Validator(SCHEMAS["ActionInput"]["properties"]["actionType"])
    assert action_type.is_valid(text) is (action_type_failures(text) == [])
    key = DOCUMENT["components"]["parameters"]["Idempotency-Key"]["schema"]
    assert jsonschema_rs.Draft202012Validator(key).is_valid(text) is (IDEMPOTENCY_KEY.fullmatch(text) is not None)
