"""Post offices for mails to targets: their queue in the world's time, and the two functions that plan and send."""

from __future__ import annotations

import inspect
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from proca_common.aws import clock
from proca_common.mails.ways_out import WaysOut
from proca_common.mtt import sending, store
from proca_common.mtt.files import Files
from proca_common.mtt.schedule import EVERY_MS
from proca_common.mtt.sending import Desk
from proca_common.targets import known
from tests.harness.calls import Answer, Call, Hook, hooked
from tests.harness.context import LambdaContext
from tests.harness.template import project_template
from tests.post import PostOffice
from tests.world import World, function

SEND, SCHEDULE = "SendTargetMailsFunction", "ScheduleTargetMailsFunction"
SCHEDULE_S = project_template().function(SCHEDULE)["Timeout"]


class TargetPost(PostOffice):
    """The queue of mails to targets, with its mapping as AWS documents it. `Ordering` brings its messages."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.waiting = {}
        self.dead = []
        self.counts: Counter[Any] = Counter()
        self._handler = function(SEND)
        self._module = inspect.unwrap(self._handler).__globals__
        self._module["send_batch"] = self._counted
        self.forget()

    def _counted(self, *given: Any) -> sending.Report:
        report = sending.send_batch(*given)
        self.counts += report.counts
        return report

    def forget(self) -> None:
        """As in a new environment."""
        self.world.forget()
        sending.forget()
        known.forget()
        desk = self._module["desk"]
        made = WaysOut(desk.ways._secret, None, concurrency=2, this_machine=True)
        self._module["desk"] = Desk(desk.sealing_key, desk.srs_key, made, Files(desk.ways._secret))

    @property
    def srs_key(self) -> bytes:
        """What rewritten addresses are signed with."""
        key: bytes = self._module["desk"].srs_key
        return key

    def schedule(self) -> dict[str, Any]:
        """One run of the schedule."""
        found: dict[str, Any] = function(SCHEDULE)({}, LambdaContext(SCHEDULE, SCHEDULE_S))
        return found

    def work(self) -> None:
        """Work on what may be received now."""
        while self.step():
            pass

    def cycle(self, move: Callable[[int], None]) -> None:
        """Two minutes: a run of the schedule, and all that it orders until the next; `move`: to this moment."""
        end = clock.now_ms() + EVERY_MS
        self.schedule()
        while True:
            self.work()
            later = [message.visible_ms for message in self.waiting.values() if message.visible_ms < end]
            if not later:
                break
            move(max(clock.now_ms(), min(later)))
        move(end)

    # --- what is stored

    def mails(self) -> dict[tuple[str, int], str]:
        """The status of each mail, by target and action."""
        found = [item for item in self.world.items() if item["ref"].startswith("mtt#") and item["sk"] != store.NUMBERS]
        return {(item["ref"].rpartition("#")[2], int(item["sk"])): item["status"] for item in found}

    def statuses(self) -> Counter[str]:
        """How many mails have which status."""
        return Counter(self.mails().values())

    def numbers(self, campaign: int, target: str) -> dict[str, int]:
        """The numbers of a target, without zeros."""
        found = store.numbers_of(campaign, [target])[target]
        names = ("total", "taken", "sent", "refused", "uncertain", "expired")
        return {name: int(getattr(found, name)) for name in names if getattr(found, name)}


class _Ordering(Hook):
    def __init__(self, post: TargetPost) -> None:
        self._post = post

    def around_call(self, call: Call, proceed: Callable[[], Answer]) -> Answer:
        ours = call.params.get("QueueUrl") == os.environ["TARGET_MAIL_QUEUE_URL"]
        if call.operation != "SendMessageBatch" or not ours:
            return proceed()
        for entry in call.params["Entries"]:
            self._post.put(entry["MessageBody"])
            newest = next(reversed(self._post.waiting.values()))
            newest.visible_ms = clock.now_ms() + 1000 * entry.get("DelaySeconds", 0)
            assert entry.get("DelaySeconds", 0) <= 900
            json.loads(entry["MessageBody"])
        return {"Successful": [{"Id": entry["Id"]} for entry in call.params["Entries"]]}


@contextmanager
def target_post(world: World) -> Iterator[TargetPost]:
    """A post office that gets all orders of this world."""
    post = TargetPost(world)
    with hooked(_Ordering(post)):
        yield post
