"""The resolver every API function uses: CORS on every answer, each kind of failure to its problem in one place."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from proca_common.aws import metrics
from proca_common.aws.errors import Unavailable
from proca_common.aws.logs import log_fault, logger
from proca_common.aws.settings import Settings, read
from proca_common.casing import camel_case
from proca_common.errors import (
    DomainError,
    Ended,
    InUse,
    NotFound,
    NotKnown,
    NotOffered,
    Outdated,
    PaymentRefused,
    ProviderUnavailable,
    Taken,
    TooMany,
)
from proca_common.failures import Failure, Malformed, Refused
from proca_common.http.problems import Problem, not_found

RETRY_AFTER_S = 2
EXPOSED = ["ETag", "Idempotent-Replay", "Retry-After"]
ACCEPTED = ["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"]


class _CorsSettings(Settings):
    cors_allow_origin: str = "*"


def make_resolver(*, count_refusals: bool = False) -> APIGatewayRestResolver:
    """A REST resolver without Powertools' validation (104 µs a request): the layer's own models parse bodies.

    `count_refusals`: whether each refusal is told as a metric.
    """
    origin = read(_CorsSettings).cors_allow_origin
    app = APIGatewayRestResolver(
        cors=CORSConfig(allow_origin=origin, expose_headers=EXPOSED, allow_headers=ACCEPTED, max_age=600)
    )
    app.exception_handler(Exception)(_answer_and_count if count_refusals else _answer)
    return app


def _answer(error: Exception) -> Response[str]:
    return _answered(problem_of(error))


def _answer_and_count(error: Exception) -> Response[str]:
    problem = problem_of(error)
    for code in sorted(codes_of(problem)):
        metrics.emit({"Refusals": 1}, code=code)
    return _answered(problem)


def _answered(problem: Problem) -> Response[str]:
    logger.info("answered", extra={"status": problem.status, "problem": problem.code})
    return problem.response()


def codes_of(problem: Problem) -> set[str]:
    """The codes of the rules that failed, else that of the problem itself."""
    return {failure.code for failure in problem.failures} or {problem.code}


def problem_of(error: Exception) -> Problem:  # noqa: PLR0911 - a kind of error, a return
    """The problem that an error is answered with; a fault of ours is logged, without its text."""
    match error:
        case Problem():
            return error
        case DomainError():
            return _problem_of_rules(error)
        case Malformed():
            return Problem(400, "malformed", detail=str(error))
        case Refused():
            return Problem(422, "invalid-input", error.failures, provider_code=error.provider_code)
        case NotFoundError():
            return not_found("No such endpoint")
        case Unavailable():
            log_fault("store unavailable", error)
            return Problem(503, "unavailable", retry_after=RETRY_AFTER_S)
        case _:
            log_fault("unexpected fault", error)
            return Problem(500, "internal")


def _problem_of_rules(error: DomainError) -> Problem:  # noqa: C901, PLR0911 - as above
    match error:
        case NotFound():
            return not_found(f"No such {error.kind}")
        case NotOffered():
            return not_found(str(error))
        case PaymentRefused():
            return Problem(402, "payment-refused", detail=str(error), provider_code=error.code)
        case ProviderUnavailable():
            return Problem(503, "unavailable", detail=str(error), retry_after=RETRY_AFTER_S)
        case NotKnown():
            return Problem(401, "unauthorized", detail=str(error))
        case Taken():
            pointer = "/" + "/".join(map(camel_case, error.field.split("/")))
            return Problem(409, "taken", [Failure(pointer, "taken", "has already been taken")])
        case InUse():
            return Problem(409, "in-use", detail=str(error))
        case Outdated():
            return Problem(412, "outdated", detail=str(error))
        case Ended():
            return Problem(410, "ended", detail=str(error))
        case TooMany():
            return Problem(429, "too-many", detail=str(error), retry_after=error.retry_after_s)
        case _:
            return Problem(403, "not-allowed", detail=str(error))
