"""A petition whose numbers can be spoiled, and audits of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proca_common.aws.dynamo import Transaction
from proca_common.aws.pace import Pace
from proca_common.monitors import audits
from proca_common.monitors.audit import Audit
from proca_common.stages import audit as flow
from tests.coalition import Coalition
from tests.harness.calls import unseen_client
from tests.recount import assert_sound, counted
from tests.simulated import SimulatedTime
from tests.world import World


class Signed:
    """A petition that was signed in two hours, both of them over."""

    def __init__(self, world: World, time: SimulatedTime) -> None:
        self.world, self.time = world, time
        coalition = Coalition(world)
        self.petition, self.lead = coalition.petition(), coalition.lead
        self.crowd = self.petition.crowd()
        world.run()
        time.forward(hours=2)
        self.eva = self.petition.sign(
            "eva", country="FI", tracking={"source": "letter", "medium": "mail", "campaign": "x"}
        )
        for number in range(5):
            self.petition.sign(f"somebody{number}", country="DK")
        world.run()
        time.forward(hours=2)
        self.campaign = self.petition.campaign.id
        assert_sound(world, self.campaign)

    def audit(self, *, repair: bool = True, has_time: Callable[[], bool] = lambda: True, identifier: int = 0) -> Audit:
        """Count all of it again, as often as it takes."""
        now = self.time.now_ms
        audit = Audit(id=identifier, campaign=self.campaign, who=7, repair=repair, started_ms=now)
        return self.go_on(audit, has_time)

    def go_on(self, audit: Audit, has_time: Callable[[], bool] = lambda: True) -> Audit:
        pause: int | None = 0
        while pause is not None:
            self.time.forward(seconds=pause)
            audit, pause = flow.work(audit, Pace(1_000_000), has_time)
        return audit

    def hours(self) -> list[str]:
        """The hours that anything was counted in."""
        return sorted({name.partition(" ")[0] for name in counted(self.world, self.campaign) if " " in name})

    def add(self, shard: int, sk: str, **numbers: int) -> None:
        """Spoil numbers of a shard; `persons_total` is `persons:total`."""
        for name, number in numbers.items():
            unseen_client("dynamodb").update_item(
                TableName=self.world.tables["StatsTable"],
                Key={"pk": {"S": f"{self.campaign}#{shard}"}, "sk": {"S": sk}},
                UpdateExpression="ADD #number :number",
                ExpressionAttributeNames={"#number": name.replace("_", ":")},
                ExpressionAttributeValues={":number": {"N": str(number)}},
            )

    def items(self, kind: str) -> list[dict[str, Any]]:
        return [item for item in self.world.tables.all_items("ActionsTable") if item["kind"]["S"] == kind]

    def put(self, item: dict[str, Any]) -> None:
        unseen_client("dynamodb").put_item(TableName=self.world.tables["ActionsTable"], Item=item)

    def membership_of(self, answer: Any) -> dict[str, Any]:
        [found] = [item for item in self.items("membership") if item["ref"]["S"] == answer.contact_ref]
        return found


def stored_audit(signed: Signed, identifier: int) -> Audit:
    """A new audit with a record."""
    transaction = Transaction()
    audit = Audit(id=identifier, campaign=signed.campaign, who=7, repair=True, started_ms=signed.time.now_ms)
    audit = audits.put(transaction, audit)
    transaction.commit()
    return audit


def spoiled(signed: Signed) -> None:
    """Three numbers and a membership are wrong, and what follows of it for totals."""
    first, second = signed.hours()
    signed.add(5, f"hour#{first}", signatures_total=1)
    signed.add(6, f"hour#{second}", page_99=1)
    signed.add(7, "total", org_99=1)
    item = signed.membership_of(signed.crowd[0])
    signed.put({**item, "n": {"N": "7"}})
