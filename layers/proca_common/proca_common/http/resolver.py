"""The resolver every API function uses: CORS on every answer, each kind of failure to its problem in one place."""

from __future__ import annotations

import os

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from proca_common.aws.errors import Unavailable
from proca_common.aws.logs import log_fault, logger
from proca_common.aws.settings import Settings, read
from proca_common.errors import NotFound, TooMany
from proca_common.failures import Malformed, Refused
from proca_common.http.problems import Problem, not_found

RETRY_AFTER_S = 2
TOO_MANY_RETRY_AFTER_S = 3600
EXPOSED = ["ETag", "Idempotent-Replay", "Retry-After"]
ACCEPTED = ["Content-Type", "Idempotency-Key", "If-None-Match"]


class _CorsSettings(Settings):
    cors_allow_origin: str = "*"


def make_resolver() -> APIGatewayRestResolver:
    """A REST resolver without Powertools' validation (104 µs a request: bodies are parsed by the layer's own models)."""
    origin = read(_CorsSettings).cors_allow_origin
    app = APIGatewayRestResolver(
        cors=CORSConfig(allow_origin=origin, expose_headers=EXPOSED, allow_headers=ACCEPTED, max_age=600),
        debug=os.environ.get("POWERTOOLS_DEV") == "true",
    )

    @app.exception_handler(Problem)
    def problem(error: Problem) -> Response[str]:
        return _answer(error)

    @app.exception_handler(Refused)
    def refused(error: Refused) -> Response[str]:
        return _answer(Problem(422, "invalid-input", error.failures))

    @app.exception_handler(Malformed)
    def malformed(error: Malformed) -> Response[str]:
        return _answer(Problem(400, "malformed", detail=str(error)))

    @app.exception_handler(NotFound)
    def unknown(error: NotFound) -> Response[str]:
        return _answer(not_found(f"No such {error.kind}"))

    @app.exception_handler(TooMany)
    def too_many(error: TooMany) -> Response[str]:
        return _answer(Problem(429, "too-many", detail=str(error), retry_after=TOO_MANY_RETRY_AFTER_S))

    @app.exception_handler(Unavailable)
    def unavailable(error: Unavailable) -> Response[str]:
        log_fault("store unavailable", error)
        return _answer(Problem(503, "unavailable", retry_after=RETRY_AFTER_S))

    @app.exception_handler(NotFoundError)
    def no_route(_error: NotFoundError) -> Response[str]:
        return _answer(not_found("No such endpoint"))

    @app.exception_handler(Exception)
    def fault(error: Exception) -> Response[str]:
        log_fault("unexpected fault", error)
        return _answer(Problem(500, "internal"))

    return app


def _answer(problem: Problem) -> Response[str]:
    logger.info("answered", extra={"status": problem.status, "problem": problem.code})
    return problem.response()
