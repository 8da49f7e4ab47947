"""Answers that are no errors: JSON, and JSON that caches may keep. Each is logged by its status alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from urllib.parse import quote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from proca_common.aws.logs import logger
from proca_common.http.versions import etag as version_etag

CONTENT_TYPE = "application/json"


def answer(status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response[str]:
    """An answer that no cache keeps."""
    logger.info("answered", extra={"status": status})
    return Response(
        status_code=status,
        content_type=CONTENT_TYPE,
        body=json.dumps(body, ensure_ascii=False),
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def text(content_type: str, body: str, headers: Mapping[str, str] | None = None) -> Response[str]:
    """Something else than JSON, which no cache keeps."""
    logger.info("answered", extra={"status": 200})
    return Response(200, content_type, body, headers={"Cache-Control": "no-store", **(headers or {})})


def record(status: int, body: Mapping[str, object], version: int, location: str | None = None) -> Response[str]:
    """A record that may be changed, with the ETag of its version; `location`: where it is found, if it is new."""
    headers = {"ETag": version_etag(version)}
    if location is not None:
        headers["Location"] = location
    return answer(status, body, headers)


def no_content() -> Response[str]:
    """It is done, and there is nothing to say."""
    logger.info("answered", extra={"status": 204})
    return Response(status_code=204, body="", headers={"Cache-Control": "no-store"})


def below(event: APIGatewayProxyEvent, name: str | int) -> str:
    """The path, as the client sees it, of what was made by a POST to this path."""
    return f"{event.request_context.path.rstrip('/')}/{quote(str(name), safe='')}"


def cacheable(event: APIGatewayProxyEvent, body: Mapping[str, object], max_age_s: int) -> Response[str]:
    """A public answer with an ETag."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True)
    return unless_known(event, text, etag_of(text), max_age_s)


def etag_of(text: str) -> str:
    """The ETag of a body."""
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def unless_known(event: APIGatewayProxyEvent, text: str, etag: str, max_age_s: int) -> Response[str]:
    """A public answer; 304 without a body when the client has it already (RFC 9110 13.1.2, weak comparison).

    It varies with Origin, because only a request that has one is answered with CORS headers.
    """
    cached = f"public, max-age={max_age_s}"
    headers: dict[str, str | list[str]] = {"Cache-Control": cached, "ETag": etag, "Vary": "Origin"}
    asked = {tag.strip().removeprefix("W/") for tag in (event.headers.get("if-none-match") or "").split(",")}
    unchanged = etag in asked or "*" in asked
    logger.info("answered", extra={"status": 304 if unchanged else 200})
    if unchanged:
        return Response(status_code=304, body="", headers=headers)
    return Response(status_code=200, content_type=CONTENT_TYPE, body=text, headers=headers)


def created(body: Mapping[str, object], *, replayed: bool) -> Response[str]:
    """201 for something that was stored, now or when this Idempotency-Key was first used."""
    return answer(201, body, {"Idempotent-Replay": "true"} if replayed else None)
