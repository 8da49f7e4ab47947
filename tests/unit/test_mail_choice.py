"""Which mail is due: each row of domain 8.2."""

from __future__ import annotations

from typing import Any

import pytest

from proca_common.actions.status import ActionStatus, Stage
from proca_common.mails.choice import MailKind, due_mail
from tests.unit.test_messages import CAMPAIGN, PAGE, context

CONFIRM, DELIVER, REPEAT, DELIVERED = (
    Stage.SUPPORTER_CONFIRM,
    Stage.DELIVER,
    ActionStatus.REPEAT,
    ActionStatus.DELIVERED,
)
BARE = {"thank_you_template": None, "supporter_confirm_template": None, "duplicate_template": None}
MAILS = {"email_backend": "ses", "email_from": "mail@riverwatch.example.org"}


def chosen(
    stage: Stage,
    status: ActionStatus,
    *,
    org: dict[str, Any] | None = None,
    campaign: dict[str, Any] | None = None,
    **given: Any,
) -> MailKind | None:
    facts = {"with_consent": True, "has_contact": True, "opt_in": None, "confirmed": False}
    facts |= {name: given.pop(name) for name in [*given] if name in facts}
    page = PAGE.model_copy(update={**BARE, **given})
    within = context(page, CAMPAIGN.model_copy(update=campaign or {}), **{**MAILS, **(org or {})})
    return due_mail(stage, status, within, **facts)


@pytest.mark.parametrize("where", ["page", "campaign", "org"])
def test_row_1_of_confirm_a_template_anywhere_asks_for_confirmation(where: str) -> None:
    template = {"supporter_confirm_template": "confirm"}
    given: dict[str, Any] = template if where == "page" else {where: template}

    assert chosen(CONFIRM, ActionStatus.NEW, **given) is MailKind.SUPPORTER_CONFIRM


def test_row_2_of_confirm_no_template_no_mail() -> None:
    assert chosen(CONFIRM, ActionStatus.NEW, thank_you_template="thanks", duplicate_template="again") is None


@pytest.mark.parametrize(
    ("status", "templates", "due"),
    [
        (REPEAT, {"duplicate_template": "again"}, MailKind.DUPLICATE),
        (REPEAT, {"duplicate_template": "again", "thank_you_template": "thanks"}, MailKind.DUPLICATE),
        (REPEAT, {"supporter_confirm_template": "confirm"}, MailKind.SUPPORTER_CONFIRM),
        (REPEAT, {"supporter_confirm_template": "confirm", "thank_you_template": "t"}, MailKind.SUPPORTER_CONFIRM),
        (REPEAT, {"campaign": {"supporter_confirm_template": "confirm"}}, MailKind.SUPPORTER_CONFIRM),
        (REPEAT, {"thank_you_template": "thanks"}, MailKind.THANK_YOU),
        (REPEAT, {}, None),
        (DELIVERED, {"duplicate_template": "again"}, None),
        (DELIVERED, {"supporter_confirm_template": "confirm"}, None),
        (DELIVERED, {"thank_you_template": "thanks", "duplicate_template": "again"}, MailKind.THANK_YOU),
        (DELIVERED, {}, None),
    ],
)
def test_rows_of_deliver(status: ActionStatus, templates: dict[str, Any], due: MailKind | None) -> None:
    assert chosen(DELIVER, status, **templates) is due


def test_who_confirmed_by_a_link_is_not_asked_again() -> None:
    templates = {"supporter_confirm_template": "confirm", "thank_you_template": "thanks"}

    assert chosen(DELIVER, REPEAT, confirmed=True, **templates) is MailKind.THANK_YOU
    assert chosen(DELIVER, REPEAT, confirmed=True, supporter_confirm_template="confirm") is None


@pytest.mark.parametrize("opt_in", [True, False, None])
@pytest.mark.parametrize("only_with_consent", [True, False])
def test_thanks_may_need_consent_to_communication(opt_in: bool | None, only_with_consent: bool) -> None:
    due = chosen(DELIVER, DELIVERED, thank_you_template="t", opt_in=opt_in, org={"doi_thank_you": only_with_consent})

    assert due is (MailKind.THANK_YOU if opt_in or not only_with_consent else None)


def test_thanks_need_a_contact_of_the_page_org() -> None:
    assert chosen(DELIVER, DELIVERED, thank_you_template="thanks", has_contact=False) is None


@pytest.mark.parametrize("missing", [{"email_backend": None}, {"email_from": None}])
@pytest.mark.parametrize("stage", [CONFIRM, DELIVER])
def test_no_mail_without_backend_and_from(missing: dict[str, None], stage: Stage) -> None:
    everything = {"thank_you_template": "t", "supporter_confirm_template": "c", "duplicate_template": "d"}

    assert chosen(stage, REPEAT, org=missing, **everything) is None


@pytest.mark.parametrize("stage", [*Stage])
def test_further_actions_are_never_mailed(stage: Stage) -> None:
    everything = {"thank_you_template": "t", "supporter_confirm_template": "c", "duplicate_template": "d"}

    assert chosen(stage, DELIVERED, with_consent=False, **everything) is None


@pytest.mark.parametrize("stage", sorted(set(Stage) - {CONFIRM, DELIVER}))
def test_no_other_stage_mails(stage: Stage) -> None:
    everything = {"thank_you_template": "t", "supporter_confirm_template": "c", "duplicate_template": "d"}

    assert chosen(stage, DELIVERED, **everything) is None


def test_page_wins_over_campaign_over_org() -> None:
    names = {"supporter_confirm_template": "org"}
    campaign = CAMPAIGN.model_copy(update={"supporter_confirm_template": "campaign"})

    assert context(PAGE.model_copy(update=BARE), CAMPAIGN, **names).confirm_template == "org"
    assert context(PAGE.model_copy(update=BARE), campaign, **names).confirm_template == "campaign"
    assert context(PAGE, campaign, **names).confirm_template == PAGE.supporter_confirm_template


def test_the_orgs_template_is_used_even_where_the_campaign_wants_no_confirmation() -> None:
    org, campaign = {"supporter_confirm_template": "org"}, {"supporter_confirm": False}

    assert chosen(CONFIRM, ActionStatus.NEW, org=org, campaign=campaign) is MailKind.SUPPORTER_CONFIRM
