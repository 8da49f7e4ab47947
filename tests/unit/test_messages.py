"""The message `proca:action:2`, exactly as in the examples of domain 5.1 and as design 6 and 7 change them."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proca_common.action_pages.context import PageContext
from proca_common.action_pages.page import ActionPage
from proca_common.actions.fields import UNSENDABLE
from proca_common.actions.status import Stage
from proca_common.actions.store import ActionItem, ContactItem, SupporterItem
from proca_common.campaigns.campaign import Campaign
from proca_common.confirms.links import Links
from proca_common.ids import new_id
from proca_common.orgs.encryption import from_text
from proca_common.orgs.instance import Instance
from proca_common.orgs.org import Org
from proca_common.stages.messages import NotReadable, action_message, outgoing
from tests.messages import valid_action

REF = "TdyhfY5aA9fGs-SOOzvV13YNtrI5eYhimbg-2jHd5Jo"


def id_at(moment: str) -> int:
    return new_id(round(datetime.fromisoformat(moment).timestamp() * 1000) + 250, 7)


SIGNED, DONATED = id_at("2025-03-04T09:12:33Z"), id_at("2025-03-04T09:20:01Z")
RIVERWATCH = Org(id=8, name="riverwatch", title="River Watch", encryption="clear")
LEAD = Org(
    id=3, name="eurorivers", title="Euro Rivers", encryption="encrypted", supporter_confirm_template="lead_confirm"
)
CAMPAIGN = Campaign(id=27, name="clean_rivers", title="Clean rivers now", org=8, external_id=5501)
PAGE = ActionPage(
    id=314,
    name="riverwatch.example/sign",
    locale="en_GB",
    org=8,
    campaign=27,
    thank_you_template="rw_thanks",
    supporter_confirm_template="rw_confirm",
)
TRACKING = {
    "source": "newsletter",
    "medium": "email",
    "campaign": "spring",
    "content": "variant-b",
    "location": "https://riverwatch.example/sign",
}
PAYLOAD = {
    "firstName": "Mara",
    "lastName": "Lind",
    "email": "mara.lind@example.org",
    "phone": "+46 70 000 00 00",
    "country": "SE",
    "postcode": "114 55",
    "area": "SE",
    "address": {"region": None, "locality": "Stockholm", "street": "Storgatan", "streetNumber": "3"},
}


def context(page: ActionPage = PAGE, campaign: Campaign = CAMPAIGN, lead: Org = RIVERWATCH, **org: Any) -> PageContext:
    changed = RIVERWATCH.model_copy(update=org)
    lead = changed if lead is RIVERWATCH else lead
    parts = {"page": page, "campaign": campaign, "org": changed, "lead": lead, "instance": Instance(1, 1, bytes(32))}
    no_message_reads = {field.name for field in fields(PageContext)} - parts.keys()
    return PageContext(**parts, **dict.fromkeys(no_message_reads))  # type: ignore[arg-type]


def action(identifier: int = SIGNED, **changes: Any) -> ActionItem:
    fields = {"comment": "My kids swim here", "hobby_list": ["canoe", "fishing"], "age": 41}
    given = {"action_type": "register", "with_consent": True, "testing": False, "fields": fields, "source": TRACKING}
    return ActionItem(REF, f"A#{identifier:016}", id=identifier, status="accepted", **given | changes)


def supporter(**changes: Any) -> SupporterItem:
    return SupporterItem(REF, f"S#8#{SIGNED:016}", id=SIGNED, **{"area": "SE"} | changes)


def clear_contact(org: int = 8, opt_in: bool | None = True) -> ContactItem:
    return ContactItem(REF, f"C#{SIGNED:016}#{org}", org=org, communication_consent=opt_in, clear=json.dumps(PAYLOAD))


def boxed_contact(org: int = 8, opt_in: bool | None = None) -> ContactItem:
    """Vector 16.2."""
    return ContactItem(
        REF,
        f"C#{SIGNED:016}#{org}",
        org=org,
        communication_consent=opt_in,
        payload=from_text("jYY9tgIdBI5JuUHwXV16pWnXvTAoTgmcmJ8kIcVgW9wbbzYqQdbCVIf2aaKAPmwtTAxSS0UCND2buxGuIHJM"),
        nonce=from_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"),
        key_id=61,
        key_public=from_text("WGmv9FBUlzLLqu1eXfmzCm2jHLDldCutWtShp2jxpns"),
        sign_id=1,
        sign_public=from_text("B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9_AsrhtHHw"),
    )


def sent(
    done: ActionItem,
    contact: ContactItem | None,
    by: SupporterItem | None = None,
    within: PageContext | None = None,
    stage: Stage = Stage.DELIVER,
    rank: int = 0,
) -> dict[str, Any]:
    """The body of the message as a consumer reads it."""
    message = action_message(stage, done, by or supporter(), contact, within or context(), rank)
    return valid_action(json.loads(outgoing(message, RIVERWATCH).body))


PLAIN_EXAMPLE = {
    "schema": "proca:action:2",
    "stage": "deliver",
    "actionId": SIGNED,
    "actionPageId": 314,
    "actionPage": {
        "locale": "en_GB",
        "name": "riverwatch.example/sign",
        "thankYouTemplate": "rw_thanks",
        "thankYouTemplateRef": None,
        "supporterConfirmTemplate": "rw_confirm",
    },
    "campaignId": 27,
    "campaign": {
        "name": "clean_rivers",
        "title": "Clean rivers now",
        "externalId": 5501,
        "contactSchema": "basic",
    },
    "orgId": 8,
    "org": {"name": "riverwatch", "title": "River Watch"},
    "action": {
        "actionType": "register",
        "createdAt": "2025-03-04T09:12:33Z",
        "testing": False,
        "customFields": {"comment": "My kids swim here", "hobby_list": ["canoe", "fishing"], "age": 41},
    },
    "contact": {
        "firstName": "Mara",
        "lastName": "Lind",
        "email": "mara.lind@example.org",
        "contactRef": REF,
        "dupeRank": 0,
        "area": "SE",
        "country": "SE",
        "postcode": "114 55",
        "phone": "+46 70 000 00 00",
        "address": {"region": None, "locality": "Stockholm", "street": "Storgatan", "streetNumber": "3"},
    },
    "personalInfo": None,
    "privacy": {
        "optIn": True,
        "givenAt": "2025-03-04T09:12:33Z",
        "emailStatus": None,
        "emailStatusChanged": None,
        "withConsent": True,
    },
    "tracking": TRACKING,
}


def test_plain_contact() -> None:
    assert sent(action(), clear_contact()) == PLAIN_EXAMPLE


def test_encrypted_contact_of_a_further_action_without_tracking() -> None:
    changed = round(datetime.fromisoformat("2025-03-04T09:18:40Z").timestamp())
    found = sent(
        action(DONATED, action_type="donate", with_consent=False, fields=None, source=None),
        boxed_contact(),
        supporter(email_status="double_opt_in", email_status_changed=changed),
        context(
            PAGE.model_copy(update={"thank_you_template": None, "supporter_confirm_template": None}),
            CAMPAIGN.model_copy(update={"external_id": None}),
        ),
    )
    assert found == {
        "schema": "proca:action:2",
        "stage": "deliver",
        "actionId": DONATED,
        "actionPageId": 314,
        "actionPage": {
            "locale": "en_GB",
            "name": "riverwatch.example/sign",
            "thankYouTemplate": None,
            "thankYouTemplateRef": None,
            "supporterConfirmTemplate": None,
        },
        "campaignId": 27,
        "campaign": {
            "name": "clean_rivers",
            "title": "Clean rivers now",
            "externalId": None,
            "contactSchema": "basic",
        },
        "orgId": 8,
        "org": {"name": "riverwatch", "title": "River Watch"},
        "action": {
            "actionType": "donate",
            "createdAt": "2025-03-04T09:20:01Z",
            "testing": False,
            "customFields": {},
        },
        # design 7.1: an org with a key finds name and address in personalInfo alone
        "contact": {"firstName": None, "email": None, "contactRef": REF, "dupeRank": 0, "area": "SE"},
        "personalInfo": {
            "payload": "jYY9tgIdBI5JuUHwXV16pWnXvTAoTgmcmJ8kIcVgW9wbbzYqQdbCVIf2aaKAPmwtTAxSS0UCND2buxGuIHJM",
            "nonce": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
            "encryptKey": {"id": 61, "public": "WGmv9FBUlzLLqu1eXfmzCm2jHLDldCutWtShp2jxpns"},
            "signKey": {"id": 1, "public": "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9_AsrhtHHw"},
        },
        "privacy": {
            "optIn": None,
            "givenAt": "2025-03-04T09:12:33Z",
            "emailStatus": "double_opt_in",
            "emailStatusChanged": "2025-03-04T09:18:40Z",
            "withConsent": False,
        },
        "tracking": None,
    }


@pytest.mark.parametrize("opt_in", [True, False, None])
def test_the_leads_copy_has_the_page_org_as_org_and_its_own_consent(opt_in: bool | None) -> None:
    within = context(campaign=CAMPAIGN.model_copy(update={"org": LEAD.id}), lead=LEAD)
    message = action_message(Stage.DELIVER, action(), supporter(), boxed_contact(LEAD.id, opt_in), within, 2)
    to_lead = outgoing(message, LEAD)
    body = valid_action(json.loads(to_lead.body))
    assert (body["orgId"], body["org"]) == (8, {"name": "riverwatch", "title": "River Watch"})
    assert (body["privacy"]["optIn"], body["contact"]["dupeRank"]) == (opt_in, 2)
    assert to_lead.id == to_lead.attributes["MessageId"] == f"{SIGNED}.deliver.3"
    assert to_lead.attributes["OrgName"] == "riverwatch"


@pytest.mark.parametrize("stage", [Stage.SUPPORTER_CONFIRM, Stage.ACTION_CONFIRM])
def test_without_a_contact_all_personal_data_is_null(stage: Stage) -> None:
    found = sent(action(), None, stage=stage)
    assert found["contact"] == {"firstName": None, "email": None, "contactRef": REF, "dupeRank": 0, "area": "SE"}
    assert found["personalInfo"] is None
    assert (found["privacy"]["optIn"], found["privacy"]["givenAt"]) == (None, None)
    assert found["stage"] == stage.value


def test_late_is_there_and_true_or_not_there() -> None:
    assert sent(action(late=True), clear_contact())["action"]["late"] is True
    assert "late" not in sent(action(), clear_contact())["action"]


def test_a_sealed_contact_cannot_be_read_yet() -> None:
    sealed = ContactItem(REF, "C#1#8", org=8, communication_consent=True, sealed=b"x")
    with pytest.raises(NotReadable):
        action_message(Stage.DELIVER, action(), supporter(), sealed, context(), 0)


@pytest.mark.parametrize(
    ("page", "campaign", "org", "effective"),
    [
        ("of_page", "of_campaign", "of_org", "of_page"),
        (None, "of_campaign", "of_org", "of_campaign"),
        (None, None, "of_org", "of_org"),
        (None, None, None, None),
    ],
)
def test_the_confirm_template_is_the_pages_else_the_campaigns_else_the_orgs(
    page: str | None, campaign: str | None, org: str | None, effective: str | None
) -> None:
    within = context(
        PAGE.model_copy(update={"supporter_confirm_template": page}),
        CAMPAIGN.model_copy(update={"supporter_confirm_template": campaign, "org": LEAD.id}),
        LEAD,
        supporter_confirm_template=org,
    )
    assert sent(action(), clear_contact(), within=within)["actionPage"]["supporterConfirmTemplate"] == effective


def test_consent_was_given_with_the_signature_also_for_what_came_later() -> None:
    assert sent(action(DONATED, with_consent=False), clear_contact())["privacy"]["givenAt"] == "2025-03-04T09:12:33Z"


def test_an_unknown_area_is_null() -> None:
    payload = {"firstName": "Mara", "email": "mara.lind@example.org"}
    contact = ContactItem(REF, "C#1#8", org=8, communication_consent=None, clear=json.dumps(payload))
    found = sent(action(), contact, supporter(area=None))["contact"]
    assert found == {**payload, "contactRef": REF, "dupeRank": 0, "area": None}


SENDABLE = st.text(max_size=10).filter(lambda text: not UNSENDABLE.search(text))
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = SENDABLE | st.booleans() | NUMBERS | st.lists(SENDABLE, max_size=3) | st.lists(NUMBERS, max_size=3)


@given(st.dictionaries(SENDABLE, VALUES, max_size=4))
def test_custom_fields_pass_through_unchanged(fields: dict[str, Any]) -> None:
    found = sent(action(fields=fields), clear_contact())["action"]["customFields"]
    assert found == fields
    assert list(found) == list(fields)
    for name, value in fields.items():
        assert type(found[name]) is type(value)


class TestAttributes:
    def test_of_an_action(self) -> None:
        message = action_message(Stage.DELIVER, action(testing=True), supporter(), clear_contact(), context(), 0)
        made = outgoing(message, RIVERWATCH)
        assert made.attributes == {
            "Schema": "proca:action:2",
            "Stage": "deliver",
            "CampaignName": "clean_rivers",
            "ActionType": "register",
            "OrgName": "riverwatch",
            "Testing": "true",
            "MessageId": f"{SIGNED}.deliver.8",
        }
        assert (made.id, made.group) == (f"{SIGNED}.deliver.8", "27")

    @pytest.mark.parametrize("stage", [Stage.SUPPORTER_CONFIRM, Stage.ACTION_CONFIRM, Stage.DELIVER])
    @pytest.mark.parametrize("contact", [clear_contact(), boxed_contact(), None], ids=["clear", "boxed", "none"])
    def test_at_most_ten_never_empty_and_the_same_at_every_repetition(
        self, stage: Stage, contact: ContactItem | None
    ) -> None:
        message = action_message(stage, action(fields=None, source=None), supporter(), contact, context(), 0)
        made = outgoing(message, RIVERWATCH)
        assert len(made.attributes) <= 10
        assert all(made.attributes.values())
        assert made.id == outgoing(message, RIVERWATCH).id == f"{SIGNED}.{stage.value}.8"


LINKS = Links(*(f"https://api.example.org/link/{what}" for what in ("accept", "reject", "opt-in", "unsubscribe")))


def test_an_org_that_mails_itself_gets_the_links_to_put_in() -> None:
    message = action_message(Stage.SUPPORTER_CONFIRM, action(), supporter(), None, context(), 0, LINKS)
    body = valid_action(json.loads(outgoing(message, RIVERWATCH).body))
    assert body["links"] == {
        "accept": "https://api.example.org/link/accept",
        "reject": "https://api.example.org/link/reject",
        "doubleOptIn": "https://api.example.org/link/opt-in",
    }


@pytest.mark.parametrize("stage", [Stage.ACTION_CONFIRM, Stage.DELIVER])
def test_nobody_else_gets_links_of_the_supporter(stage: Stage) -> None:
    message = action_message(stage, action(), supporter(), None, context(), 0, LINKS)
    assert "links" not in valid_action(json.loads(outgoing(message, RIVERWATCH).body))
