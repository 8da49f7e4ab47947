"""What an API function reads of a request besides its parsed body."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import parse_qsl

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from proca_common.failures import BAD_FORMAT, Failure, Malformed, Refused
from proca_common.http.problems import Problem, not_found

MAX_BODY_BYTES = 64 * 1024
MAX_LONG_BODY_BYTES = 2 * 1024 * 1024
"""Where staff send what is long: lists of targets, texts of mails."""
IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
JSON_TYPE = re.compile(r"application/json(?:\s*;.*)?", re.IGNORECASE)
CSV_TYPE = re.compile(r"text/csv(?:\s*;.*)?", re.IGNORECASE)
FORM_TYPE = re.compile(r"application/x-www-form-urlencoded(?:\s*;.*)?", re.IGNORECASE)
MAX_ID = 2**53 - 1


def json_body(event: APIGatewayProxyEvent, most: int = MAX_BODY_BYTES) -> bytes:
    """The raw JSON body, at most 64 KB or as many bytes as is said; raises the problems 400, 413 and 415."""
    if not JSON_TYPE.fullmatch(event.headers.get("content-type") or ""):
        raise Problem(415, "unsupported-media-type", detail="Send application/json")
    return raw_body(event, most)


def csv_body(event: APIGatewayProxyEvent, most: int) -> str | None:
    """The table that was sent, of so many bytes at most; None where it is no table. Raises the problems 400, 413."""
    if not CSV_TYPE.fullmatch(event.headers.get("content-type") or ""):
        return None
    try:
        return raw_body(event, most).decode()
    except UnicodeDecodeError:
        raise Malformed("The table is not UTF-8 text") from None


def form_body(event: APIGatewayProxyEvent) -> dict[str, str]:
    """What the form of a page sent, at most 64 KB; nothing where it is no form. Raises the problems 400 and 413."""
    if not FORM_TYPE.fullmatch(event.headers.get("content-type") or ""):
        return {}
    try:
        return dict(parse_qsl(raw_body(event).decode(), keep_blank_values=True, errors="strict"))
    except ValueError:
        raise Malformed("The form is not UTF-8 text") from None


def raw_body(event: APIGatewayProxyEvent, most: int = MAX_BODY_BYTES) -> bytes:
    """The body whatever its type, at most 64 KB or as many bytes as is said; raises the problems 400 and 413."""
    text = event.body or ""
    try:
        body = base64.b64decode(text, validate=True) if event.is_base64_encoded else text.encode()
    except (binascii.Error, ValueError):
        raise Malformed("The body is not UTF-8 text") from None
    if len(body) > most:
        raise Problem(413, "too-large", detail=f"The body may have {most} bytes")
    return body


def idempotency_key(event: APIGatewayProxyEvent) -> str | None:
    """The `Idempotency-Key` header, 1-64 characters of `[A-Za-z0-9_-]` (design 4), or None when it was not sent."""
    key = event.headers.get("idempotency-key")
    if key is None:
        return None
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise Refused([Failure("", "format", f"Idempotency-Key {BAD_FORMAT}")])
    return str(key)


def numeric_id(text: str, kind: str) -> int:
    """An id of a path; anything that is no positive 53-bit integer is unknown (404)."""
    if not (text.isascii() and text.isdigit() and 0 < int(text[:17]) <= MAX_ID and len(text) <= len(str(MAX_ID))):
        raise not_found(f"No such {kind}")
    return int(text)
