"""Rows of actions and contacts through the management API (domain 13.6)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from nacl.public import Box, PrivateKey, PublicKey

from proca_common.action_pages.page import ActionPage
from proca_common.aws import clock
from proca_common.exports import walk
from proca_common.management import exports as managed
from proca_common.orgs.encryption import from_text
from proca_common.orgs.org import Org
from proca_common.stages import decide
from proca_common.users.permissions import Role
from tests.desks import Desk, desk
from tests.exporting import forward
from tests.harness.calls import calls
from tests.harness.context import LambdaContext
from tests.simulated import SimulatedTime
from tests.world import World, api_event, function, signature

ACTIONS = "/v1/orgs/bees/actions"
CONTACTS = "/v1/orgs/bees/contacts"
LOOK_UP = "/v1/orgs/bees/contacts/look-up"
ANY = {"onlyOptIn": "false"}


@pytest.fixture
def org(world: World) -> Org:
    return world.org("bees")


@pytest.fixture
def ida(org: Org) -> Desk:
    return desk("ida@example.org", bees=Role.OWNER)


def signed(world: World, page: ActionPage, number: int = 3, **given: Any) -> list[int]:
    ids = [world.sign(page, email=f"ida{index}@example.org", **given).action for index in range(number)]
    world.run()
    return sorted(ids)


def ids(rows: list[Any]) -> list[int]:
    return [row["actionId"] for row in rows]


def moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


class TestRows:
    def test_a_row_says_all_that_the_reference_lists(self, world: World, org: Org, ida: Desk) -> None:
        page = world.page(org, world.campaign(org, external_id=55))
        source = {"source": "newsletter", "medium": "email", "campaign": "spring", "content": "b"}
        answer = world.sign(page, opt_in=True, fields={"comment": "Hum"}, tracking=source)
        world.run()
        forward(world)

        [row] = ida.get(CONTACTS).body["items"]

        contact = row.pop("contact")
        created = row.pop("createdAt")
        assert row == {
            "actionId": answer.action,
            "actionType": "register",
            "customFields": {"comment": "Hum"},
            "privacy": {
                "optIn": True,
                "givenAt": created,
                "emailStatus": None,
                "emailStatusChanged": None,
                "withConsent": True,
            },
            "tracking": source,
            "campaign": {"id": page.campaign, "name": "bees", "title": "Bees", "externalId": 55},
            "actionPage": {"id": page.id, "name": "bees/bees", "locale": "en"},
            "donation": None,
        }
        assert (contact["contactRef"], contact["dupeRank"]) == (answer.contact_ref, 0)
        private = world.private_keys[org.id][contact["publicKey"]["public"]]
        box = Box(PrivateKey(private), PublicKey(from_text(contact["signKey"]["public"])))
        opened = json.loads(box.decrypt(from_text(contact["payload"]), from_text(contact["nonce"])))
        assert opened["email"] == "ida.holm@example.org"

    def test_of_an_org_without_encryption_the_payload_is_json_text_and_the_rest_null(self, world: World) -> None:
        org = world.org("clear", key=False, custom_action_deliver=False)
        page = world.page(org, world.campaign(org, "open", transient_actions=["donate:secret"]))
        donation = {"amount": 500, "currency": "EUR", "payload": {"id": "pi_1", "iban": "DE02"}}
        body = signature(opt_in=True, action_type="donate", fields={"open": "Hum"})
        body["action"]["donation"] = donation
        assert world.post(f"/v1/pages/{page.id}/actions", body).status == 201
        world.run()
        forward(world)
        who = desk("ole@example.org", clear=Role.OWNER)

        [row] = who.get("/v1/orgs/clear/actions").body["items"]

        payload = json.loads(row["contact"]["payload"])
        assert payload["email"] == "ida.holm@example.org"
        assert not {"fields", "donation"} & payload.keys()
        assert [row["contact"][name] for name in ("nonce", "publicKey", "signKey")] == [None, None, None]
        assert (row["donation"]["amount"], row["donation"]["payload"]) == (500, {"id": "pi_1", "iban": "DE02"})

    def test_what_waits_for_a_key_has_no_payload(self, world: World) -> None:
        org = world.org("sealed", key=False, encryption="encrypted")
        action = world.sign(world.page(org), opt_in=True).action
        world.run()
        forward(world)
        [row] = desk("ole@example.org", sealed=Role.OWNER).get("/v1/orgs/sealed/actions").body["items"]
        assert (row["actionId"], row["contact"]["payload"], row["contact"]["nonce"]) == (action, None, None)

    def test_contacts_are_the_actions_with_which_one_came(self, world: World, org: Org, ida: Desk) -> None:
        page = world.page(org)
        first = world.sign(page, opt_in=True)
        share = world.act(page, first.contact_ref).action
        world.run()
        forward(world)

        assert ids(ida.get(CONTACTS).body["items"]) == [first.action]
        rows = ida.get(ACTIONS).body["items"]
        assert ids(rows) == [first.action, share]
        assert rows[1]["privacy"]["withConsent"] is False
        assert rows[1]["contact"]["payload"] == rows[0]["contact"]["payload"]

    def test_a_partner_sees_what_it_has_a_contact_of_and_nothing_else(self, world: World, org: Org, ida: Desk) -> None:
        lead = world.org("lead")
        campaign = world.campaign(lead, "shared")
        both = world.sign(world.page(org, campaign), opt_in=True, lead_opt_in=True).action
        only = world.sign(world.page(lead, campaign), email="per@example.org", opt_in=True).action
        world.run()
        forward(world)
        ole = desk("ole@example.org", lead=Role.OWNER)

        mine, theirs = ida.get(ACTIONS).body["items"], ole.get("/v1/orgs/lead/actions").body["items"]
        assert (ids(mine), ids(theirs)) == ([both], [both, only])
        assert mine[0]["contact"]["payload"] != theirs[0]["contact"]["payload"]


class TestFilters:
    def test_only_who_opted_in_unless_all_are_asked_for(self, world: World, org: Org, ida: Desk) -> None:
        page = world.page(org)
        yes, no, unasked = (
            world.sign(page, email=f"ida{opt_in}@example.org", opt_in=opt_in).action for opt_in in (True, False, None)
        )
        world.run()
        forward(world)

        assert ids(ida.get(ACTIONS).body["items"]) == [yes]
        assert ids(ida.get(ACTIONS, **ANY).body["items"]) == [yes, no, unasked]

    def test_only_double_opt_in(self, world: World, org: Org, ida: Desk) -> None:
        made = signed(world, world.page(org), 2, opt_in=True)
        decide.accept_supporter(made[1], double_opt_in=True)
        forward(world)
        [row] = ida.get(ACTIONS, onlyDoubleOptIn="true").body["items"]
        assert (row["actionId"], row["privacy"]["emailStatus"]) == (made[1], "double_opt_in")
        assert row["privacy"]["emailStatusChanged"] is not None

    def test_testing_actions_only_when_asked_for(self, world: World, org: Org, ida: Desk) -> None:
        page = world.page(org)
        [real] = signed(world, page, 1, opt_in=True)
        test = world.sign(page, email="per@example.org", opt_in=True, testing=True).action
        world.run()
        forward(world)
        assert ids(ida.get(ACTIONS).body["items"]) == [real]
        assert ids(ida.get(ACTIONS, includeTesting="true").body["items"]) == [real, test]

    def test_neither_who_did_not_confirm_nor_who_was_rejected(self, world: World) -> None:
        page = world.page(world.org("asking", custom_supporter_confirm=True))
        _, accepted, rejected = signed(world, page, 3, opt_in=True)
        decide.accept_supporter(accepted)
        decide.reject_supporter(rejected)
        world.run()
        forward(world)
        who = desk("ole@example.org", asking=Role.OWNER)
        assert ids(who.get("/v1/orgs/asking/actions").body["items"]) == [accepted]

    def test_from_an_id_or_a_moment_on(self, world: World, org: Org, ida: Desk) -> None:
        page = world.page(org)
        early = signed(world, page, 2, opt_in=True)
        forward(world, 60)
        between = clock.now_ms() - 1_800_000
        late = [world.sign(page, email="late@example.org", opt_in=True).action]
        world.run()
        forward(world)

        assert ids(ida.get(ACTIONS, after=moment(between)).body["items"]) == late
        assert ids(ida.get(ACTIONS, start=str(early[1])).body["items"]) == [early[1], *late]
        assert ids(ida.get(ACTIONS, start=str(early[1] + 1)).body["items"]) == late

    def test_what_was_accepted_since_has_its_moment_by_its_acceptance(self, world: World, time: SimulatedTime) -> None:
        page = world.page(world.org("asking", custom_supporter_confirm=True))
        first, later = signed(world, page, 2, opt_in=True)
        decide.accept_supporter(first)
        world.run()
        time.forward(hours=1)
        between = clock.now_ms() - 1_800_000
        decide.accept_supporter(later)
        world.run()
        time.forward(minutes=2)
        who = desk("ole@example.org", asking=Role.OWNER)

        assert ids(who.get("/v1/orgs/asking/actions").body["items"]) == [first, later]
        assert ids(who.get("/v1/orgs/asking/actions", acceptedAfter=moment(between)).body["items"]) == [later]
        assert ids(who.get("/v1/orgs/asking/actions", after=moment(between)).body["items"]) == []

    def test_what_is_not_a_minute_old_is_left_for_later(self, world: World, org: Org, ida: Desk) -> None:
        made = signed(world, world.page(org), 1, opt_in=True)
        assert ids(ida.get(ACTIONS).body["items"]) == []
        forward(world)
        assert ids(ida.get(ACTIONS).body["items"]) == made

    def test_of_one_campaign_or_of_all(self, world: World, org: Org, ida: Desk) -> None:
        bees, birds = (world.page(org, world.campaign(org, name)) for name in ("bees", "birds"))
        of_birds = signed(world, birds, 1, opt_in=True)
        of_bees = signed(world, bees, 1, opt_in=True)
        forward(world)
        assert ids(ida.get(ACTIONS).body["items"]) == [*of_birds, *of_bees]
        assert ids(ida.get(ACTIONS, campaign="BEES").body["items"]) == of_bees

    def test_of_a_campaign_of_others_nobody_is_told_whether_it_is_there(self, world: World, ida: Desk) -> None:
        world.page(world.org("birds"), world.campaign(world.org("trees"), "secret"), name="birds/secret")
        answers = [ida.get(ACTIONS, campaign=name) for name in ("secret", "nothing")]
        assert [answer.status for answer in answers] == [404, 404]
        assert answers[0].body == answers[1].body

    def test_whoever_takes_part_in_many_campaigns_names_one(
        self, world: World, org: Org, ida: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(walk, "MOST_CAMPAIGNS", 1)
        for name in ("bees", "birds"):
            world.page(org, world.campaign(org, name))
        answer = ida.get(ACTIONS)
        assert (answer.status, answer.codes) == (422, [("/campaign", "blank")])
        assert ida.get(ACTIONS, campaign="birds").status == 200

    def test_all_failed_rules_are_told_at_once(self, ida: Desk) -> None:
        answer = ida.get(ACTIONS, limit="1001", onlyOptin="false", after="soon", cursor="?", start="-1")
        assert answer.status == 422
        assert {pointer for pointer, _ in answer.codes} == {"/limit", "/onlyOptin", "/after", "/start"}
        assert ida.get(ACTIONS, cursor="?").codes == [("/cursor", "format")]


class TestParts:
    def test_a_cursor_goes_on_where_the_part_before_ended(self, world: World, org: Org, ida: Desk) -> None:
        made = signed(world, world.page(org), 7, opt_in=True)
        forward(world)
        parts, cursor = [], None
        while cursor is not None or not parts:
            part = ida.get(ACTIONS, limit="3", **({"cursor": cursor} if cursor else {})).body
            parts.append(ids(part["items"]))
            cursor = part["next"]
        assert parts == [made[:3], made[3:6], made[6:]]

    def test_what_is_signed_meanwhile_is_not_in_later_parts(self, world: World, org: Org, ida: Desk) -> None:
        page = world.page(org)
        made = signed(world, page, 3, opt_in=True)
        forward(world)
        part = ida.get(ACTIONS, limit="2").body
        world.sign(page, email="late@example.org", opt_in=True)
        world.run()
        forward(world)
        assert ids(ida.get(ACTIONS, limit="2", cursor=part["next"]).body["items"]) == made[2:]

    def test_a_part_ends_when_time_is_over_and_the_next_goes_on(
        self, world: World, org: Org, ida: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(walk, "READ_AT_ONCE", 2)
        made = signed(world, world.page(org), 5, opt_in=True)
        forward(world)
        found, cursor, parts = [], None, 0
        while cursor is not None or not parts:
            query = {"cursor": cursor} if cursor else None
            event = api_event("GET", ACTIONS, headers={"Authorization": f"Bearer {ida.token}"}, query=query)
            answer = function("ManageExportsFunction")(
                event, LambdaContext("ManageExportsFunction", remaining_ms=9_999)
            )
            part = json.loads(answer["body"])
            found += ids(part["items"])
            cursor, parts = part["next"], parts + 1
        assert (found, parts) == (made, 4)

    def test_a_part_ends_before_it_is_larger_than_an_answer_may_be(
        self, world: World, org: Org, ida: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = signed(world, world.page(org), 4, opt_in=True)
        forward(world)
        monkeypatch.setattr(managed, "MOST_BYTES", 10)
        part = ida.get(ACTIONS).body
        assert ids(part["items"]) == made[:1]
        assert ids(ida.everything(ACTIONS)) == made

    def test_buckets_are_read_as_far_as_they_are_needed(self, world: World, org: Org, ida: Desk) -> None:
        signed(world, world.page(org), 40, opt_in=True)
        forward(world)
        with calls() as made:
            ida.get(ACTIONS, limit="10", campaign="bees")
        asked = [call for call in made.of("Query") if "by_campaign" in str(call.params.get("IndexName"))]
        assert {call.params["Limit"] for call in asked} == {10}
        assert len(asked) == 16
        read = [len(next(iter(call.params["RequestItems"].values()))["Keys"]) for call in made.of("BatchGetItem")]
        assert read[:2] == [25, 50], "some actions, their supporters and contacts"


class TestLookUp:
    def test_a_person_is_found_in_whatever_state(self, world: World) -> None:
        page = world.page(world.org("asking", custom_supporter_confirm=True))
        answer = world.sign(page, email="Ida.Holm@example.org")
        world.run()
        who = desk("ole@example.org", asking=Role.OWNER)

        [row] = who.post("/v1/orgs/asking/contacts/look-up", {"email": " IDA.holm@example.org "}).body["items"]

        assert (row["actionId"], row["contact"]["dupeRank"], row["privacy"]["optIn"]) == (answer.action, None, None)
        by_ref = who.post("/v1/orgs/asking/contacts/look-up", {"contactRef": answer.contact_ref})
        assert by_ref.body["items"] == [row]

    def test_nobody_else_is_found_and_nobody_of_another_org(self, world: World, org: Org, ida: Desk) -> None:
        signed(world, world.page(world.org("birds"), name="birds/bees"), 1)
        signed(world, world.page(org, world.campaign(org, "own")), 2)
        assert ids(ida.post(LOOK_UP, {"email": "ida9@example.org"}).body["items"]) == []
        assert len(ida.post(LOOK_UP, {"email": "ida0@example.org"}).body["items"]) == 1

    def test_testing_actions_and_parts_as_in_lists(self, world: World, org: Org, ida: Desk) -> None:
        page = world.page(org)
        first = world.sign(page)
        shares = [world.act(page, first.contact_ref).action for _ in range(3)]
        test = world.sign(page, testing=True).action
        world.run()
        asked = {"email": "ida.holm@example.org"}
        part = ida.post(LOOK_UP, {**asked, "limit": 2}).body
        assert ids(part["items"]) == [first.action, shares[0]]
        rest = ida.post(LOOK_UP, {**asked, "cursor": part["next"], "includeTesting": True}).body
        assert (ids(rest["items"]), rest["next"]) == ([*shares[1:], test], None)

    @pytest.mark.parametrize(
        ("body", "codes"),
        [
            ({}, [("/email", "invalid")]),
            ({"email": " "}, [("/email", "invalid")]),
            ({"email": "ida@example.org", "contactRef": "A" * 43}, [("/email", "invalid")]),
            ({"contactRef": "u#1#x", "limit": 0}, [("/contactRef", "format"), ("/limit", "invalid")]),
        ],
    )
    def test_what_is_no_question_is_refused(self, ida: Desk, body: dict[str, Any], codes: list[Any]) -> None:
        assert ida.post(LOOK_UP, body).codes == codes

    def test_who_looked_is_in_the_audit_trail_and_for_whom_is_not(self, ida: Desk) -> None:
        ida.post(LOOK_UP, {"email": "ida.holm@example.org"})
        [entry] = ida.everything("/v1/orgs/bees/audit")
        assert (entry["who"], entry["action"], entry["after"]) == (ida.user, "contacts.look_up", {"by": "email"})


def test_only_who_may_export_contacts_sees_any(org: Org) -> None:
    for role in (Role.CAMPAIGNER, Role.TRANSLATOR, Role.COORDINATOR):
        who = desk(f"{role}@example.org", bees=role)
        answers = [who.get(ACTIONS), who.get(CONTACTS), who.post(LOOK_UP, {"email": "ida@example.org"})]
        assert [answer.status for answer in answers] == [403, 403, 403]
