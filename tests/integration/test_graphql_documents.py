"""Every document that is recorded of a client in use is sound for the schema that is served, and is answered."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from proca_common.action_pages import store as pages
from proca_common.action_pages.page import ActionPage
from proca_common.campaigns.campaign import Campaign
from proca_common.orgs import keys
from proca_common.orgs.org import Org
from proca_common.users.permissions import ADMIN, Role
from tests.desks import Desk, desk
from tests.graphql import Recorded, ask, recorded
from tests.simulated import SimulatedTime
from tests.world import World

UNSOUND = {
    ("widget", "getLatest"): "Syntax Error: Expected '$', found Name 'limit'.",
    ("widget builder", "GetTarget"): "Cannot query field 'target' on type 'RootQueryType'.",
    ("widget builder", "upsertTemplate"): "Variable '$id' is not defined by operation 'upsertTemplate'.",
    ("widget builder", "news"): "The subscription operation is not supported by the schema.",
}
"""Documents that no schema can serve, and what is said of them."""
NO_STRIPE = "Provide Stripe objects to create"
NO_PROVIDER = "templates of providers are not supported"
REFUSED = {
    ("widget", "addStripeObject"): NO_STRIPE,
    ("command line, newer", "template external"): NO_PROVIDER,
}
"""What is refused here for a reason that is said: objects of Stripe that are empty, a template of a provider."""
PUBLIC_KEY = "WGmv9FBUlzLLqu1eXfmzCm2jHLDldCutWtShp2jxpns"


@dataclass
class Scene:
    """An org with a campaign, a page and a signature, and somebody who may do everything."""

    world: World
    org: Org
    campaign: Campaign
    page: ActionPage
    admin: Desk
    ref: str
    action: int
    key: int
    made: int = 0

    def name(self) -> str:
        """A name that nothing has yet."""
        self.made += 1
        return f"new{self.made}"

    def variables(self, document: Recorded) -> dict[str, Any]:
        """What the client would send: of the variables that are declared, the needed ones and a few more."""
        text = document.document
        declared = dict(re.findall(r"\$(\w+): ?([\[\]\w!]+)", text.split("{", 1)[0]))
        wanted = {name: self.value(name, kind, text) for name, kind in declared.items()}
        if "id" in wanted and declared.get("name") == "String":
            del wanted["name"]  # exactly one of the two
        return {name: value for name, value in wanted.items() if value is not None}

    def value(self, name: str, kind: str, text: str) -> Any:
        """A value for a variable of this name and type."""
        by_type = {
            "ActionInput!": {"actionType": "register", "customFields": '{"note": "x"}'},
            "ContactInput!": {"firstName": "Bo", "email": "bo@example.org", "address": {"country": "", "postcode": ""}},
            "ConsentInput!": {"optIn": True},
            "TrackingInput": {"source": "a", "medium": "b", "campaign": "c"},
            "[CustomFieldInput!]": [{"key": "note", "value": "x"}],
            "ServiceName!": "SMTP",
            "ServiceName": None,
            "Queue!": "CUSTOM_ACTION_DELIVER",
            "[Int!]": [self.action],
            "[Int!]!": [self.action],
            "OutdatedTargets": "KEEP",
            "OutdatedTargets!": "KEEP",
            "[TargetInput!]!": [
                {"name": "Ada", "externalId": "ada", "fields": "{}", "emails": [{"email": "ada@example.org"}]}
            ],
            "CampaignMttInput!": {"startAt": "2026-03-01T08:00:00Z", "endAt": "2026-04-01T18:00:00Z"},
            "ServiceInput!": {"name": "WEBHOOK", "host": "https://crm.example.org/hook", "user": "", "password": "p"},
            "GenKeyInput!": {"name": "generated"},
            "AddKeyInput!": {"name": "added", "public": PUBLIC_KEY},
            "EmailTemplateInput!": {"name": "thanks", "locale": "en", "subject": "Thanks", "html": "<p>Thanks</p>"},
            "Boolean": None,
            "Boolean!": True,
            "DateTime": None,
        }
        if kind in by_type:
            return by_type[kind]
        if kind == "ActionPageInput!":
            return {"name": f"ngo/{self.name()}", "locale": "en"} if "add" in text[:40] else {"extra_supporters": 3}
        if kind == "CampaignInput!":
            return {"title": "Other bees"} if "updateCampaign" in text else {"name": self.name(), "title": "New"}
        if kind == "OrgInput!":
            return {"title": "Ngo"} if "updateOrg(" in text else {"name": self.name(), "title": "New"}
        return self.text(name, text)

    def text(self, name: str, text: str) -> Any:
        """A value for a variable of a simple type, by what it is called and what it is given to."""
        root = re.search(r"\{(?:\w+: ?)?(\w+)\(", text)
        field = "" if root is None else root[1]
        fixed = {
            "org": self.org.name,
            "orgName": self.org.name,
            "toOrg": self.org.name,
            "campaign": self.campaign.name,
            "campaignName": self.campaign.name,
            "campaignId": self.campaign.id,
            "actionPage": self.page.id,
            "actionPageId": self.page.id,
            "fromName": pages.get(self.page.id).name,
            "toName": f"ngo/{self.name()}",
            "contact": self.ref,
            "ref": self.ref,
            "contactRef": self.ref if "addAction(" in text else None,
            "actionType": "share",
            "config": '{"color": "green"}',
            "counter": 7,
            "title": "bees",
            "email": "kim@example.org" if "deleteOrgUser" in text else "bo@example.org",
            "user": "kim@example.org",
            "role": "campaigner",
            "lang": "en",
            "locale": "en",
            "subject": "Thanks",
            "html": "<p>Thanks</p>",
            "text": "Thanks",
            "templateName": "thanks",
            "template": "thanks",
            "supporterConfirmTemplate": "thanks",
            "emailFrom": "ngo@example.org",
            "limit": 10,
            "start": 1,
        }
        if name == "org" and field == "deleteOrg":
            return self.world.org(self.name()).name
        if name in fixed:
            return fixed[name]
        if name == "id":
            return {"campaign": self.campaign.id, "updateCampaign": self.campaign.id, "activateKey": self.key}.get(
                field, self.number(text)
            )
        if name == "name":
            return self.named(field)
        return None

    def number(self, text: str) -> int | str | None:
        """An id, of a thing of the kind that is asked for."""
        if "deleteCampaign" in text:
            return self.world.campaign(self.org, self.name()).id
        if "upsertTargets" in text or "campaign(id: $id)" in text:
            return self.campaign.id
        if "upsertService" in text or "users(" in text:
            return None
        return "d-1234" if "externalId: $id" in text else self.page.id

    def named(self, field: str) -> str:
        """A name, of a thing of the kind that is asked for."""
        if field in ("addActionPage", "updateActionPage"):
            return f"ngo/{self.name()}"
        if field == "deleteActionPage":
            return self.world.page(self.org, self.campaign, f"ngo/{self.name()}").name
        if field == "addCampaign":
            return self.name()
        if "ampaign" in field:
            return self.campaign.name
        named = {"actionPage": pages.get(self.page.id).name, "upsertTemplate": "thanks"}
        return named.get(field, self.org.name)


@pytest.fixture
def scene(world: World, time: SimulatedTime) -> Scene:
    org = world.org("ngo", key=False, email_from="ngo@example.org")
    campaign = world.campaign(org, "bees", public_actions=("share:note",))
    page = world.page(org, campaign, "ngo/bees")
    admin = desk("admin@example.org", perms=ADMIN, ngo=Role.OWNER)
    desk("kim@example.org")
    signed = world.sign(page, email="ida@example.org", opt_in=True)
    world.run()
    time.forward(seconds=120)
    key, _private = keys.generate(org, "spare")
    smtp = {"name": "smtp", "host": "ssl://mail.example.org", "user": "ngo", "password": "secret"}
    assert admin.post("/v1/orgs/ngo/services", smtp).status == 201
    texts = {"subject": "Thanks", "html": "<p>Thanks</p>"}
    assert admin.put("/v1/orgs/ngo/templates/thanks/en", texts).status in (200, 201)
    return Scene(world, org, campaign, page, admin, signed.contact_ref, signed.action, key.id)


def test_every_recorded_document_is_answered(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[tuple[str, str, str, str]] = []
    wrong: list[str] = []
    for document in recorded():
        key = document.client, document.name
        answer = ask(document.document, scene.variables(document), by=scene.admin)
        said = [error["message"] for error in answer.body.get("errors", ())]
        wanted = UNSOUND.get(key) or REFUSED.get(key) or REFUSED.get((document.client, document.used))
        outcome = "answered" if not said else f"refused: {said[0]}"
        rows.append((document.client, document.name, outcome, document.used))
        if answer.status != 200 or (wanted is None and said) or (wanted is not None and wanted not in said):
            wrong.append(f"{document.client} {document.name} ({document.used}): {answer.status} {said}")
    table = [f"{client:20} {name or '-':26} {outcome:70.70} {used:.60}" for client, name, outcome, used in rows]
    with capsys.disabled():
        print("", *table, Counter(row[0] for row in rows), sep="\n")  # noqa: T201 - what it is for
    assert not wrong, "\n".join(wrong)
    assert sum(row[2] == "answered" for row in rows) >= len(rows) - len(UNSOUND) - 3
