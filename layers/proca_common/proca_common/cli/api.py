"""HTTP calls of the API.

The token goes to the address it was made for and nowhere else: over TLS unless that is this machine, and no redirect is
followed.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from proca_common.cli.errors import Failed, Misused, Refusal, Unreachable

Json = dict[str, Any]
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
ANSWER_S = 60
"""Longer than the API works on anything."""
PASSING = {429, 502, 503, 504}
TRIES, LONGEST_PAUSE_S = 4, 30
MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """`body`: None for 204. `etag`: the version of a record, to change only that."""

    status: int
    body: Any
    etag: str | None = None


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Nothing is asked elsewhere."""


class Api:
    """The API at `url` (with its stage); `authorization`: value of that header, None for nobody in particular."""

    def __init__(self, url: str, authorization: str | None = None, pause: Callable[[float], None] = time.sleep) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise Misused(f"the address of the API must begin with https://, not {url!r}")
        self.url, self._authorization, self._pause = url.rstrip("/"), authorization, pause
        self._opener = build_opener(_NoRedirects)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        query: Mapping[str, object] | None = None,
        *,
        if_match: str | None = None,
    ) -> Answer:
        """The answer; `path` begins after `/v1`, `body` is JSON, or bytes of a table. Only what reads is tried again
        while the API is busy.

        Raises `Refusal`, `Unreachable`.
        """
        tries = TRIES if method == "GET" else 1
        for number in range(1, tries + 1):
            try:
                return self._call(method, path, body, query, if_match)
            except Refusal as problem:
                if problem.status not in PASSING or number == tries:
                    raise
                self._pause(min(problem.retry_after_s or number, LONGEST_PAUSE_S))
        raise AssertionError("the last try raises")

    def items(self, path: str, query: Mapping[str, object] | None = None, most: int | None = None) -> Iterator[Json]:
        """All of a list, or its first `most`. Raises as `call`."""
        left, cursor = most, None
        while left is None or left > 0:
            limit = MOST_AT_ONCE if left is None else min(left, MOST_AT_ONCE)
            part = self.call("GET", path, query={**(query or {}), "limit": limit, "cursor": cursor}).body
            yield from part["items"][:left]
            cursor = part["next"]
            if cursor is None:
                return
            if left is not None:
                left -= len(part["items"])

    def _call(
        self, method: str, path: str, body: object, query: Mapping[str, object] | None, if_match: str | None
    ) -> Answer:
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        url = f"{self.url}/v1{path}" + (f"?{urlencode(asked)}" if asked else "")
        headers = {"Authorization": self._authorization, "If-Match": if_match, "Accept": "application/json"}
        sent = None
        if isinstance(body, bytes):
            sent, headers["Content-Type"] = body, "text/csv"
        elif body is not None:
            sent, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        given = {name: value for name, value in headers.items() if value is not None}
        request = Request(url, sent, given, method=method)  # noqa: S310 - the scheme was checked
        try:
            with self._opener.open(request, timeout=ANSWER_S) as answer:
                return Answer(answer.status, _json(answer), answer.headers.get("ETag"))
        except HTTPError as error:
            with error:
                raise _problem(error) from None
        except (URLError, HTTPException, OSError) as error:
            reason = error.reason if isinstance(error, URLError) else type(error).__name__
            raise Unreachable(f"{self.url} does not answer: {reason}") from None


def basic(email: str, password: str) -> str:
    """The header of HTTP Basic."""
    return f"Basic {base64.b64encode(f'{email}:{password}'.encode()).decode()}"


def bearer(token: str) -> str:
    """The header of an API token."""
    return f"Bearer {token}"


def below(template: str, values: Mapping[str, object]) -> str:
    """A path with its placeholders filled in: `/orgs/{org}`."""
    return template.format_map({name: quote(str(value), safe="") for name, value in values.items()})


def _json(answer: IO[bytes]) -> Any:
    text = answer.read()
    try:
        return json.loads(text) if text else None
    except ValueError:
        raise Failed("the answer is no JSON: is this the address of the API?") from None


def _problem(error: HTTPError) -> Refusal:
    try:
        details = json.loads(error.read())
    except (ValueError, OSError):
        details = {}
    pause = error.headers.get("Retry-After", "")
    known = details if isinstance(details, dict) and "title" in details else {"detail": str(error.reason)}
    return Refusal(error.code, known, int(pause) if pause.isdigit() else None)
