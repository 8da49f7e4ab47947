"""From event to answer: problems (RFC 9457), ETags (RFC 9110), CORS, and what is read of a request (design 8)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from hypothesis import given
from hypothesis import strategies as st

from proca_common.aws.errors import Cancelled, CloudError, Unavailable
from proca_common.errors import NotFound, TooMany
from proca_common.failures import Failure, Malformed, Refused
from proca_common.http.answers import answer, cacheable, created
from proca_common.http.problems import TITLES, Problem
from proca_common.http.requests import MAX_BODY_BYTES, idempotency_key, json_body, numeric_id
from proca_common.http.resolver import make_resolver
from tests.harness.context import LambdaContext
from tests.world import api_event

SECRET = "mara.lind@example.org"
ORIGIN = {"Origin": "https://riverwatch.example"}


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> APIGatewayRestResolver:
    monkeypatch.delenv("CORS_ALLOW_ORIGIN", raising=False)
    return make_resolver()


def ask(
    app: APIGatewayRestResolver, outcome: Exception | Response[str], headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """What the resolver answers to a request whose handler ends so."""

    @app.get("/it")
    def it() -> Response[str]:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    found: dict[str, Any] = app.resolve(api_event("GET", "/it", headers=headers), LambdaContext("x"))  # type: ignore[arg-type]
    return found


def header(found: dict[str, Any], name: str) -> str | None:
    values: list[str] = found["multiValueHeaders"].get(name, [])
    assert len(values) <= 1
    return values[0] if values else None


FAILURES = [Failure.blank("/contact/email"), Failure("/action", "too_large", "is invalid")]
OUTCOMES: list[tuple[Exception, int, str, str | None, str | None]] = [
    (Malformed("The body is not JSON"), 400, "malformed", "The body is not JSON", None),
    (Refused(FAILURES), 422, "invalid-input", None, None),
    (NotFound("action page"), 404, "not-found", "No such action page", None),
    (TooMany("too many actions of one supporter"), 429, "too-many", "too many actions of one supporter", "3600"),
    (Unavailable("ThrottlingException"), 503, "unavailable", None, "2"),
    (Problem(413, "too-large", detail="65536 bytes at most"), 413, "too-large", "65536 bytes at most", None),
    (Problem(409, "conflict", retry_after=5), 409, "conflict", None, "5"),
    (CloudError("ValidationException"), 500, "internal", None, None),
    (Cancelled({"x": "ValidationError"}, {"x": {"email": {"S": SECRET}}}), 500, "internal", None, None),
    (ValueError(SECRET), 500, "internal", None, None),
    (KeyError(SECRET), 500, "internal", None, None),
    (RecursionError(SECRET), 500, "internal", None, None),
]


class TestProblems:
    @pytest.mark.parametrize(
        ("error", "status", "code", "detail", "retry_after"), OUTCOMES, ids=lambda one: repr(one)[:30]
    )
    def test_each_kind_of_failure_has_its_problem(
        self,
        app: APIGatewayRestResolver,
        error: Exception,
        status: int,
        code: str,
        detail: str | None,
        retry_after: str | None,
    ) -> None:
        found = ask(app, error)
        body = json.loads(found["body"])
        assert found["statusCode"] == body["status"] == status
        assert header(found, "Content-Type") == "application/problem+json"
        assert header(found, "Cache-Control") == "no-store"
        assert header(found, "Retry-After") == retry_after
        assert (body["type"], body["title"]) == (f"urn:proca:problem:{code}", TITLES[status])
        assert body.get("detail") == detail
        assert SECRET not in json.dumps(found)
        assert "Traceback" not in found["body"]

    def test_failed_rules_are_named_with_pointer_code_and_message(self, app: APIGatewayRestResolver) -> None:
        assert json.loads(ask(app, Refused(FAILURES))["body"])["errors"] == [
            {"pointer": "/contact/email", "code": "blank", "message": "can't be blank"},
            {"pointer": "/action", "code": "too_large", "message": "is invalid"},
        ]
        assert "errors" not in json.loads(ask(make_resolver(), Malformed("x"))["body"])

    def test_another_path_is_not_found(self, app: APIGatewayRestResolver) -> None:
        found: dict[str, Any] = app.resolve(api_event("GET", f"/{SECRET}"), LambdaContext("x"))  # type: ignore[arg-type]
        assert (found["statusCode"], json.loads(found["body"])["detail"]) == (404, "No such endpoint")
        assert SECRET not in json.dumps(found)

    def test_every_status_that_is_used_has_a_title(self) -> None:
        assert {status for _, status, *_ in OUTCOMES} <= TITLES.keys()


class TestAnswers:
    def test_an_answer_is_json_that_no_cache_keeps(self, app: APIGatewayRestResolver) -> None:
        found = ask(app, answer(200, {"firstName": "Søren"}))
        assert json.loads(found["body"]) == {"firstName": "Søren"}
        assert header(found, "Content-Type") == "application/json"
        assert header(found, "Cache-Control") == "no-store"

    @pytest.mark.parametrize(("replayed", "said"), [(True, "true"), (False, None)])
    def test_a_replay_says_so(self, app: APIGatewayRestResolver, *, replayed: bool, said: str | None) -> None:
        found = ask(app, created({"actionId": 1}, replayed=replayed))
        assert (found["statusCode"], header(found, "Idempotent-Replay")) == (201, said)


PAGE = {"name": "ngo/bees", "config": {"a": [1, None]}}


class TestEtag:
    def get(self, body: dict[str, Any], if_none_match: str | None = None) -> dict[str, Any]:
        headers = {} if if_none_match is None else {"If-None-Match": if_none_match}
        event = APIGatewayProxyEvent(api_event("GET", "/it", headers=headers))
        return ask(make_resolver(), cacheable(event, body, 30))

    def test_it_follows_from_the_content_alone(self) -> None:
        tag = header(self.get(PAGE), "ETag")
        assert tag is not None
        assert tag.startswith('"')
        assert tag.endswith('"')
        assert header(self.get(dict(reversed(PAGE.items()))), "ETag") == tag
        assert header(self.get(PAGE | {"name": "ngo/bee"}), "ETag") != tag

    @pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', '{},"x"', " {} ", "*"])
    def test_who_has_it_gets_304(self, form: str) -> None:
        first = self.get(PAGE)
        found = self.get(PAGE, form.format(header(first, "ETag")))
        assert (found["statusCode"], found["body"]) == (304, "")
        for name in ("ETag", "Cache-Control", "Vary"):
            assert header(found, name) == header(first, name) is not None

    @pytest.mark.parametrize("form", ['"x"', "", "x", '"*"'])
    def test_who_has_another_gets_all_of_it(self, form: str) -> None:
        found = self.get(PAGE, form)
        assert (found["statusCode"], json.loads(found["body"])) == (200, PAGE)
        assert header(found, "Cache-Control") == "public, max-age=30"

    def test_a_cache_keeps_answers_with_and_without_cors_headers_apart(self) -> None:
        assert header(self.get(PAGE), "Vary") == "Origin"


class TestCors:
    @pytest.mark.parametrize(
        "outcome",
        [
            answer(200, {}),
            created({}, replayed=True),
            Refused(FAILURES),
            NotFound("x"),
            Unavailable("x"),
            ValueError("x"),
        ],
        ids=["200", "201", "422", "404", "503", "500"],
    )
    def test_every_answer_may_be_read_by_a_page_of_another_origin(
        self, app: APIGatewayRestResolver, outcome: Exception | Response[str]
    ) -> None:
        found = ask(app, outcome, ORIGIN)
        assert header(found, "Access-Control-Allow-Origin") == "*"
        exposed = (header(found, "Access-Control-Expose-Headers") or "").split(",")
        assert set(exposed) == {"ETag", "Idempotent-Replay", "Retry-After"}
        assert header(found, "Access-Control-Allow-Credentials") is None

    def test_unknown_paths_and_304_too(self, app: APIGatewayRestResolver) -> None:
        found: dict[str, Any] = app.resolve(api_event("GET", "/nothing", headers=ORIGIN), LambdaContext("x"))  # type: ignore[arg-type]
        assert header(found, "Access-Control-Allow-Origin") == "*"
        event = APIGatewayProxyEvent(api_event("GET", "/it", headers={"If-None-Match": "*"}))
        assert header(ask(app, cacheable(event, PAGE, 30), ORIGIN), "Access-Control-Allow-Origin") == "*"

    def test_an_instance_may_name_its_origin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CORS_ALLOW_ORIGIN", ORIGIN["Origin"])
        found = ask(make_resolver(), answer(200, {}), ORIGIN)
        assert header(found, "Access-Control-Allow-Origin") == ORIGIN["Origin"]
        found = ask(make_resolver(), answer(200, {}), {"Origin": "https://stranger.example"})
        assert header(found, "Access-Control-Allow-Origin") != "https://stranger.example"


def event(body: str | None = "{}", *, encoded: bool = False, **headers: str) -> APIGatewayProxyEvent:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return APIGatewayProxyEvent(api_event("POST", "/it", body, named) | {"isBase64Encoded": encoded})


class TestBody:
    @pytest.mark.parametrize(
        "content_type",
        ["application/json", "Application/JSON", "application/json; charset=utf-8", "application/json ;charset=x"],
    )
    @pytest.mark.parametrize("name", ["Content_Type", "content_type", "CONTENT_TYPE"])
    def test_json_in_any_spelling_is_read(self, content_type: str, name: str) -> None:
        assert json_body(event("{}", **{name: content_type})) == b"{}"

    @pytest.mark.parametrize(
        "content_type", ["text/plain", "application/json+x", "application/jsonx", "", "x application/json"]
    )
    def test_another_type_is_415(self, content_type: str) -> None:
        with pytest.raises(Problem) as problem:
            json_body(event("{}", Content_Type=content_type))
        assert problem.value.status == 415

    @given(st.binary(max_size=60))
    def test_a_body_in_base64_is_its_bytes(self, raw: bytes) -> None:
        assert json_body(event(base64.b64encode(raw).decode(), encoded=True, Content_Type="application/json")) == raw

    @pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
    def test_what_is_no_utf_8_is_malformed(self, text: str) -> None:
        with pytest.raises(Malformed):
            json_body(event(text, Content_Type="application/json"))

    @pytest.mark.parametrize("text", ["x", "AAA", "A A=", "é"])
    def test_what_is_no_base64_is_malformed(self, text: str) -> None:
        with pytest.raises(Malformed):
            json_body(event(text, encoded=True, Content_Type="application/json"))

    @pytest.mark.parametrize(
        ("text", "fits"),
        [
            ("a" * MAX_BODY_BYTES, True),
            ("a" * MAX_BODY_BYTES + "b", False),
            ("é" * (MAX_BODY_BYTES // 2 + 1), False),
        ],
        ids=["64 KB", "one more", "bytes count"],
    )
    def test_at_most_64_kb(self, text: str, *, fits: bool) -> None:
        if fits:
            assert len(json_body(event(text, Content_Type="application/json"))) == MAX_BODY_BYTES
        else:
            with pytest.raises(Problem) as problem:
                json_body(event(text, Content_Type="application/json"))
            assert problem.value.status == 413

    def test_no_body_is_an_empty_one(self) -> None:
        assert json_body(event(None, Content_Type="application/json")) == b""


class TestIdempotencyKey:
    @pytest.mark.parametrize("key", ["a", "A-z_0", "x" * 64])
    @pytest.mark.parametrize("name", ["Idempotency_Key", "idempotency_key"])
    def test_is_read(self, key: str, name: str) -> None:
        assert idempotency_key(event(**{name: key})) == key

    def test_may_be_left_away(self) -> None:
        assert idempotency_key(event()) is None

    @pytest.mark.parametrize("key", ["", "x" * 65, "a b", "ä", "a\n", '"a"', "a,b"])
    def test_of_another_form_is_refused(self, key: str) -> None:
        with pytest.raises(Refused) as refused:
            idempotency_key(event(Idempotency_Key=key))
        assert [(failed.pointer, failed.code) for failed in refused.value.failures] == [("", "format")]


class TestNumericId:
    @given(st.integers(1, 2**53 - 1))
    def test_positive_53_bit_integers_are_read(self, number: int) -> None:
        assert numeric_id(str(number), "action page") == number

    @given(st.text(max_size=20) | st.integers(max_value=0).map(str) | st.integers(min_value=2**53).map(str))
    def test_everything_else_is_unknown(self, text: str) -> None:
        if text.isascii() and text.isdigit() and 0 < int(text) < 2**53:
            return
        with pytest.raises(Problem) as problem:
            numeric_id(text, "action page")
        assert (problem.value.status, problem.value.detail) == (404, "No such action page")
