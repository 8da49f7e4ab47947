"""Settings of the functions behind the management API."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from proca_common.aws.settings import TableSettings


class ManagementSettings(TableSettings):
    """Settings of functions that manage; they count in the Actions table who tries passwords."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    guard_key_secret: str = Field(min_length=1)


class AccountSettings(ManagementSettings):
    """Settings of the function behind accounts; all mails that it orders are sent by another."""

    mail_queue_url: str = Field(min_length=1)


class OrgSettings(ManagementSettings):
    """Settings of the function that manages orgs, whose queues it makes."""

    queue_url_prefix: str = Field(min_length=1)


class StaffSettings(ManagementSettings):
    """Settings of the function that manages who works for an org; it orders mails to who is invited."""

    mail_queue_url: str = Field(min_length=1)


class ConfirmsSettings(ManagementSettings):
    """Settings of the function that lets a second person decide, and mails to that person; a moderator's decision is
    counted at once.
    """

    stats_table: str = Field(min_length=1)
    mail_queue_url: str = Field(min_length=1)


class KeySettings(ManagementSettings):
    """Settings of the function that manages keys; it has older contacts encrypted by another."""

    encrypt_contacts_queue_url: str = Field(min_length=1)


class ServiceSettings(ManagementSettings):
    """Settings of the function that manages services. `private_targets`: whether they may be on this machine."""

    private_targets: Literal["refuse", "allow"] = "refuse"


class CampaignSettings(ManagementSettings):
    """Settings of the function that manages campaigns; it counts the extra supporters of pages it makes or changes."""

    stats_table: str = Field(min_length=1)


class LaunchSettings(CampaignSettings):
    """Settings of the function that manages pages; it orders mails to who is asked to launch one."""

    mail_queue_url: str = Field(min_length=1)


class MessagesSettings(ManagementSettings):
    """Settings of the function that shows messages to targets; its key is read by the first who may see them."""

    sealing_key_secret: str = Field(min_length=1)


class StatisticsSettings(ManagementSettings):
    """Settings of the function that shows numbers over time."""

    stats_table: str = Field(min_length=1)


class CountAuditSettings(ManagementSettings):
    """Settings of the function that has the numbers of campaigns counted again by another."""

    stats_table: str = Field(min_length=1)
    audit_queue_url: str = Field(min_length=1)


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


class CheckSettings(ManagementSettings):
    """Settings of the function that says how each part is. `checked_queues`, `checked_secrets`: names of our own queues
    and entries of secrets, with commas between them. `checked_streams`: how many functions read each stream, and its
    ARN: `2 arn:…,1 arn:…`.
    """

    stats_table: str = Field(min_length=1)
    erasures_table: str = Field(min_length=1)
    queue_url_prefix: str = Field(min_length=1)
    checked_queues: str = Field(min_length=1)
    checked_secrets: str = Field(min_length=1)
    checked_streams: str = Field(pattern=r"^\d+ arn:[^ ,]+(,\d+ arn:[^ ,]+)*$")


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
