"""Settings of the functions that work for long, or look after things by a schedule."""

from __future__ import annotations

from pydantic import Field

from proca_common.aws.settings import TableSettings


class EncryptContactsSettings(TableSettings):
    """Settings of the function that encrypts what was stored before a key held."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    encrypt_contacts_queue_url: str = Field(min_length=1)
    sealing_key_secret: str = Field(min_length=1)


class ExportFileSettings(TableSettings):
    """Settings of the function that writes files of exports."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    export_queue_url: str = Field(min_length=1)


class EraseSettings(TableSettings):
    """Settings of the function that goes on with erasures."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    stats_table: str = Field(min_length=1)
    erasures_table: str = Field(min_length=1)
    erasure_queue_url: str = Field(min_length=1)


class RetainSettings(TableSettings):
    """Settings of the function that erases what orgs keep too long."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    stats_table: str = Field(min_length=1)
    erasures_table: str = Field(min_length=1)


class AuditSettings(TableSettings):
    """Settings of the function that counts campaigns again. `audit_reads_per_second`: how many items one of it reads in
    a second at most, so that signing is not disturbed.
    """

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    stats_table: str = Field(min_length=1)
    audit_queue_url: str = Field(min_length=1)
    audit_reads_per_second: float = Field(default=1000, gt=0)


class WatchSettings(TableSettings):
    """Settings of the function that looks at the queues of orgs, and orders mails about those that nobody reads."""

    catalog_table: str = Field(min_length=1)
    queue_url_prefix: str = Field(min_length=1)
    mail_queue_url: str = Field(min_length=1)
