"""The pages behind links of mails about accounts, where no front end has them: what is asked, and what became of it.

They are in English, as the mails are unless the instance's org has others. Programs use the API instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from aws_lambda_powertools.event_handler import Response

from proca_common.approvals import page
from proca_common.approvals.answers import Reader, problem_of_link, refuse, show
from proca_common.approvals.page import Field
from proca_common.approvals.texts import FALLBACK, LANGUAGES, Ask
from proca_common.errors import NotFound, NotKnown, Taken
from proca_common.failures import Failure, Refused
from proca_common.users.passwords import MAX_LENGTH, MIN_LENGTH

ENGLISH = LANGUAGES[FALLBACK]
PASSWORD_RULES = (
    f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters, among them a lower and an upper case letter and a digit "
    "or one of !?@#$%^&*_"
)
GONE = (
    "This link does not work. Each link works once and for a limited time: maybe it was used before, is too old, or "
    "part of it is missing. You can ask for another mail."
)
TAKEN = "Somebody else uses this address. Nothing has changed."
WRONG = {
    "blank": "Type a password.",
    "too_short": f"The password needs at least {MIN_LENGTH} characters.",
    "too_long": f"The password may have at most {MAX_LENGTH} characters.",
    "lower_case": "The password needs a lower case letter.",
    "upper_case": "The password needs an upper case letter.",
    "digit_or_punctuation": "The password needs a digit or one of !?@#$%^&*_",
    "mismatch": "The two passwords are not the same.",
}
"""What is said to each broken rule of a password."""


@dataclass(frozen=True, slots=True)
class AccountPage:
    """A page behind a link: what it asks, what is to be typed, and what it says once that is done."""

    ask: Ask
    done: str
    fields: tuple[Field, ...] = ()


CONFIRMATION = AccountPage(
    Ask(
        "Confirm your e-mail address",
        "One more click proves that this address of your account is yours.",
        "Confirm my address",
    ),
    "Thank you! Your e-mail address is confirmed.",
)
PASSWORD_RESET = AccountPage(
    Ask("Choose a new password", PASSWORD_RULES, "Save the password"),
    "Your new password is saved. API tokens that you had no longer work.",
    (
        Field("New password", "password", "password", "new-password"),
        Field("The new password again", "passwordConfirmation", "password", "new-password"),
    ),
)
EMAIL_CHANGE = AccountPage(
    Ask(
        "Confirm your new e-mail address",
        "Log in with the address until now. From then on, the new one takes its place.",
        "Log in and change the address",
    ),
    "Thank you! From now on, log in with your new e-mail address.",
    (
        Field("E-mail address until now", "email", "email", "username"),
        Field(ENGLISH.inputs.password, "password", "password", "current-password"),
    ),
)


def ask(asked: AccountPage) -> Response[str]:
    """The page with its form; nothing has changed."""
    return _form(asked, 200)


def tell(asked: AccountPage) -> Response[str]:
    """It is done."""
    return _told(200, asked.done)


def refused(asked: AccountPage, reader: Reader, error: Exception) -> Response[str]:
    """What is wrong: with the form again, where another try may be right.

    403 for a wrong password: 401 would have to name a header, which this page takes no password from, and browsers
    would ask for it by themselves.
    """
    match error:
        case Refused():
            return _form(asked, 422, *dict.fromkeys(map(_said, error.failures)))
        case NotKnown():
            return _form(asked, 403, ENGLISH.not_known)
        case NotFound():
            return _told(404, GONE)
        case Taken():
            return _told(409, TAKEN)
        case _:
            return refuse(reader, problem_of_link(error))


def _form(asked: AccountPage, status: int, *wrong: str) -> Response[str]:
    return show(status, page.filling_in(FALLBACK, asked.ask, asked.fields, wrong))


def _told(status: int, text: str) -> Response[str]:
    return show(status, page.telling(FALLBACK, text))


def _said(failure: Failure) -> str:
    return WRONG.get(failure.code, f"The password {failure.message}.")
