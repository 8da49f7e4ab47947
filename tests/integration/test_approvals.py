"""What needs two people (domain 7.4): inviting staff and partners, launching pages, joining; by API and by link."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from proca_common.action_pages import store as pages
from proca_common.action_pages.page import ActionPage
from proca_common.approvals import codes
from proca_common.approvals.codes import Told
from proca_common.approvals.second import Second
from proca_common.approvals.texts import LANGUAGES
from proca_common.aws.dynamo import Transaction
from proca_common.campaigns.campaign import Campaign
from proca_common.confirms import store as confirms
from proca_common.confirms.confirm import ADD_PARTNER, ADD_STAFFER, JOIN_CAMPAIGN, LAUNCH_PAGE, VALID_DAYS, Confirm
from proca_common.confirms.links import code_links
from proca_common.confirms.tokens import DAY_MS
from proca_common.errors import NotFound, TooMany
from proca_common.guards import caps
from proca_common.management import confirms as managed
from proca_common.management import notices
from proca_common.orgs.org import Org
from proca_common.users import passwords
from proca_common.users import store as users
from proca_common.users.permissions import Permission, Role
from tests.desks import NOBODY, Desk, desk
from tests.harness.calls import calls
from tests.harness.faults import Killed, crash_after, crash_before, faults
from tests.harness.interleave import run, schedules
from tests.links import API, PROGRAMS, Shown, everything, look, press
from tests.simulated import SimulatedTime
from tests.world import Answer, World

ENGLISH = LANGUAGES["en"]
INVITATIONS, PARTNERS = "/v1/orgs/bees/invitations", "/v1/orgs/bees/partner-invitations"


@pytest.fixture(autouse=True)
def _nobody_guessed_yet() -> None:
    caps.forget()


@dataclass
class Coalition:
    """Bees lead a campaign, birds have a page in it that waits."""

    world: World
    bees: Org
    birds: Org
    campaign: Campaign
    page: ActionPage
    copy: ActionPage
    ida: Desk
    """Owns bees."""
    per: Desk
    """Campaigner of birds."""

    def live(self, page: ActionPage | None = None) -> bool:
        return pages.get((page or self.copy).id).live

    def ask_for_launch(self) -> Confirm:
        """Per asks for his page."""
        return managed.request_launch(users.caller(self.per.user)[0], self.copy, "please")

    def ask_to_join(self) -> Confirm:
        answer = self.per.post("/v1/orgs/birds/join-requests", {"campaign": "clean_air", "message": "let us in"})
        assert answer.status == 202, answer.body
        [confirm] = confirms.open_of(self.bees.id, JOIN_CAMPAIGN)
        return confirm

    def invite(self, email: str = "ola@example.org", role: str = "campaigner") -> Confirm:
        answer = self.ida.post(INVITATIONS, {"email": email, "role": role, "message": "Welcome"})
        assert answer.status == 201, answer.body
        return found(answer.body["code"])

    def invite_partner(self) -> Confirm:
        answer = self.ida.post(PARTNERS, {"email": "per@example.org", "page": self.page.name})
        assert answer.status == 201, answer.body
        return found(answer.body["code"])

    def events(self) -> list[dict[str, Any]]:
        """What is to be told of the catalogue."""
        items = self.world.tables.all_items("CatalogTable")
        subjects = [
            (item["event_type"]["S"], json.loads(item["subject"]["S"])) for item in items if item["pk"]["S"] == "events"
        ]
        return [{"event": kind, **subject} for kind, subject in subjects]


@pytest.fixture
def both(world: World) -> Coalition:
    bees, birds = world.org("bees", key=False), world.org("birds", key=False)
    campaign = world.campaign(bees, "clean_air")
    page = world.page(bees, campaign, "bees.example.org/air/now", live=True, config={"journey": ["Petition"]})
    copy = world.page(birds, campaign, "birds/air")
    ida, per = desk("ida@example.org", bees=Role.OWNER), desk("per@example.org", birds=Role.CAMPAIGNER)
    return Coalition(world, bees, birds, campaign, page, copy, ida, per)


def found(code: str) -> Confirm:
    confirm = confirms.find(code)
    assert confirm is not None
    return confirm


def answer_as(who: Desk, confirm: Confirm, verb: str = "acceptance", *, org: str | None = None, **told: Any) -> Answer:
    """Decide by the API, told what the confirm was made for unless something else is given."""
    path = f"/v1/account/confirms/{confirm.code}" if org is None else f"/v1/orgs/{org}/confirms/{confirm.code}"
    usual = {"email": confirm.email} if confirm.email else {"objectId": confirm.object}
    return who.post(f"{path}/{verb}", told or usual)


class TestInviting:
    def test_the_code_is_told_once_to_who_invites(self, both: Coalition) -> None:
        made = both.ida.post(INVITATIONS, {"email": "Ola@example.org", "role": "translator", "message": "Welcome"})
        assert made.status == 201
        code, number = made.body["code"], made.body["id"]
        assert made.headers["Location"] == f"{INVITATIONS}/{number}"
        assert (made.body["objectId"], made.body["creator"]) == (1_081_344, "ida@example.org")
        listed = both.ida.get(INVITATIONS)
        assert listed.body["items"] == [
            {name: value for name, value in made.body.items() if name not in {"code", "objectId"}}
        ]
        assert code not in json.dumps([listed.body, both.ida.get("/v1/orgs/bees/audit").body])
        assert "Ola@example.org" not in json.dumps(both.ida.get("/v1/orgs/bees/audit").body)
        assert both.events() == [{"event": "confirm_created", "code": code}]
        [order] = both.world.orders("mail")
        assert (order["mail"], order["code"], order["org"]) == ("add_staffer", code, both.world.instance.org)
        assert "ola" not in json.dumps(order).casefold()

    def test_the_invited_becomes_a_staffer(self, both: Coalition) -> None:
        confirm, ola = both.invite(), desk("OLA@example.org")
        accepted = answer_as(ola, confirm)
        assert (accepted.status, accepted.body["status"]) == (200, "SUCCESS")
        assert accepted.body["org"]["name"] == "bees"
        assert users.staff_of(both.bees.id)[ola.user] == Permission(1_540_096)
        assert both.ida.get(INVITATIONS).body["items"] == []
        assert answer_as(ola, confirm).status == 410
        newest = both.ida.get("/v1/orgs/bees/audit").body["items"][0]
        assert (newest["action"], newest["who"]) == ("staff.join", ola.user)
        assert newest["after"]["invited_by"] == both.ida.user

    @pytest.mark.parametrize(
        ("who", "told", "status"),
        [
            ("ola@example.org", {"email": "ola@example.org"}, 200),
            ("ola@example.org", {"email": " OLA@example.org "}, 200),
            ("ola@example.org", {"email": "eve@example.org"}, 404),
            ("ola@example.org", {}, 404),
            ("eve@example.org", {"email": "ola@example.org"}, 403),
            ("eve@example.org", {"email": "eve@example.org"}, 404),
        ],
    )
    def test_nobody_but_the_invited_may(self, both: Coalition, who: str, told: dict[str, Any], status: int) -> None:
        confirm, somebody = both.invite(), desk(who)
        path = f"/v1/account/confirms/{confirm.code}/acceptance"
        assert somebody.post(path, told).status == status
        assert (somebody.user in users.staff_of(both.bees.id)) is (status == 200)

    def test_an_address_has_to_be_proven(self, both: Coalition) -> None:
        confirm, ola = both.invite(), desk("ola@example.org", confirmed=False)
        assert answer_as(ola, confirm).status == 403
        assert confirms.find(confirm.code) == confirm

    def test_nobody_without_an_account_may(self, both: Coalition) -> None:
        confirm = both.invite()
        assert answer_as(NOBODY, confirm).status == 401
        shown = press(code_links(API, confirm).accept)
        assert (shown.status, ENGLISH.login.title in shown.text) == (401, True)
        assert shown.headers["WWW-Authenticate"].startswith("Basic ")

    def test_a_member_stays_what_the_member_is(self, both: Coalition) -> None:
        ola = desk("ola@example.org", bees=Role.TRANSLATOR)
        confirm = both.invite()
        assert answer_as(ola, confirm).status == 409
        assert users.staff_of(both.bees.id)[ola.user] == Permission(1_081_344)

    def test_an_invitation_is_worth_what_its_inviter_is(self, both: Coalition) -> None:
        siri = desk("siri@example.org", bees=Role.CAMPAIGNER)
        answer = siri.post(INVITATIONS, {"email": "ola@example.org", "role": "campaigner"})
        both.ida.patch(f"/v1/orgs/bees/staff/{siri.user}", {"role": "translator"})
        assert answer_as(desk("ola@example.org"), found(answer.body["code"])).status == 410

    def test_it_is_taken_back(self, both: Coalition) -> None:
        confirm, ola = both.invite(role="owner"), desk("ola@example.org")
        translator = desk("siri@example.org", bees=Role.TRANSLATOR)
        assert translator.delete(f"{INVITATIONS}/{confirm.id}").status == 403
        assert both.ida.delete(f"{INVITATIONS}/{confirm.id}").status == 204
        assert both.ida.delete(f"{INVITATIONS}/{confirm.id}").status == 404
        assert answer_as(ola, confirm).status == 410

    def test_whoever_has_the_mail_may_refuse_without_an_account(self, both: Coalition) -> None:
        confirm = both.invite()
        shown = press(code_links(API, confirm).reject)
        assert (shown.status, ENGLISH.refused in shown.text) == (200, True)
        assert answer_as(desk("ola@example.org"), confirm).status == 410
        assert both.ida.get(INVITATIONS).body["items"] == []

    @pytest.mark.parametrize(
        ("given", "failed"),
        [
            ({}, [("/email", "blank"), ("/role", "blank")]),
            ({"email": "no address", "role": "owner"}, [("/email", "format")]),
            ({"email": "a@b", "role": "owner", "message": "x" * 2_001}, [("/message", "too_long")]),
        ],
    )
    def test_what_is_wrong_is_told(self, both: Coalition, given: dict[str, Any], failed: list[Any]) -> None:
        assert both.ida.post(INVITATIONS, given).codes == failed

    def test_nobody_is_flooded(self, both: Coalition, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(managed, "MAX_OPEN", 2)
        answers = [both.ida.post(INVITATIONS, {"email": f"{n}@example.org", "role": "owner"}) for n in range(3)]
        assert [answer.status for answer in answers] == [201, 201, 429]


class TestLaunching:
    def test_the_lead_launches_a_partners_page(self, both: Coalition) -> None:
        confirm = both.ask_for_launch()
        [listed] = both.ida.get("/v1/orgs/bees/confirms").body["items"]
        assert (listed["code"], listed["page"], listed["message"]) == (confirm.code, both.copy.id, "please")
        accepted = both.ida.post(f"/v1/orgs/bees/confirms/{listed['code']}/acceptance")
        assert (accepted.status, accepted.body["actionPage"]["live"]) == (200, True)
        assert both.live()
        assert {"event": "join_campaign", "page": both.copy.id, "email": "per@example.org"} in both.events()
        assert both.ida.get("/v1/orgs/bees/confirms").body["items"] == []
        trail = both.per.get("/v1/orgs/birds/audit").body["items"]
        [entry] = [each for each in trail if each["action"] == "page.launch"]
        assert (entry["who"], entry["before"], entry["after"]) == (both.ida.user, {"live": False}, {"live": True})

    def test_owners_and_campaigners_of_the_lead_are_mailed(self, both: Coalition) -> None:
        siri = desk("siri@example.org", bees=Role.CAMPAIGNER)
        desk("liv@example.org", bees=Role.TRANSLATOR)
        notices.mail(both.ask_for_launch(), os.environ["MAIL_QUEUE_URL"])
        orders = both.world.orders("mail")
        assert {order["user"] for order in orders} == {both.ida.user, siri.user}
        assert {order["mail"] for order in orders} == {"launch_page"}

    def test_asking_again_is_the_same_request(self, both: Coalition) -> None:
        assert both.ask_for_launch() == both.ask_for_launch()
        assert len(both.events()) == 1

    def test_what_is_live_already_is_not_launched_again(self, both: Coalition) -> None:
        confirm = both.ask_for_launch()
        pages.replace(both.copy.model_copy(update={"live": True}))
        assert answer_as(both.ida, confirm, org="bees").body["status"] == "NOOP"
        assert found(confirm.code).charges == 0
        assert len(both.events()) == 1

    def test_the_leads_own_page_joins_nothing(self, both: Coalition) -> None:
        own = both.world.page(both.bees, both.campaign, "bees/second")
        confirm = managed.request_launch(users.caller(both.ida.user)[0], own)
        assert answer_as(both.ida, confirm, org="bees").body["status"] == "SUCCESS"
        assert [event["event"] for event in both.events()] == ["confirm_created"]

    @pytest.mark.parametrize("operation", [LAUNCH_PAGE, JOIN_CAMPAIGN])
    @pytest.mark.parametrize("verb", ["acceptance", "rejection"])
    def test_who_may_decide(self, both: Coalition, operation: str, verb: str) -> None:
        confirm = both.ask_for_launch() if operation == LAUNCH_PAGE else both.ask_to_join()
        translator = desk("ola@example.org", bees=Role.TRANSLATOR, birds=Role.OWNER)
        assert answer_as(NOBODY, confirm, verb).status == 401
        assert answer_as(both.per, confirm, verb).status == 403
        assert answer_as(both.per, confirm, verb, org="birds").status == 403
        assert answer_as(both.per, confirm, verb, org="bees").status == 403
        assert answer_as(translator, confirm, verb).status == 403
        assert (
            answer_as(both.ida, confirm, verb, objectId=(confirm.object or 0) + 1, email="x@example.org").status == 404
        )
        assert found(confirm.code) == confirm
        assert not both.live()
        campaigner = desk("siri@example.org", bees=Role.CAMPAIGNER)
        assert answer_as(campaigner, confirm, verb, org="bees").status == 200
        assert both.live() is (verb == "acceptance")

    @pytest.mark.parametrize("gone", ["page", "code"])
    def test_what_is_gone_cannot_be_decided(self, both: Coalition, gone: str) -> None:
        confirm = both.ask_for_launch()
        if gone == "page":
            pages.delete(both.copy)
        else:
            confirm = replace(confirm, code=f"{(int(confirm.code) + 1) % 10**8:08}")
        assert answer_as(both.ida, confirm).status == 404

    def test_a_rejected_request_cannot_be_accepted(self, both: Coalition) -> None:
        confirm = both.ask_for_launch()
        assert answer_as(both.ida, confirm, "rejection").body["status"] == "SUCCESS"
        assert answer_as(both.ida, confirm, "rejection").body["status"] == "NOOP"
        assert answer_as(both.ida, confirm).status == 410
        assert not both.live()

    def test_it_ends(self, both: Coalition, time: SimulatedTime) -> None:
        confirm = both.ask_for_launch()
        time.forward(hours=24 * (VALID_DAYS - 10))
        assert both.ida.get("/v1/orgs/bees/confirms").body["items"]
        time.forward(hours=24 * 10)
        assert answer_as(both.ida, confirm).status == answer_as(both.ida, confirm, "rejection").status == 410
        assert both.ida.get("/v1/orgs/bees/confirms").body["items"] == []


class TestJoining:
    def test_all_pages_of_a_partner_become_live(self, both: Coalition) -> None:
        second = both.world.page(both.birds, both.campaign, "birds/second")
        elsewhere = both.world.page(both.birds, name="birds/elsewhere")
        confirm = both.ask_to_join()
        accepted = both.ida.post(f"/v1/orgs/bees/confirms/{confirm.code}/acceptance")
        assert (accepted.status, accepted.body["org"]["name"]) == (200, "birds")
        assert [both.live(page) for page in (both.copy, second, elsewhere)] == [True, True, False]
        joined = [event for event in both.events() if event["event"] == "join_campaign"]
        assert joined == [{"event": "join_campaign", "page": second.id, "email": "per@example.org"}]

    def test_an_org_without_pages_has_nothing_to_join_with(self, both: Coalition) -> None:
        desk("siri@example.org")
        trees = both.world.org("trees", key=False)
        siri = desk("liv@example.org", trees=Role.OWNER)
        assert trees.id
        assert siri.post("/v1/orgs/trees/join-requests", {"campaign": "clean_air"}).status == 404
        assert siri.post("/v1/orgs/trees/join-requests", {"campaign": "none"}).status == 404


class TestPartners:
    def test_a_partner_gets_a_copy(self, both: Coalition) -> None:
        confirm = both.invite_partner()
        accepted = answer_as(both.per, confirm)
        assert accepted.status == 200, accepted.body
        copy = pages.get(accepted.body["actionPage"]["id"])
        assert (copy.name, copy.org, copy.campaign) == ("birds/air/now", both.birds.id, both.campaign.id)
        assert (copy.config, copy.locale, copy.live) == (both.page.config, both.page.locale, False)
        assert both.ida.get(PARTNERS).body["items"] == []

    def test_copies_get_names_of_their_own(self, both: Coalition) -> None:
        names = [answer_as(both.per, both.invite_partner()).body["actionPage"]["name"] for _ in range(3)]
        assert names == ["birds/air/now", "birds/air/now-1", "birds/air/now-2"]

    def test_whoever_is_in_several_orgs_says_for_which(self, both: Coalition) -> None:
        both.world.org("trees", key=False)
        siri = desk("siri@example.org", birds=Role.OWNER, trees=Role.CAMPAIGNER, bees=Role.TRANSLATOR)
        confirm = both.invite_partner()
        assert answer_as(siri, confirm).status == 403
        assert answer_as(siri, confirm, org="bees").status == 403
        assert answer_as(siri, confirm, org="trees").body["actionPage"]["name"] == "trees/air/now"

    def test_who_may(self, both: Coalition) -> None:
        confirm = both.invite_partner()
        assert answer_as(NOBODY, confirm).status == 401
        assert answer_as(desk("siri@example.org"), confirm).status == 403
        assert answer_as(desk("ola@example.org", birds=Role.TRANSLATOR), confirm).status == 403
        assert found(confirm.code).charges == 1

    def test_pages_of_other_campaigns_are_not_given_away(self, both: Coalition) -> None:
        other = both.world.page(both.birds, name="birds/own")
        answer = both.ida.post(PARTNERS, {"email": "per@example.org", "page": other.name})
        assert answer.status == 404
        assert both.ida.post(PARTNERS, {"email": "per@example.org", "page": "none/none"}).body == answer.body

    def test_it_is_taken_back(self, both: Coalition) -> None:
        confirm = both.invite_partner()
        assert both.ida.delete(f"{PARTNERS}/{confirm.id}").status == 204
        assert answer_as(both.per, confirm).status == 410


# --- by link


def basic(email: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{email}:{password}".encode()).decode()}


class TestLinks:
    PASSWORD = "Correct-Horse-7"

    @pytest.fixture
    def siri(self, both: Coalition) -> str:
        """A campaigner of bees with a password."""
        email = "siri@example.org"
        user = users.create(email, passwords.hashed(self.PASSWORD), confirmed=True)
        both.ida.post("/v1/orgs/bees/staff", {"email": email, "role": "campaigner"})
        assert user.id in users.staff_of(both.bees.id)
        return email

    def test_somebody_logs_in_on_the_page_and_answers(self, both: Coalition, siri: str) -> None:
        link = code_links(API, both.ask_for_launch()).accept
        assert ENGLISH.agree.button in look(link).text
        asked = press(link)
        assert (asked.status, 'type="password"' in asked.text) == (401, True)
        wrong = press(link, body=f"email={siri}&password=Wrong-Horse-77")
        assert (wrong.status, ENGLISH.not_known in wrong.text) == (401, True)
        assert "Wrong-Horse" not in wrong.text
        done = press(link, body=f"email={siri}&password={self.PASSWORD}")
        assert (done.status, ENGLISH.agreed in done.text) == (200, True)
        assert both.live()

    def test_a_program_says_who_it_is(self, both: Coalition, siri: str) -> None:
        link = code_links(API, both.ask_for_launch()).accept
        shown = press(link, accept=PROGRAMS, headers=basic(siri, self.PASSWORD))
        assert (shown.status, shown.json["result"]) == (200, "agreed")

    def test_a_token_will_do_too(self, both: Coalition) -> None:
        link = code_links(API, both.ask_for_launch()).accept
        assert press(link, headers={"Authorization": f"Bearer {both.ida.token}"}).status == 200

    def test_what_a_browser_adds_to_the_form_of_another_site_proves_nothing(self, both: Coalition, siri: str) -> None:
        link = code_links(API, both.ask_for_launch()).accept
        known = basic(siri, self.PASSWORD)
        assert press(link, headers={**known, "Sec-Fetch-Site": "cross-site"}).status == 401
        assert not both.live()
        assert press(link, headers={**known, "Sec-Fetch-Site": "same-origin"}).status == 200

    def test_who_may_not_is_told_so(self, both: Coalition) -> None:
        link = code_links(API, both.ask_for_launch()).accept
        shown = press(link, headers={"Authorization": f"Bearer {both.per.token}"})
        assert (shown.status, ENGLISH.forbidden in shown.text) == (403, True)

    def test_an_org_is_named(self, both: Coalition) -> None:
        both.world.org("trees", key=False)
        siri = desk("siri@example.org", birds=Role.OWNER, trees=Role.CAMPAIGNER)
        link = code_links(API, both.invite_partner()).accept
        known = {"Authorization": f"Bearer {siri.token}"}
        assert press(link, headers=known).status == 403
        assert press(link, headers=known, org="bees").status == 403
        assert press(link, headers=known, org="trees").status == 200
        assert pages.find("trees/air/now")


# --- at once, broken off, guessed


class TestAtOnce:
    def test_two_who_accept_are_one(self, both: Coalition) -> None:
        ida, siri = (users.caller(who.user)[0] for who in (both.ida, desk("siri@example.org", bees=Role.CAMPAIGNER)))
        for schedule in schedules(5, 5, preemptions=2):
            page = both.world.page(both.birds, both.campaign, f"birds/{schedule}")
            confirm = managed.request_launch(users.caller(both.per.user)[0], page)
            told = Told(object_id=page.id)
            accept = [partial(codes.accept, confirm.code, told, Second(who)) for who in (ida, siri)]
            done = run(*accept, schedule)
            kinds = sorted(type(result.error).__name__ for result in (done.a, done.b))
            assert kinds == ["Ended", "NoneType"], str(done)
            assert found(confirm.code).charges == 0
            joined = [event for event in both.events() if event.get("page") == page.id]
            assert len(joined) == 1

    def test_accepting_and_rejecting_exclude_each_other(self, both: Coalition) -> None:
        ida = users.caller(both.ida.user)[0]
        for schedule in schedules(5, 4, preemptions=2):
            page = both.world.page(both.birds, both.campaign, f"birds/{schedule}")
            confirm = managed.request_launch(users.caller(both.per.user)[0], page)
            told = Told(object_id=page.id)
            done = run(
                partial(codes.accept, confirm.code, told, Second(ida)),
                partial(codes.reject, confirm.code, told, Second(ida)),
                schedule,
            )
            assert done.b.error is None
            assert pages.get(page.id).live is (done.a.error is None), str(done)

    def test_a_code_with_two_charges_makes_two_copies(self, both: Coalition) -> None:
        wanted = Confirm("", ADD_PARTNER, both.page.id, email="p@example.org", charges=2, org=both.bees.id)
        confirm = confirms.create(wanted)
        assert answer_as(both.per, confirm).status == 200
        assert len(confirms.open_of(both.bees.id, ADD_PARTNER)) == 1
        assert answer_as(both.per, confirm).status == 200
        assert answer_as(both.per, confirm).status == 410
        assert confirms.open_of(both.bees.id, ADD_PARTNER) == []

    @pytest.mark.parametrize("operation", [ADD_STAFFER, ADD_PARTNER, LAUNCH_PAGE, JOIN_CAMPAIGN])
    @pytest.mark.parametrize("crash", [pytest.param(crash_before, marks=pytest.mark.soak), crash_after])
    def test_killed_at_any_call_it_is_done_once(
        self, both: Coalition, time: SimulatedTime, operation: str, crash: Any
    ) -> None:
        ola = desk("ola@example.org")
        ask = {
            ADD_STAFFER: both.invite,
            ADD_PARTNER: both.invite_partner,
            LAUNCH_PAGE: both.ask_for_launch,
            JOIN_CAMPAIGN: both.ask_to_join,
        }[operation]
        who = {ADD_STAFFER: ola, ADD_PARTNER: both.per}.get(operation, both.ida)
        for nth in range(1, 40):
            self.undo(both, ola)
            time.forward(hours=25)  # so that trying again is no guessing
            confirm = ask()
            copies = len(pages.of_org(both.birds.id))
            plan = crash(on="dynamodb", nth=nth)
            with suppress(Killed), faults(plan, must_fire=False):
                answer_as(who, confirm)
            again = answer_as(who, confirm).status
            assert again in {200, 410}, (nth, again)
            assert found(confirm.code).charges == 0
            if operation == ADD_STAFFER:
                assert ola.user in users.staff_of(both.bees.id)
            elif operation == ADD_PARTNER:
                assert len(pages.of_org(both.birds.id)) == copies + 1
            else:
                assert both.live()
            if not plan.fired:
                break
        assert nth > 3

    @staticmethod
    def undo(both: Coalition, ola: Desk) -> None:
        if ola.user in users.staff_of(both.bees.id):
            transaction = Transaction()
            users.remove_staffer(transaction, ola.user, both.bees.id)
            transaction.commit()
        page = pages.get(both.copy.id)
        if page.live:
            both.copy = pages.replace(page.model_copy(update={"live": False}))


class TestGuessing:
    def test_codes_are_slowed_for_who_guesses(self, both: Coalition) -> None:
        confirm, eve = both.invite(), desk("ola@example.org")
        wrong = replace(confirm, code=f"{(int(confirm.code) + 1) % 10**8:08}")
        statuses = [answer_as(eve, wrong).status for _ in range(12)]
        assert statuses == [404] * 10 + [429] * 2
        assert answer_as(eve, confirm).status == 429, "the right one is not even tried"

    @pytest.mark.parametrize(("guesses", "least_days"), [(1_000, 3), pytest.param(10_000, 30, marks=pytest.mark.soak)])
    def test_guesses_are_a_hundred_a_day(
        self, time: SimulatedTime, monkeypatch: pytest.MonkeyPatch, guesses: int, least_days: int
    ) -> None:
        eve = users.caller(desk("eve@example.org").user)[0]
        monkeypatch.setattr(confirms, "find", lambda _: None)  # none of them is right
        time.now_ms += DAY_MS - time.now_ms % DAY_MS  # days are counted in UTC
        started_ms, tried = time.now_ms, 0
        for number in range(guesses):
            guess = partial(caps.count_guess, f"198.51.{number % 200}.1", b"secret", time.now_ms, eve.user.id)
            try:
                codes.accept(f"{number:08}", Told(email="ola@example.org"), Second(eve), guess=guess)
            except TooMany:
                time.forward(minutes=10)
            except NotFound:
                tried += 1
        days = (time.now_ms - started_ms) / DAY_MS
        assert days > least_days
        assert tried < 105 * (days + 1)

    def test_what_is_wrong_does_not_tell_which_part_was_right(self, both: Coalition) -> None:
        confirm, eve = both.invite(), desk("eve@example.org")
        other = f"{(int(confirm.code) + 1) % 10**8:08}"
        seen = set()
        for code in (confirm.code, other):
            for told in ({"email": "eve@example.org"}, {}, {"objectId": confirm.object}):
                with calls() as made:
                    answer = eve.post(f"/v1/account/confirms/{code}/acceptance", told)
                seen.add((answer.status, json.dumps(answer.body), *made.operations))
                caps.forget()
        assert len(seen) == 1
        assert {status for status, *_ in seen} == {404}

    def test_staff_of_the_lead_decides_as_often_as_there_is_something_to(self, both: Coalition) -> None:
        for number in range(15):
            page = both.world.page(both.birds, both.campaign, f"birds/{number}")
            confirm = managed.request_launch(users.caller(both.per.user)[0], page)
            assert answer_as(both.ida, confirm, org="bees").status == 200
        assert answer_as(both.ida, replace(confirm, code="00000000"), org="bees").status == 404

    @pytest.mark.parametrize("code", ["1234567", "123456789", "1234567x"])
    def test_what_is_no_code_is_malformed(self, both: Coalition, code: str) -> None:
        assert both.ida.post(f"/v1/account/confirms/{code}/acceptance", {}).status == 400


def test_codes_stand_in_no_list_but_that_of_who_decides(both: Coalition) -> None:
    codes_made = {confirm.code for confirm in (both.invite(), both.invite_partner(), both.ask_for_launch())}
    shown = [
        both.per.get("/v1/orgs/birds/confirms").body,
        both.per.get("/v1/orgs/birds/audit").body,
        both.ida.get(INVITATIONS).body,
        both.ida.get(PARTNERS).body,
        both.ida.get("/v1/orgs/bees/audit").body,
    ]
    assert not [code for code in codes_made if code in json.dumps(shown)]
    assert everything(both.world)


def test_an_answer_is_a_page_for_people_and_json_for_programs(both: Coalition) -> None:
    confirm = both.invite()
    shown: Shown = press(code_links(API, confirm).accept, accept=PROGRAMS)
    assert (shown.status, shown.json["status"]) == (401, 401)
