"""What anybody may see of a campaign's targets (domain 11.2), kept in warm memory so that many may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proca_common.campaigns.public import campaign_context
from proca_common.catalog.fresh import FreshOrKnown
from proca_common.targets import store
from proca_common.targets.target import Target

if TYPE_CHECKING:
    from proca_common.targets.shapes import PublicTarget

MAX_AGE_S: Final = 30
"""For how long caches may keep it."""
MAX_SHOWN: Final = 500
"""As many at once fit into an answer, however much is said of each."""
MAX_CAMPAIGNS: Final = 20

_targets: FreshOrKnown[int, list[PublicTarget]] = FreshOrKnown(MAX_AGE_S * 1000, MAX_CAMPAIGNS)


def public_targets(campaign: int, area: str | None = None, locale: str | None = None) -> list[PublicTarget]:
    """The targets of the campaign in the order of their ids, of one area or locale if that is given; at most 30 s old,
    older while the store does not answer. Raises `NotFound`, `Unavailable`.
    """
    campaign_context(campaign)
    found = _targets.get(campaign, lambda: [shown(target) for target in store.listed(campaign)])
    return [target for target in found if area in (None, target["area"]) and locale in (None, target["locale"])]


def forget() -> None:
    """Empty it (tests)."""
    _targets.forget()


def shown(target: Target) -> PublicTarget:
    """What anybody may see of a target."""
    return {
        "id": target.id,
        "externalId": target.external_id,
        "name": target.name,
        "locale": target.locale,
        "area": target.area or "",
        "fields": target.fields,
    }
