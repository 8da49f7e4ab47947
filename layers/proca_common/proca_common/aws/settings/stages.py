"""Settings of the functions that read streams, serve what these order, and wake what is overdue."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from proca_common.aws.settings import TableSettings


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


class EmitEventsSettings(TableSettings):
    """Settings of the function that tells orgs what happened in the catalogue."""

    catalog_table: str = Field(min_length=1)
    queue_url_prefix: str = Field(min_length=1)
    push_queue_url: str = Field(min_length=1)
    link_base_url: str = Field(min_length=1)


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


class SweepSettings(TableSettings):
    """Settings of the sweep."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
