"""Everything around a page that the hot path needs, kept in warm memory (design 4: TTL 30 s, so a warm intake makes one
call).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from proca_common.action_pages import store as pages
from proca_common.action_pages.page import ActionPage, may_be_name
from proca_common.action_pages.switches import Switches, switches
from proca_common.actions.status import Stage
from proca_common.aws import clock
from proca_common.aws.errors import CloudError, Unavailable
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.catalog import items, names
from proca_common.errors import NotFound
from proca_common.orgs import instance as instances
from proca_common.orgs import store as orgs
from proca_common.orgs.instance import Instance
from proca_common.orgs.org import Encryption, Org

if TYPE_CHECKING:
    from proca_common.guards.settings import Guards

FRESH_MS = 30_000
CLEAR_TEXT_MS = 60_000
UNKNOWN_MS = 5_000
MAX_ENTRIES = 2_000


@dataclass(frozen=True, slots=True)
class PageContext:
    """A page with its campaign, its org and the campaign's lead org (the same object when they are one).

    `guards`: None when all are off.
    """

    page: ActionPage
    campaign: Campaign
    org: Org
    lead: Org
    instance: Instance
    guards: Guards | None

    @property
    def switches(self) -> Switches:
        """The effective confirm switches of this page (domain 4.1)."""
        return switches(
            campaign_supporter=self.campaign.supporter_confirm,
            campaign_action=self.campaign.action_confirm,
            org_supporter=self.org.supporter_confirm or self.org.custom_supporter_confirm,
            org_action=self.org.custom_action_confirm,
        )

    @property
    def confirm_template(self) -> str | None:
        """The name of the effective supporter confirm template (domain 8.4)."""
        return (
            self.page.supporter_confirm_template
            or self.campaign.supporter_confirm_template
            or self.org.supporter_confirm_template
        )

    def may_mail(self, stage: Stage) -> bool:
        """Whether a signature may owe its supporter a mail at this stage (domain 8.2), whatever else is known of it."""
        if self.org.email_backend is None or self.org.email_from is None:
            return False
        match stage:
            case Stage.SUPPORTER_CONFIRM:
                return self.confirm_template is not None
            case Stage.DELIVER:
                page = self.page
                return bool(page.thank_you_template or page.duplicate_template or self.confirm_template)
            case _:
                return False

    def needs_address(self, *, opt_in: bool | None) -> bool:
        """Whether the address of a signature with this consent will be needed after intake: for a mail that may become
        due, or to ask the org what it knows (design 7.1: else it is never kept).
        """
        if self.org.detail_backend is not None:
            return True
        if self.switches.supporter_confirm and self.may_mail(Stage.SUPPORTER_CONFIRM):
            return True
        only_thanks = self.page.duplicate_template is None and self.confirm_template is None
        return self.may_mail(Stage.DELIVER) and not (only_thanks and self.org.doi_thank_you and not opt_in)

    @property
    def stores_clear_text(self) -> bool:
        """Whether an org that may receive contacts through this page keeps them in clear text."""
        return Encryption.CLEAR in (self.org.encryption, self.lead.encryption)

    def org_by_id(self, org: int) -> Org | None:
        """The page org or lead org with this id."""
        return next((known for known in (self.org, self.lead) if known.id == org), None)


@dataclass(slots=True)
class _Entry:
    context: PageContext | None
    fetched_ms: int


_by_id: dict[int, _Entry] = {}
_by_name: dict[str, tuple[int | None, int]] = {}


def forget() -> None:
    """Empty the cache (tests, and the admin command after a change)."""
    _by_id.clear()
    _by_name.clear()


def page_context(page: int) -> PageContext:
    """The page with all around it, at most 30 s old; raises `NotFound`.

    When the store does not answer, what is known is used on: up to 60 s where an org may keep clear text (design 7.3:
    nothing must be stored in clear after its key holds), without limit where everything is encrypted; else raises
    `Unavailable`.
    """
    now = clock.now_ms()
    entry = _by_id.get(page)
    if entry is not None and now - entry.fetched_ms < (FRESH_MS if entry.context else UNKNOWN_MS):
        return _known(entry.context)
    try:
        context = _fetch(page)
    except Unavailable:
        if entry is None or entry.context is None:
            raise
        if entry.context.stores_clear_text and now - entry.fetched_ms >= CLEAR_TEXT_MS:
            raise
        return entry.context
    if len(_by_id) >= MAX_ENTRIES:
        _by_id.pop(next(iter(_by_id)))
    _by_id[page] = _Entry(context, now)
    return _known(context)


def page_context_by_name(name: str) -> PageContext:
    """The same, by the page's name in any case of letters; raises `NotFound`."""
    if not may_be_name(name):
        raise NotFound("action page")  # the table has no such keys, and refuses some of them
    now = clock.now_ms()
    page, fetched_ms = _by_name.get(name.lower(), (None, 0))
    if now - fetched_ms >= (FRESH_MS if page else UNKNOWN_MS):
        page = names.find("page", name)
        if len(_by_name) >= MAX_ENTRIES:
            _by_name.pop(next(iter(_by_name)))
        _by_name[name.lower()] = (page, now)
    if page is None:
        raise NotFound("action page")
    return page_context(page)


def _known(context: PageContext | None) -> PageContext:
    if context is None:
        raise NotFound("action page")
    return context


def _fetch(page_id: int) -> PageContext | None:
    item = items.read(pages.PageItem, *pages.page_key(page_id))
    if item is None:
        return None
    page = pages.to_page(item)
    campaign_key, org_key = campaigns.campaign_key(page.campaign), orgs.org_key(page.org)
    found = items.read_many([campaign_key, org_key, instances.KEY])
    try:
        campaign = campaigns.to_campaign(cast(campaigns.CampaignItem, found[campaign_key]))
        org = orgs.to_org(cast(orgs.OrgItem, found[org_key]))
        instance = instances.to_instance(cast(instances.InstanceItem, found[instances.KEY]))
    except KeyError as missing:
        raise CloudError(f"the catalogue lacks {missing.args[0][1]}: was the instance set up?") from None
    lead = org if campaign.org == org.id else orgs.get(campaign.org)
    return PageContext(page, campaign, org, lead, instance, _guards(campaign, instance))


def _guards(campaign: Campaign, instance: Instance) -> Guards | None:
    if not campaign.guards and not instance.guards:
        return None
    from proca_common.guards.settings import effective  # noqa: PLC0415 - not for instances without guards

    return effective(campaign.guards, instance.guards)
