"""Which mail a signature is due at a stage: table 8.2 of the domain. Pure."""

from __future__ import annotations

from enum import StrEnum

from proca_common.action_pages.context import PageContext
from proca_common.actions.status import ActionStatus, Stage


class MailKind(StrEnum):
    """A mail to a supporter."""

    SUPPORTER_CONFIRM = "supporter_confirm"
    THANK_YOU = "thank_you"
    DUPLICATE = "duplicate"
    REMINDER = "reminder"


def due_mail(
    stage: Stage,
    status: ActionStatus,
    context: PageContext,
    *,
    with_consent: bool,
    has_contact: bool,
    opt_in: bool | None,
    confirmed: bool,
) -> MailKind | None:
    """The first row that holds; None: no mail.

    `status` is the action's after this stage. `has_contact` and `opt_in` are of the page org's contact of the
    supporter, `confirmed` says whether the supporter accepted by a link: whoever did need not do it again. Only the
    page org mails (decision 20 of domain 15), and only to who sent a contact.
    """
    if not with_consent or not context.may_mail(stage):
        return None
    page = context.page
    if stage is Stage.SUPPORTER_CONFIRM:
        return MailKind.SUPPORTER_CONFIRM
    if status is ActionStatus.REPEAT and page.duplicate_template:
        return MailKind.DUPLICATE
    if status is ActionStatus.REPEAT and context.confirm_template and not confirmed:
        return MailKind.SUPPORTER_CONFIRM
    if page.thank_you_template and has_contact and (opt_in is True or not context.org.doi_thank_you):
        return MailKind.THANK_YOU
    return None
