"""A world in which anything happens in any order, and is sound in the end."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from proca_common.aws.errors import CloudError
from proca_common.errors import DomainError
from proca_common.stages import decide
from tests.coalition import Coalition, Petition, clear
from tests.disasters import any_disaster
from tests.harness.calls import hooked
from tests.harness.faults import Killed, faults
from tests.recount import assert_sound, entitled
from tests.scenes import Sent
from tests.simulated import SimulatedTime
from tests.world import Answer, World

DECISIONS = (decide.accept_supporter, decide.reject_supporter, decide.accept_action, decide.reject_action)
STEPS = 150
PEOPLE = 8

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")  # a killed sweep has none


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_anything_may_happen(world: World, time: SimulatedTime, seed: int) -> None:
    RandomWorld(world, time, random.Random(seed)).live(STEPS)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_anything_may_happen_for_long(world: World, time: SimulatedTime) -> None:
    coalition = None
    for _ in range(100):
        seed = secrets.randbelow(1_000_000)
        print(f"seed {seed}")  # noqa: T201  what a failure is repeated with
        coalition = RandomWorld(world, time, random.Random(seed), coalition).live(4 * STEPS)
        clear(world)


class RandomWorld:
    """Petitions with and without confirmation, few people who do much, and chance."""

    def __init__(
        self, world: World, time: SimulatedTime, chance: random.Random, coalition: Coalition | None = None
    ) -> None:
        confirms = {"custom_supporter_confirm": True, "custom_action_confirm": True}
        self.coalition = coalition or Coalition(world, confirms, confirms)
        self.world, self.time, self.chance = world, time, chance
        self.petitions = [
            self.coalition.petition(supporter_confirm=supporter, action_confirm=action)
            for supporter, action in ((False, False), (False, False), (True, False), (False, True))
        ]
        self.actions: list[int] = []
        self.refs: list[str] = ["earlier", "somebody"]

    def live(self, steps: int) -> Coalition:
        """So many things happen; then everything recovers, and must be sound."""
        happenings: dict[Callable[[], None], int] = {
            self.sign: 8,
            self.share: 6,
            self.decide: 6,
            self.work: 14,
            self.sweep: 3,
            self.redeliver: 1,
            self.close_or_open: 1,
            self.wait: 3,
            self.world.forget: 1,
        }
        with hooked(sent := Sent()):
            for _ in range(steps):
                [happening] = self.chance.choices([*happenings], [*happenings.values()])
                happening()
            for org in (self.coalition.lead, self.coalition.partner):
                self.coalition.open_queues(org)
            self.world.forget()
            self.time.recover(sweeps=20)
        stored = assert_sound(self.world, *(petition.campaign for petition in self.petitions))
        assert entitled(stored) <= sent.ids.keys()
        return self.coalition

    @property
    def petition(self) -> Petition:
        return self.chance.choice(self.petitions)

    def sign(self) -> None:
        chance, petition = self.chance, self.petition
        email = f"person{chance.randrange(PEOPLE)}@example.org"
        linked = {"contactRef": chance.choice(self.refs)} if chance.random() < 0.3 else {}
        lead, country = chance.choice([True, False]), chance.choice(["DK", "NO", None])
        page, testing = chance.choice([petition.page, petition.partner_page]), chance.random() < 0.1
        with self.trouble(0.1):
            self.keep(self.world.sign(page, email=email, lead_opt_in=lead, testing=testing, country=country, **linked))

    def share(self) -> None:
        chance, petition = self.chance, self.petition
        page, kind = chance.choice([petition.page, petition.partner_page]), chance.choice(["share", "donate"])
        with self.trouble(0.1):
            self.keep(self.world.act(page, chance.choice(self.refs), kind))

    def keep(self, answer: Answer) -> None:
        """Remember what was stored, for later."""
        assert answer.status in (201, 429, 503), answer.body
        if answer.status == 201:
            self.actions.append(answer.action)
            self.refs.append(answer.contact_ref)

    def decide(self) -> None:
        if self.actions:
            with self.trouble(0.2), suppress(DomainError):
                self.chance.choice(DECISIONS)(self.chance.choice(self.actions))

    def work(self) -> None:
        mapping = self.chance.choice([self.world.confirm, self.world.deliver])
        with self.trouble(0.4):
            self.world.streams.step(mapping, batch_size=self.chance.choice([None, 1, 3]))

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
        self.time.forward(seconds=self.chance.choice([1, 40, 400]))

    @contextmanager
    def trouble(self, likely: float) -> Iterator[None]:
        """Perhaps one of the next calls meets with a disaster. Whoever was killed starts again with a cold memory."""
        disasters = [any_disaster(self.chance)] if self.chance.random() < likely else []
        with faults(*disasters, must_fire=False), suppress(Killed, CloudError):
            yield
        if any(disaster.fired for disaster in disasters):
            self.world.forget()
