"""A world in which anything happens in any order, and is sound in the end."""

from __future__ import annotations

import random
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import pytest

from proca_common.aws.errors import CloudError
from proca_common.aws.pace import Pace
from proca_common.erasures import ledger
from proca_common.erasures.erase import erase
from proca_common.erasures.ledger import ErasureItem
from proca_common.errors import DomainError
from proca_common.monitors import audits
from proca_common.monitors.audit import Audit
from proca_common.stages import audit_later, decide
from proca_common.stages.audit import work
from tests import ses
from tests.coalition import Coalition, Petition, clear
from tests.disasters import any_disaster
from tests.erasing import KEY, NOBODY
from tests.harness.calls import hooked
from tests.harness.faults import Killed, faults
from tests.recount import assert_sound, entitled, recounted
from tests.scenes import Sent
from tests.simulated import SimulatedTime
from tests.world import Answer, World

DECISIONS: dict[str, Callable[[int], bool]] = {
    "confirmation": decide.accept_supporter,
    "confirmation that opts in": partial(decide.accept_supporter, double_opt_in=True),
    "rejection": decide.reject_supporter,
    "acceptance by a moderator": decide.accept_action,
    "rejection by a moderator": decide.reject_action,
}
REPORTS = (ses.bounced, ses.softly_bounced, ses.complained, ses.unsubscribed)
STEPS = 150
PEOPLE = 8
LONG = 14_000
"""Of these about 5,000 are signatures, decisions and reports of mails that changed something."""
SEEDS = 3
FINISHED = 4
"""So many audits go on to their end."""

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")  # a killed sweep has none


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_anything_may_happen(world: World, time: SimulatedTime, seed: int) -> None:
    RandomWorld(world, time, random.Random(seed)).live(STEPS)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_anything_may_happen_for_long(world: World, time: SimulatedTime) -> None:
    coalition = None
    for _ in range(SEEDS):
        seed = secrets.randbelow(1_000_000)
        living = RandomWorld(world, time, random.Random(seed), coalition)
        living.people = 100
        print(f"seed {seed}", flush=True)  # noqa: T201  what a failure is repeated with
        coalition = living.live(LONG)
        print(f"  {living.happened.total()} times: {dict(living.happened)}", flush=True)  # noqa: T201
        clear(world)


def of_kind(numbers: Counter[str], kind: str) -> dict[str, int]:
    """The totals of a kind by name."""
    return {name.removeprefix(f"{kind}:"): number for name, number in numbers.items() if name.startswith(f"{kind}:")}


class RandomWorld:
    """Petitions with and without confirmation, few people who do much, and chance. `happened` counts what was done."""

    def __init__(
        self, world: World, time: SimulatedTime, chance: random.Random, coalition: Coalition | None = None
    ) -> None:
        confirms = {"custom_supporter_confirm": True, "custom_action_confirm": True}
        self.coalition = coalition or Coalition(world, confirms, confirms)
        self.world, self.time, self.chance = world, time, chance
        shown = ["register:comment", "share:comment"]
        self.petitions = [
            self.coalition.petition(supporter_confirm=supporter, action_confirm=action, public_actions=shown)
            for supporter, action in ((False, False), (False, False), (True, False), (False, True))
        ]
        self.people = PEOPLE
        self.actions: list[int] = []
        self.refs: list[str] = ["earlier", "somebody"]
        self.audits: list[Audit] = []
        self.erasures: list[ErasureItem] = []
        self.happened: Counter[str] = Counter()

    def live(self, steps: int) -> Coalition:
        """So many things happen; then everything recovers, and must be sound: what is stored, what is counted, what is
        told to anybody, and what audits found meanwhile.
        """
        happenings: dict[Callable[[], None], int] = {
            self.sign: 8,
            self.share: 6,
            self.decide: 6,
            self.report: 3,
            self.work: 14,
            self.catch_up: 1,
            self.sweep: 3,
            self.redeliver: 1,
            self.close_or_open: 1,
            self.wait: 3,
            self.audit: 1,
            self.erase: 2,
            self.world.forget: 1,
        }
        with hooked(sent := Sent()):
            for _ in range(steps):
                [happening] = self.chance.choices([*happenings], [*happenings.values()])
                happening()
            for org in (self.coalition.lead, self.coalition.partner):
                self.coalition.open_queues(org)
            self.world.forget()
            for entry in self.erasures:
                assert erase(ledger.get(entry.org, entry.id))
            self.time.recover(sweeps=20)
        stored = assert_sound(self.world, *(petition.campaign for petition in self.petitions))
        assert entitled(stored) <= sent.ids.keys()
        for petition in self.petitions:
            self.assert_told(petition, recounted(self.world, stored, petition.campaign.id))
        self.finish_audits()
        return self.coalition

    def assert_told(self, petition: Petition, numbers: Counter[str]) -> None:
        """What the API tells anybody of the campaign and of its pages is what was counted anew."""
        self.world.forget()
        orgs = {f"{org.id}": org.name for org in (self.coalition.lead, self.coalition.partner)}
        wanted = {
            "supporterCount": numbers["persons:total"],
            "supporterCountByOrg": {orgs[org]: number for org, number in of_kind(numbers, "org").items()},
            "supporterCountByArea": of_kind(numbers, "area"),
            "actionCount": of_kind(numbers, "type"),
        }
        for path in (f"campaigns/{petition.campaign.id}", f"pages/{petition.page.id}"):
            told = self.world.get(f"/v1/{path}/numbers").body
            by_org, by_area = told["supporterCountByOrg"], told["supporterCountByArea"]
            told["supporterCountByOrg"] = {entry["org"]["name"]: entry["count"] for entry in by_org}
            told["supporterCountByArea"] = {entry["area"]: entry["count"] for entry in by_area}
            assert told == wanted

    def finish_audits(self) -> None:
        """The newest audits go on to their end, and one more is made; none has ever found anything wrong."""
        self.time.forward(hours=2)
        self.audits.append(audit_later.new_audit(self.petition.campaign.id, 0, repair=True))
        for number, audit in enumerate(reversed(self.audits)):
            found = audits.find(audit.campaign, audit.id) or audit
            pause: int | None = 0
            while number < FINISHED and pause is not None:
                found, pause = work(found, Pace(1_000_000), lambda: True)
            assert (found.wrong, found.findings) == (0, [])
            assert number >= FINISHED or not found.unsettled

    @property
    def petition(self) -> Petition:
        return self.chance.choice(self.petitions)

    def sign(self) -> None:
        chance, petition = self.chance, self.petition
        email = f"person{chance.randrange(self.people)}@example.org"
        linked = {"contactRef": chance.choice(self.refs)} if chance.random() < 0.3 else {}
        lead, country = chance.choice([True, False]), chance.choice(["DK", "NO", None])
        page, testing = chance.choice([petition.page, petition.partner_page]), chance.random() < 0.1
        fields = {"comment": chance.choice(["now!", "please"])} if chance.random() < 0.5 else None
        given = {"lead_opt_in": lead, "testing": testing, "country": country, "fields": fields, **linked}
        if chance.random() < 0.5:
            given["tracking"] = {"source": chance.choice(["letter", "poster"]), "medium": "m", "campaign": "c"}
        with self.trouble(0.1):
            self.keep("signature", self.world.sign(page, email=email, **given))

    def share(self) -> None:
        chance, petition = self.chance, self.petition
        page, kind = chance.choice([petition.page, petition.partner_page]), chance.choice(["share", "donate"])
        with self.trouble(0.1):
            fields = {"comment": "look"}
            self.keep("further action", self.world.act(page, chance.choice(self.refs), kind, customFields=fields))

    def keep(self, what: str, answer: Answer) -> None:
        """Remember what was stored, for later."""
        assert answer.status in (201, 429, 503), answer.body
        if answer.status == 201:
            self.actions.append(answer.action)
            self.refs.append(answer.contact_ref)
            self.happened[what] += 1

    def decide(self) -> None:
        if self.actions:
            with self.trouble(0.2), suppress(DomainError):
                name, decision = self.chance.choice([*DECISIONS.items()])
                self.happened[name] += bool(decision(self.chance.choice(self.actions)))

    def report(self) -> None:
        """A provider of mails tells what became of one."""
        if self.actions:
            told = self.chance.choice(REPORTS)
            with self.trouble(0.2):
                ses.tell(told(self.chance.choice(self.actions)))
                self.happened["report of a mail"] += 1

    def audit(self) -> None:
        """An audit is begun, or goes on for a while."""
        if not self.audits or self.chance.random() < 0.1:
            self.audits.append(audit_later.new_audit(self.petition.campaign.id, 0, repair=True))
        begun = self.chance.choice(self.audits)
        turns = iter(range(self.chance.randint(1, 4)))
        with self.trouble(0.3):
            known = audits.find(begun.campaign, begun.id) or begun
            work(known, Pace(1_000_000), lambda: next(turns, None) is not None)

    def erase(self) -> None:
        """An org erases somebody, or goes on with that."""
        if not self.erasures or self.chance.random() < 0.7:
            org = self.chance.choice([self.coalition.lead, self.coalition.partner])
            self.erasures.append(ledger.enter(org.id, self.chance.choice(self.refs), NOBODY, KEY))
            self.happened["erasure"] += 1
        asked = self.chance.choice(self.erasures[-3:])
        with self.trouble(0.4):
            erase(ledger.get(asked.org, asked.id))

    def work(self) -> None:
        mapping = self.chance.choice([self.world.confirm, self.world.deliver])
        with self.trouble(0.4):
            self.world.streams.step(mapping, batch_size=self.chance.choice([None, 1, 3]))

    def catch_up(self) -> None:
        """The stream functions come to the end of the stream, where they are most of the time."""
        self.world.run()

    def sweep(self) -> None:
        self.time.forward(seconds=61)
        with self.trouble(0.3):
            self.world.sweep()

    def redeliver(self) -> None:
        if self.world.streams.invocations:
            self.world.streams.redeliver(self.chance.choice(self.world.streams.invocations))

    def close_or_open(self) -> None:
        org = self.chance.choice([self.coalition.lead, self.coalition.partner])
        self.chance.choice([self.coalition.close_queues, self.coalition.open_queues])(org)

    def wait(self) -> None:
        self.time.forward(seconds=self.chance.choice([1, 40, 400, 4000]))

    @contextmanager
    def trouble(self, likely: float) -> Iterator[None]:
        """Perhaps one of the next calls meets with a disaster. Whoever was killed starts again with a cold memory."""
        disasters = [any_disaster(self.chance)] if self.chance.random() < likely else []
        with faults(*disasters, must_fire=False), suppress(Killed, CloudError):
            yield
        if any(disaster.fired for disaster in disasters):
            self.world.forget()
