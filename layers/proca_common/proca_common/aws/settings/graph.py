"""Settings of the function that speaks GraphQL."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from proca_common.aws.settings.widgets import IntakeSettings


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
