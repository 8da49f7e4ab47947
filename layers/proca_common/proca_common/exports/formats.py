"""How rows stand in a file: as JSON, a row a line, or as CSV (RFC 4180). UTF-8. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from proca_common.exports.rows import Row

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes a text for a formula by, or for white space before one."""


class Format(StrEnum):
    """Which files there are."""

    NDJSON = "ndjson"
    CSV = "csv"


CONTENT_TYPE: Final = {Format.NDJSON: "application/x-ndjson", Format.CSV: "text/csv; charset=utf-8; header=present"}
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "actionId": ("actionId",),
    "actionType": ("actionType",),
    "createdAt": ("createdAt",),
    "campaignId": ("campaign", "id"),
    "campaign": ("campaign", "name"),
    "campaignTitle": ("campaign", "title"),
    "campaignExternalId": ("campaign", "externalId"),
    "actionPageId": ("actionPage", "id"),
    "actionPage": ("actionPage", "name"),
    "locale": ("actionPage", "locale"),
    "contactRef": ("contact", "contactRef"),
    "dupeRank": ("contact", "dupeRank"),
    "payload": ("contact", "payload"),
    "nonce": ("contact", "nonce"),
    "publicKeyId": ("contact", "publicKey", "id"),
    "publicKey": ("contact", "publicKey", "public"),
    "signKeyId": ("contact", "signKey", "id"),
    "signKey": ("contact", "signKey", "public"),
    "optIn": ("privacy", "optIn"),
    "givenAt": ("privacy", "givenAt"),
    "emailStatus": ("privacy", "emailStatus"),
    "emailStatusChanged": ("privacy", "emailStatusChanged"),
    "withConsent": ("privacy", "withConsent"),
    "source": ("tracking", "source"),
    "medium": ("tracking", "medium"),
    "utmCampaign": ("tracking", "campaign"),
    "content": ("tracking", "content"),
    "customFields": ("customFields",),
    "amount": ("donation", "amount"),
    "currency": ("donation", "currency"),
    "frequencyUnit": ("donation", "frequencyUnit"),
    "donationSchema": ("donation", "schema"),
    "donation": ("donation", "payload"),
}
"""Column: where its value is in a row."""


def head(file_format: Format) -> bytes:
    """What a file begins with."""
    return _csv([list(COLUMNS)]) if file_format is Format.CSV else b""


def lines(rows: Iterable[Row], file_format: Format) -> bytes:
    """Rows as they stand in the file."""
    if file_format is Format.CSV:
        return _csv([cell(_within(row, path)) for path in COLUMNS.values()] for row in rows)
    return b"".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for row in rows)


def cell(value: object) -> str:
    """A value as a cell that no spreadsheet takes for a formula: "" for null, JSON for what is no text."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return f"'{value}" if value.startswith(FORMULA) else value


def _csv(rows: Iterable[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _within(row: Row, path: tuple[str, ...]) -> object:
    found: object = row
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found
