"""Settings of the functions that anybody may call: widgets, readers of campaigns and pages, who follows a link."""

from __future__ import annotations

from pydantic import Field

from proca_common.aws.settings import TableSettings


class IntakeSettings(TableSettings):
    """Settings of the two functions that take actions in. The guards' secret is read when a guard is first needed."""

    actions_table: str = Field(min_length=1)
    catalog_table: str = Field(min_length=1)
    fingerprint_seed_secret: str = Field(min_length=1)
    guard_key_secret: str = Field(min_length=1)


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
