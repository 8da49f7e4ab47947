"""What mails to staff say where the instance's org has no template of that name, so that none is lost.

The reference logs such a mail and sends nothing. These are in English; a template of the same name takes their place.
"""

from __future__ import annotations

from collections.abc import Mapping

from proca_common.mails.templates import EmailTemplateInput
from proca_common.pipes.orders import StaffMail

LOCALE = "en"


def _template(mail: StaffMail, subject: str, *paragraphs: str) -> EmailTemplateInput:
    html = "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return EmailTemplateInput(name=mail.value, locale=LOCALE, subject=subject, html=html)


def _button(link: str, text: str) -> str:
    return f'<a href="{{{{{link}}}}}">{text}</a>'


_MESSAGE = "{{#message}}They write: {{message}}{{/message}}"
_AGREE = f"{_button('acceptLink', 'Accept')} or {_button('rejectLink', 'reject')}"

DEFAULTS: Mapping[StaffMail, EmailTemplateInput] = {
    StaffMail.CONFIRM_EMAIL: _template(
        StaffMail.CONFIRM_EMAIL,
        "Confirm your e-mail address",
        "Somebody, most likely you, made an account with this e-mail address.",
        f"{_button('confirmLink', 'Confirm the address')}. The link works for 7 days.",
        "If it was not you, do nothing.",
    ),
    StaffMail.EXISTS: _template(
        StaffMail.EXISTS,
        "You have an account already",
        "Somebody, most likely you, wanted to make an account with this e-mail address, which has one already. "
        "Nothing was changed.",
        "If you forgot the password, ask for a new one. If it was not you, do nothing.",
    ),
    StaffMail.RESET_PASSWORD: _template(
        StaffMail.RESET_PASSWORD,
        "Choose a new password",
        "Somebody, most likely you, asked for a new password for your account.",
        f"{_button('confirmLink', 'Choose a new password')}. The link works for one day, once.",
        "If it was not you, do nothing: the password stays as it is.",
    ),
    StaffMail.CHANGE_EMAIL: _template(
        StaffMail.CHANGE_EMAIL,
        "Confirm your new e-mail address",
        "This is to become the e-mail address of your account.",
        f"{_button('confirmLink', 'Confirm the address')}. The link works for 7 days, once you are logged in.",
        "If this is not your account, do nothing.",
    ),
    StaffMail.ADD_STAFFER: _template(
        StaffMail.ADD_STAFFER,
        "You are invited to {{org.title}}",
        "{{#creator.email}}{{creator.email}} invites you{{/creator.email}}{{^creator.email}}You are invited"
        "{{/creator.email}} to work with {{org.title}}.",
        _MESSAGE,
        _AGREE,
    ),
    StaffMail.LAUNCH_PAGE: _template(
        StaffMail.LAUNCH_PAGE,
        "{{org.title}} asks to launch a page of {{campaign.title}}",
        "{{org.title}} has a page for {{campaign.title}} and asks you to launch it.",
        _MESSAGE,
        _AGREE,
    ),
    StaffMail.ADD_PARTNER: _template(
        StaffMail.ADD_PARTNER,
        "You are invited to take part in a campaign",
        "You are invited to have a page of your own in a campaign.",
        _MESSAGE,
        _AGREE,
    ),
    StaffMail.UNREAD_QUEUE: _template(
        StaffMail.UNREAD_QUEUE,
        "Nobody reads the queue {{queue}} of {{org.title}}",
        "The oldest message in the queue {{queue}} of {{org.title}} has been waiting for {{hours}} hours. What is not "
        "read within 10 days is lost.",
        "Look after the program that reads it. This mail comes once a day for as long as nothing is read; the setting "
        "queueNoticeHours of the org says after how many hours, and 0 that nobody wants to know.",
    ),
}
