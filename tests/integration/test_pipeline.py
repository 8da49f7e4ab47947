"""From a signature to the queues, state by state: the acceptance checks of domain 16.6 that need no mail."""

from __future__ import annotations

from typing import Any

import pytest

from proca_common.errors import NotAllowed, NotFound
from proca_common.pipes.routing import Queue
from proca_common.stages import decide
from tests.harness.calls import calls
from tests.world import World

IDA, BO = "ida.holm@example.org", "bo.berg@example.org"


def states(world: World, action_id: int) -> tuple[str, str]:
    """The states of an action and of its supporter."""
    action = world.action(action_id)
    [supporter] = [item for item in world.items("S#") if item["id"] == action["supporter"]]
    return action["status"], supporter["status"]


def ranks(messages: list[dict[str, Any]]) -> list[int]:
    return [message["contact"]["dupeRank"] for message in messages]


def test_a_signature_is_delivered_once_and_accepts_its_supporter(world: World) -> None:  # 16.6 row 1
    org = world.org("ngo", key=False)
    page = world.page(org)
    answer = world.sign(page, email=IDA)
    world.run()
    assert states(world, answer.action) == ("delivered", "accepted")
    [message] = world.messages(org)
    assert (message["stage"], message["actionId"]) == ("deliver", answer.action)
    assert message["contact"]["email"] == IDA
    assert message["contact"]["dupeRank"] == 0
    [supporter] = world.items("S#")
    assert supporter["area"] == "DK"
    assert not {"email", "first_name", "last_name", "address"} & supporter.keys()  # never kept: nothing will be mailed
    assert not world.pending()


def test_a_coalition_page_with_lead_opt_in_sends_to_both_each_with_its_own_consent(world: World) -> None:  # row 2
    lead, partner = world.org("lead"), world.org("partner")
    page = world.page(partner, world.campaign(lead))
    world.sign(page, opt_in=False, lead_opt_in=True)
    world.run()
    [to_partner], [to_lead] = world.messages(partner), world.messages(lead)
    assert to_partner["orgId"] == to_lead["orgId"] == partner.id
    assert to_lead["org"] == {"name": "partner", "title": "Partner"}
    assert (to_partner["privacy"]["optIn"], to_lead["privacy"]["optIn"]) == (False, True)
    assert to_partner["contact"]["email"] == to_lead["contact"]["email"] == IDA


def test_second_signature_on_the_same_page_is_a_repeat(world: World) -> None:  # row 3
    org = world.org("ngo")
    page = world.page(org)
    first, second = world.sign(page), world.sign(page, first_name="Ida Marie")
    world.run()
    assert states(world, first.action)[0] == "delivered"
    assert states(world, second.action)[0] == "repeat"
    assert ranks(world.messages(org)) == [0, 1]
    assert world.numbers(page.campaign)["persons:total"] == world.numbers(page.campaign)["type:register"] == 1


def test_second_signature_on_a_partners_page_is_delivered_with_rank_1(world: World) -> None:  # row 4
    lead, partner = world.org("lead"), world.org("partner")
    campaign = world.campaign(lead)
    of_lead, of_partner = world.page(lead, campaign), world.page(partner, campaign)
    world.sign(of_lead)
    second = world.sign(of_partner)
    world.run()
    assert states(world, second.action)[0] == "delivered"
    assert ranks(world.messages(partner)) == [1]
    assert world.numbers(campaign) == {"persons:total": 1, f"org:{lead.id}": 1, "area:DK": 1, "type:register": 2}


def test_the_campaign_switches_confirmation_of_the_org_off(world: World) -> None:  # row 5
    org = world.org("ngo", supporter_confirm=True, custom_supporter_confirm=True)
    page = world.page(org, world.campaign(org, supporter_confirm=False))
    answer = world.sign(page)
    world.run()
    assert states(world, answer.action) == ("delivered", "accepted")
    assert not world.messages(org, Queue.CONFIRM_SUPPORTER)


def test_the_campaign_switches_confirmation_on(world: World) -> None:  # row 6
    org = world.org("ngo", custom_supporter_confirm=True)
    page = world.page(org, world.campaign(org, supporter_confirm=True))
    answer = world.sign(page)
    world.run()
    assert states(world, answer.action) == ("new", "confirming")
    [message] = world.messages(org, Queue.CONFIRM_SUPPORTER)
    assert message["stage"] == "supporter_confirm"
    assert message["contact"]["email"] == IDA
    assert not world.messages(org)
    assert not world.pending()
    assert world.numbers(page.campaign) == {}


def test_a_confirm_stage_that_nobody_listens_to_just_waits(world: World) -> None:
    org = world.org("ngo")
    page = world.page(org, world.campaign(org, supporter_confirm=True))
    answer = world.sign(page)
    assert not world.pending()
    assert decide.accept_supporter(answer.action)
    world.run()
    assert states(world, answer.action) == ("delivered", "accepted")


def test_a_share_of_an_accepted_supporter_is_not_moderated(world: World) -> None:  # row 7
    org = world.org("ngo", custom_action_confirm=True)
    page = world.page(org)
    signed = world.sign(page)
    shared = world.act(page, signed.contact_ref)
    world.run()
    assert states(world, signed.action) == ("confirming", "accepted")
    assert states(world, shared.action) == ("delivered", "accepted")
    [to_moderate] = world.messages(org, Queue.CONFIRM_ACTION)
    assert (to_moderate["stage"], to_moderate["actionId"]) == ("action_confirm", signed.action)
    [delivered] = world.messages(org)
    assert (delivered["actionId"], delivered["privacy"]["withConsent"]) == (shared.action, False)


def test_both_switches_on_first_the_supporter_confirms_then_the_moderator(world: World) -> None:
    org = world.org("ngo", custom_supporter_confirm=True, custom_action_confirm=True)
    page = world.page(org)
    signed = world.sign(page)
    world.run()
    assert decide.accept_supporter(signed.action)
    world.run()
    assert states(world, signed.action) == ("confirming", "accepted")
    assert decide.accept_action(signed.action)
    world.run()
    assert states(world, signed.action) == ("delivered", "accepted")
    stages = [
        world.bodies(org, queue)[0]["stage"] for queue in (Queue.CONFIRM_SUPPORTER, Queue.CONFIRM_ACTION, Queue.DELIVER)
    ]
    assert stages == ["supporter_confirm", "action_confirm", "deliver"]


def test_a_rejected_supporter_stays_rejected_whatever_runs_later(world: World) -> None:  # row 8
    org = world.org("ngo", custom_supporter_confirm=True)
    page = world.page(org)
    signed = world.sign(page)
    world.run()
    assert decide.reject_supporter(signed.action)
    before = world.items()
    assert states(world, signed.action) == ("rejected", "rejected")
    assert not decide.reject_supporter(signed.action)
    with pytest.raises(NotAllowed, match="supporter data already rejected"):
        decide.accept_supporter(signed.action)
    with pytest.raises(NotAllowed, match="data already rejected"):
        decide.accept_action(signed.action)
    world.streams.rewind(world.confirm)
    world.streams.rewind(world.deliver)
    world.run()
    world.sweep()
    world.run()
    assert world.items() == before
    assert not world.messages(org)
    assert world.numbers(page.campaign) == {}


def test_an_encrypted_contact_names_both_keys_a_clear_one_has_none(world: World) -> None:  # row 12
    clear, keyed = world.org("open", key=False), world.org("closed")
    for org in (clear, keyed):
        world.sign(world.page(org, world.campaign(org, name=org.name)))
    world.run()
    [plain], [boxed] = world.bodies(clear), world.bodies(keyed)
    assert plain["personalInfo"] is None
    assert plain["contact"]["lastName"] == "Holm"
    assert boxed["contact"].keys() == {"firstName", "email", "contactRef", "dupeRank", "area"}
    assert (boxed["contact"]["firstName"], boxed["contact"]["email"]) == (None, None)
    assert keyed.active_key is not None
    assert boxed["personalInfo"]["encryptKey"]["id"] == keyed.active_key.id
    assert boxed["personalInfo"]["signKey"]["id"] == world.instance.key_id
    assert world.opened(keyed.id, boxed)["contact"].keys() >= {"firstName", "lastName", "email"}


def test_a_test_is_delivered_and_marked_and_counts_nowhere(world: World) -> None:  # row 13
    org = world.org("ngo")
    page = world.page(org)
    tested, signed = world.sign(page, testing=True), world.sign(page)
    world.run()
    assert states(world, tested.action) == states(world, signed.action) == ("delivered", "accepted")
    flags = [(message["action"]["testing"], message["contact"]["dupeRank"]) for message in world.messages(org)]
    assert flags == [(True, 0), (False, 0)]
    assert world.numbers(page.campaign) == {"persons:total": 1, f"org:{org.id}": 1, "area:DK": 1, "type:register": 1}


def test_an_action_sent_to_a_closed_campaign_is_processed_as_usual_and_carries_late(world: World) -> None:
    org = world.org("ngo")
    page = world.page(org, world.campaign(org, status="closed"))
    world.sign(page)
    world.run()
    [message] = world.messages(org)
    assert message["action"]["late"] is True
    assert world.numbers(page.campaign)["persons:total"] == 1


@pytest.mark.parametrize("status", ["draft", "ignored"])
def test_a_campaign_that_is_not_live_takes_actions_in_too(world: World, status: str) -> None:
    org = world.org("ngo")
    answer = world.sign(world.page(org, world.campaign(org, status=status), live=False))
    world.run()
    [message] = world.messages(org)
    assert message["actionId"] == answer.action
    assert "late" not in message["action"]


# --- follow-up actions


def test_a_share_through_the_returned_ref_belongs_to_the_supporter(world: World) -> None:
    org = world.org("ngo")
    page = world.page(org)
    signed = world.sign(page, email=IDA, opt_in=True)
    world.run()
    shared = world.act(page, signed.contact_ref, customFields={"network": "mail"})
    world.run()
    [_, message] = world.messages(org)
    assert message["actionId"] == shared.action
    assert message["contact"]["email"] == IDA
    assert message["action"]["customFields"] == {"network": "mail"}
    assert message["privacy"] == {
        "optIn": True,
        "givenAt": message["privacy"]["givenAt"],
        "emailStatus": None,
        "emailStatusChanged": None,
        "withConsent": False,
    }
    assert len(world.items("C#")) == len(world.items("S#")) == 1
    assert world.numbers(page.campaign)["type:share"] == 1
    assert (shared.contact_ref, shared.body["firstName"]) == (signed.contact_ref, None)


def test_a_share_belongs_to_the_latest_supporter_of_the_pages_org_also_of_another_campaign(world: World) -> None:
    org, other = world.org("ngo"), world.org("other")
    bees, rivers = world.page(org, world.campaign(org, "bees")), world.page(org, world.campaign(org, "rivers"))
    elsewhere = world.page(other, world.campaign(other, "elsewhere"))
    world.sign(bees, first_name="Ida")
    latest = world.sign(bees, first_name="Idalou")
    world.sign(elsewhere, first_name="Idun")
    shared = world.act(rivers, latest.contact_ref)
    world.run()
    assert world.action(shared.action)["supporter"] == str(latest.action)
    assert world.messages(org)[-1]["contact"]["firstName"] == "Idalou"
    assert world.numbers(rivers.campaign) == {"type:share": 1}
    assert len(world.messages(other)) == 1


def test_a_share_of_an_unknown_ref_is_kept_and_goes_nowhere(world: World) -> None:
    org = world.org("ngo")
    page = world.page(org)
    shared = world.act(page, "somebodyelse")
    world.run()
    assert (shared.status, shared.contact_ref) == (201, "somebodyelse")
    action = world.action(shared.action)
    assert action["status"] == "new"
    assert action["ref"].startswith(f"u#{org.id}#")
    assert not {"supporter", "campaign_bucket", "pending"} & action.keys()
    assert 89 < (int(action["expires"]) - world.seconds()) / 86_400 < 90.1
    assert not world.messages(org)
    assert world.numbers(page.campaign) == {}


def test_actions_of_a_supporter_that_waits_wait_with_it_and_go_on_in_one_transaction(world: World) -> None:
    org = world.org("ngo", custom_supporter_confirm=True)
    page = world.page(org)
    signed = world.sign(page)
    shares = [world.act(page, signed.contact_ref) for _ in range(3)]
    world.run()
    assert {states(world, shared.action) for shared in shares} == {("new", "confirming")}
    assert len(world.messages(org, Queue.CONFIRM_SUPPORTER)) == 1
    with calls() as recorded:
        assert decide.accept_supporter(signed.action)
    assert recorded.operations.count("TransactWriteItems") == 1
    world.run()
    assert [message["actionId"] for message in world.messages(org)] == [signed.action, *(one.action for one in shares)]
    assert world.numbers(page.campaign)["type:share"] == 3
    [supporter] = world.items("S#")
    assert (supporter["actions"], supporter["waiting"]) == ("4", "0")


def test_rejecting_a_supporter_rejects_what_waits_for_it(world: World) -> None:
    org = world.org("ngo", custom_supporter_confirm=True)
    page = world.page(org)
    signed = world.sign(page)
    shared = world.act(page, signed.contact_ref)
    assert decide.reject_supporter(shared.action)
    world.run()
    assert states(world, signed.action) == states(world, shared.action) == ("rejected", "rejected")
    assert not world.messages(org)
    assert not world.messages(org, Queue.CONFIRM_SUPPORTER)
    assert not world.pending()


def test_a_share_of_a_rejected_supporter_is_taken_and_never_emitted(world: World) -> None:
    org = world.org("ngo", custom_supporter_confirm=True)
    page = world.page(org)
    signed = world.sign(page)
    decide.reject_supporter(signed.action)
    shared = world.act(page, signed.contact_ref)
    world.run()
    assert states(world, shared.action) == ("rejected", "rejected")
    assert not world.messages(org)
    assert world.numbers(page.campaign) == {}


def test_a_share_on_its_way_when_its_supporter_is_rejected_is_rejected_too_and_never_sent(world: World) -> None:
    org = world.org("ngo")
    page = world.page(org)
    signed = world.sign(page)
    world.run()
    world.messages(org)
    shared = world.act(page, signed.contact_ref)
    assert states(world, shared.action) == ("accepted", "accepted")
    assert decide.reject_supporter(signed.action)
    world.run()
    assert states(world, shared.action) == ("rejected", "rejected")
    assert not world.messages(org)
    assert not world.pending()
    assert world.numbers(page.campaign) == {}


def test_signing_again_after_a_rejection_makes_a_new_supporter(world: World) -> None:
    org = world.org("ngo")
    page = world.page(org)
    first = world.sign(page)
    world.run()
    decide.reject_supporter(first.action)
    second = world.sign(page)
    world.run()
    assert states(world, second.action) == ("delivered", "accepted")
    assert ranks(world.messages(org)) == [0, 0]
    assert world.numbers(page.campaign)["persons:total"] == 1


# --- decisions after delivery


def test_rejecting_a_delivered_signature_takes_the_person_and_the_type_back(world: World) -> None:
    org = world.org("ngo")
    page = world.page(org)
    ida, _bo = world.sign(page, email=IDA), world.sign(page, email=BO, country="SE")
    world.run()
    assert decide.reject_action(ida.action)
    assert not decide.reject_action(ida.action)
    assert states(world, ida.action) == ("rejected", "accepted")
    assert world.numbers(page.campaign) == {"persons:total": 1, f"org:{org.id}": 1, "area:SE": 1, "type:register": 1}


def test_rejecting_a_persons_first_signature_moves_the_person_to_the_org_of_the_next(world: World) -> None:
    lead, partner = world.org("lead"), world.org("partner")
    campaign = world.campaign(lead)
    first = world.sign(world.page(lead, campaign), country="DK")
    world.sign(world.page(partner, campaign), country="SE")
    world.run()
    assert decide.reject_supporter(first.action)
    assert world.numbers(campaign) == {"persons:total": 1, f"org:{partner.id}": 1, "area:SE": 1, "type:register": 1}


def test_moderators_may_not_decide_what_waits_for_its_supporter(world: World) -> None:
    org = world.org("ngo", custom_supporter_confirm=True)
    signed = world.sign(world.page(org))
    for decision in (decide.accept_action, decide.reject_action):
        with pytest.raises(NotAllowed, match="not allowed"):
            decision(signed.action)


def test_accepting_twice_changes_and_sends_nothing_more(world: World) -> None:
    org = world.org("ngo", custom_supporter_confirm=True)
    signed = world.sign(world.page(org))
    assert decide.accept_supporter(signed.action)
    world.run()
    before = world.items()
    assert not decide.accept_supporter(signed.action)
    assert not decide.accept_action(signed.action)
    world.run()
    assert world.items() == before
    assert len(world.messages(org)) == 1


def test_there_is_nothing_to_decide_about_an_unknown_or_unbound_action(world: World) -> None:
    shared = world.act(world.page(world.org("ngo")), "somebody")
    for action_id in (shared.action, 1):
        for decision in (decide.accept_supporter, decide.reject_supporter, decide.accept_action, decide.reject_action):
            with pytest.raises(NotFound):
                decision(action_id)
