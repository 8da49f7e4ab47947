"""Every problem type and every code of a failed rule. A test looks for them in the code, and finds no other."""

from __future__ import annotations

from typing import NamedTuple

from proca_common.documents import MAX_DEPTH
from proca_common.http.problems import TYPE
from proca_common.http.requests import MAX_BODY_BYTES


class ProblemType(NamedTuple):
    """A kind of problem: its status, when it is answered, and whether `Retry-After` says how long to wait."""

    status: int
    when: str
    retry_after: bool = False


PROBLEMS = {
    "malformed": ProblemType(400, f"The body is no JSON object, not UTF-8, or nested deeper than {MAX_DEPTH} levels."),
    "unauthorized": ProblemType(401, "Nobody says who asks, or does not prove it."),
    "payment-refused": ProblemType(402, "The payment service refuses who pays; `providerCode` says why."),
    "not-allowed": ProblemType(403, "The campaign does not take this."),
    "not-found": ProblemType(404, "There is no such page or endpoint, or the page's org has not set that up."),
    "taken": ProblemType(409, "A value that must be unique belongs to something else."),
    "in-use": ProblemType(409, "Something else still needs it."),
    "outdated": ProblemType(412, "It was changed since it was read: read it again."),
    "settled": ProblemType(400, "What a link is for cannot be done any more, or not yet."),
    "ended": ProblemType(410, "A link is too old, or was used as often as it may be."),
    "too-large": ProblemType(413, f"The body has more than {MAX_BODY_BYTES:,} bytes."),
    "unsupported-media-type": ProblemType(415, "The body is not sent as `application/json`."),
    "invalid-input": ProblemType(422, "Rules were broken: `errors` has each of them."),
    "too-many": ProblemType(
        429, "Too many requests at once, or too many actions of one supporter (200, of which 80 may wait).", True
    ),
    "unavailable": ProblemType(
        503, "The store is busy: nothing was stored. Or a payment service does not answer, or refuses us.", True
    ),
    "internal": ProblemType(500, "A fault of this system. No request should lead to it."),
}
"""By the last part of their type, `urn:proca:problem:<code>`."""

CODES = {
    "blank": "is required",
    "format": "has not the form that it must have",
    "too_long": "has too many characters",
    "too_short": "has too few characters",
    "lower_case": "has no lower case letter",
    "upper_case": "has no upper case letter",
    "digit_or_punctuation": "has no digit or punctuation character",
    "mismatch": "is not the password above",
    "wrong": "is not the password",
    "unchanged": "is what it was",
    "taken": "belongs to something else already",
    "invalid": "has the wrong type, or is none of the possible values",
    "unknown_field": "is not known here",
    "not_flat": "is no flat map of texts, numbers, booleans and lists of them",
    "too_large": "is more than what is taken",
    "base64url": "is no base64url",
    "age": "is too young",
    "unknown_currency": "is no currency",
    "not_positive": "is not more than nothing",
    "no_amount": "has no amount",
    "no_currency": "has no currency",
    "needs_contact": "may only come with a contact, which it is encrypted with",
    "needs_email": "is needed, because it stands in what is sent",
    "mustache": "is no valid Mustache",
    "unknown_target": "is no target of this campaign",
    "unsupported": "is nothing that this campaign takes",
    "has_messages": "has messages, so it stays",
    "not_found": "names something that is not there",
    "unauthorized": "is needed",
    "bad_captcha": "solves no challenge of this page, or was used before",
    "bad_arg": "names a service that this campaign does not take",
    "idempotency_key": "was used for another request",
    "payment": "is refused by the payment service, in its own words; `providerCode` says why",
}
"""Codes of failed rules, and what is the matter with the value that `pointer` names."""


def tables() -> str:
    """Both as tables in Markdown."""
    problems = [f"| {kind.status} | `{TYPE}{code}` | {kind.when} |" for code, kind in PROBLEMS.items()]
    codes = [f"| `{code}` | {what} |" for code, what in CODES.items()]
    heads = (["| status | `type` | when |", "| --- | --- | --- |"], ["| `code` | the value … |", "| --- | --- |"])
    return "\n".join([*heads[0], *problems, "", *heads[1], *codes, ""])
