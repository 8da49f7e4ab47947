"""Targets through the management API: lists, single ones, who may (domain 9.9, 1.12, 1.18, 12.8)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proca_common.actions.status import EmailStatus
from proca_common.aws.dynamo import Transaction
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.catalog import items
from proca_common.management import target_lists, targets
from proca_common.mtt.store import NumbersItem, numbers_key
from proca_common.orgs import store as orgs
from proca_common.targets import known, store
from proca_common.targets.given import OutdatedTargets
from proca_common.targets.target import MAX_TARGETS, emails_after_report
from proca_common.users import store as users
from proca_common.users.permissions import Role
from tests.desks import NOBODY, Desk, desk
from tests.harness.calls import calls
from tests.harness.faults import faults, throttle
from tests.harness.interleave import probe, run
from tests.world import Answer, World

LIST = "/v1/orgs/bees/campaigns/bees/targets"
ANNA = {"externalId": "mep-1", "name": "Anna", "locale": "pt", "area": "PT", "emails": [{"email": "Anna@example.org"}]}
BEN = {"externalId": "mep-2", "name": "Ben", "fields": {"party": "Left"}}
UNKNOWN = "6b7b1d0e-0c1f-4f1e-9b7e-2f7a3c9d1e5f"


@pytest.fixture
def campaign(world: World) -> Campaign:
    return world.campaign(world.org("bees"))


@pytest.fixture
def ida(campaign: Campaign) -> Desk:
    assert campaign.name == "bees"
    return desk("ida@example.org", bees=Role.COORDINATOR)


def put(who: Desk, *listed: dict[str, Any], outdated: str | None = None) -> Answer:
    query = None if outdated is None else {"outdated": outdated}
    return who.ask("PUT", LIST, {"targets": listed}, query=query)


def results(answer: Answer) -> dict[str, str]:
    assert answer.status == 200, answer.body
    return {one["externalId"]: one["result"] for one in [*answer.body["targets"], *answer.body["outdated"]]}


def ids(campaign: Campaign) -> dict[str, str]:
    return store.ids(campaign.id)


def write_to(campaign: Campaign, target: str) -> None:
    """The target is to get a message."""
    NumbersItem(*numbers_key(campaign.id, target), total=1).save()


def trail(who: Desk, action: str) -> list[dict[str, Any]]:
    owner = desk(f"owner-{action}@example.org", bees=Role.OWNER)
    return [entry for entry in owner.everything("/v1/orgs/bees/audit") if entry["action"] == action]


class TestLists:
    def test_new_ones_changed_ones_and_those_that_are_as_they_were(self, campaign: Campaign, ida: Desk) -> None:
        first = put(ida, ANNA, BEN)
        assert results(first) == {"mep-1": "created", "mep-2": "created"}
        assert {name: first.body[name] for name in ("created", "updated", "unchanged", "kept")} == {
            "created": 2,
            "updated": 0,
            "unchanged": 0,
            "kept": 0,
        }
        second = put(ida, {**ANNA, "area": "ES"}, {"externalId": "mep-3", "name": "Carl"})
        assert results(second) == {"mep-1": "updated", "mep-3": "created", "mep-2": "kept"}
        assert [one["externalId"] for one in second.body["outdated"]] == ["mep-2"]
        found = {one["externalId"]: one for one in ida.everything(LIST, limit="2")}
        assert {external_id: one["id"] for external_id, one in found.items()} == ids(campaign)
        assert found["mep-1"] == {
            "id": ids(campaign)["mep-1"],
            "externalId": "mep-1",
            "name": "Anna",
            "locale": "pt",
            "area": "ES",
            "fields": {},
            "emails": [{"email": "anna@example.org", "emailStatus": "none", "error": None}],
            "messages": {"total": 0, "sent": 0, "refused": 0, "uncertain": 0, "expired": 0},
        }

    def test_the_same_again_changes_and_writes_nothing(self, ida: Desk) -> None:
        put(ida, ANNA, BEN)
        with calls() as made:
            assert set(results(put(ida, BEN, ANNA)).values()) == {"unchanged"}
        assert not made.of("TransactWriteItems")
        assert len(trail(ida, "targets.upsert")) == 1

    def test_others_are_switched_off(self, campaign: Campaign, ida: Desk) -> None:
        put(ida, ANNA, BEN)
        assert results(put(ida, BEN, outdated="disable")) == {"mep-2": "unchanged", "mep-1": "disabled"}
        anna = store.get(campaign.id, ids(campaign)["mep-1"])
        assert [one.email_status for one in anna.emails] == ["inactive"]
        assert results(put(ida, BEN, outdated="disable")) == {"mep-2": "unchanged", "mep-1": "kept"}
        again = {**ANNA, "emails": [{"email": "anna@example.org", "emailStatus": "none"}]}
        assert results(put(ida, again)) == {"mep-1": "updated", "mep-2": "kept"}

    def test_others_are_removed(self, campaign: Campaign, ida: Desk) -> None:
        put(ida, ANNA, BEN)
        assert results(put(ida, BEN, outdated="delete")) == {"mep-2": "unchanged", "mep-1": "deleted"}
        assert set(ids(campaign)) == {"mep-2"}
        newest, first = trail(ida, "targets.upsert")
        assert (newest["object"], newest["after"]) == (f"campaign#{campaign.id}", {"deleted": ["mep-1"]})
        assert first["after"] == {"created": ["mep-1", "mep-2"]}

    def test_others_with_messages_stay_and_all_of_them_are_told(self, campaign: Campaign, ida: Desk) -> None:
        put(ida, ANNA, BEN, {"externalId": "mep-3", "name": "Carl"})
        known = ids(campaign)
        for external_id in ("mep-1", "mep-3"):
            write_to(campaign, known[external_id])
        answer = put(ida, {"externalId": "mep-4", "name": "Dora"}, outdated="delete")
        assert (answer.status, sorted(answer.codes)) == (
            422,
            sorted((f"/targets/{known[each]}/messages", "has_messages") for each in ("mep-1", "mep-3")),
        )
        assert {failed["message"] for failed in answer.body["errors"]} == {"has messages"}
        assert ids(campaign) == known

    def test_all_failed_rules_at_once_and_nothing_is_written(self, campaign: Campaign, ida: Desk) -> None:
        answer = put(ida, ANNA, {"externalId": "2"}, {"externalId": "3", "name": "C", "emails": [{"email": "x"}]})
        assert answer.codes == [("/targets/1/name", "blank"), ("/targets/2/emails/0/email", "format")]
        assert ids(campaign) == {}
        assert put(ida, ANNA, outdated="forget").codes == [("/outdated", "invalid")]
        assert ida.put(LIST, {"list": []}).codes == [("", "unknown_field"), ("/targets", "blank")]

    def test_more_than_fits_into_one_transaction(self, campaign: Campaign, ida: Desk) -> None:
        listed = [{"externalId": str(number), "name": f"T{number}"} for number in range(120)]
        with calls() as made:
            assert put(ida, *listed).body["created"] == 120
        assert len(made.of("TransactWriteItems")) == 3
        assert len(ids(campaign)) == 120
        some = [{**one, "name": "X"} for one in listed[:110]]
        answer = put(ida, *some, outdated="delete")
        assert (answer.body["updated"], answer.body["deleted"]) == (110, 10)
        assert len(trail(ida, "targets.upsert")) == 3 + 2

    def test_what_breaks_off_goes_on_where_it_was(self, campaign: Campaign, ida: Desk) -> None:
        listed = [{"externalId": str(number), "name": f"T{number}"} for number in range(120)]
        with faults(throttle(on="TransactWriteItems", nth=2, attempts=99)):
            assert put(ida, *listed).status == 503
        assert len(ids(campaign)) == 49
        answer = put(ida, *listed)
        assert (answer.body["unchanged"], answer.body["created"]) == (49, 71)
        assert len(ids(campaign)) == len(store.listed(campaign.id)) == 120


class TestTables:
    def test_a_table_is_a_list(self, campaign: Campaign, ida: Desk) -> None:
        text = "externalId;name;email;fields.party\r\nmep-1;Zoë;zoe@example.org;Left\r\nmep-2;Ben;;\r\n"
        sent = {"Content-Type": "text/csv; charset=utf-8"}
        answer = ida.send("PUT", LIST, text, sent, {"outdated": "keep"})
        assert results(answer) == {"mep-1": "created", "mep-2": "created"}
        zoe = store.get(campaign.id, ids(campaign)["mep-1"])
        assert (zoe.name, zoe.fields, [one.email for one in zoe.emails]) == (
            "Zoë",
            {"party": "Left"},
            ["zoe@example.org"],
        )
        wrong = ida.send("PUT", LIST, "externalId,name\r\nmep-1,\r\nmep-1,A\r\n", sent)
        assert wrong.codes == [("/targets/0/name", "blank")]
        assert ida.send("PUT", LIST, "name,colour\r\n", sent).codes == [
            ("/columns/1", "unknown_field"),
            ("/columns/externalId", "blank"),
        ]
        assert ida.send("PUT", LIST, "", sent).status == 400
        assert ida.send("PUT", LIST, text, {"Content-Type": "text/plain"}).status == 415

    def test_sizes(self, ida: Desk) -> None:
        """A list may be larger than other bodies."""
        wide = [{"externalId": str(number), "name": "A", "fields": {"text": "x" * 5000}} for number in range(20)]
        assert put(ida, *wide).status == 200
        too_wide = "externalId,fields.a\r\n" + "1," + "x" * 2 * 1024 * 1024
        assert ida.send("PUT", LIST, too_wide, {"Content-Type": "text/csv"}).status == 413
        assert ida.post(LIST, {**ANNA, "fields": {"a": "x" * 70_000}}).status == 413


class TestOne:
    def test_made_shown_changed_and_removed(self, campaign: Campaign, ida: Desk) -> None:
        made = ida.post(LIST, ANNA)
        path = f"{LIST}/{made.body['id']}"
        assert (made.status, made.headers["Location"]) == (201, path)
        assert ida.get(path).body == made.body
        assert ida.get(f"{LIST}/{made.body['id'].upper()}").status == 200
        changed = ida.patch(path, {"name": "Anna B", "fields": {"a": 1}, "emails": [{"email": "b@example.org"}]})
        assert changed.body == {
            **made.body,
            "name": "Anna B",
            "fields": {"a": 1},
            "emails": [{"email": "b@example.org", "emailStatus": "none", "error": None}],
        }
        assert ida.patch(path, {"name": None, "emails": 7}).codes == [("/name", "blank"), ("/emails", "invalid")]
        assert ida.delete(path).status == 204
        assert ida.get(path).status == 404
        assert ids(campaign) == {}
        [update] = trail(ida, "target.update")
        assert update["after"] == {"name": "Anna B", "fields": {"a": 1}}
        assert "@" not in json.dumps([update, *trail(ida, "target.create"), *trail(ida, "target.delete")])

    def test_external_ids_belong_to_one(self, ida: Desk) -> None:
        put(ida, ANNA, BEN)
        again = ida.post(LIST, ANNA)
        assert (again.status, again.codes) == (409, [("/externalId", "taken")])
        [ben] = [one for one in ida.everything(LIST) if one["name"] == "Ben"]
        moved = ida.patch(f"{LIST}/{ben['id']}", {"externalId": "mep-1"})
        assert (moved.status, moved.codes) == (409, [("/externalId", "taken")])
        assert ida.patch(f"{LIST}/{ben['id']}", {"externalId": "mep-9"}).status == 200
        assert ida.post(LIST, BEN).status == 201

    def test_with_messages_it_stays(self, campaign: Campaign, ida: Desk) -> None:
        target = ida.post(LIST, ANNA).body["id"]
        write_to(campaign, target)
        answer = ida.delete(f"{LIST}/{target}")
        assert (answer.status, answer.body["detail"]) == (409, "has messages")
        assert ida.get(f"{LIST}/{target}").body["messages"]["total"] == 1

    def test_versions(self, campaign: Campaign, ida: Desk) -> None:
        made = ida.post(LIST, ANNA)
        path, seen = f"{LIST}/{made.body['id']}", {"If-Match": made.headers["ETag"]}

        def bounced(emails: store.Emails) -> store.Emails:
            return emails_after_report(emails, "anna@example.org", EmailStatus.BOUNCE, "550 no such user")

        store.change_emails(campaign.id, made.body["id"], bounced)
        assert ida.patch(path, {"name": "B"}, seen).status == 412
        assert ida.delete(path, headers=seen).status == 412
        fresh = ida.get(path)
        assert fresh.body["emails"] == [
            {"email": "anna@example.org", "emailStatus": "bounce", "error": "550 no such user"}
        ]
        assert ida.patch(path, {"name": "B"}, {"If-Match": fresh.headers["ETag"]}).status == 200

    @pytest.mark.parametrize("target", [UNKNOWN, "x", "target", "%00", "x" * 2000])
    def test_who_is_not_there(self, ida: Desk, target: str) -> None:
        assert ida.get(f"{LIST}/{target}").status == 404
        assert ida.patch(f"{LIST}/{target}", {}).status == 404
        assert ida.delete(f"{LIST}/{target}").status == 404

    def test_what_is_no_cursor(self, ida: Desk) -> None:
        for cursor in ("fn5-", "eHg", "x" * 900):
            assert ida.get(LIST, cursor=cursor).codes == [("/cursor", "format")]


class TestAtOnce:
    def test_two_lists_at_once_make_one_of_each(self, campaign: Campaign, ida: Desk) -> None:
        caller, _ = users.caller(ida.user)
        lead = orgs.get(campaign.org)

        def upsert(name: str) -> None:
            given = [{"externalId": "1", "name": name}, {"externalId": "2", "name": name}]
            target_lists.upsert_in(caller, lead, campaign, given, OutdatedTargets.KEEP)

        for schedule in ("ABABAB", "AABBAB", "AABBBB", "ABBBAA"):
            outcome = run(lambda: upsert("A"), lambda: upsert("B"), schedule)
            assert (outcome.a.error, outcome.b.error) == (None, None), outcome
            assert {target.name for target in store.listed(campaign.id)} in ({"A"}, {"B"})
            assert len(store.listed(campaign.id)) == len(ids(campaign)) == 2
            for target in store.listed(campaign.id):
                transaction = Transaction()
                store.put_gone(transaction, target)
                items.commit(transaction)

    def test_a_message_that_comes_meanwhile_holds_the_target(self, campaign: Campaign, ida: Desk) -> None:
        """Whenever it comes: before it is looked for, or between that and the removal."""
        caller, _ = users.caller(ida.user)
        lead = orgs.get(campaign.org)

        def remove() -> None:
            target_lists.upsert_in(caller, lead, campaign, [], OutdatedTargets.DELETE)

        put(ida, ANNA)
        number = len(probe(remove))
        put(ida, ANNA)
        target = ids(campaign)["mep-1"]
        for turn in range(number):
            NumbersItem(*numbers_key(campaign.id, target)).delete()
            outcome = run(remove, lambda: write_to(campaign, target), "A" * turn + "B")
            assert [failure.code for failure in outcome.a.error.failures] == ["has_messages"], outcome
            assert set(ids(campaign)) == {"mep-1"}

    def test_no_target_without_its_campaign(self, campaign: Campaign, ida: Desk) -> None:
        caller, _ = users.caller(ida.user)
        number = len(probe(lambda: targets.create(caller, "bees", "bees", BEN)))
        found = campaigns.get(campaign.id)
        ending = "A" * (number - 1) + "B" * 3
        outcome = run(lambda: targets.create(caller, "bees", "bees", ANNA), lambda: campaigns.delete(found), ending)
        assert outcome.a.calls[-1].operation == "TransactWriteItems"
        assert str(outcome.a.error) == "campaign not found"
        assert set(ids(campaign)) == {"mep-2"}


class TestEnd:
    def test_targets_go_with_their_campaign(self, world: World, campaign: Campaign, ida: Desk) -> None:
        put(ida, *({"externalId": str(number), "name": "A"} for number in range(60)))
        owner = desk("owner@example.org", bees=Role.OWNER)
        assert owner.delete("/v1/orgs/bees/campaigns/bees").status == 204
        left = [item["pk"]["S"] for item in world.tables.all_items("CatalogTable")]
        assert f"campaign#{campaign.id}" not in left

    def test_a_deletion_that_breaks_off_can_be_ended(self, world: World, campaign: Campaign, ida: Desk) -> None:
        put(ida, ANNA)
        owner = desk("owner@example.org", bees=Role.OWNER)
        with faults(throttle(on="TransactWriteItems", nth=2, attempts=99)):
            assert owner.delete("/v1/orgs/bees/campaigns/bees").status == 503
        assert owner.delete("/v1/orgs/bees/campaigns/bees").status == 204
        left = [item["pk"]["S"] for item in world.tables.all_items("CatalogTable")]
        assert f"campaign#{campaign.id}" not in left


class TestWho:
    def test_partners_see_no_addresses(self, world: World, campaign: Campaign) -> None:
        world.page(world.org("trees"), campaign)
        partner = desk("ola@example.org", trees=Role.OWNER)
        path = "/v1/orgs/trees/campaigns/bees/targets"
        for answer in (partner.get(path), partner.put(path, {"targets": []}), partner.post(path, ANNA)):
            assert (answer.status, answer.body["detail"]) == (403, "Only its lead org may change a campaign")
        assert partner.get(LIST).status == 403
        for wrong in ("{}", "no JSON", "x" * 3_000_000):  # who may not learns nothing of what is wrong
            assert partner.send("PUT", LIST, wrong, {"Content-Type": "application/json"}).status == 403
        assert NOBODY.get(LIST).status == 401

    def test_targets_of_another_campaign_are_not_found(self, world: World, ida: Desk) -> None:
        world.campaign(world.org("rivers"), "rivers")
        target = ida.post(LIST, ANNA).body["id"]
        eva = desk("eva@example.org", rivers=Role.OWNER)
        assert eva.get(f"/v1/orgs/rivers/campaigns/rivers/targets/{target}").status == 404
        assert eva.get("/v1/orgs/rivers/campaigns/bees/targets").status == 404


@pytest.mark.soak
def test_as_many_as_a_campaign_may_have(world: World, campaign: Campaign, ida: Desk) -> None:
    """A parliament is a tenth of it: written in parts, read at once by signatures and widgets."""
    heads = "externalId,name,locale,area,email,fields.salutation,fields.party"
    lines = [
        f'mep-{n},"Member, Number {n}",pt_BR,PT,member{n}@example.org,Dear Member {n},Party {n % 7}'
        for n in range(MAX_TARGETS)
    ]
    answer = ida.send("PUT", LIST, "\r\n".join([heads, *lines]), {"Content-Type": "text/csv"})
    assert answer.body["created"] == MAX_TARGETS
    some = set(list(ids(campaign).values())[:1000])
    with calls() as made:
        assert known.of(campaign.id, some) == some
    assert len(made) <= 2
    path, found, cursor = f"/v1/campaigns/{campaign.id}/targets", 0, {}
    while True:
        part = world.get(path, **cursor)
        found += len(part.body["items"])
        if part.body["next"] is None:
            break
        cursor = {"cursor": part.body["next"]}
    assert found == MAX_TARGETS
    other = {**ANNA, "externalId": "one more"}
    assert (ida.post(LIST, other).status, put(ida, other).codes) == (409, [("/targets", "too_large")])
    gone = ida.send("PUT", LIST, heads, {"Content-Type": "text/csv"}, {"outdated": "delete"})
    assert gone.body["deleted"] == MAX_TARGETS
