"""The resolver every API function uses: CORS on every answer, each kind of failure to its problem in one place."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from proca_common.aws.errors import Unavailable
from proca_common.aws.logs import log_fault, logger
from proca_common.aws.settings import Settings, read
from proca_common.errors import (
    DomainError,
    NotAllowed,
    NotFound,
    NotOffered,
    PaymentRefused,
    ProviderUnavailable,
    TooMany,
)
from proca_common.failures import Malformed, Refused
from proca_common.http.problems import Problem, not_found

RETRY_AFTER_S = 2
EXPOSED = ["ETag", "Idempotent-Replay", "Retry-After"]
ACCEPTED = ["Content-Type", "Idempotency-Key", "If-None-Match"]


class _CorsSettings(Settings):
    cors_allow_origin: str = "*"


def make_resolver() -> APIGatewayRestResolver:
    """A REST resolver without Powertools' validation (104 µs a request): the layer's own models parse bodies."""
    origin = read(_CorsSettings).cors_allow_origin
    app = APIGatewayRestResolver(
        cors=CORSConfig(allow_origin=origin, expose_headers=EXPOSED, allow_headers=ACCEPTED, max_age=600)
    )
    app.exception_handler(Exception)(_answer)
    return app


def _answer(error: Exception) -> Response[str]:
    problem = problem_of(error)
    logger.info("answered", extra={"status": problem.status, "problem": problem.code})
    return problem.response()


def problem_of(error: Exception) -> Problem:
    """The problem that an error is answered with; a fault of ours is logged, without its text."""
    match error:
        case Problem():
            problem = error
        case Malformed():
            problem = Problem(400, "malformed", detail=str(error))
        case Refused():
            problem = Problem(422, "invalid-input", error.failures, provider_code=error.provider_code)
        case NotFoundError():
            problem = not_found("No such endpoint")
        case DomainError():
            problem = _of_domain(error)
        case Unavailable():
            log_fault("store unavailable", error)
            problem = Problem(503, "unavailable", retry_after=RETRY_AFTER_S)
        case _:
            log_fault("unexpected fault", error)
            problem = Problem(500, "internal")
    return problem


def _of_domain(error: DomainError) -> Problem:
    match error:
        case NotFound():
            problem = not_found(f"No such {error.kind}")
        case NotOffered():
            problem = not_found(str(error))
        case NotAllowed():
            problem = Problem(403, "not-allowed", detail=str(error))
        case TooMany():
            problem = Problem(429, "too-many", detail=str(error), retry_after=error.retry_after_s)
        case PaymentRefused():
            problem = Problem(402, "payment-refused", detail=str(error), provider_code=error.code)
        case ProviderUnavailable():
            problem = Problem(503, "unavailable", detail=str(error), retry_after=RETRY_AFTER_S)
        case _:
            log_fault("unexpected refusal", error)
            problem = Problem(500, "internal")
    return problem
