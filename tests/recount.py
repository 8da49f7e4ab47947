"""What every number must be, counted anew from the actions alone (design 4), and whether a world agrees with it.

Nothing that the layer counts with is used here: items are read as DynamoDB has them, rules are written a second time.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from proca_common.action_pages import store as pages
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.orgs import store as orgs
from tests.world import World

Item = dict[str, Any]
Feed = dict[str, tuple[str | None, Item]]
EMITTED = ("delivered", "repeat")
STATUSES_OF_STAGE = {
    "supporter_confirm": ("new",),
    "action_confirm": ("confirming",),
    "deliver": ("accepted", *EMITTED),
}
KNOWN_MEMBERS = 50
LONGEST_NAME = 40
GONE = "gone#"
KEPT_OF_GONE = {"ref", "sk", "kind", "id", "status", "action_type", "campaign", "campaign_bucket", "page", "org"}
KEPT_OF_GONE |= {"area", "with_consent", "testing", "late", "donation", "source", "dupe_rank"}
MOST_NAMES = {"type": 100, "source": 50}


def assert_sound(world: World, *some: Campaign | int, owed: Collection[int] = ()) -> Stored:
    """Compare everything stored with what it must be, and tell all differences at once; returns what is stored.

    Numbers are compared for these campaigns. Only actions and supporters with ids in `owed` may have something left.
    """
    stored = Stored.of(world)
    found = [*stored.faults(owed)]
    for campaign in some:
        number = campaign if isinstance(campaign, int) else campaign.id
        found += _differences(f"campaign {number}", counted(world, number), recounted(world, stored, number))
        found += _feed_faults(f"campaign {number}", feed(world, number), shown(stored, campaigns.get(number)))
        found += _differences(f"campaign {number} extra", extra(world, number), extra_of_pages(number))
    assert not found, "\n".join(found)
    return stored


@dataclass(frozen=True)
class Stored:
    """All items of the Actions table, by what they are."""

    items: list[Item]
    by_kind: dict[str, list[Item]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, world: World) -> Stored:
        """What the table holds now."""
        stored = cls([values(item) for item in world.tables.all_items("ActionsTable")])
        for item in stored.items:
            stored.by_kind[item["kind"]].append(item)
        return stored

    @cached_property
    def actions(self) -> dict[int, Item]:
        """The actions by id."""
        return {action["id"]: action for action in self.by_kind["action"]}

    @cached_property
    def supporters(self) -> dict[tuple[str, int], Item]:
        """The supporters by contact ref and id."""
        return {(supporter["ref"], supporter["id"]): supporter for supporter in self.by_kind["supporter"]}

    @cached_property
    def bound(self) -> list[Item]:
        """The actions that have a supporter."""
        return [action for action in self.by_kind["action"] if "supporter" in action]

    @cached_property
    def gone(self) -> list[Item]:
        """The actions that still count of people who were erased."""
        return [action for action in self.by_kind["action"] if action["ref"].startswith(GONE)]

    @cached_property
    def counting(self) -> list[Item]:
        """The actions that may count."""
        return [*self.bound, *self.gone]

    @cached_property
    def of_supporter(self) -> dict[tuple[str, int], list[Item]]:
        """The actions of each supporter, by contact ref and id."""
        found: dict[tuple[str, int], list[Item]] = defaultdict(list)
        for action in self.bound:
            found[action["ref"], action["supporter"]].append(action)
        return found

    @cached_property
    def contacts(self) -> dict[tuple[str, int], set[int]]:
        """The orgs that have a contact of each supporter, by contact ref and id."""
        found: dict[tuple[str, int], set[int]] = defaultdict(set)
        for contact in self.by_kind["contact"]:
            found[contact["ref"], int(contact["sk"].split("#")[1])].add(contact["org"])
        return found

    @cached_property
    def of_campaign(self) -> dict[int, dict[str, list[Item]]]:
        """The signatures that make members, by campaign and contact ref, in the order of their ids."""
        found: dict[int, dict[str, list[Item]]] = defaultdict(lambda: defaultdict(list))
        for action in sorted(self.counting, key=lambda action: action["id"]):
            if action["with_consent"] and not action["testing"] and action["status"] in EMITTED:
                found[action["campaign"]][action["ref"]].append(action)
        return found

    def members(self, campaign: int) -> dict[str, list[Item]]:
        """The same of one campaign, by contact ref."""
        return self.of_campaign.get(campaign, {})

    def area(self, signature: Item) -> str | None:
        """The area of whoever signed."""
        if signature["ref"].startswith(GONE):
            return signature.get("area")
        return self.supporters.get((signature["ref"], signature["supporter"]), {}).get("area")

    def faults(self, owed: Collection[int] = ()) -> Iterable[str]:
        """Everything in these items that contradicts something else in them."""
        for action in self.by_kind["action"]:
            yield from _named(f"action {action['id']} ({action['status']})", self._faults_of_action(action, owed))
        for supporter in self.by_kind["supporter"]:
            yield from _named(f"supporter {supporter['id']}", self._faults_of_supporter(supporter, owed))
        for membership in self.by_kind["membership"]:
            yield from _named(f"membership {membership['sk']}", self._faults_of_membership(membership))
        yield from self._without_membership()
        yield from self._dangling()

    def _faults_of_action(self, action: Item, owed: Collection[int]) -> Iterable[str]:
        stage = action.get("stage")
        yield from _faults_of_review(action) if "held" in action else _faults_of_outbox(action, "emit", owed)
        if action["ref"].startswith(GONE):
            yield from _faults_of_gone(action)
            return
        if "supporter" not in action:
            if action["status"] != "new" or stage or "campaign_bucket" in action or "expires" not in action:
                yield "is not bound, but looks as if it were"
            return
        if action.get("campaign_bucket") != f"{action['campaign']}#{action['id'] % 16}":
            yield "is not in by_campaign"
        if "expires" in action:
            yield "is bound and expires"
        supporter = self.supporters.get((action["ref"], action["supporter"]))
        if supporter is None:
            yield "has no supporter"
            return
        yield from _faults_of_holding(action, supporter)
        if stage and action["status"] not in STATUSES_OF_STAGE[stage]:
            yield f"has the stage {stage}"
        yield from _faults_of_waiting(action, supporter)

    def _faults_of_supporter(self, supporter: Item, owed: Collection[int]) -> Iterable[str]:
        yield from _faults_of_outbox(supporter, "emit" if supporter.get("stage") == "event" else "link", owed)
        if "held" in supporter and supporter["status"] != "new":
            yield f"is held, but {supporter['status']}"
        key = supporter["ref"], supporter["id"]
        own = self.of_supporter.get(key, [])
        waiting = sum(action["status"] == "new" for action in own)
        if supporter["actions"] != len(own):
            yield f"counts {supporter['actions']} actions of {len(own)}"
        if supporter["waiting"] != waiting:
            yield f"counts {supporter['waiting']} waiting actions of {waiting}"
        if not any(action["id"] == supporter["id"] for action in own):
            yield "has no signature"
        if self.contacts.get(key, set()) != set(supporter["recipients"]):
            yield f"has contacts for {self.contacts.get(key)}, not {supporter['recipients']}"

    def _faults_of_membership(self, membership: Item) -> Iterable[str]:
        signatures = self.members(int(membership["sk"].removeprefix("M#"))).get(membership["ref"], [])
        known = json.loads(membership["members"])
        lowest = {
            str(each["id"]): {"page": each["page"], "org": each["org"], "area": self.area(each)}
            for each in signatures[: len(known)]
        }
        if membership["n"] != len(signatures):
            yield f"counts {membership['n']} members of {len(signatures)}"
        if known != lowest or len(known) > KNOWN_MEMBERS:
            yield f"knows {sorted(known)}, not {sorted(lowest)}"
        if signatures and not known:
            yield "knows none of its members"

    def _without_membership(self) -> Iterable[str]:
        recorded = {(item["ref"], item["sk"]) for item in self.by_kind["membership"]}
        for campaign in {action["campaign"] for action in self.counting}:
            for ref, signatures in self.members(campaign).items():
                if (ref, f"M#{campaign}") not in recorded:
                    yield f"signatures {[each['id'] for each in signatures]} have no membership"

    def _dangling(self) -> Iterable[str]:
        claims = {int(item["ref"].removeprefix("id#")): item for item in self.by_kind["id"]}
        for number in claims.keys() ^ self.actions.keys():
            yield f"action {number}: only one of action and id item exists"
        for number in claims.keys() & self.actions.keys():
            claim, action = claims[number], self.actions[number]
            if claim["at"] != action["ref"] or claim.get("expires") != action.get("expires"):
                yield f"action {number}: its id item says something else"
        for ref, supporter in self.contacts.keys() - self.supporters.keys():
            yield f"contacts of supporter {supporter} under {ref[:8]} have none"
        people = {action["ref"] for action in self.counting}
        for membership in self.by_kind["membership"]:
            if membership["ref"] not in people:
                yield f"membership {membership['sk']} is left of a person who is gone"


def values(item: Item) -> Item:
    """An item of DynamoDB as plain values: numbers are integers, sets are sets."""
    return {name: _value(value) for name, value in item.items()}


def recounted(world: World, stored: Stored, campaign: int) -> Counter[str]:
    """What the campaign's numbers must be: totals as `persons:total`, hours as `2024-02-29T07 type:share`."""
    numbers: Counter[str] = Counter()
    for signatures in stored.members(campaign).values():
        lowest = signatures[0]
        area, hour = stored.area(lowest), _hour(lowest["id"])
        counts_for = ["persons:total", f"org:{lowest['org']}", *([] if area is None else [f"area:{area}"])]
        numbers.update([*counts_for, *(f"{hour} {name}" for name in counts_for)])
    names = _names(world, campaign)
    for action in stored.counting:
        if not _counts(action, campaign):
            continue
        hour, area = _hour(action["id"]), stored.area(action)
        counted_type = _own_or_other("type", action["action_type"], names.get("type", set()))
        numbers.update([f"type:{counted_type}", f"{hour} type:{counted_type}"])
        if not action["with_consent"]:
            continue
        numbers.update([f"{hour} signatures:total", f"{hour} page:{action['page']}"])
        if "source" in action:
            source = json.loads(action["source"])["source"]
            numbers[f"{hour} source:{_own_or_other('source', source, names.get(f'source#{hour[:10]}', set()))}"] += 1
        if area is not None:
            numbers[f"{hour} place:{area}"] += 1
    return numbers


def counted(world: World, campaign: int) -> Counter[str]:
    """The campaign's numbers as the shards of the Stats table hold them, named as in `recounted`."""
    numbers: Counter[str] = Counter()
    for item in map(values, world.tables.all_items("StatsTable")):
        owner, _, shard = item.pop("pk").partition("#")
        if owner != str(campaign) or not shard.isdecimal():
            continue
        assert int(shard) in range(16)
        assert item.pop("writes", 1) > 0
        hour = item.pop("sk").removeprefix("total").removeprefix("hour#")
        for name, number in item.items():
            numbers[f"{hour} {name}".lstrip()] += number
    return numbers


def shown(stored: Stored, campaign: Campaign) -> Feed:
    """What the campaign's public feed must be, if the campaign has always shown the same (domain 11.3)."""
    entries: Feed = {}
    for action in stored.bound:
        kind = action["action_type"]
        keys = [entry.removeprefix(f"{kind}:") for entry in campaign.public_actions if entry.startswith(f"{kind}:")]
        if keys and _counts(action, campaign.id) and not action.get("unlisted"):
            fields = json.loads(action.get("fields", "{}"))
            public = {key: value for key, value in fields.items() if key in keys}
            entries[f"{kind}#{action['id']:016d}"] = (stored.area(action), public)
    return entries


def feed(world: World, campaign: int) -> Feed:
    """The campaign's public feed as the Stats table holds it: area and fields by type and action."""
    entries: Feed = {}
    for item in map(values, world.tables.all_items("StatsTable")):
        owner, _, bucket = item["pk"].partition("#feed#")
        if owner == str(campaign):
            assert int(bucket) == int(item["sk"].rpartition("#")[2]) % 8
            entries[item["sk"]] = (item.get("area"), json.loads(item.get("fields", "{}")))
    return entries


def extra(world: World, campaign: int) -> Counter[str]:
    """The extra supporters that are counted."""
    items = map(values, world.tables.all_items("StatsTable"))
    [found] = [item for item in items if item["pk"] == f"{campaign}#extra"] or [{}]
    return Counter({name: number for name, number in found.items() if isinstance(number, int) and number})


def extra_of_pages(campaign: int) -> Counter[str]:
    """What the extra supporters of the campaign's pages come to."""
    numbers: Counter[str] = Counter()
    for page in pages.every():
        if page.campaign == campaign and page.extra_supporters:
            numbers.update({f"org:{page.org}": page.extra_supporters, "persons:total": page.extra_supporters})
    return numbers


def entitled(stored: Stored) -> set[str]:
    """The MessageIds that must have been sent by now: at least once each, for all that is stored."""
    sent: set[str] = set()
    for action in stored.bound:
        still_owed = action.get("owed", set())
        if action["status"] in EMITTED:
            receivers = {(org, "deliver", "deliver") for org in action["recipients"]}
        elif "held" in action or (action.get("unlisted") and action["org"] not in action["recipients"]):
            continue  # nobody is asked: it is under review, or who would be has erased the supporter
        elif action["with_consent"] and action["status"] == "new":
            receivers = {(action["org"], "supporter_confirm", "confirm-supporter")}
        elif action["with_consent"] and action["status"] == "confirming":
            receivers = {(action["org"], "action_confirm", "confirm-action")}
        else:
            continue
        for org, stage, queue in receivers:
            if _has(org, queue) and f"{org}/{queue}" not in still_owed:
                sent.add(f"{action['id']}.{stage}.{org}")
    return sent


def _has(org: int, queue: str) -> bool:
    settings = orgs.get(org)
    switches = {
        "deliver": settings.custom_action_deliver,
        "confirm-supporter": settings.custom_supporter_confirm,
        "confirm-action": settings.custom_action_confirm,
    }
    return switches[queue]


def _faults_of_outbox(item: Item, kind: str, owed: Collection[int]) -> Iterable[str]:
    outbox = {name for name in ("stage", "due", "attempt", "pending") if name in item}
    if outbox and len(outbox) < 4:
        yield f"has only {sorted(outbox)} of an outbox"
    if "owed" in item and not outbox:
        yield f"owes {item['owed']} without a stage"
    if outbox and (kind == "link") != (item.get("stage") == "link"):
        yield f"has the stage {item.get('stage')}"
    if "pending" in item and item["pending"].split("#")[0] != kind:
        yield f"stands in {item['pending']}"
    if outbox and item["id"] not in owed:
        yield f"still owes {item.get('stage')} to {sorted(item.get('owed', ()))} after {item.get('attempt')} attempts"


def _faults_of_waiting(action: Item, supporter: Item) -> Iterable[str]:
    match action["status"], supporter["status"]:
        case "accepted", _ if action.get("stage") is None:
            yield "is on its way, but nobody sends it"
        case "new" | "confirming", "rejected":
            yield "waits for a supporter who was rejected"
        case "new", "accepted":
            yield "waits for a supporter who was accepted"


def _faults_of_holding(action: Item, supporter: Item) -> Iterable[str]:
    """A supporter is held together with its signature, and with nothing else."""
    held = supporter.get("held") if action["id"] == supporter["id"] else None
    if action.get("held") != held:
        yield f"is held by {action.get('held')}, its supporter by {supporter.get('held')}"


def _faults_of_gone(action: Item) -> Iterable[str]:
    """Of an action whose person was erased: it counts, and tells nothing of anybody."""
    if action["status"] not in EMITTED or action["testing"]:
        yield "does not count, but is kept of a person who is gone"
    if action.get("campaign_bucket") != f"{action['campaign']}#{action['id'] % 16}":
        yield "is not in by_campaign"
    if left := action.keys() - KEPT_OF_GONE:
        yield f"has {sorted(left)} still"
    if "source" in action and json.loads(action["source"])["location"]:
        yield "says where it was done"
    if "donation" in action and json.loads(action["donation"])["payload"]:
        yield "says more of a donation than its amount"


def _faults_of_review(signature: Item) -> Iterable[str]:
    """Of a signature that is held: it is listed for review, and waits for nothing else."""
    if signature["status"] != "new":
        yield "is held, but no longer new"
    if {"stage", "owed", "attempt"} & signature.keys():
        yield f"is held, but has the stage {signature.get('stage')}"
    if signature.get("pending", "").split("#")[0] != "review" or "due" not in signature:
        yield f"is held, but stands in {signature.get('pending')}"


def _differences(name: str, found: Counter[str], wanted: Counter[str]) -> Iterable[str]:
    for number in sorted(found.keys() | wanted.keys()):
        if found[number] != wanted[number]:
            yield f"{name}: {number} is {found[number]}, must be {wanted[number]}"


def _feed_faults(name: str, found: Feed, wanted: Feed) -> Iterable[str]:
    for entry in sorted(found.keys() | wanted.keys()):
        if found.get(entry) != wanted.get(entry):
            yield f"{name}: shows {entry} as {found.get(entry)}, must show {wanted.get(entry)}"


def _counts(action: Item, campaign: int) -> bool:
    return action["campaign"] == campaign and action["status"] == "delivered" and not action["testing"]


def _named(name: str, faults: Iterable[str]) -> Iterable[str]:
    return (f"{name} {fault}" for fault in faults)


def _names(world: World, campaign: int) -> dict[str, set[str]]:
    items = map(values, world.tables.all_items("StatsTable"))
    return {item["sk"]: item["names"] for item in items if item["pk"] == f"{campaign}#names"}


def _own_or_other(kind: str, name: str, named: set[str]) -> str:
    assert len(named) <= MOST_NAMES[kind], f"{len(named)} names of the kind {kind}"
    if name[:LONGEST_NAME] in named:
        return name[:LONGEST_NAME]
    assert len(named) == MOST_NAMES[kind], f"{kind} {name} has no number of its own, though there is room"
    return "other"


def _hour(action: int) -> str:
    return (datetime(2024, 1, 1, tzinfo=UTC) + timedelta(milliseconds=action >> 12)).strftime("%Y-%m-%dT%H")


def _value(attribute: Item) -> Any:
    [(kind, content)] = attribute.items()
    match kind:
        case "N":
            return int(content)
        case "NULL":
            return None
        case "L":
            return [_value(element) for element in content]
        case "M":
            return values(content)
        case "SS":
            return set(content)
        case _:
            return content
