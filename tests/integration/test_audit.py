"""Audits find whatever is wrong with numbers and memberships, repair it while people sign, and survive being killed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from proca_common.aws.errors import CloudError
from proca_common.aws.pace import Pace
from proca_common.monitors import audits
from proca_common.monitors import store as stats
from proca_common.monitors.audit import Audit
from proca_common.stages import audit as flow
from proca_common.stages import decide
from proca_common.stages import recount as counting
from tests import recount
from tests.audits import Signed, spoiled, stored_audit
from tests.coalition import Coalition
from tests.disasters import kills
from tests.harness.calls import Answer, Call, Hook, calls, hooked, unseen_client
from tests.harness.faults import Killed, faults, throttle
from tests.harness.interleave import run
from tests.recount import assert_sound, counted
from tests.simulated import SimulatedTime
from tests.world import World

WRITES = ("TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem")


@pytest.fixture
def signed(world: World, time: SimulatedTime) -> Signed:
    return Signed(world, time)


def test_what_is_right_is_left_as_it_is(signed: Signed) -> None:
    before = signed.world.tables.all_items("StatsTable")
    with calls() as made:
        audit = signed.audit()

    assert (audit.wrong, audit.differing, audit.findings, audit.unsettled) == (0, 0, [], [])
    assert (audit.hours, audit.actions) == (2, 13)
    assert signed.world.tables.all_items("StatsTable") == before
    assert not made.of(*WRITES)


def test_numbers_that_are_wrong_are_told_and_repaired(signed: Signed) -> None:
    first, second = signed.hours()
    signed.add(3, "total", persons_total=2)
    signed.add(4, "total", area_DK=-1)  # more than its shard has
    signed.add(5, f"hour#{first}", type_register=1)
    signed.add(6, f"hour#{second}", place_DK=-1, source_letter=3)
    signed.add(7, f"hour#{second}", page_99=1)  # nobody has it
    signed.add(8, "hour#2024-02-29T07", org_7=1)  # nobody signed then

    audit = signed.audit()

    assert {(each.hour, each.number, each.counted - each.stored) for each in audit.findings} == {
        (None, "persons:total", -2),
        (None, "area:DK", 1),
        (first, "type:register", -1),
        (None, "type:register", 1),  # the shard that was spoiled had not counted it in its totals
        (second, "place:DK", 1),
        (second, "source:letter", -3),
        (second, "page:99", -1),
        ("2024-02-29T07", "org:7", -1),
        (None, "org:7", 1),
    }
    assert (audit.differing, audit.difference, audit.memberships, audit.wrong) == (9, 12, 0, 12)
    assert_sound(signed.world, signed.campaign)
    assert signed.audit().wrong == 0


def test_without_repair_it_only_tells(signed: Signed) -> None:
    [_, second] = signed.hours()
    signed.add(3, f"hour#{second}", source_letter=4)
    item = signed.membership_of(signed.crowd[0])
    signed.put({**item, "n": {"N": "7"}})
    before = signed.world.tables.all_items("StatsTable"), signed.world.tables.all_items("ActionsTable")

    with calls() as made:
        audit = signed.audit(repair=False)

    assert (audit.differing, audit.difference, audit.memberships, audit.wrong) == (1, 4, 1, 5)
    assert not made.of(*WRITES)
    assert (signed.world.tables.all_items("StatsTable"), signed.world.tables.all_items("ActionsTable")) == before


def test_people_who_signed_more_than_once_are_read_together(signed: Signed) -> None:
    people = 9
    signatures = [
        signed.petition.sign(f"two{number}", partner=partner) for number in range(people) for partner in (False, True)
    ]
    signed.world.run()
    keys = [(answer.contact_ref, f"A#{answer.action:016d}") for answer in signatures]
    with calls() as made:
        found = counting.count(keys, (), lambda _: None)
    assert (found.actions, found.wrong) == (2 * people, {})
    assert len(made.of("Query")) == people
    assert len(made.of("BatchGetItem")) == 5, "actions, what belongs to them, memberships twice, supporters"


def test_wrong_memberships_are_repaired_from_the_actions(signed: Signed) -> None:
    people = [
        [signed.petition.sign(f"three{number}", partner=partner) for partner in (False, False, True)]
        for number in range(5)
    ]
    lone, rejected, gone = (signed.petition.sign(name) for name in ("lone", "rejected", "gone"))
    signed.world.run()
    signed.time.forward(hours=2)
    assert decide.reject_action(rejected.action)
    known = [json.loads(signed.membership_of(signatures[0])["members"]["S"]) for signatures in people]
    ids = [sorted(members) for members in known]

    def members(person: int, *kept: int) -> dict[str, Any]:
        some = {ids[person][number]: known[person][ids[person][number]] for number in kept}
        return {"n": {"N": str(len(some))}, "members": {"S": json.dumps(some)}}

    for number, wrong in enumerate(
        [{"n": {"N": "9"}}, {"members": {"S": "{}"}}, members(2, 1, 2), members(3, 0), members(4, 2)]
    ):
        signed.put({**signed.membership_of(people[number][0]), **wrong})
    stranger = json.dumps({str(lone.action): {"page": 99, "org": 99, "area": "XX"}})
    signed.put({**signed.membership_of(lone), "members": {"S": stranger}})
    stale = json.dumps({str(rejected.action): {"page": 99, "org": 99, "area": "XX"}})
    signed.put({**signed.membership_of(rejected), "n": {"N": "1"}, "members": {"S": stale}})
    key = {name: signed.membership_of(gone)[name] for name in ("ref", "sk")}
    unseen_client("dynamodb").delete_item(TableName=signed.world.tables["ActionsTable"], Key=key)

    audit = signed.audit()

    assert (audit.memberships, audit.differing, audit.unsettled) == (8, 0, [])
    assert_sound(signed.world, signed.campaign)


def test_a_membership_that_was_lost_makes_numbers_wrong_that_are_repaired(signed: Signed) -> None:
    """Somebody signs again after the membership was lost, and is counted a second time until an audit comes."""
    key = {name: signed.membership_of(signed.eva)[name] for name in ("ref", "sk")}
    unseen_client("dynamodb").delete_item(TableName=signed.world.tables["ActionsTable"], Key=key)
    signed.petition.sign("eva", country="FR")
    signed.world.run()
    signed.time.forward(hours=2)

    audit = signed.audit()

    assert audit.memberships == 1
    assert {"persons:total", "area:FR"} <= {each.number for each in audit.findings}
    assert_sound(signed.world, signed.campaign)


class Meanwhile(Hook):
    """Before every n-th call of the audit something else happens, a few times; `only` of calls of this operation."""

    def __init__(self, happening: Callable[[], object], *, every: int, times: int, only: str = "") -> None:
        self.happening, self.every, self.times, self.only = happening, every, times, only
        self.calls = self.happened = 0
        self.busy = False

    def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
        if not self.busy and self.only in call.operation:
            self.calls += 1
            if self.calls % self.every == 0 and self.happened < self.times:
                self.busy, self.happened = True, self.happened + 1
                self.happening()
                self.busy = False
        return proceed()


@pytest.mark.parametrize("every", [7, 31])
def test_while_people_sign_nothing_right_is_called_wrong_and_what_is_wrong_is_repaired(
    signed: Signed, every: int
) -> None:
    """People reject and sign, also in the hours that are being counted, which only old links and moderators do."""
    [_, second] = signed.hours()
    signed.add(5, f"hour#{second}", place_DK=3)
    left = iter([answer.action for answer in (*signed.crowd, signed.eva)])

    def happening() -> None:
        decide.reject_supporter(next(left))
        signed.petition.sign("late", country="SE")
        signed.world.run()

    with hooked(meanwhile := Meanwhile(happening, every=every, times=7)):
        audit = signed.audit()

    assert meanwhile.happened == 7
    assert [(each.hour, each.number, each.stored - each.counted) for each in audit.findings] == [
        (second, "place:DK", 3)
    ]
    assert (audit.memberships, audit.unsettled) == (0, [])
    assert_sound(signed.world, signed.campaign)


def test_an_hour_that_is_written_whenever_it_is_counted_is_not_settled(signed: Signed) -> None:
    """And nothing is done to it, whatever it says."""
    second = signed.hours()[1]
    signed.add(2, f"hour#{second}", page_99=1)

    def happening() -> None:
        signed.add(2, f"hour#{second}", writes=1)

    with hooked(Meanwhile(happening, every=1, times=1000, only="Query")):
        audit = signed.audit()

    assert audit.unsettled == [second]
    assert (audit.hours, audit.differing) == (1, 0)
    assert signed.audit().differing == 1


def test_what_the_index_shows_late_is_not_called_wrong(signed: Signed) -> None:
    class Late(Hook):
        """The index shows one action only when it is asked for the second time."""

        hidden = 0

        def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
            answer = proceed()
            if call.params.get("IndexName") == "by_campaign" and self.hidden < 1 and call.params["Limit"] > 1:
                self.hidden += len(answer["Items"])
                answer["Items"] = []
            return answer

    with hooked(late := Late()):
        audit = signed.audit()

    assert late.hidden
    assert (audit.wrong, audit.unsettled, audit.hours) == (0, [], 2)
    assert_sound(signed.world, signed.campaign)


@pytest.mark.parametrize("part", [slice(0, None, 23), pytest.param(slice(None), marks=pytest.mark.soak)])
def test_an_audit_that_is_killed_goes_on_and_reports_everything_once(
    signed: Signed, monkeypatch: Any, part: slice
) -> None:
    monkeypatch.setattr(flow, "KEEP_MS", -1)
    spoiled(signed)
    with calls() as recorded:
        signed.go_on(stored_audit(signed, 1))
    effects = [disaster for name, disaster in kills(recorded) if any(write in name for write in WRITES)]
    assert len(effects) > 10

    for number, disaster in enumerate(effects[part], 2):
        spoiled(signed)
        stored_audit(signed, number)
        with faults(disaster, must_fire=False), pytest.raises(Killed):
            signed.go_on(audits.find(signed.campaign, number))
        found = signed.go_on(audits.find(signed.campaign, number))
        assert (found.differing, found.difference, found.memberships, found.unsettled) == (3, 3, 1, [])
        assert_sound(signed.world, signed.campaign)


def test_an_audit_that_has_little_time_goes_on_where_it_was(signed: Signed) -> None:
    spoiled(signed)
    stored_audit(signed, 1)
    turns = itertools.cycle([True, False])
    pauses = 0
    pause: int | None = 0
    while pause is not None:
        found, pause = flow.work(audits.find(signed.campaign, 1), Pace(1_000_000), lambda: next(turns))
        pauses += 1

    assert pauses > 20
    assert (found.differing, found.memberships, found.hours, found.actions) == (3, 1, 2, 13)
    assert audits.find(signed.campaign, 1) == found
    assert_sound(signed.world, signed.campaign)


@pytest.mark.parametrize("schedule", ["AB" * 400, "A" * 60 + "B" * 90 + "A" * 40 + "B" * 500])
def test_two_that_work_on_the_same_audit_harm_nobody(signed: Signed, schedule: str) -> None:
    spoiled(signed)
    stored_audit(signed, 1)

    def work() -> None:
        signed.go_on(audits.find(signed.campaign, 1))

    both = run(work, work, schedule)

    assert {type(result.error) for result in (both.a, both.b)} == {type(None), flow.SupersededError}, str(both)
    found = audits.find(signed.campaign, 1)
    assert found is not None
    assert (found.differing, found.memberships, found.unsettled) == (3, 1, [])
    assert_sound(signed.world, signed.campaign)


def test_a_throttle_of_the_table_is_told_and_the_audit_goes_on(signed: Signed) -> None:
    spoiled(signed)
    stored_audit(signed, 1)
    with faults(throttle("BatchGetItem", nth=9), must_fire=True), pytest.raises(CloudError):
        signed.go_on(audits.find(signed.campaign, 1))

    assert signed.go_on(audits.find(signed.campaign, 1)).differing == 3
    assert_sound(signed.world, signed.campaign)


def test_names_beyond_the_lists_are_counted_as_other(world: World, time: SimulatedTime, monkeypatch: Any) -> None:
    few = {"type": 2, "source": 1}
    monkeypatch.setattr(stats, "MAX_NAMES", few)
    monkeypatch.setattr(recount, "MOST_NAMES", few)
    petition = Coalition(world).petition()
    for name in ("register", "sign", "third", "fourth"):
        tracking = {"source": name, "medium": "m", "campaign": "c"}
        petition.sign(name, action_type=name, tracking=tracking)
        world.run()
    time.forward(hours=2)
    assert counted(world, petition.campaign.id)["type:other"] == 2
    world.forget()

    audit = Audit(id=0, campaign=petition.campaign.id, who=0, repair=True, started_ms=time.now_ms)
    done, _ = flow.work(audit, Pace(1_000_000), lambda: True)

    assert (done.actions, done.wrong) == (4, 0)
    assert_sound(world, petition.campaign)


def test_hours_that_just_ended_are_left_out(signed: Signed) -> None:
    signed.petition.sign("young")
    signed.world.run()
    signed.time.forward(minutes=9)

    assert signed.audit().hours == 2
    signed.time.forward(hours=1, minutes=10)
    assert signed.audit().hours == 3


def test_an_action_that_cannot_be_read_holds_up_its_hour_alone(signed: Signed) -> None:
    [action] = [item for item in signed.items("action") if item["id"]["N"] == str(signed.eva.action)]
    signed.put({**action, "status": {"S": "no such status"}})
    first, second = signed.hours()
    signed.add(5, f"hour#{first}", page_99=1)

    audit = signed.audit()

    assert [(each.hour, each.number) for each in audit.findings] == [(first, "page:99")]
    assert audit.unsettled == [second]


def test_a_person_with_more_members_than_are_known_counts_once(world: World, time: SimulatedTime) -> None:
    petition = Coalition(world).petition()
    for _ in range(53):
        petition.sign("many")
        time.forward(seconds=1)
    world.run()
    time.forward(hours=2)
    audit = Audit(id=0, campaign=petition.campaign.id, who=0, repair=True, started_ms=time.now_ms)

    done, _ = flow.work(audit, Pace(1_000_000), lambda: True)

    assert (done.actions, done.wrong, done.unsettled) == (53, 0, [])


def test_what_is_left_of_a_person_who_was_erased_counts_as_before(signed: Signed) -> None:
    """Its actions stand under a ref of chance, say their area themselves, and have no supporter."""
    ref = signed.crowd[0].contact_ref
    dynamodb, table = unseen_client("dynamodb"), signed.world.tables["ActionsTable"]
    for item in signed.world.tables.all_items("ActionsTable"):
        if item["ref"]["S"] != ref:
            continue
        dynamodb.delete_item(TableName=table, Key={"ref": item["ref"], "sk": item["sk"]})
        if item["kind"]["S"] in ("action", "membership"):
            kept = {name: value for name, value in item.items() if name not in ("supporter", "recipients", "fields")}
            area = {"area": {"S": "NO"}} if item["kind"]["S"] == "action" else {}
            signed.put({**kept, **area, "ref": {"S": "gone#chance"}})

    audit = signed.audit()

    assert (audit.actions, audit.wrong, audit.unsettled) == (13, 0, [])


def test_it_reads_no_faster_than_it_may(signed: Signed) -> None:
    begun = signed.time.now_ms
    audit = Audit(id=0, campaign=signed.campaign, who=0, repair=False, started_ms=begun)

    done, _ = flow.work(audit, Pace(50), lambda: True)

    assert done.reads > 200
    assert signed.time.now_ms - begun >= (done.reads - 50) / 50 * 1000
