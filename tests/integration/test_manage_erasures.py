"""Erasing, certificates, access requests and retention through the management API, and the functions behind it."""

from __future__ import annotations

import json
import os
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.aws import clock
from proca_common.campaigns import store as campaigns
from proca_common.erasures import later, ledger
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.users.permissions import Role
from tests import exporting, mtt
from tests.desks import Desk, desk
from tests.erasing import traces
from tests.harness.calls import calls, unseen_client
from tests.harness.context import LambdaContext
from tests.harness.faults import Killed, crash_before, faults, refuse
from tests.recount import Stored, assert_sound, counted
from tests.simulated import SimulatedTime
from tests.world import ERASURE_SECRET, World, api_event, function

ERASURES = "/v1/orgs/bees/erasures"
ACCESS = "/v1/orgs/bees/access-requests"
RETENTION = "/v1/orgs/bees/retention"
EMAIL = "ida.holm@example.org"
DAY_MS = 86_400_000

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")  # a killed function has none


@pytest.fixture
def org(world: World) -> Org:
    return world.org("bees")


@pytest.fixture
def ida(org: Org) -> Desk:
    return desk("ida@example.org", bees=Role.OWNER)


def orders() -> list[str]:
    """What waits in the erasure queue, taken out."""
    sqs, url = unseen_client("sqs"), os.environ["ERASURE_QUEUE_URL"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in found]


def work(body: str, remaining_ms: int = 300_000) -> Any:
    """The function on the erasure queue."""
    record = {"messageId": "1", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}
    return function("EraseFunction")({"Records": [record]}, LambdaContext("EraseFunction", remaining_ms=remaining_ms))


class TestErasures:
    def test_a_person_is_erased_by_its_address(self, world: World, org: Org, ida: Desk) -> None:
        page = world.page(org)
        signed = world.sign(page, email=EMAIL)
        world.act(page, signed.contact_ref, "share")
        world.run()

        answer = ida.post(ERASURES, {"email": f" {EMAIL.upper()} "})

        assert answer.status == 201
        known = answer.body
        assert answer.headers["Location"] == f"{ERASURES}/{known['id']}"
        assert (known["state"], known["askedBy"], known["campaigns"]) == ("done", ida.user, [page.campaign])
        assert known["removed"] == {
            "contacts": 1,
            "supporters": 1,
            "actions": 0,
            "waitingActions": 0,
            "exportFiles": 0,
        }
        assert known["anonymised"] == {"actions": 2}
        key = unseen_client("secretsmanager").get_secret_value(SecretId=ERASURE_SECRET)["SecretString"].encode()
        assert known["person"] == ledger.mark(key, signed.contact_ref)
        finished = datetime.fromisoformat(known["finishedAt"])
        ends = {name: None if end is None else datetime.fromisoformat(end) for name, end in known["lastCopies"].items()}
        assert ends == {
            "streams": finished + timedelta(days=1),
            "backups": finished + timedelta(days=7),
            "queues": finished + timedelta(days=14),
            "logs": None,
            "exportFiles": None,
        }
        assert ida.get(f"{ERASURES}/{known['id']}").body == known
        assert ida.everything(ERASURES) == [known]
        assert not [*traces(world, signed.contact_ref, EMAIL)]
        assert_sound(world, page.campaign)

    def test_who_erased_is_in_the_audit_trail_but_not_whom(self, world: World, org: Org, ida: Desk) -> None:
        ref = world.sign(world.page(org)).contact_ref
        known = ida.post(ERASURES, {"contactRef": ref}).body
        [entry] = ida.everything("/v1/orgs/bees/audit")
        assert (entry["who"], entry["action"], entry["object"]) == (
            ida.user,
            "contacts.erase",
            f"erasure#{known['id']}",
        )
        assert entry["after"] == {"by": "contactRef"}

    def test_the_newest_come_first(self, ida: Desk) -> None:
        ids = [ida.post(ERASURES, {"email": f"nobody{number}@example.org"}).body["id"] for number in range(3)]
        assert [each["id"] for each in ida.everything(ERASURES, limit="2")] == sorted(ids, reverse=True)

    def test_a_killed_request_is_gone_on_with(self, world: World, org: Org, ida: Desk) -> None:
        page = world.page(org)
        ref = world.sign(page).contact_ref
        world.run()
        with pytest.raises(Killed), faults(crash_before("TransactWriteItems", nth=3)):
            ida.post(ERASURES, {"contactRef": ref})
        [known] = ida.everything(ERASURES)
        assert (known["state"], known["finishedAt"], known["lastCopies"]) == ("running", None, None)

        answer = work(json.dumps({"org": org.id, "erasure": known["id"]}))

        assert answer == {"batchItemFailures": []}
        assert ida.get(f"{ERASURES}/{known['id']}").body["state"] == "done"
        assert_sound(world, page.campaign)
        assert not [*traces(world, ref)]

    def test_where_no_order_can_be_sent_nothing_is_noted(self, world: World, org: Org, ida: Desk) -> None:
        ref = world.sign(world.page(org)).contact_ref
        world.run()
        with faults(refuse("ServiceUnavailable", on="SendMessage")):
            assert ida.post(ERASURES, {"contactRef": ref}).status == 503
        assert ida.everything(ERASURES) == []
        assert not list(world.tables.all_items("ErasuresTable"))

    def test_the_order_goes_out_before_the_ref_is_noted(self, ida: Desk) -> None:
        with calls() as recorded:
            ida.post(ERASURES, {"contactRef": "A" * 43})
        concerned = [call for call in recorded.all if call.service == "sqs" or "ErasuresTable" in str(call.params)]
        assert [call.operation for call in concerned[:2]] == ["SendMessage", "PutItem"]

    def test_what_takes_long_goes_on_by_itself(self, world: World, org: Org, ida: Desk) -> None:
        page = world.page(org)
        refs = {world.sign(page, email=EMAIL).contact_ref for _ in range(15)}
        world.run()
        event = api_event("POST", ERASURES, json.dumps({"email": EMAIL}), {
            "Content-Type": "application/json", "Authorization": f"Bearer {ida.token}",
        })  # fmt: skip
        hurried = function("ManageErasuresFunction")(event, LambdaContext("ManageErasuresFunction", remaining_ms=9_000))
        assert hurried["statusCode"] == 202
        entry = json.loads(hurried["body"])
        body = json.dumps({"org": org.id, "erasure": entry["id"]})

        assert work(body, remaining_ms=29_000) == {"batchItemFailures": []}
        assert ida.get(f"{ERASURES}/{entry['id']}").body["state"] == "running"
        assert body in orders()
        assert work(body) == {"batchItemFailures": []}

        assert ida.get(f"{ERASURES}/{entry['id']}").body["removed"]["supporters"] == 15
        assert not [*traces(world, *refs)]
        assert later.work(body, os.environ["ERASURE_QUEUE_URL"], lambda: True) is later.Outcome.NOTHING_LEFT

    def test_an_order_of_nothing_is_dropped(self, org: Org) -> None:
        assert work(json.dumps({"org": org.id, "erasure": 1})) == {"batchItemFailures": []}

    @pytest.mark.usefixtures("org")
    def test_who_may_not_is_told_nothing(self) -> None:
        other = desk("tom@example.org", bees=Role.CAMPAIGNER)
        for path, body in ((ERASURES, {"email": EMAIL}), (ACCESS, {"email": EMAIL}), (RETENTION, {})):
            assert other.post(path, body).status == 403
        assert [other.get(path).status for path in (ERASURES, f"{ERASURES}/1", RETENTION)] == [403] * 3

    @pytest.mark.parametrize("path", [ERASURES, ACCESS])
    @pytest.mark.parametrize(
        ("body", "wrong"),
        [
            ({}, "/email"),
            ({"email": "  "}, "/email"),
            ({"email": EMAIL, "contactRef": "A" * 43}, "/email"),
            ({"contactRef": "A" * 42}, "/contactRef"),
            ({"contactRef": "gone#" + "A" * 38}, "/contactRef"),
            ({"email": "x" * 1001}, "/email"),
            ({"email": EMAIL, "name": "Ida"}, "/name"),
        ],
    )
    def test_input_that_breaks_rules(self, ida: Desk, path: str, body: dict[str, Any], wrong: str) -> None:
        answer = ida.post(path, body)
        assert (answer.status, [pointer for pointer, _ in answer.codes]) == (422, [wrong])


class TestAccess:
    def test_all_that_is_kept_is_in_one_document(self, world: World, org: Org, ida: Desk) -> None:
        lead = world.org("lead")
        campaign = world.campaign(lead)
        page = world.page(org, campaign)
        signed = world.sign(page, email=EMAIL, opt_in=True, lead_opt_in=True, fields={"comment": "hello"})
        shared = world.act(page, signed.contact_ref, "share")
        elsewhere = world.sign(world.page(lead, campaign), email=EMAIL)
        world.run()

        answer = ida.post(ACCESS, {"email": EMAIL})

        assert answer.status == 200
        found = answer.body
        assert (found["org"]["name"], found["contactRef"]) == ("bees", signed.contact_ref)
        [supporter] = found["supporters"]
        assert (supporter["id"], supporter["actionPage"], supporter["status"]) == (signed.action, page.name, "accepted")
        assert supporter["consents"]["communication"] is True
        assert [row["actionId"] for row in found["actions"]] == [signed.action, shared.action]
        assert found["actions"][0]["customFields"] == {"comment": "hello"}
        assert found["actions"][0]["contact"]["publicKey"] is not None  # only the org's own key opens it
        assert found["sentTo"] == ["bees", "lead"]
        assert str(elsewhere.action) not in json.dumps(found)
        assert {name.split(".")[0] for name in found["explanations"]} <= found.keys()

    def test_whom_the_person_wrote_to_is_in_it(self, world: World, org: Org, ida: Desk) -> None:
        campaign = mtt.campaign(world, org)
        to = [mtt.target(campaign, name) for name in ("Anna", "Bo")]
        page = world.page(org, campaign)
        signed = mtt.write(world, page, *to)

        [before] = ida.post(ACCESS, {"contactRef": signed.contact_ref}).body["messages"]
        ida.post(ERASURES, {"contactRef": signed.contact_ref})

        assert before == {
            "actionId": signed.action,
            "actionPage": page.name,
            "campaign": campaign.name,
            "targets": [{"name": "Anna", "status": None}, {"name": "Bo", "status": None}],
            "textKept": True,
            "senderKept": True,
        }
        assert ida.post(ACCESS, {"contactRef": signed.contact_ref}).body["messages"] == []

    def test_of_who_was_erased_nothing_is_kept(self, world: World, org: Org, ida: Desk) -> None:
        world.sign(world.page(org), email=EMAIL)
        world.run()
        ida.post(ERASURES, {"email": EMAIL})
        found = ida.post(ACCESS, {"email": EMAIL}).body
        assert [found[name] for name in ("supporters", "actions", "messages", "others", "waiting", "sentTo")] == [
            []
        ] * 6

    def test_that_somebody_asked_is_in_the_audit_trail(self, ida: Desk) -> None:
        ida.post(ACCESS, {"email": EMAIL})
        [entry] = ida.everything("/v1/orgs/bees/audit")
        assert (entry["action"], entry["after"]) == ("contacts.access", {"by": "email"})


class TestRetention:
    @pytest.fixture
    def ended(self) -> date:
        """The last day of campaigns that end 30 days from now; it is a year later when a test asks."""
        return date.fromordinal(clock.today().toordinal() + 30)

    def old(self, world: World, name: str, end: date, **settings: Any) -> ActionPage:
        org = orgs.find("bees")
        return world.page(org, world.campaign(org, name, status="closed", end=end.isoformat(), **settings))

    def a_year_passes(self, time: SimulatedTime) -> Desk:
        """Somebody with a token that still holds then."""
        time.now_ms += 400 * DAY_MS
        return desk(f"owner.{time.now_ms}@example.org", bees=Role.OWNER)

    def test_contacts_of_campaigns_that_ended_long_ago_go(
        self, world: World, ida: Desk, time: SimulatedTime, ended: date
    ) -> None:
        assert ida.patch("/v1/orgs/bees", {"retentionMonths": 6}).status == 200
        page, live = (
            self.old(world, "old", ended),
            world.page(orgs.find("bees"), world.campaign(orgs.find("bees"), "live")),
        )
        world.sign(page, email="gone@example.org")
        world.sign(page, email="active@example.org")
        world.run()
        before = counted(world, page.campaign)
        assert ida.post(RETENTION, {"dryRun": False}).body["items"][0]["due"] is False
        ida = self.a_year_passes(time)
        kept = world.sign(live, email="active@example.org")
        world.run()

        dry = ida.post(RETENTION, {}).body
        assert (dry["dryRun"], dry["complete"]) == (True, True)
        [of_old, of_live] = dry["items"]
        assert (of_old["campaign"], of_old["people"], of_old["contacts"], of_old["protected"]) == ("old", 1, 1, 1)
        assert (of_live["due"], of_live["people"]) == (False, 0)
        assert len(Stored.of(world).supporters) == 3

        answer = function("RetainFunction")({}, LambdaContext("RetainFunction", 300))

        assert answer == {"people": 1, "contacts": 1, "mails": 0}
        stored = assert_sound(world, page.campaign, live.campaign)
        assert {ref for ref, _ in stored.supporters} == {kept.contact_ref}
        assert counted(world, page.campaign) == before
        again = function("RetainFunction")({}, LambdaContext("RetainFunction", 300))
        assert again == {"people": 0, "contacts": 0, "mails": 0}

    def test_files_that_may_have_who_went_go_too(
        self, world: World, ida: Desk, time: SimulatedTime, ended: date
    ) -> None:
        page = self.old(world, "old", ended, retention_months=6)
        other = self.old(world, "other", ended)
        for each in (page, other):
            world.sign(each, email=EMAIL)
        world.run()
        ida, asked = self.a_year_passes(time), {"kind": "contacts", "format": "ndjson", "onlyOptIn": False}
        files = [ida.post("/v1/orgs/bees/exports", asked | {"campaign": name}).body["id"] for name in ("old", "other")]
        exporting.Desk(world).run()

        [dry] = ida.post(RETENTION, {}).body["items"]
        states = [ida.get(f"/v1/orgs/bees/exports/{file}").body["state"] for file in files]
        with pytest.raises(Killed), faults(crash_before("AbortMultipartUpload")):
            function("RetainFunction")({}, LambdaContext("RetainFunction", 300))
        [report] = ida.post(RETENTION, {"dryRun": False}).body["items"]

        assert (dry["people"], dry["exportFiles"], states) == (1, 0, ["ready", "ready"])
        assert report["exportFiles"] == 1
        assert [ida.get(f"/v1/orgs/bees/exports/{file}").body["state"] for file in files] == ["removed", "ready"]
        assert ida.post(RETENTION, {"dryRun": False}).body["items"][0]["exportFiles"] == 0

    def test_a_campaigns_own_rule_does_not_look_elsewhere(
        self, world: World, ida: Desk, time: SimulatedTime, ended: date
    ) -> None:
        page = self.old(world, "old", ended, retention_months=1)
        live = world.page(orgs.find("bees"), world.campaign(orgs.find("bees"), "live"))
        signed = [world.sign(each, email=EMAIL) for each in (page, live)]
        world.run()
        ida = self.a_year_passes(time)
        world.sign(live, email=EMAIL)
        world.run()

        [report] = ida.post(RETENTION, {"dryRun": False}).body["items"]

        assert (report["of"], report["months"], report["people"], report["contacts"]) == ("campaign", 1, 1, 1)
        stored = assert_sound(world, page.campaign, live.campaign)
        assert (signed[0].contact_ref, signed[0].action) not in stored.supporters
        assert len(stored.supporters) == 2

    def test_a_newer_action_of_the_supporter_keeps_it(
        self, world: World, ida: Desk, time: SimulatedTime, ended: date
    ) -> None:
        page = self.old(world, "old", ended, retention_months=6)
        signed = world.sign(page, email=EMAIL)
        world.run()
        ida = self.a_year_passes(time)
        world.act(page, signed.contact_ref, "share")
        world.run()
        assert ida.post(RETENTION, {"dryRun": False}).body["items"][0]["protected"] == 1
        assert len(Stored.of(world).supporters) == 1
        ida = self.a_year_passes(time)
        assert ida.post(RETENTION, {"dryRun": False}).body["items"][0]["people"] == 1
        assert not Stored.of(world).supporters

    def test_what_a_partner_has_stays(self, world: World, ida: Desk, time: SimulatedTime, ended: date) -> None:
        ida.patch("/v1/orgs/bees", {"retentionMonths": 6})
        page = self.old(world, "old", ended)
        partner = world.org("partner")
        signed = world.sign(world.page(partner, campaigns.get(page.campaign)), email=EMAIL, lead_opt_in=True)
        world.run()
        ida = self.a_year_passes(time)
        ida.post(RETENTION, {"dryRun": False})
        stored = assert_sound(world, page.campaign)
        assert stored.contacts == {(signed.contact_ref, signed.action): {partner.id}}

    def test_rules_are_shown(self, world: World, ida: Desk, ended: date) -> None:
        self.old(world, "old", ended, retention_months=12)
        assert ida.get(RETENTION).body["items"] == [
            {"campaign": "old", "end": ended.isoformat(), "status": "closed", "months": 12, "of": "campaign",
             "due": False}
        ]  # fmt: skip
