"""What an org knows of a supporter: asking its detail service, and what may come back (domain 4.5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from proca_common.actions.status import EmailStatus
from proca_common.aws import clock
from proca_common.pipes.calling import Answer, Caller, NoCall
from proca_common.pipes.webhook import Credentials, headers

CALL_S = 5.0
MAX_ANSWER = 16 * 1024
NOT_KNOWN = frozenset({204, 404})
OLDEST = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(value: datetime) -> datetime:
    """In UTC, where nothing else is said; a time before 1970 is none."""
    try:
        moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError("out of range") from None
    if moment < OLDEST:
        raise ValueError("before 1970")
    return moment


Moment = Annotated[datetime, AfterValidator(_moment)]


class _Part(BaseModel):
    """What is not known here is ignored; what is known must be of its type."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="ignore", alias_generator=to_camel, hide_input_in_errors=True
    )


class _Privacy(_Part):
    opt_in: bool | None = None
    given_at: Moment | None = None
    email_status: EmailStatus | None = None
    email_status_changed: Moment | None = None

    @model_validator(mode="after")
    def _has_times(self) -> _Privacy:
        if self.opt_in and self.given_at is None:
            raise ValueError("optIn without givenAt")
        if self.email_status is not None and self.email_status_changed is None:
            raise ValueError("emailStatus without emailStatusChanged")
        return self


class _Action(_Part):
    custom_fields: dict[str, Any] | None = None


class _Answer(_Part):
    privacy: _Privacy | None = None
    action: _Action | None = None


@dataclass(frozen=True, slots=True)
class Details:
    """What an org knows. `given_at`: when consent to communication was given, None if it is not known to be.

    `email_status` comes with the moment of its change. `custom_fields` are not checked for their form.
    """

    given_at: datetime | None = None
    email_status: EmailStatus | None = None
    email_status_changed: datetime | None = None
    custom_fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking. `details` None: there are none. `failed`: asking again may help. `reason`: for the log."""

    details: Details | None
    reason: str
    failed: bool = False


def ask(
    url: str, known: Credentials, message_id: str, email: str | None, contact_ref: str, *, this_machine: bool = False
) -> Asked:
    """Ask an org's service about a supporter; nothing is raised. `message_id`: what a signed request is known by."""
    body = json.dumps({"email": email, "contactRef": contact_ref}).encode()
    try:
        with Caller(url, this_machine=this_machine) as caller:
            made = headers(known, message_id, clock.now_ms() // 1000, body)
            return asked(caller.post(body, made, limit=MAX_ANSWER, call_s=CALL_S))
    except NoCall as silence:
        return Asked(None, silence.reason, failed=True)


def asked(answer: Answer) -> Asked:
    """What an answer means (table 4.5). That the person is not known is an answer too (decision 6 of domain 15).

    Values that are not right, or too many, will not get better: they are no details. What is no JSON object is a fault.
    """
    if answer.status in NOT_KNOWN:
        return Asked(None, "not known")
    if not answer.is_success:
        return Asked(None, f"status {answer.status}", failed=True)
    if answer.body is None:
        return Asked(None, "too large")
    if not _is_object(answer.body):
        return Asked(None, "no JSON object", failed=True)
    try:
        return Asked(_details(_Answer.model_validate_json(answer.body)), "details")
    except ValidationError as error:
        wrong = {".".join(map(str, fault["loc"][:2])) for fault in error.errors(include_input=False)}
        return Asked(None, "invalid: " + ", ".join(sorted(wrong)))


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def _details(said: _Answer) -> Details:
    privacy, action = said.privacy or _Privacy(), said.action or _Action()
    return Details(
        given_at=privacy.given_at if privacy.opt_in else None,
        email_status=privacy.email_status,
        email_status_changed=None if privacy.email_status is None else privacy.email_status_changed,
        custom_fields=action.custom_fields or {},
    )
