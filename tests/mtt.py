"""Campaigns that write to targets, for tests: their settings, their targets, and signatures with a message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from proca_common.action_pages.page import ActionPage
from proca_common.aws import clock
from proca_common.campaigns.campaign import Campaign
from proca_common.orgs.org import Org
from proca_common.targets import known
from proca_common.targets import store as targets
from proca_common.targets.target import Target, TargetInput
from tests.world import Answer, World

DAY_MS = 86_400_000


def at(moment_ms: int) -> str:
    """The moment as the API takes it, to the second."""
    return datetime.fromtimestamp(moment_ms // 1000, UTC).isoformat()


def window(days: int = 14) -> dict[str, Any]:
    """So many whole days from today on, at all hours."""
    today = datetime.fromtimestamp(clock.now_ms() // 1000, UTC).replace(hour=0, minute=0, second=0)
    end = today + timedelta(days=days - 1, hours=23, minutes=59)
    return {"startAt": today.isoformat(), "endAt": end.isoformat()}


def campaign(world: World, org: Org, name: str = "bees", **settings: Any) -> Campaign:
    """A campaign of the org that takes messages; `settings` are those of its `mtt`."""
    return world.campaign(org, name, mtt={**window(), **settings})


def target(campaign: Campaign, name: str, **given: Any) -> Target:
    """A target of the campaign, with one address unless told otherwise."""
    given.setdefault("emails", [{"email": f"{name.lower()}@parliament.example.org"}])
    wanted = TargetInput.model_validate({"externalId": name, "name": name, **given}, by_alias=True)
    known.forget()
    return targets.create(targets.new(campaign.id, wanted))


def write(world: World, page: ActionPage, *to: Target | str, name: str = "ida", **given: Any) -> Answer:
    """A signature of this person with a message to these targets. `given` is the message, `testing` of the action."""
    testing = given.pop("testing", None)
    headers = given.pop("headers", None)
    mtt = {
        "subject": "Bees",
        "body": "Dear {{target.name}},\nbees matter.",
        "targets": [each if isinstance(each, str) else each.id for each in to],
        **given,
    }
    action: dict[str, Any] = {"actionType": "mail2target", "mtt": mtt}
    if testing is not None:
        action["testing"] = testing
    contact = {"firstName": name.rstrip("0123456789").title(), "lastName": "Holm", "email": f"{name}@example.org"}
    body = {"action": action, "contact": contact, "privacy": {"optIn": False}}
    return world.post(f"/v1/pages/{page.id}/actions", body, headers)
