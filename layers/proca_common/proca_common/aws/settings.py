"""Settings: what a function reads from its environment, once, at import (style 6)."""

from __future__ import annotations

import os
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class SettingsError(RuntimeError):
    """The environment lacks a setting, so the function must not start. Names settings, never values."""


class Settings(BaseModel):
    """Base of a function's settings: a field `actions_table` is read from the variable `ACTIONS_TABLE`."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True)


class TableSettings(Settings):
    """Names of the tables a function may touch; a function that lacks one has no right to it."""

    actions_table: str | None = None
    catalog_table: str | None = None
    stats_table: str | None = None
    erasures_table: str | None = None


class IntakeSettings(TableSettings):
    """Settings of the two functions that take actions in. The guards' secret is read when a guard is first needed."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    fingerprint_seed_secret: str = Field(min_length=1)
    guard_key_secret: str = Field(min_length=1)


class GraphSettings(IntakeSettings):
    """Settings of the function that speaks GraphQL, whose clients take actions in and manage. `graphql_introspection`:
    whether the schema may be asked for. `private_targets`: whether services may be on this machine.
    """

    stats_table: str = Field(min_length=1)
    queue_url_prefix: str = Field(min_length=1)
    mail_queue_url: str = Field(min_length=1)
    push_queue_url: str = Field(min_length=1)
    encrypt_contacts_queue_url: str = Field(min_length=1)
    link_base_url: str = Field(min_length=1)
    link_keys_secret: str = Field(min_length=1)
    service_passwords_secret: str = Field(min_length=1)
    erasures_table: str = Field(min_length=1)
    erasure_key_secret: str = Field(min_length=1)
    erasure_queue_url: str = Field(min_length=1)
    graphql_introspection: Literal["on", "off"] = "off"
    private_targets: Literal["refuse", "allow"] = "refuse"


class LinkSettings(TableSettings):
    """Settings of the function that links earlier actions; its secret is read when a guard is first needed."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    guard_key_secret: str = Field(min_length=1)


class PaymentSettings(TableSettings):
    """Settings of the function that creates objects at Stripe; it only counts in the Actions table."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    guard_key_secret: str = Field(min_length=1)
    service_passwords_secret: str = Field(min_length=1)


class ManagementSettings(TableSettings):
    """Settings of functions that manage; they count in the Actions table who tries passwords."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    guard_key_secret: str = Field(min_length=1)


class ConfirmsSettings(ManagementSettings):
    """Settings of the function that lets a second person decide, and mails to that person; a moderator's decision is
    counted at once.
    """

    stats_table: str = Field(min_length=1)
    mail_queue_url: str = Field(min_length=1)


class StaffSettings(ManagementSettings):
    """Settings of the function that manages who works for an org; it orders mails to who is invited."""

    mail_queue_url: str = Field(min_length=1)


class AccountSettings(ManagementSettings):
    """Settings of the function behind accounts; all mails that it orders are sent by another."""

    mail_queue_url: str = Field(min_length=1)


class CampaignSettings(ManagementSettings):
    """Settings of the function that manages campaigns; it counts the extra supporters of pages it makes or changes."""

    stats_table: str = Field(min_length=1)


class LaunchSettings(CampaignSettings):
    """Settings of the function that manages pages; it orders mails to who is asked to launch one."""

    mail_queue_url: str = Field(min_length=1)


class CountAuditSettings(ManagementSettings):
    """Settings of the function that has the numbers of campaigns counted again by another."""

    stats_table: str = Field(min_length=1)
    audit_queue_url: str = Field(min_length=1)


class AuditSettings(TableSettings):
    """Settings of the function that counts campaigns again. `audit_reads_per_second`: how many items one of it reads in
    a second at most, so that signing is not disturbed.
    """

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    stats_table: str = Field(min_length=1)
    audit_queue_url: str = Field(min_length=1)
    audit_reads_per_second: float = Field(default=1000, gt=0)


class StatisticsSettings(ManagementSettings):
    """Settings of the function that shows numbers over time."""

    stats_table: str = Field(min_length=1)


class ServiceSettings(ManagementSettings):
    """Settings of the function that manages services. `private_targets`: whether they may be on this machine."""

    private_targets: Literal["refuse", "allow"] = "refuse"


class OrgSettings(ManagementSettings):
    """Settings of the function that manages orgs, whose queues it makes."""

    queue_url_prefix: str = Field(min_length=1)


class KeySettings(ManagementSettings):
    """Settings of the function that manages keys; it has older contacts encrypted by another."""

    encrypt_contacts_queue_url: str = Field(min_length=1)


class ExportsSettings(ManagementSettings):
    """Settings of the function that lets orgs take out what they have; files are written by another."""

    fingerprint_seed_secret: str = Field(min_length=1)
    export_bucket: str = Field(min_length=1)
    export_queue_url: str = Field(min_length=1)


class ErasuresSettings(ManagementSettings):
    """Settings of the function that erases people, and tells all that an org has of one."""

    stats_table: str = Field(min_length=1)
    erasures_table: str = Field(min_length=1)
    fingerprint_seed_secret: str = Field(min_length=1)
    erasure_key_secret: str = Field(min_length=1)
    erasure_queue_url: str = Field(min_length=1)


class RetainSettings(TableSettings):
    """Settings of the function that erases what orgs keep too long."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    stats_table: str = Field(min_length=1)
    erasures_table: str = Field(min_length=1)


class EraseSettings(TableSettings):
    """Settings of the function that goes on with erasures."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    stats_table: str = Field(min_length=1)
    erasures_table: str = Field(min_length=1)
    erasure_queue_url: str = Field(min_length=1)


class ExportFileSettings(TableSettings):
    """Settings of the function that writes files of exports."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    export_queue_url: str = Field(min_length=1)


class EncryptContactsSettings(TableSettings):
    """Settings of the function that encrypts what was stored before a key held."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    encrypt_contacts_queue_url: str = Field(min_length=1)
    sealing_key_secret: str = Field(min_length=1)


class QueueSettings(ManagementSettings):
    """Settings of the functions that show and read the queues of orgs."""

    queue_url_prefix: str = Field(min_length=1)


class QueueCredentialsSettings(ManagementSettings):
    """Settings of the function that lends a role to orgs, for their own queues."""

    queue_url_prefix: str = Field(min_length=1)
    queue_arn_prefix: str = Field(min_length=1)
    queue_reader_role: str = Field(min_length=1)


class SendAgainSettings(ManagementSettings):
    """Settings of the function that sends again what an org lost."""

    queue_url_prefix: str = Field(min_length=1)
    mail_queue_url: str = Field(min_length=1)
    push_queue_url: str = Field(min_length=1)
    link_base_url: str = Field(min_length=1)
    link_keys_secret: str = Field(min_length=1)


class PageSettings(TableSettings):
    """Settings of functions that only read the catalogue."""

    catalog_table: str = Field(min_length=1)


class PublicSettings(PageSettings):
    """Settings of the functions that show pages, targets and their numbers."""

    stats_table: str = Field(min_length=1)


class ChallengeSettings(PageSettings):
    """Settings of the function that makes challenges."""

    guard_key_secret: str = Field(min_length=1)


class ConfirmLinkSettings(TableSettings):
    """Settings of the function behind links. `link_days`: for how long they accept and opt in (design 7.4)."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    stats_table: str = Field(min_length=1)
    link_keys_secret: str = Field(min_length=1)
    guard_key_secret: str = Field(min_length=1)
    link_days: int = Field(default=180, gt=0)


class SweepSettings(TableSettings):
    """Settings of the sweep."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)


class StageSettings(TableSettings):
    """Settings of both functions that read the stream of actions."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    stats_table: str = Field(min_length=1)
    queue_url_prefix: str = Field(min_length=1)
    mail_queue_url: str = Field(min_length=1)
    push_queue_url: str = Field(min_length=1)


class ConfirmSettings(StageSettings):
    """Settings of the stream function of the confirm stages; it makes links for orgs that mail by themselves."""

    link_base_url: str = Field(min_length=1)
    link_keys_secret: str = Field(min_length=1)


class DeliverSettings(StageSettings):
    """Settings of the stream function that delivers and counts."""

    detail_queue_url: str = Field(min_length=1)
    target_mail_queue_url: str = Field(min_length=1)


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


class MessagesSettings(ManagementSettings):
    """Settings of the function that shows messages to targets; its key is read by the first who may see them."""

    sealing_key_secret: str = Field(min_length=1)


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


class EmitEventsSettings(TableSettings):
    """Settings of the function that tells orgs what happened in the catalogue."""

    catalog_table: str = Field(min_length=1)
    queue_url_prefix: str = Field(min_length=1)
    push_queue_url: str = Field(min_length=1)
    link_base_url: str = Field(min_length=1)


class RemindSettings(TableSettings):
    """Settings of the function that reminds supporters."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    mail_queue_url: str = Field(min_length=1)


class CheckSettings(ManagementSettings):
    """Settings of the function that says how each part is. `checked_queues`, `checked_secrets`: names of our own queues
    and entries of secrets, with commas between them.
    """

    stats_table: str = Field(min_length=1)
    erasures_table: str = Field(min_length=1)
    queue_url_prefix: str = Field(min_length=1)
    checked_queues: str = Field(min_length=1)
    checked_secrets: str = Field(min_length=1)


class WatchSettings(TableSettings):
    """Settings of the function that looks at the queues of orgs, and orders mails about those that nobody reads."""

    catalog_table: str = Field(min_length=1)
    queue_url_prefix: str = Field(min_length=1)
    mail_queue_url: str = Field(min_length=1)


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


class PushSettings(TableSettings):
    """Settings of the function that pushes messages on. `private_targets`: whether this machine may be called."""

    catalog_table: str = Field(min_length=1)
    push_queue_url: str = Field(min_length=1)
    push_failures_queue_url: str = Field(min_length=1)
    service_passwords_secret: str = Field(min_length=1)
    private_targets: Literal["refuse", "allow"] = "refuse"


class LookUpDetailsSettings(TableSettings):
    """Settings of the function that asks orgs for details. `private_targets`: whether this machine may be called."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    detail_queue_url: str = Field(min_length=1)
    sealing_key_secret: str = Field(min_length=1)
    service_passwords_secret: str = Field(min_length=1)
    private_targets: Literal["refuse", "allow"] = "refuse"


AnySettings = TypeVar("AnySettings", bound=Settings)


def read(model: type[AnySettings]) -> AnySettings:
    """The settings of `model` from the environment; raises `SettingsError` that names every missing variable."""
    values = {name: os.environ[name.upper()] for name in model.model_fields if os.environ.get(name.upper())}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        missing = ", ".join(sorted(str(failed["loc"][0]).upper() for failed in error.errors(include_input=False)))
        raise SettingsError(f"missing or empty environment variables: {missing}") from None
