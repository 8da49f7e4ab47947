"""How long an org keeps contacts: rules per org and campaign (domain 13.8), and what they say of whom.

An action is old when its campaign is closed and ended more than so many months ago, and the action is as old, too.
Somebody of whom all that the org has is old is erased for the org, as if it had asked for that, but nobody is told.
Whatever the org has of a person that is not old protects all that it has; under a campaign's own rule, which comes
before the org's, only what it has in that campaign does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from pynamodb.attributes import NumberAttribute, NumberSetAttribute
from pynamodb.exceptions import DoesNotExist, PynamoDBException

from proca_common.action_pages import store as pages
from proca_common.actions import store
from proca_common.actions.store import ActionItem, SupporterItem
from proca_common.aws import clock, dynamo
from proca_common.aws.dynamo import ErasuresItem, Transaction, translated
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign, CampaignStatus
from proca_common.erasures import ledger
from proca_common.erasures.erase import HasTime, forget
from proca_common.erasures.person import Person, Wish, read_person
from proca_common.erasures.steps import Found
from proca_common.exports.store import remove_files
from proca_common.ids import created_ms
from proca_common.months import months_before
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.stages.requeue import by_campaign

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Rule:
    """That what the org has of the campaign is old after so many months. `own`: it is the campaign's own rule."""

    org: int
    campaign: Campaign
    months: int
    own: bool

    def is_due(self, today: date) -> bool:
        """Whether anything of the campaign may be old."""
        end = self.campaign.end
        closed = self.campaign.status is CampaignStatus.CLOSED
        return closed and end is not None and end < months_before(today, self.months)


@dataclass(slots=True)
class Kept:
    """What a run found: how many people were erased, or would be, and what of them; how many were protected."""

    people: int = 0
    protected: int = 0
    found: Counter[str] = field(default_factory=Counter)
    complete: bool = True


class RetentionItem(ErasuresItem):
    """How far the actions of a campaign were looked at for an org: under a rule of so many `months` up to `since`,
    and from there, on the way to `until`, up to the action `after` (ms since 1970; an id). `erased`: the campaigns of
    people who were erased, while the org's files may have them still.
    """

    months = NumberAttribute()
    since = NumberAttribute()
    until = NumberAttribute()
    after = NumberAttribute(null=True)
    erased = NumberSetAttribute(null=True)


def rules_of(org: Org) -> list[Rule]:
    """The rules for what an org has, in the order of campaigns. Raises `Unavailable`."""
    known = {*campaigns.led_by(org.id), *(int(entry.campaign) for entry in pages.of_org(org.id))}
    found = []
    for number in sorted(known):
        rule = _rule(org, campaigns.get_many([number]).get(number))
        if rule is not None:
            found.append(rule)
    return found


def retain(rule: Rule, *, dry_run: bool, has_time: HasTime = lambda: True) -> Kept:
    """Erase whoever the rule says, of what was not looked at before, or as much as there is time for; a dry run looks
    at all of it and changes nothing. Raises `Unavailable`.
    """
    kept = Kept()
    today = clock.today()
    if not rule.is_due(today):
        return kept
    limit_ms = _start_ms(months_before(today, rule.months))
    place = _start(rule, limit_ms) if dry_run else _place(rule, limit_ms)
    seen: set[str] = set()
    after = None if place.after is None else int(place.after)
    for keys in by_campaign(rule.campaign.id, int(place.since), int(place.until), after):
        for action in store.read_many(keys).values():
            if isinstance(action, ActionItem) and action.ref not in seen and rule.org in (action.recipients or ()):
                seen.add(action.ref)
                _consider(action.ref, rule, today, kept, None if dry_run else place)
        if not has_time():
            kept.complete = False
            place.after = max(int(sk.removeprefix("A#")) for _, sk in keys)
            break
    else:
        place.since, place.after = place.until, None
    if not dry_run:
        if place.erased:
            kept.found["files"] += remove_files(rule.org, {int(campaign) for campaign in place.erased})
            place.erased = None
        dynamo.save(place)
    return kept


def _rule(org: Org, campaign: Campaign | None) -> Rule | None:
    if campaign is None:
        return None
    if campaign.retention_months is not None:
        return Rule(org.id, campaign, campaign.retention_months, own=True)
    if org.retention_months is not None:
        return Rule(org.id, campaign, org.retention_months, own=False)
    return None


def _consider(ref: str, rule: Rule, today: date, kept: Kept, place: RetentionItem | None) -> None:
    """Erase the person for the rule's org, if all that it has of it is old; `place` None: only count it."""
    person = read_person(ref)
    concerned = [
        supporter
        for supporter in person.supporters
        if person.has_contact(supporter, rule.org) and (not rule.own or supporter.campaign == rule.campaign.id)
    ]
    if not concerned:
        return
    if not all(_is_old(supporter, person, rule, today) for supporter in concerned):
        kept.protected += 1
        return
    kept.people += 1
    if place is None:
        kept.found["contacts"] += len(concerned)
        return
    before = 1 + max(int(supporter.id) for supporter in concerned)
    where = frozenset(int(supporter.campaign) for supporter in concerned)
    known = {*(place.erased or ())}
    if not where <= known:  # noted before anybody goes: a run that dies leaves its files to the next
        place.erased = known | where
        dynamo.save(place)

    def count(_: Transaction, found: Found) -> None:
        kept.found.update(found)

    forget(Wish(ref, rule.org, before, ledger.new_gone_ref(), where), count)


def _is_old(supporter: SupporterItem, person: Person, rule: Rule, today: date) -> bool:
    """Whether all actions of a supporter are old; under a campaign's own rule, those in that campaign."""
    rules = {rule.campaign.id: rule}
    for action in person.actions[int(supporter.id)]:
        campaign = int(action.campaign)
        if rule.own and campaign != rule.campaign.id:
            continue
        if campaign not in rules:
            other = _rule(orgs.get(rule.org), campaigns.get_many([campaign]).get(campaign))
            if other is None:
                return False
            rules[campaign] = other
        known = rules[campaign]
        created = created_ms(int(action.id))
        if not known.is_due(today) or created >= _start_ms(months_before(today, known.months)):
            return False
    return True


def _place(rule: Rule, limit_ms: int) -> RetentionItem:
    """Where to go on: within a walk that was broken off, or with what became old since."""
    try:
        known = RetentionItem.get(*_key(rule), consistent_read=True)
    except DoesNotExist:
        known = None
    except PynamoDBException as error:
        raise translated(error) from None
    if known is None:
        return _start(rule, limit_ms)
    if int(known.months) != rule.months:
        anew = _start(rule, limit_ms)
        anew.erased = known.erased
        return anew
    if known.after is None:
        known.until = max(limit_ms, int(known.since))
    return known


def _start(rule: Rule, limit_ms: int) -> RetentionItem:
    return RetentionItem(*_key(rule), months=rule.months, since=0, until=limit_ms)


def _key(rule: Rule) -> tuple[str, str]:
    return f"retention#{rule.org}", str(rule.campaign.id)


def _start_ms(day: date) -> int:
    return (day.toordinal() - date(1970, 1, 1).toordinal()) * DAY_MS


def of_all(has_time: HasTime) -> Iterator[tuple[Org, Rule]]:
    """Every rule of every org, while there is time. Raises `Unavailable`."""
    after = 0
    while has_time() and (some := orgs.listed(after, 100)):
        for org in some:
            for rule in rules_of(org):
                if not has_time():
                    return
                yield org, rule
        after = some[-1].id
