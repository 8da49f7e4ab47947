"""A coalition to break things in: a lead org, a partner, and people who sign on the pages of both."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from proca_common.action_pages.page import ActionPage
from proca_common.campaigns.campaign import Campaign
from proca_common.orgs.org import Org
from proca_common.pipes import topology
from proca_common.pipes.routing import Queue, switched_on
from tests.harness.calls import unseen_client
from tests.world import Answer, World

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Petition:
    """A campaign of the lead with a page of each org. Contacts of the partner's page reach the lead with consent."""

    world: World
    campaign: Campaign
    page: ActionPage
    partner_page: ActionPage

    def sign(self, name: str, *, partner: bool = False, lead: bool | None = True, **given: Any) -> Answer:
        """Somebody of this name signs, on the partner's page or on the lead's."""
        page = self.partner_page if partner else self.page
        answer = self.world.sign(page, email=f"{name}@example.org", lead_opt_in=lead, **given)
        assert answer.status == 201, answer.body
        return answer

    def share(self, signature: Answer, *, partner: bool = False, action_type: str = "share") -> Answer:
        """Whoever signed shares, too."""
        page = self.partner_page if partner else self.page
        answer = self.world.act(page, signature.contact_ref, action_type)
        assert answer.status == 201, answer.body
        return answer

    def crowd(self) -> list[Answer]:
        """Four people: one signs twice on a page, then on the other; one shares; one leaves the lead out; one tests."""
        number = next(_numbers)
        ida, per, siri, liv = (f"{name}.{number}" for name in ("ida", "per", "siri", "liv"))
        both = self.sign(per, partner=True, country="NO")
        return [
            both,
            self.sign(ida, fields={"comment": f"{ida} has bees", "shoes": 41}),
            self.sign(ida, country="SE"),
            self.sign(ida, partner=True),
            self.sign(siri, partner=True, lead=False, country=None),
            self.sign(liv, testing=True),
            self.share(both, partner=True),
        ]


class Coalition:
    """The two orgs; each petition is a campaign of its own."""

    def __init__(self, world: World, lead: Mapping[str, Any] | None = None, partner: Mapping[str, Any] | None = None):
        self.world = world
        self.lead = world.org("lead", **(lead or {}))
        self.partner = world.org("partner", **(partner or {}))

    def petition(self, **settings: Any) -> Petition:
        """A new campaign with its two pages, which shows signatures and shares."""
        settings.setdefault("public_actions", ["register:comment", "share:medium"])
        campaign = self.world.campaign(self.lead, f"petition-{next(_numbers)}", **settings)
        pages = (self.world.page(org, campaign) for org in (self.lead, self.partner))
        return Petition(self.world, campaign, *pages)

    def received(self, *queues: Queue) -> Counter[str]:
        """The MessageIds in these queues of both orgs (`deliver`), which are emptied; each message is validated."""
        counts: Iterable[Counter[str]] = (
            message_ids(self.world, org, queue)
            for org in (self.lead, self.partner)
            for queue in (queues or (Queue.DELIVER,))
            if queue in switched_on(org)
        )
        return sum(counts, Counter())

    def close_queues(self, org: Org) -> None:
        """The org's queues are gone, with what they held."""
        topology.remove(self.world.prefix, org.id)

    def open_queues(self, org: Org) -> None:
        """They are there again, empty."""
        topology.sync(self.world.prefix, org)


def message_ids(world: World, org: Org, queue: Queue = Queue.DELIVER) -> Counter[str]:
    """The MessageIds in a queue, which is emptied; each message is validated."""
    messages = world.received(org, queue)
    return Counter(message["MessageAttributes"]["MessageId"]["StringValue"] for message in messages)


def lose_records(world: World) -> None:
    """All that waits in the stream is lost: the functions are asked and do nothing. Only the sweep can help."""
    handlers = [(mapping, mapping.handler) for mapping in world.streams.mappings]
    for mapping, _ in handlers:
        mapping.handler = _nothing
    world.run()
    for mapping, handler in handlers:
        mapping.handler = handler


def _nothing(event: dict[str, Any], context: Any) -> None:
    pass


def spoil(world: World, action: int, attribute: str, value: dict[str, Any]) -> None:
    """What a fault of ours might leave behind: an attribute of the action, in DynamoDB's form, that cannot be used."""
    dynamodb, table = unseen_client("dynamodb"), world.tables["ActionsTable"]
    claim = dynamodb.get_item(TableName=table, Key={"ref": {"S": f"id#{action}"}, "sk": {"S": "id"}})["Item"]
    dynamodb.update_item(
        TableName=table,
        Key={"ref": claim["at"], "sk": {"S": f"A#{action:016d}"}},
        UpdateExpression="SET #attribute = :value",
        ExpressionAttributeNames={"#attribute": attribute},
        ExpressionAttributeValues={":value": value},
    )


def clear(world: World) -> None:
    """Remove every action and every number, so that the next part of a test finds tables as new."""
    dynamodb = unseen_client("dynamodb")
    for table, names in (("ActionsTable", ("ref", "sk")), ("StatsTable", ("pk", "sk"))):
        keys = [{name: item[name] for name in names} for item in world.tables.all_items(table)]
        for start in range(0, len(keys), 25):
            deletes = [{"DeleteRequest": {"Key": key}} for key in keys[start : start + 25]]
            dynamodb.batch_write_item(RequestItems={world.tables[table]: deletes})
    world.forget()
