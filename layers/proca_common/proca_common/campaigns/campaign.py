"""A campaign, as rules and messages see it (domain 1.3)."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from proca_common.catalog.entity import Config, ContactSchema, Entity, Id, TemplateName, Title

__all__ = ["Campaign", "CampaignInput", "CampaignStatus", "ContactSchema"]


class CampaignStatus(StrEnum):
    """Informational: it never gates intake (domain 3)."""

    DRAFT = "draft"
    LIVE = "live"
    CLOSED = "closed"
    IGNORED = "ignored"


def _checked_guards(given: dict[str, Any]) -> dict[str, Any]:
    if not given:
        return given
    from proca_common.guards.settings import checked  # noqa: PLC0415 - not for campaigns without guards

    return checked(given)


def _checked_mtt(given: dict[str, Any] | None) -> dict[str, Any] | None:
    if given is None:
        return None
    from proca_common.mtt.settings import checked  # noqa: PLC0415 - not for campaigns without targets

    return checked(given)


ActionField = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}:", max_length=300)]
ActionFields = Annotated[tuple[ActionField, ...], Field(max_length=100)]


class CampaignSettings(Entity):
    """What the lead org decides about a campaign. `supporter_confirm` and `action_confirm` override the page org's when
    not None.

    `transient_actions` and `public_actions` list custom fields as `actionType:key`: the former are personal data, so
    they never stand with the action (design 7.1) and cannot be public; the latter may be shown to anybody.
    `retention_months`: how long after `end` orgs keep contacts, whatever their own rule is (domain 13.8).

    `mtt`: how messages to its targets are sent, as `mtt.settings.Mtt` says; None: it takes none.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=100)]
    title: Title
    external_id: Annotated[int, Field(ge=0, le=2_147_483_647)] | None = None
    contact_schema: ContactSchema = ContactSchema.BASIC
    status: CampaignStatus = CampaignStatus.LIVE
    supporter_confirm: bool | None = None
    supporter_confirm_template: TemplateName | None = None
    action_confirm: bool | None = None
    transient_actions: ActionFields = ()
    public_actions: ActionFields = ()
    start: date | None = None
    end: date | None = None
    retention_months: Annotated[int, Field(ge=1, le=240)] | None = None
    config: Config = Field(default_factory=dict)
    mtt: Annotated[Config | None, AfterValidator(_checked_mtt)] = None

    @field_validator("end")
    @classmethod
    def _in_order(cls, end: date | None, others: ValidationInfo) -> date | None:
        start = others.data.get("start")
        if start is not None and end is not None and not start < end:
            raise ValueError("must be after start")
        return end


class CampaignInput(CampaignSettings):
    """What can be set of a campaign. `force_delivery`: the lead has contacts of partners' pages in any case, which only
    an operator decides. `guards`: what keeps its intake safe, as `guards.settings.Guards` says.
    """

    org: Id
    force_delivery: bool = False
    guards: Annotated[Config, AfterValidator(_checked_guards)] = Field(default_factory=dict)


class Campaign(CampaignInput):
    """A stored campaign; `org` is the lead org."""

    id: Id
    version: int = 1

    @classmethod
    def beside(cls) -> set[str]:
        """The version is what changes are conditional on."""
        return {"id", "version"}
