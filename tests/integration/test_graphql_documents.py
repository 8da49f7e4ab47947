"""Every document that is recorded of a client in use is sound for the schema that is served, and is answered."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import FieldNode, GraphQLError, OperationDefinitionNode, parse

from proca_common.action_pages import store as pages
from proca_common.action_pages.page import ActionPage
from proca_common.aws import clock
from proca_common.campaigns.campaign import Campaign
from proca_common.orgs import keys, services
from proca_common.orgs.org import Org
from proca_common.orgs.services import ServiceInput, ServiceName
from proca_common.payments import stripe as at_stripe
from proca_common.users.permissions import ADMIN, Role
from tests.desks import Desk, desk
from tests.graphql import Recorded, ask, data, recorded
from tests.simulated import SimulatedTime
from tests.stripe import KEY, StripeStub, stripe_stub
from tests.world import Answer, World

UNSOUND = {
    ("widget", "getLatest"): "Syntax Error: Expected '$', found Name 'limit'.",
    ("widget builder", "GetTarget"): "Cannot query field 'target' on type 'RootQueryType'.",
    ("widget builder", "upsertTemplate"): "Variable '$id' is not defined by operation 'upsertTemplate'.",
    ("widget builder", "news"): "The subscription operation is not supported by the schema.",
}
"""Documents that no schema can serve, and what is said of them."""
REFUSED = {("command line, newer", "template external"): "templates of providers are not supported"}
"""What is refused here for a reason that is said, by what sends it: a template that only a provider of mails has."""
CUSTOMER = {"name": "Bo Lind", "email": "bo@example.org", "address": {"country": "DK", "postal_code": "2100"}}
PAYMENT = {"amount": 1500, "currency": "EUR", "setup_future_usage": "off_session", "customer": "cus_1"}
MONTHLY = {
    "payment_behavior": "default_incomplete",
    "metadata": {},
    "customer": "cus_1",
    "items": [
        {
            "price_data": {
                "unit_amount": 500,
                "currency": "EUR",
                "product": "prod_1",
                "recurring": {"interval": "month", "interval_count": 1},
            }
        }
    ],
    "expand": ["latest_invoice.payment_intent"],
}
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
            "customer": None if "$paymentIntent" in text else json.dumps(CUSTOMER),
            "paymentIntent": json.dumps(PAYMENT),
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
def stripe(monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeStub]:
    monkeypatch.setattr(clock, "sleep_ms", lambda _: None)
    with stripe_stub() as made:
        yield made
        at_stripe._pool().clear()


@pytest.fixture
def scene(world: World, time: SimulatedTime, stripe: StripeStub) -> Scene:
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
    services.add(org.id, ServiceInput(name=ServiceName.STRIPE, host=stripe.url), KEY)
    texts = {"subject": "Thanks", "html": "<p>Thanks</p>"}
    assert admin.put("/v1/orgs/ngo/templates/thanks/en", texts).status in (200, 201)
    return Scene(world, org, campaign, page, admin, signed.contact_ref, signed.action, key.id)


def test_every_recorded_document_is_answered(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    outcomes: Counter[str] = Counter()
    lines: list[str] = []
    wrong: list[str] = []
    client = ""
    for document in recorded():
        answer = ask(document.document, scene.variables(document), by=scene.admin)
        said = [error["message"] for error in answer.body.get("errors", ())][:1]
        unsound = UNSOUND.get((document.client, document.name))
        wanted = unsound or REFUSED.get((document.client, document.used))
        outcome = "for no schema" if unsound else "refused" if said else "answered"
        outcomes[outcome] += 1
        if document.client != client:
            client = document.client
            lines += ["", f"{client}: what of it sends the document, its root fields, and what became of it"]
        lines.append(
            f"  {document.used:48.48} {roots(document):28.28} {outcome}{''.join(f': {text}' for text in said)}"
        )
        answered = [value for value in (answer.body.get("data") or {"": None}).values() if value is not None]
        if answer.status != 200 or said != ([] if wanted is None else [wanted]) or bool(answered) is bool(said):
            wrong.append(f"{document.client} {document.name} ({document.used}): {answer.status} {answer.body}")
    with capsys.disabled():
        print(*lines, "", f"{outcomes.total()} documents: {dict(outcomes)}", sep="\n")  # noqa: T201 - what it is for
    assert not wrong, "\n".join(wrong)
    assert outcomes == {"answered": 106, "refused": 1, "for no schema": 4}


def roots(document: Recorded) -> str:
    """The root fields of a document, as far as it is one."""
    try:
        [operation, *_] = parse(document.document).definitions
    except GraphQLError:
        return "-"
    assert isinstance(operation, OperationDefinitionNode)
    return " ".join(field.name.value for field in operation.selection_set.selections if isinstance(field, FieldNode))


def test_a_donation_is_prepared_as_the_widget_does_it(scene: Scene, stripe: StripeStub) -> None:
    create, pay = [each.document for each in recorded() if each.name == "addStripeObject"]

    def made(document: str, **given: Any) -> dict[str, Any]:
        asked = {"actionPageId": scene.page.id, **{name: json.dumps(value) for name, value in given.items()}}
        shown: dict[str, Any] = json.loads(data(ask(document, asked))["addStripeObject"])
        return shown

    customer = made(create, customer=CUSTOMER)["id"]
    once = made(pay, paymentIntent={**PAYMENT, "customer": customer})
    assert once["client_secret"]
    monthly = made(pay, subscription={**MONTHLY, "customer": customer})
    assert monthly["id"]
    assert monthly["latest_invoice"]["payment_intent"]["client_secret"]
    assert [asked.form.get("customer") for asked in stripe.asked] == [None, customer, customer]


class TestSignatures:
    """What the widget sends with the one document by which everybody signs."""

    def sign(self, scene: Scene, **given: Any) -> Answer:
        [document] = [each for each in recorded() if (each.client, each.name) == ("widget", "addActionContact")]
        return ask(document.document, {**scene.variables(document), **given})

    @pytest.mark.parametrize(
        "donation",
        [
            {"amount": 1500, "currency": "EUR", "payload": '{"provider": "sepa", "iban": "x"}'},
            {"amount": 500, "currency": "EUR", "frequencyUnit": "MONTHLY", "payload": '{"provider": "stripe"}'},
            {"amount": 500, "currency": "EUR", "frequency_unit": "ONE_OFF", "payload": '{"provider": "paypal"}'},
        ],
    )
    def test_donations(self, scene: Scene, donation: dict[str, Any]) -> None:
        action = {"actionType": "donate", "customFields": "{}", "donation": donation}
        assert data(self.sign(scene, action=action))["addActionContact"]["contactRef"]

    @pytest.mark.parametrize(
        "given",
        [
            {"privacy": {}},
            {"action": {"actionType": "register", "customFields": "{}", "testing": True}},
            {"contact": {"firstName": "Bo", "email": "bo@example.org", "birthDate": "1990-01-31"}},
            {"contactRef": "w3XlXuRDxGeDBnPDvqKbPD_HG8eMvNnPcDPIPDIi-WA"},
            {"tracking": {"source": "a", "medium": "b", "campaign": "c", "location": "https://example.org/x"}},
        ],
    )
    def test_signatures(self, scene: Scene, given: dict[str, Any]) -> None:
        signed = data(self.sign(scene, **given))["addActionContact"]
        assert (len(signed["contactRef"]), signed["firstName"]) == (43, "Bo")

    @pytest.mark.parametrize(
        "action",
        [
            {"actionType": "email", "customFields": '[{"id": 1}]'},
            {"actionType": "donate", "donation": {"amount": 1, "frequencyUnit": "YEARLY", "payload": "{}"}},
        ],
    )
    def test_what_the_reference_refuses_is_refused_before_anything_is_done(
        self, scene: Scene, action: dict[str, Any]
    ) -> None:
        answer = self.sign(scene, action=action)
        assert (answer.status, answer.body.keys()) == (200, {"errors"})
        assert [error.keys() for error in answer.body["errors"]] == [{"message", "locations"}]
