"""Errors as `application/problem+json` (RFC 9457), all failed rules of a request at once (design 8)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler import Response

from proca_common.failures import Failure

if TYPE_CHECKING:
    from proca_common.http.shapes import ProblemDetails

CONTENT_TYPE = "application/problem+json"
TYPE = "urn:proca:problem:"
UNAUTHORIZED = 401
AUTHENTICATE = 'Basic realm="Proca", charset="UTF-8"'
TITLES = {
    400: "Malformed request",
    401: "Authentication needed",
    402: "Payment refused",
    403: "Not allowed",
    404: "Not found",
    409: "Conflict",
    410: "No longer valid",
    412: "Changed meanwhile",
    413: "Body too large",
    415: "Unsupported media type",
    422: "Invalid input",
    429: "Too many requests",
    500: "Internal error",
    503: "Temporarily unavailable",
}


class Problem(Exception):
    """An answer with an error status. `code` is stable; `retry_after` is in seconds; `provider_code` is another
    service's.
    """

    def __init__(
        self,
        status: int,
        code: str,
        failures: Sequence[Failure] = (),
        *,
        detail: str = "",
        retry_after: int | None = None,
        provider_code: str | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.failures = failures
        self.detail = detail
        self.retry_after = retry_after
        self.provider_code = provider_code

    def response(self) -> Response[str]:
        """The answer, without CORS headers (the resolver adds them)."""
        body: ProblemDetails = {"type": TYPE + self.code, "title": TITLES[self.status], "status": self.status}
        if self.detail:
            body["detail"] = self.detail
        if self.provider_code:
            body["providerCode"] = self.provider_code
        if self.failures:
            body["errors"] = [
                {"pointer": failed.pointer, "code": failed.code, "message": failed.message} for failed in self.failures
            ]
        headers: dict[str, str | list[str]] = {"Cache-Control": "no-store"}
        if self.status == UNAUTHORIZED:
            headers["WWW-Authenticate"] = AUTHENTICATE
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return Response(
            status_code=self.status,
            content_type=CONTENT_TYPE,
            body=json.dumps(body, ensure_ascii=False),
            headers=headers,
        )


def not_found(detail: str) -> Problem:
    """404 with a text that names the kind of thing, never a value."""
    return Problem(404, "not-found", detail=detail)
