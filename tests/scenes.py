"""States in which an action may be, and all that may happen to it there, for people who do not disturb each other.

Each person of a scene has an area and action types of its own, so that the campaign's numbers tell what became of whom.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from proca_common.action_pages.context import page_context
from proca_common.actions.input import AddActionInput
from proca_common.erasures import ledger
from proca_common.erasures.erase import forget
from proca_common.erasures.person import Wish
from proca_common.ids import first_id_at
from proca_common.intake.add import add_action
from proca_common.monitors import store as stats
from proca_common.monitors.persons import Label
from proca_common.orgs.org import Org
from proca_common.stages import decide
from tests.coalition import Coalition, clear, lose_records
from tests.harness.calls import Answer as AwsAnswer
from tests.harness.calls import Call, Hook
from tests.harness.context import LambdaContext
from tests.harness.interleave import Operation
from tests.harness.mappings import Mapping
from tests.harness.stream_reader import Record
from tests.recount import Stored, counted
from tests.simulated import SimulatedTime

OVERDUE_S = 200
MOST_PEOPLE = 45
"""Each has two action types, of which a campaign counts a hundred by name."""


@dataclass
class Person:
    """Somebody who signed, by its number in the scene. `first` and `second` are ids of signatures."""

    number: int
    ref: str = ""
    first: int = 0
    second: int = 0

    @property
    def area(self) -> str:
        """Its country, and nobody else's."""
        return f"{chr(65 + self.number // 26)}{chr(65 + self.number % 26)}"

    @property
    def signed(self) -> str:
        """The type of its signatures."""
        return f"signed{self.number}"

    @property
    def shared(self) -> str:
        """The type of what is added later."""
        return f"shared{self.number}"


@dataclass(frozen=True)
class State:
    """Where the first signature stands when two operations meet: settings of the page's org, and how it got there.

    `new` are operations that make this state different from others: in short runs one of them is always there.
    """

    settings: dict[str, bool]
    settled: bool = False  # the stream functions have done their work
    owed: bool = False  # but the lead's queue was closed then
    operations: tuple[str, ...] = ()
    new: tuple[str, ...] = ()

    def pairs(self, *, new_only: bool) -> list[tuple[str, str]]:
        """Every two operations, each with itself too: Lambda and people do things twice."""
        every = itertools.combinations_with_replacement(self.operations, 2)
        if not new_only:
            return [*every]
        return [pair for pair in every if set(pair) & set(self.new or self.operations) and LONGEST not in pair]


DECISIONS = ("accept_supporter", "reject_supporter", "accept_action", "reject_action")
LONGEST = "erasure by both"
OTHERS = ("erasure", LONGEST, "further action", "second signature")
WAITING, MODERATED = {"custom_supporter_confirm": True}, {"custom_action_confirm": True}
STATES = {
    "waiting": State(WAITING, operations=("confirm", "sweep", *DECISIONS, *OTHERS)),
    "moderated": State(MODERATED, operations=("confirm", "sweep", *DECISIONS, *OTHERS)),
    "on its way": State({}, operations=("deliver", "sweep", *DECISIONS, *OTHERS)),
    "delivered": State({}, settled=True, operations=("deliver", *DECISIONS, *OTHERS)),
    "partly owed": State(
        {}, settled=True, owed=True, operations=("deliver", "sweep", *DECISIONS, *OTHERS), new=("deliver", "sweep")
    ),
}
SETTLED_STATES = {
    "waiting, asked": State(WAITING, settled=True, operations=("confirm", *DECISIONS, *OTHERS)),
    "moderated, asked": State(MODERATED, settled=True, operations=("confirm", *DECISIONS, *OTHERS)),
}


class Scene:
    """People who all stand in one state, and a world in which nothing else happens meanwhile."""

    def __init__(self, coalition: Coalition, time: SimulatedTime, state: State, with_second: Sequence[bool]) -> None:
        self.coalition, self.time, self.state = coalition, time, state
        self.world = coalition.world
        clear(self.world)
        self.petition = coalition.petition()
        self.people = [Person(number) for number in range(len(with_second))]
        assert len(self.people) <= MOST_PEOPLE
        self._name_types()
        self._sign()
        time.forward(seconds=1)
        for person, signs_again in zip(self.people, with_second, strict=True):
            if signs_again:
                person.second = self._signature(person, partner=False).action
        lose_records(self.world)
        time.forward(seconds=OVERDUE_S)
        self._records = self._last_records()
        for page in (self.petition.page, self.petition.partner_page):
            page_context(page.id)

    def _sign(self) -> None:
        for person in self.people:
            answer = self._signature(person, partner=True)
            person.ref, person.first = answer.contact_ref, answer.action
        if self.state.owed:
            self.coalition.close_queues(self.coalition.lead)
        if self.state.settled:
            self.world.run()
        if self.state.owed:
            self.coalition.open_queues(self.coalition.lead)

    def _signature(self, person: Person, *, partner: bool) -> Any:
        name = f"person.{self.petition.campaign.id}.{person.number}"
        return self.petition.sign(name, partner=partner, country=person.area, action_type=person.signed)

    def _name_types(self) -> None:
        """All types have numbers of their own from the start, and memory is warm."""
        campaign = self.petition.campaign.id
        names = {name for person in self.people for name in (person.signed, person.shared)}
        stats.NamesItem(f"{campaign}#names", "type", names=names).save()
        stats.bounded(Counter({Label(campaign, "type", next(iter(names))): 1}))

    def _last_records(self) -> dict[tuple[str, str], Record]:
        found = {}
        for record in self.world.streams.records():
            image = record["dynamodb"].get("NewImage", {})
            if "stage" in image:
                found[image["ref"]["S"], image["sk"]["S"]] = record
        return found

    def operation(self, name: str, person: Person) -> Operation:
        """What happens to this person."""
        known: dict[str, Operation] = {
            "confirm": partial(self._invoke, self.world.confirm, person, person.first),
            "deliver": partial(self._invoke, self.world.deliver, person, person.first),
            "second signature": partial(self._invoke, self.world.deliver, person, person.second),
            "sweep": self.world.sweep,
            "erasure": partial(self._erase, person, self.coalition.lead),
            LONGEST: partial(self._erase, person, self.coalition.partner, self.coalition.lead),
            "further action": partial(self._share, person),
        }
        return known.get(name) or partial(getattr(decide, name), person.first)

    def _invoke(self, mapping: Mapping, person: Person, action: int) -> None:
        """As Lambda does: what fails comes again."""
        record = self._records[person.ref, f"A#{action:016d}"]
        for _ in range(5):
            answer = mapping.handler({"Records": [record]}, LambdaContext(mapping.name, mapping.timeout_s))
            if not answer["batchItemFailures"]:
                return
        raise AssertionError("five tries did not help")

    def _share(self, person: Person) -> int:
        request = AddActionInput.model_validate({"action": {"actionType": person.shared}})
        return add_action(page_context(self.petition.partner_page.id), request, person.ref, None, None).action

    def _erase(self, person: Person, *orgs: Org) -> None:
        """These orgs erase the person, one after the other: the part of it that works on what others work on, too."""
        now = first_id_at(self.time.now_ms + 1)
        for org in orgs:
            forget(Wish(person.ref, org.id, now, ledger.new_gone_ref()), lambda *_: None)

    def names(self, person: Person) -> Callable[[str], str]:
        """Tells the person's keys by what they are, so that those of two people can be compared."""
        known = {person.ref: "ref", f"{person.first}": "first", f"{person.second}": "second"}

        def rename(key: str) -> str:
            for text, name in known.items():
                key = key.replace(text, name)
            return key

        return rename

    def outcomes(self, stored: Stored, ranked: Sequence[bool]) -> list[Outcome]:
        """What became of each person, with ranks where they do not depend on chance."""
        numbers = counted(self.world, self.petition.campaign.id)
        return [_outcome(person, stored, numbers, rank) for person, rank in zip(self.people, ranked, strict=True)]


Outcome = tuple[Any, ...]


def _outcome(person: Person, stored: Stored, numbers: Counter[str], ranked: bool) -> Outcome:
    """Everything of a person that does not depend on when it happened, in a form that can be compared."""
    which = {person.first: "first", person.second: "second"}
    found = [
        f"{name.partition(':')[0]} {name.endswith(person.shared)}: {numbers[name]}"
        for name in (f"area:{person.area}", f"type:{person.signed}", f"type:{person.shared}")
    ]
    for item in stored.items:
        if item["ref"] != person.ref:
            continue
        match item["kind"]:
            case "action":
                rank = item.get("dupe_rank") if ranked else "any"
                found.append(f"{which.get(item['id'], 'further')} action {item['status']}, rank {rank}")
            case "supporter":
                of_it = f"{item['actions']} actions, {item['waiting']} waiting"
                found.append(f"{which[item['id']]} supporter {item['status']}, {of_it}")
            case "membership":
                members = ", ".join(sorted(which[int(member)] for member in json.loads(item["members"])))
                found.append(f"{item['n']} members ({members})")
            case kind:
                found.append(kind)
    return tuple(sorted(found))


class Alone(Hook):
    """While two operations meet on one person, the sweep finds nothing of the others."""

    def __init__(self, person: Person) -> None:
        self.person = person

    def around_call(self, call: Call, proceed: Callable[[], AwsAnswer]) -> AwsAnswer:
        answer = proceed()
        if call.operation == "Query" and call.params.get("IndexName") == "pending":
            answer["Items"] = [item for item in answer["Items"] if item["ref"]["S"] == self.person.ref]
            answer["Count"] = len(answer["Items"])
        return answer


class Sent(Hook):
    """The MessageIds that queues have taken, by who they are for."""

    def __init__(self) -> None:
        self.ids: Counter[str] = Counter()

    def around_call(self, call: Call, proceed: Callable[[], AwsAnswer]) -> AwsAnswer:
        answer = proceed()
        if call.operation == "SendMessageBatch":
            taken = {entry["Id"] for entry in answer.get("Successful", ())}
            for entry in call.params["Entries"]:
                if entry["Id"] in taken:
                    self.ids[entry["MessageAttributes"]["MessageId"]["StringValue"]] += 1
        return answer
