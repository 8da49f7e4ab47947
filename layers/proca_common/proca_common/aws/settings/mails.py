"""Settings of the functions that order and send mails, and hear what became of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from proca_common.aws.settings import TableSettings


class SendEmailSettings(TableSettings):
    """Settings of the function that sends mails. `mail_concurrency`: how many of it run at once at most; they share the
    rate of a provider. `private_targets`: `allow` where a mail server may be on this machine.
    """

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    stats_table: str = Field(min_length=1)
    mail_queue_url: str = Field(min_length=1)
    link_base_url: str = Field(min_length=1)
    link_keys_secret: str = Field(min_length=1)
    sealing_key_secret: str = Field(min_length=1)
    service_passwords_secret: str = Field(min_length=1)
    guard_key_secret: str = Field(min_length=1)
    ses_configuration_set: str | None = None
    mail_concurrency: int = Field(default=2, gt=0)
    private_targets: Literal["refuse", "allow"] = "refuse"


class MailEventsSettings(TableSettings):
    """Settings of the function that hears what became of mails. `soft_bounces` within `soft_bounce_days` days count as
    a hard one.
    """

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    stats_table: str = Field(min_length=1)
    mail_events_topic: str = Field(min_length=1)
    soft_bounces: int = Field(default=3, gt=0)
    soft_bounce_days: int = Field(default=30, gt=0)


class RemindSettings(TableSettings):
    """Settings of the function that reminds supporters."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    mail_queue_url: str = Field(min_length=1)


class SendTargetMailsSettings(TableSettings):
    """Settings of the function that sends mails to targets; `mail_concurrency` and `private_targets` as for the one
    that sends mails to supporters.
    """

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    stats_table: str = Field(min_length=1)
    target_mail_queue_url: str = Field(min_length=1)
    sealing_key_secret: str = Field(min_length=1)
    service_passwords_secret: str = Field(min_length=1)
    ses_configuration_set: str | None = None
    mail_concurrency: int = Field(default=2, gt=0)
    private_targets: Literal["refuse", "allow"] = "refuse"


class ScheduleTargetMailsSettings(TableSettings):
    """Settings of the function that plans mails to targets."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    target_mail_queue_url: str = Field(min_length=1)
