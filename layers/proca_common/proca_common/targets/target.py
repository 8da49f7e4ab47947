"""A target and its addresses, and what becomes of these (domain 1.12, 9.7 to 9.9). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from proca_common.actions.fields import MAX_BYTES, field_failures
from proca_common.actions.status import EmailStatus
from proca_common.catalog.entity import Entity

MAX_TARGETS = 5_000
"""How many targets a campaign may have."""
MAX_EMAILS = 10
MAX_ERROR = 500
SOFT_BOUNCES = 1
"""So many soft bounces count as a hard one (domain 9.8)."""
GOOD = frozenset({EmailStatus.NONE, EmailStatus.ACTIVE})
"""Statuses of addresses that are written to (domain 9.7)."""

Address = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True),
    Field(pattern=r"^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*$", max_length=254),
]
"""An e-mail address, trimmed and in small letters (domain 2.2, 2.4)."""
Line = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]


def _are_fields(fields: dict[str, Any]) -> dict[str, Any]:
    for failure in field_failures(fields):
        raise ValueError(f"has more than {MAX_BYTES} bytes" if failure.code == "too_large" else failure.message)
    return fields


class TargetSettings(Entity):
    """What is known of a target, for everybody to see. `external_id`: what the campaign calls it, unique in it.

    `fields`: a flat map, as an action's; what a mail says of the target in its `locale`.
    """

    external_id: Line
    name: Line
    locale: Annotated[str, Field(pattern=r"^[a-z]{2}(_[A-Z]{2})?$")] | None = None
    area: Line | None = None
    fields: Annotated[dict[str, Any], AfterValidator(_are_fields)] = Field(default_factory=dict)


class EmailInput(Entity):
    """An address as it is given. `email_status`: None leaves it as it is; `none` writes to it again."""

    email: Address
    email_status: Literal[EmailStatus.NONE, EmailStatus.INACTIVE] | None = None


class TargetInput(TargetSettings):
    """A target as it is given. `emails`: None leaves its addresses as they are, else these replace them."""

    emails: Annotated[tuple[EmailInput, ...], Field(max_length=MAX_EMAILS)] | None = None


class TargetEmail(Entity):
    """An address of a target. `error`: what the last bounce said."""

    email: Address
    email_status: EmailStatus = EmailStatus.NONE
    error: str | None = None
    soft_bounces: int = 0


class Target(TargetSettings):
    """A stored target; `id` is a UUID in small letters, `campaign` a campaign's id."""

    id: str
    campaign: int
    emails: tuple[TargetEmail, ...] = ()
    version: int = 1

    @classmethod
    def beside(cls) -> set[str]:
        """Where it stands, its addresses, which change by themselves, and what changes are conditional on."""
        return {"id", "campaign", "emails", "version"}


def good_address(target: Target) -> str | None:
    """The address that a mail goes to: the first good one (domain 9.6.2, 9.7)."""
    return next((known.email for known in target.emails if known.email_status in GOOD), None)


def given_emails(known: Sequence[TargetEmail], given: Iterable[EmailInput]) -> tuple[TargetEmail, ...]:
    """The addresses after these were given: equal ones keep what is known of them, unless a status is given; a status
    that is given also takes back the error. Whoever is named twice counts once (domain 9.9.2).
    """
    before = {one.email: one for one in known}
    wanted: dict[str, TargetEmail] = {}
    for one in given:
        kept = before.get(one.email, TargetEmail(email=one.email))
        if one.email_status is not None and one.email_status != kept.email_status:
            kept = TargetEmail(email=one.email, email_status=one.email_status)
        wanted.setdefault(one.email, kept)
    return tuple(wanted.values())


def disabled_emails(known: Iterable[TargetEmail]) -> tuple[TargetEmail, ...]:
    """The addresses when nobody is to write to the target any more (domain 9.9.3)."""
    off = {"email_status": EmailStatus.INACTIVE}
    return tuple(one.model_copy(update=off) if one.email_status in GOOD else one for one in known)


def emails_after_report(
    known: Iterable[TargetEmail], email: str, status: EmailStatus, error: str | None, *, soft: bool = False
) -> tuple[TargetEmail, ...]:
    """The addresses after a mail to one of them came to nothing, for the reason `status`; `soft`: it may do better
    later, and its `status` only comes with the last of so many that are borne (domain 9.8).
    """
    return tuple(_reported(one, status, error, soft) if one.email == email.lower() else one for one in known)


def _reported(known: TargetEmail, status: EmailStatus, error: str | None, soft: bool) -> TargetEmail:
    said = None if error is None else error[:MAX_ERROR]
    if not soft:
        return known.model_copy(update={"email_status": status, "error": said})
    count = known.soft_bounces + 1
    reached = EmailStatus.BOUNCE if count >= SOFT_BOUNCES else known.email_status
    return known.model_copy(update={"soft_bounces": count, "error": said, "email_status": reached})


def emails_after_sending(known: Iterable[TargetEmail], email: str) -> tuple[TargetEmail, ...]:
    """The addresses after the provider took a mail to this one: active, without soft bounces. One that was reported or
    switched off meanwhile stays so (domain 9.6.9, 9.8).
    """
    active = {"email_status": EmailStatus.ACTIVE, "soft_bounces": 0}
    return tuple(
        one.model_copy(update=active) if one.email == email.lower() and one.email_status in GOOD else one
        for one in known
    )
