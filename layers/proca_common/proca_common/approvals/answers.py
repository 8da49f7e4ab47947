"""From what became of a link to an answer: a page for people, JSON for programs (`Accept: application/json`)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from proca_common.approvals import page, texts
from proca_common.approvals.redirects import LOOPBACK
from proca_common.approvals.second import NEEDED
from proca_common.approvals.texts import Texts
from proca_common.aws.logs import logger
from proca_common.errors import NotAllowed, NotFound
from proca_common.http.problems import AUTHENTICATE, UNAUTHORIZED, Problem, not_found
from proca_common.http.resolver import problem_of

HTML = "text/html; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who gets the answer: `language` is that of the action page once it is known, else the browser's."""

    language: str
    wants_json: bool
    campaign: str = ""

    @property
    def texts(self) -> Texts:
        """What is said to it."""
        return texts.LANGUAGES[self.language]


@dataclass(frozen=True, slots=True)
class Question:
    """What a link asks. `submits_itself`: the org wants one click to be enough. `target`: where its answer leads to."""

    what: str
    submits_itself: bool = False
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became: `what` is the name of a text. `target`: where the browser goes now, else it is told here."""

    what: str
    status: int = 200
    target: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def problem_of_link(error: Exception) -> Problem:
    """The problem of an error, as links have it: 400 for what is not allowed (domain 7.1.1)."""
    match error:
        case NotAllowed():
            return Problem(400, "settled", detail=str(error))
        case NotFound():
            return not_found("No such link")
        case _:
            return problem_of(error)


def reader_of(event: APIGatewayProxyEvent) -> Reader:
    """Who asks, before anything of the action is known."""
    accept = event.headers.get("accept") or ""
    wants_json = "application/json" in accept and "text/html" not in accept
    return Reader(texts.of_browser(event.headers.get("accept-language")), wants_json)


def ask(reader: Reader, question: Question) -> Response[str]:
    """The page with the button; nothing has changed."""
    if reader.wants_json:
        return _answer(200, JSON, json.dumps({"result": "ask", "question": question.what}), page.headers())
    submits_itself = question.submits_itself
    asked = getattr(reader.texts, question.what)
    body = page.asking(reader.language, asked, reader.campaign, submits_itself=submits_itself)
    headers = page.headers(submits_itself=submits_itself, loopback=_loopback(question.target))
    return _answer(200, HTML, body, headers)


def tell(reader: Reader, result: Result) -> Response[str]:
    """What became, or where to go now."""
    headers = page.headers() | result.headers
    if reader.wants_json:
        body = json.dumps({"result": result.what, "redirect": result.target})
        return _answer(result.status, JSON, body, headers)
    if result.target is not None:
        return _answer(303, HTML, "", headers | {"Location": result.target})
    text = getattr(reader.texts, result.what)
    return _answer(result.status, HTML, page.telling(reader.language, text, reader.campaign), headers)


def show(status: int, body: str) -> Response[str]:
    """A page for people."""
    return _answer(status, HTML, body, page.headers())


def refuse(reader: Reader, problem: Problem) -> Response[str]:
    """A problem, as JSON or in words."""
    if reader.wants_json:
        response = problem.response()
        response.headers.update(page.headers())
        logger.info("answered", extra={"status": problem.status, "problem": problem.code})
        return response
    if problem.status == UNAUTHORIZED:
        wrong = problem.detail != NEEDED
        body = page.logging_in(reader.language, reader.texts, wrong=wrong)
        return _answer(UNAUTHORIZED, HTML, body, page.headers() | {"WWW-Authenticate": AUTHENTICATE})
    headers = {} if problem.retry_after is None else {"Retry-After": str(problem.retry_after)}
    return tell(reader, Result(_SAID.get(problem.code, "fault"), problem.status, headers=headers))


_SAID = {
    "ended": "expired",
    "malformed": "unknown",
    "not-allowed": "forbidden",
    "not-found": "unknown",
    "in-use": "impossible",
    "settled": "impossible",
    "too-large": "unknown",
    "too-many": "busy",
    "unavailable": "busy",
}


def _answer(status: int, content_type: str, body: str, headers: dict[str, str]) -> Response[str]:
    logger.info("answered", extra={"status": status})
    return Response(status_code=status, content_type=content_type, body=body, headers=headers)


def _loopback(target: str | None) -> str:
    parts = urlsplit(target or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.hostname in LOOPBACK else ""
