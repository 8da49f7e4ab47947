"""How a campaign's messages to targets are sent (domain 1.13): stored with the campaign, in the form of the API.

A campaign without these settings takes no messages to targets.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, ValidationInfo, field_validator

from proca_common.campaigns.campaign import CampaignSettings
from proca_common.catalog.entity import Entity, TemplateName, in_utc
from proca_common.targets.target import Address

UTC_ZONE = "Etc/UTC"
CYCLE_MINUTES = 3
"""A cycle of the drip engine (domain 9.3)."""
MAX_CC = 10
MAX_PER_HOUR = 1_000
TOO_SHORT = (
    f"should be at least {CYCLE_MINUTES} minutes later in the day than start_at, as both are hours of sending too"
)


class KeepMessages(StrEnum):
    """What stays of an action's message once none of its mails is still to be sent; sealed in any case.

    `none`: nothing; `text`: subject and body, but not who wrote it; `all`: all of it, to be exported, until the
    supporter is erased.
    """

    NONE = "none"
    TEXT = "text"
    ALL = "all"


def _text_or_time(value: object) -> object:
    if isinstance(value, str | datetime):
        return value
    raise ValueError("is invalid")


def _to_the_second(moment: datetime) -> datetime:
    return in_utc(moment).replace(microsecond=0)


Moment = Annotated[AwareDatetime, BeforeValidator(_text_or_time), AfterValidator(_to_the_second)]


class Mtt(Entity):
    """The settings of one campaign.

    `start_at`, `end_at`: UTC. With `drip_delivery` they are both the days and the hours of each day (domain 9.3), else
    days alone. `max_emails_per_hour`: to one target in the best hour, where it does not drip (None: 30); `timezone`:
    whose hours these are. `paused`: nothing goes out until it is taken back.
    """

    start_at: Moment
    drip_delivery: bool = True
    end_at: Moment
    message_template: TemplateName | None = None
    test_email: Address | None = None
    cc_contacts: Annotated[tuple[Address, ...], Field(max_length=MAX_CC)] = ()
    cc_sender: bool = False
    max_emails_per_hour: Annotated[int, Field(ge=1, le=MAX_PER_HOUR)] | None = None
    timezone: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+/-]+$", max_length=64)] = UTC_ZONE
    paused: bool = False
    keep_messages: KeepMessages = KeepMessages.NONE

    @field_validator("end_at")
    @classmethod
    def _in_order(cls, end: datetime, others: ValidationInfo) -> datetime:
        start = others.data.get("start_at")
        if start is None:
            return end
        if not start < end:
            raise ValueError("should be after start_at")
        if others.data.get("drip_delivery") and _minutes(end) - _minutes(start) < CYCLE_MINUTES:
            raise ValueError(TOO_SHORT)
        return end


def _minutes(moment: datetime) -> float:
    return moment.hour * 60 + moment.minute + moment.second / 60


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they are stored, camelCase. Raises pydantic's ValidationError."""
    return Mtt.model_validate(given, by_alias=True, by_name=False).model_dump(mode="json", by_alias=True)


def mtt_of(campaign: CampaignSettings) -> Mtt | None:
    """How the campaign's messages are sent; None: it takes none."""
    return None if campaign.mtt is None else Mtt.model_validate(campaign.mtt, by_alias=True, by_name=False)


def is_zone(name: str) -> bool:
    """Whether the tz database has this zone. Asked when it is set: what is stored needs no database to be read."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - needed by few

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
