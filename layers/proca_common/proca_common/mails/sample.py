"""What a preview of a template is filled with: somebody who signed, made up. Pure."""

from __future__ import annotations

from typing import Any, Final

from proca_common.action_pages.context import PageContext
from proca_common.action_pages.page import ActionPage
from proca_common.actions.store import ActionItem, ContactItem, SupporterItem
from proca_common.campaigns.campaign import Campaign
from proca_common.confirms.links import Links
from proca_common.ids import new_id
from proca_common.mails.choice import MailKind
from proca_common.mails.render import Occasion, Person, variables
from proca_common.orgs.instance import Instance
from proca_common.orgs.org import Org

REF: Final = "c2FtcGxlLWNvbnRhY3QtcmVmLWZvci1wcmV2aWV3cw"
LINKS: Final = Links(*(f"https://example.org/link/{what}" for what in ("accept", "reject", "opt-in", "unsubscribe")))
NUMBERS: Final = {"persons:total": 1234, "type:register": 1300, "type:share": 210, "area:DK": 56}
SOURCE: Final = {
    "source": "newsletter",
    "medium": "email",
    "campaign": "spring",
    "content": "variant-b",
    "location": "https://example.org/sign",
}


def sample_variables(org: Org, kind: MailKind, locale: str, now_ms: int) -> dict[str, Any]:
    """The variables of a mail of this kind to Ida Holm, who signed a page of the org and left a comment."""
    signed = new_id(now_ms, 0)
    page = ActionPage(id=1, name=f"{org.name}/sample", locale=locale, org=org.id, campaign=1)
    campaign = Campaign(id=1, name="sample", title="A sample campaign", org=org.id)
    given: dict[str, Any] = {"id": signed, "org": org.id, "campaign": 1, "page": 1}
    action = ActionItem(
        ref=REF,
        sk="",
        action_type="register",
        with_consent=True,
        testing=False,
        fields={"comment": "Count me in!"},
        source=SOURCE,
        **given,
    )
    contact = ContactItem(ref=REF, sk="", org=org.id, communication_consent=True)
    return variables(
        Occasion(
            kind=kind,
            person=Person("ida.holm@example.org", "Ida", "Holm"),
            action=action,
            supporter=SupporterItem(ref=REF, sk="", area="DK", **given),
            contact=contact,
            context=PageContext(page, campaign, org, org, Instance(org.id, 1, bytes(32)), None),
            rank=0,
            links=LINKS,
            numbers={**NUMBERS, f"org:{org.id}": 789},
        )
    )
