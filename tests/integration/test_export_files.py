"""Files of exports: asked for, written in turns, read through a link, removed; whatever happens in between."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from proca_common.action_pages.page import ActionPage
from proca_common.aws import clock
from proca_common.aws.errors import Unavailable
from proca_common.exports import files, store, work
from proca_common.exports.store import State
from proca_common.orgs.org import Org
from proca_common.users.permissions import Role
from tests import exporting
from tests.desks import Desk, desk
from tests.exporting import downloaded, forward, of_csv, of_ndjson, of_org
from tests.harness.calls import Answer as AwsAnswer
from tests.harness.calls import Call, Hook, hooked
from tests.harness.faults import Killed, crash_points, faults, refuse, throttle
from tests.world import World

EXPORTS = "/v1/orgs/bees/exports"
ACTIONS = {"kind": "actions", "format": "ndjson"}
IN_A_HURRY = 1

EACH = [pytest.param(13, id="some"), pytest.param(1, id="all", marks=pytest.mark.soak)]
"""Of the calls before or after which something happens: every thirteenth, in the soak all."""

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")  # a killed function has none


@pytest.fixture
def org(world: World) -> Org:
    return world.org("bees")


@pytest.fixture
def ida(org: Org) -> Desk:
    return desk("ida@example.org", bees=Role.OWNER)


@pytest.fixture
def queue(world: World) -> Iterator[exporting.Desk]:
    return exporting.Desk(world)


@pytest.fixture
def page(world: World, org: Org) -> ActionPage:
    return world.page(org)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small steps and parts, as the emulator takes them: five rows fill several."""
    monkeypatch.setattr("proca_common.exports.walk.READ_AT_ONCE", 2)
    monkeypatch.setattr(work, "PART", 3_000)
    monkeypatch.setattr(files, "LEAST_PART", 1_500)


def signed(world: World, page: ActionPage, number: int = 5, name: str = "ida") -> list[int]:
    ids = [world.sign(page, email=f"{name}{index}@example.org", opt_in=True).action for index in range(number)]
    world.run()
    return sorted(ids)


def ask(ida: Desk, **given: Any) -> int:
    answer = ida.post(EXPORTS, {**ACTIONS, **given})
    assert answer.status == 202, answer.body
    assert answer.headers["Location"] == f"{EXPORTS}/{answer.body['id']}"
    return int(answer.body["id"])


def got(ida: Desk, export: int) -> dict[str, Any]:
    answer = ida.get(f"{EXPORTS}/{export}")
    assert answer.status == 200, answer.body
    return answer.body


def ids_in(ida: Desk, export: int) -> list[int]:
    return [row["actionId"] for row in of_ndjson(downloaded(got(ida, export)["link"]))]


class TestFiles:
    def test_a_file_has_the_rows_that_a_list_has(
        self, world: World, page: ActionPage, ida: Desk, queue: exporting.Desk
    ) -> None:
        signed(world, page)
        forward(world)
        export = ask(ida)
        before = got(ida, export)
        assert (before["state"], before["share"], before["rows"], before["link"]) == ("waiting", 0.0, 0, None)

        queue.run()

        after = got(ida, export)
        assert (after["state"], after["share"], after["rows"]) == ("ready", 1.0, 5)
        content = downloaded(after["link"])
        assert of_ndjson(content) == ida.everything("/v1/orgs/bees/actions")
        assert after["bytes"] == len(content)
        assert not exporting.uploads()

    def test_a_file_of_csv_has_a_head_and_a_row_for_each(
        self, world: World, page: ActionPage, ida: Desk, queue: exporting.Desk
    ) -> None:
        signed(world, page, 2)
        forward(world)
        export = ask(ida, format="csv", kind="contacts", campaign="bees")
        queue.run()

        rows = of_csv(downloaded(got(ida, export)["link"]))

        known = ida.everything("/v1/orgs/bees/contacts")
        assert [row["actionId"] for row in rows] == [str(row["actionId"]) for row in known]
        for name, cell in (("payload", "payload"), ("nonce", "nonce"), ("contactRef", "contactRef")):
            assert [row[cell].removeprefix("'") for row in rows] == [row["contact"][name] for row in known]

    @pytest.mark.parametrize(("file_format", "content"), [("ndjson", b""), ("csv", work.head(work.Format.CSV))])
    def test_a_file_without_rows(self, ida: Desk, queue: exporting.Desk, file_format: str, content: bytes) -> None:
        export = ask(ida, format=file_format)
        queue.run()
        assert downloaded(got(ida, export)["link"]) == content

    @pytest.mark.usefixtures("small")
    def test_what_time_is_too_short_for_the_next_turn_does(
        self, world: World, page: ActionPage, ida: Desk, queue: exporting.Desk
    ) -> None:
        made = signed(world, page, 9)
        forward(world)
        export = ask(ida)
        shares = []
        while queue.step(IN_A_HURRY):
            shares.append(got(ida, export)["share"])
        assert len(shares) == 6, "two actions a turn, and a turn to see that there are no more"
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
        assert 0 < shares[1] < 1
        assert ids_in(ida, export) == made
        assert len(of_org(page.org)) == 1, "nothing is left of what turns kept for the next"

    @pytest.mark.usefixtures("small")
    def test_signatures_that_come_meanwhile_are_not_in_it(
        self, world: World, page: ActionPage, ida: Desk, queue: exporting.Desk
    ) -> None:
        made = signed(world, page)
        forward(world)
        export = ask(ida)
        queue.step(IN_A_HURRY)
        signed(world, page, 2, "late")
        forward(world)
        queue.run()
        assert ids_in(ida, export) == made

    def test_files_are_listed_the_newest_first_without_links(self, ida: Desk, world: World) -> None:
        first = ask(ida)
        forward(world)
        second = ask(ida, format="csv", onlyOptIn=False)
        listed = ida.get(EXPORTS).body["items"]
        assert [found["id"] for found in listed] == [second, first]
        assert listed[0]["filters"]["onlyOptIn"] is False
        assert not any("link" in found for found in listed)
        part = ida.get(EXPORTS, limit="1").body
        assert [found["id"] for found in ida.get(EXPORTS, cursor=part["next"]).body["items"]] == [first]

    def test_files_of_another_org_are_not_there(self, world: World, ida: Desk) -> None:
        world.org("birds")
        ole = desk("ole@example.org", birds=Role.OWNER)
        export = ask(ida)
        assert ole.get(f"/v1/orgs/birds/exports/{export}").status == 404
        assert ole.delete(f"/v1/orgs/birds/exports/{export}").status == 404
        assert ole.get(f"{EXPORTS}/{export}").status == 403

    @pytest.mark.usefixtures("page")
    def test_who_asked_is_in_the_audit_trail(self, ida: Desk) -> None:
        export = ask(ida, campaign="bees")
        [entry] = ida.everything("/v1/orgs/bees/audit")
        assert (entry["who"], entry["action"], entry["object"]) == (ida.user, "export.create", f"export#{export}")
        assert (entry["after"]["campaign"], entry["after"]["kind"]) == ("bees", "actions")

    @pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
    @pytest.mark.parametrize("name", ["after", "acceptedAfter"])
    def test_a_moment_beyond_the_calendar_is_refused(self, ida: Desk, name: str, moment: str) -> None:
        answer = ida.post(EXPORTS, {**ACTIONS, name: moment})
        assert (answer.status, [error["pointer"] for error in answer.body["errors"]]) == (422, [f"/{name}"])

    def test_the_first_moment_of_all_is_shown_as_it_was_given(self, ida: Desk) -> None:
        ask(ida, acceptedAfter="0001-01-01T00:00:00Z")
        (file,) = ida.everything(EXPORTS)
        assert file["filters"]["acceptedAfter"] == "0001-01-01T00:00:00Z"

    def test_an_org_may_have_five_written_at_once(self, ida: Desk, queue: exporting.Desk) -> None:
        for _ in range(5):
            ask(ida)
        refused = ida.post(EXPORTS, ACTIONS)
        assert (refused.status, refused.headers["Retry-After"]) == (429, "60")
        queue.step()
        ask(ida)

    def test_all_failed_rules_are_told_at_once(self, ida: Desk) -> None:
        answer = ida.post(EXPORTS, {"kind": "people", "format": "parquet", "limit": 5})
        assert answer.status == 422
        assert {pointer for pointer, _ in answer.codes} == {"/kind", "/format", "/limit"}


class TestRemoval:
    def test_a_removed_file_is_gone_and_its_link_with_it(
        self, world: World, page: ActionPage, ida: Desk, queue: exporting.Desk
    ) -> None:
        signed(world, page, 1)
        forward(world)
        export = ask(ida)
        queue.run()
        link = got(ida, export)["link"]
        for _ in range(2):
            assert ida.delete(f"{EXPORTS}/{export}").status == 204
        assert (got(ida, export)["state"], got(ida, export)["link"]) == ("removed", None)
        assert not of_org(page.org)
        with pytest.raises(OSError, match="404"):
            downloaded(link)
        removed = [entry["action"] for entry in ida.everything("/v1/orgs/bees/audit")]
        assert removed == ["export.delete", "export.create"]

    @pytest.mark.parametrize("nth", EACH)
    @pytest.mark.usefixtures("small")
    def test_whoever_still_writes_a_removed_file_brings_nothing_back(
        self, world: World, page: ActionPage, ida: Desk, queue: exporting.Desk, nth: int
    ) -> None:
        signed(world, page, 7)
        forward(world)
        steps = 0
        while True:
            export = ask(ida)
            removing = _Meanwhile(steps, lambda number=export: store.remove(page.org, number))  # type: ignore[misc]
            with hooked(removing):
                queue.run(IN_A_HURRY if steps % 3 else 300_000)
            if not removing.happened:
                break
            assert got(ida, export)["state"] == "removed", steps
            assert not of_org(page.org), f"before call {steps}"
            steps += nth
        assert steps > 15
        assert got(ida, export)["state"] == "ready"

    @pytest.mark.usefixtures("small")
    def test_files_of_a_campaign_are_removed_whether_they_are_ready_or_not(
        self, world: World, org: Org, ida: Desk, queue: exporting.Desk
    ) -> None:
        pages = [world.page(org, world.campaign(org, name)) for name in ("bees", "birds")]
        for each in pages:
            signed(world, each, 3)
        forward(world)
        bees, birds, both, waiting = ask(ida, campaign="bees"), ask(ida, campaign="birds"), ask(ida), ask(ida)
        for _ in range(3):
            queue.step()
        queue.collect()

        assert store.remove_files(org.id, {pages[0].campaign}) == 3
        assert store.remove_files(org.id, {pages[0].campaign}) == 0
        queue.run()

        states = {number: got(ida, number)["state"] for number in (bees, birds, both, waiting)}
        assert states == {bees: "removed", birds: "ready", both: "removed", waiting: "removed"}
        assert len(of_org(org.id)) == 1

    @pytest.mark.usefixtures("small")
    def test_removing_that_broke_off_is_done_by_the_next(
        self, world: World, page: ActionPage, ida: Desk, queue: exporting.Desk
    ) -> None:
        signed(world, page)
        forward(world)

        def half_written() -> int:
            export = ask(ida)
            queue.step(IN_A_HURRY)
            return export

        half_written()
        with faults() as recorded:
            store.remove_files(page.org, {page.campaign})
        points = list(crash_points(recorded))
        assert len(points) > 8
        for point in points[::3]:
            half_written()
            with faults(point), pytest.raises(Killed):
                store.remove_files(page.org, {page.campaign})
            store.remove_files(page.org, {page.campaign})
            assert not of_org(page.org), point
            queue.run()
            assert not of_org(page.org), point

    def test_after_two_days_a_file_is_called_removed(self, world: World, ida: Desk, queue: exporting.Desk) -> None:
        export = ask(ida)
        queue.run()
        forward(world, 48 * 60)
        assert (got(ida, export)["state"], got(ida, export)["link"]) == ("removed", None)


class TestMishaps:
    @pytest.mark.parametrize("nth", EACH)
    @pytest.mark.usefixtures("small")
    def test_a_crash_at_any_call_costs_nothing_but_time(
        self, world: World, page: ActionPage, ida: Desk, queue: exporting.Desk, nth: int
    ) -> None:
        made = signed(world, page)
        forward(world)
        ask(ida)
        world.forget()
        with faults() as recorded:
            queue.step()
        points = list(crash_points(recorded))
        assert len(points) > 20
        for point in points[::nth]:
            export = ask(ida)
            world.forget()
            with faults(point), pytest.raises(Killed):
                queue.step()
            queue.run()
            assert got(ida, export)["state"] == "ready", point
            assert ids_in(ida, export) == made, point

    @pytest.mark.parametrize("nth", EACH)
    @pytest.mark.usefixtures("small")
    def test_a_crash_at_any_call_of_a_short_turn_costs_nothing_but_time(
        self, world: World, page: ActionPage, ida: Desk, queue: exporting.Desk, nth: int
    ) -> None:
        made = signed(world, page, 4)
        forward(world)
        ask(ida)
        world.forget()
        with faults() as recorded:
            queue.step(IN_A_HURRY)
        queue.run()
        for point in [*crash_points(recorded)][::nth]:
            export = ask(ida)
            world.forget()
            with faults(point), pytest.raises(Killed):
                queue.step(IN_A_HURRY)
            queue.run(IN_A_HURRY)
            assert ids_in(ida, export) == made, point

    @pytest.mark.parametrize("nth", EACH)
    @pytest.mark.usefixtures("small")
    def test_two_who_write_at_once_make_one_file(
        self, world: World, page: ActionPage, ida: Desk, queue: exporting.Desk, nth: int
    ) -> None:
        made = signed(world, page)
        forward(world)
        step = 0
        while True:
            export = ask(ida)
            queue.collect()
            body = queue.waiting[0].body
            other = exporting.Desk(world)
            other.put(body)
            meanwhile = _Meanwhile(step, lambda other=other: other.step(IN_A_HURRY))  # type: ignore[misc]
            with hooked(meanwhile):
                queue.run()
            other.run()
            if not meanwhile.happened:
                break
            assert got(ida, export)["state"] == "ready", step
            assert ids_in(ida, export) == made, step
            step += nth
        assert step > 15

    def test_an_order_that_comes_before_its_record_comes_again_and_one_without_is_dropped(
        self, world: World, queue: exporting.Desk, org: Org
    ) -> None:
        body = json.dumps({"org": org.id, "export": 5, "at": clock.now_ms()})
        queue.put(body)
        queue.step()
        assert queue.waiting
        forward(world)
        queue.step()
        assert not queue.waiting
        assert work.work(body, os.environ["EXPORT_QUEUE_URL"], lambda: True) is work.Outcome.DROPPED

    def test_without_an_order_there_is_no_record(self, ida: Desk) -> None:
        with faults(refuse("AccessDenied", on="SendMessage", status=403)):
            assert ida.post(EXPORTS, ACTIONS).status == 503
        assert ida.get(EXPORTS).body["items"] == []

    def test_what_fails_again_and_again_is_given_up_and_said_to_have_failed(
        self, world: World, page: ActionPage, ida: Desk, queue: exporting.Desk
    ) -> None:
        signed(world, page, 1)
        forward(world)
        export = ask(ida)
        with faults(throttle(on="UploadPart", code="SlowDown", nth=None)):
            queue.run()
        assert len(queue.dead) == 1, "an alarm tells of it"
        assert got(ida, export)["state"] == "failed"
        assert not of_org(page.org)

    def test_what_nobody_works_on_any_more_is_said_to_have_failed(self, world: World, ida: Desk) -> None:
        export = ask(ida)
        forward(world, 5 * 60)
        assert got(ida, export)["state"] == "failed"

    @pytest.mark.usefixtures("small")
    def test_parts_that_the_bucket_forgot_fail_the_file(
        self, world: World, page: ActionPage, ida: Desk, queue: exporting.Desk
    ) -> None:
        signed(world, page)
        forward(world)
        export = ask(ida)
        queue.step(IN_A_HURRY)
        item = store.get(page.org, export)
        files.abort(item.bucket, item.key, str(item.upload))
        queue.run()
        assert got(ida, export)["state"] == "failed"

    def test_a_busy_record_is_not_said_to_be_removed(
        self, page: ActionPage, ida: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        export = ask(ida)
        monkeypatch.setattr(clock, "sleep_ms", lambda _: None)
        taking = _Meanwhile(1, lambda: store.take(store.get(page.org, export)), always=True)
        with hooked(taking), pytest.raises(Unavailable):
            store.remove(page.org, export)
        assert store.get(page.org, export).state == State.RUNNING


class _Meanwhile(Hook):
    """Something else happens before the call with this number; with `always`, before each write from there on."""

    def __init__(self, number: int, what: Any, *, always: bool = False) -> None:
        self._number, self._what, self._always = number, what, always
        self._seen = 0
        self._inside = False
        self.happened = False

    def around_call(self, call: Call, proceed: Any) -> AwsAnswer:
        if not self._inside:
            due = self._seen == self._number or (self._always and call.operation == "UpdateItem")
            self._seen += 1
            if due:
                self.happened = self._inside = True
                try:
                    self._what()
                finally:
                    self._inside = False
        return proceed()  # type: ignore[no-any-return]
