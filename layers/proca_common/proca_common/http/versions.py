"""Versions of what is changed: an ETag with each answer, `If-Match` with each change (RFC 9110 13.1.1)."""

from __future__ import annotations

import re

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from proca_common.errors import Outdated

_ETAG = re.compile(r'"v(\d{1,15})"')


def etag(version: int) -> str:
    """The ETag of a version."""
    return f'"v{version}"'


def check_match(event: APIGatewayProxyEvent, version: int) -> None:
    """Raise `Outdated` when the request was made for another version than this; without `If-Match` any will do."""
    asked = event.headers.get("if-match")
    if asked is None or asked.strip() == "*":
        return
    if str(version) not in _ETAG.findall(asked):
        raise Outdated
