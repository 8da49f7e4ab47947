"""A hundred thousand actions as a file, while people sign: all of them, in order, once, with bounded memory."""

from __future__ import annotations

import itertools
import resource
import time
from collections.abc import Callable, Iterator

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.actions import store
from proca_common.actions.store import ActionItem, ContactItem, SupporterItem
from proca_common.aws import clock
from proca_common.aws.dynamo import ActionsItem
from proca_common.ids import new_id
from proca_common.orgs.encryption import Encryptor
from proca_common.orgs.org import Org
from proca_common.users.permissions import Role
from tests import exporting
from tests.desks import desk
from tests.exporting import downloaded, forward, of_ndjson
from tests.harness.calls import Answer, Call, Hook, hooked, unseen_client
from tests.world import World

PEOPLE, ACTIONS_EACH = 20_000, 5
PAYLOAD = b'{"firstName": "Ida", "email": "ida.holm@example.org", "postcode": "2100"}' * 6
TURN_S = 100
"""Of which forty seconds are worked; the rest is what a function keeps in hand."""
MOST_MB = 64


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_a_hundred_thousand_actions_are_exported_while_people_sign(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    org = world.org("bees")
    page = world.page(org)
    seeded = seed(world, org, page)
    forward(world)
    ida = desk("ida@example.org", bees=Role.OWNER)
    export = ida.post("/v1/orgs/bees/exports", {"kind": "actions", "format": "ndjson"}).body["id"]
    queue, signing, turns, shares = exporting.Desk(world), _Signing(world, page), 0, []
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.monotonic()
    with hooked(signing):
        while queue.step(None, TURN_S):
            turns += 1
            shares.append(ida.get(f"/v1/orgs/bees/exports/{export}").body["share"])
    took = time.monotonic() - begun
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024

    record = ida.get(f"/v1/orgs/bees/exports/{export}").body
    assert (record["state"], record["rows"]) == ("ready", len(seeded))
    exported = [row["actionId"] for row in of_ndjson(downloaded(record["link"]))]
    assert exported == seeded, "all, in order, none twice"
    assert signing.signed > 50
    assert turns > 1
    assert shares == sorted(shares)
    assert grown_mb < MOST_MB
    with capsys.disabled():
        print(  # noqa: T201 - the figures of `make soak`
            f"\n{len(seeded):,} actions, {record['bytes'] / 2**20:.0f} MB, in {turns} turns and {took:.0f} s,"
            f" {signing.signed} signatures meanwhile; {grown_mb:.0f} MB of memory at most"
        )


class _Signing(Hook):
    """Somebody signs at every tenth read of the export."""

    def __init__(self, world: World, page: ActionPage) -> None:
        self._world, self._page = world, page
        self._reads = 0
        self._inside = False
        self.signed = 0

    def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
        if call.operation == "BatchGetItem" and not self._inside:
            self._reads += 1
            if self._reads % 10 == 0:
                self._inside = True
                self._world.sign(self._page, email=f"late{self.signed}@example.org", opt_in=True)
                self.signed += 1
                self._inside = False
        return proceed()


def seed(world: World, org: Org, page: ActionPage) -> list[int]:
    """Put people with a signature and some more actions each into the table, a few a second; the ids in order."""
    begun_ms = clock.now_ms() - 86_400_000
    ids = [new_id(begun_ms + 700 * number, 4093 * number) for number in range(PEOPLE * ACTIONS_EACH)]
    batch = iter(_items(org, page, ids))
    client, table = unseen_client("dynamodb"), world.tables["ActionsTable"]
    while some := list(itertools.islice(batch, 25)):
        put = [{"PutRequest": {"Item": item.serialize()}} for item in some]
        assert not client.batch_write_item(RequestItems={table: put})["UnprocessedItems"]
    return ids


def _items(org: Org, page: ActionPage, ids: list[int]) -> Iterator[ActionsItem]:
    encryptor, key = Encryptor(), org.active_key
    assert key is not None
    for number in range(PEOPLE):
        own = ids[number::PEOPLE]
        ref, supporter = f"{number:043d}", own[0]
        about = {"campaign": page.campaign, "page": page.id, "org": org.id, "recipients": [org.id]}
        box = encryptor.encrypt(PAYLOAD, key.public)
        yield SupporterItem(
            *store.supporter_key(ref, org.id, supporter),
            id=supporter,
            status="accepted",
            actions=len(own),
            waiting=0,
            **about,
        )
        yield ContactItem(
            *store.contact_key(ref, supporter, org.id),
            org=org.id,
            communication_consent=True,
            delivery_consent=True,
            payload=box.payload,
            nonce=box.nonce,
            key_id=key.id,
            key_public=key.public,
            sign_id=1,
            sign_public=box.sender,
        )
        for action in own:
            yield ActionItem(
                *store.action_key(ref, action),
                id=action,
                status="delivered",
                action_type="register" if action == supporter else "share",
                supporter=supporter,
                with_consent=action == supporter,
                testing=False,
                fields={"comment": "Hum"},
                dupe_rank=0,
                campaign_bucket=store.campaign_bucket(page.campaign, action),
                **about,
            )
