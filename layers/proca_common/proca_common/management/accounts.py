"""What people do to their own account (domain 12.4, 12.5).

Whether an address has an account is told to nobody who does not prove to own it: registering, asking for the mail again
and asking for a new password are answered the same, after the same calls, and all else is in the mail.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from proca_common.aws import clock
from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import Unavailable
from proca_common.catalog import happenings, items
from proca_common.catalog.given import patched
from proca_common.errors import InUse, NotFound, Taken
from proca_common.failures import Failure, Refused
from proca_common.management.access import Seen
from proca_common.management.audit import Change, record
from proca_common.orgs import encryption
from proca_common.orgs import instance as instances
from proca_common.orgs import store as orgs
from proca_common.pipes.orders import StaffMail, StaffMailOrder
from proca_common.pipes.publish import send
from proca_common.users import store, tokens
from proca_common.users.input import (
    AddressInput,
    ApiTokenInput,
    EmailChangeInput,
    PasswordChangeInput,
    PasswordInput,
    RegistrationInput,
    account_input,
)
from proca_common.users.passwords import hashed
from proca_common.users.permissions import CUSTOM, Permission, role_of
from proca_common.users.tokens import API, API_VALID_MS, CHANGE, CONFIRM, RESET, Token
from proca_common.users.user import Caller, Profile, User

MAX_API_TOKENS = 20
MAIL_MS = 10_000
Json = dict[str, Any]
Knows = Callable[[str, str], bool]
"""Whether this is the password of the user with this address; may raise `TooMany`."""


@dataclass(frozen=True, slots=True)
class Post:
    """The way to the mail queue."""

    queue_url: str

    def order(self, mail: StaffMail, email: str, user: int | None = None) -> None:
        """Order a mail to this address. Raises `Unavailable` where the queue does not take it."""
        instance = instances.get()
        sealed = encryption.to_text(encryption.seal(email.encode(), instance.sealing_public))
        order = StaffMailOrder(mail=mail, key=secrets.token_hex(16), org=instance.org, user=user, sealed=sealed)
        if send(self.queue_url, [order.outgoing()], clock.now_ms() + MAIL_MS):
            raise Unavailable("the mail queue")


# --- without saying who one is


def register(given: Mapping[str, Any], post: Post) -> None:
    """A new account, and a mail to prove the address; where it has one already, its owner is told. Raises `Refused`."""
    wanted = account_input(RegistrationInput, given)
    mail, password = StaffMail.CONFIRM_EMAIL, hashed(wanted.password)
    try:
        store.create(wanted.email, password, along=lambda write, user: happenings.new_user(write, user.email))
    except Taken:
        mail = StaffMail.EXISTS
    post.order(mail, wanted.email)


def ask_to_confirm(given: Mapping[str, Any], post: Post) -> None:
    """Send the mail that proves the address again, if there is such an account and it was not proven yet."""
    post.order(StaffMail.CONFIRM_EMAIL, account_input(AddressInput, given).email)


def ask_for_password(given: Mapping[str, Any], post: Post) -> None:
    """Send a mail that lets choose a new password, if there is such an account."""
    post.order(StaffMail.RESET_PASSWORD, account_input(AddressInput, given).email)


def check_token(context: str, text: str) -> None:
    """Raise `NotFound` unless this token would do what it was mailed for; nothing changes."""
    _found(context, text)


def confirm(text: str) -> None:
    """Who has this token proved the address. Raises `NotFound`, whatever is wrong with the token."""
    token, user = _found(CONFIRM, text)
    _change(replace(user, confirmed=True), "user.confirm", token)
    for other in tokens.of_user(user.id, CONFIRM):
        tokens.remove(other)


def reset_password(text: str, given: Mapping[str, Any]) -> None:
    """A new password for who has this token, which also proves the address; all tokens are void. Raises `NotFound`,
    `Refused`.
    """
    token, user = _found(RESET, text)
    password = hashed(account_input(PasswordInput, given).password)
    changed = replace(user, confirmed=True, tokens_since_ms=clock.now_ms())
    _change(changed, "user.reset_password", token, password)


# --- as oneself


def shown(caller: Caller) -> Json:
    """The caller as `GET /v1/account` shows it (domain 12.7, currentUser)."""
    keys = [orgs.org_key(org) for org in caller.staff]
    found = [item for item in items.read_many(keys).values() if isinstance(item, orgs.OrgItem)] if keys else []
    known = sorted((orgs.to_org(item) for item in found), key=lambda org: org.name.lower())
    roles = [{"org": org.name, "role": role_of(caller.staff[org.id]) or CUSTOM} for org in known]
    return {**shown_user(caller.user), "roles": roles}


def shown_user(user: User) -> Json:
    """A user, as the user and who manages users may see it."""
    return {
        "id": user.id,
        "email": user.email,
        **user.profile.model_dump(by_alias=True),
        "isAdmin": bool(user.perms & Permission.INSTANCE_OWNER),
        "confirmed": user.confirmed,
    }


def change_profile(caller: Caller, patch: Mapping[str, Any], seen: Seen) -> User:
    """Another profile. Raises `Refused`, `Outdated`."""
    seen(caller.user.version)
    return _change(replace(caller.user, profile=patched(caller.user.profile, Profile, patch)), "user.update")


def change_password(caller: Caller, given: Mapping[str, Any], knows: Knows) -> None:
    """Another password, which makes all tokens void. Raises `Refused`, `TooMany`."""
    wanted = account_input(PasswordChangeInput, given)
    _check(wanted.current_password, caller, knows)
    changed = replace(caller.user, tokens_since_ms=clock.now_ms())
    _change(changed, "user.change_password", password=hashed(wanted.password))


def ask_for_email(caller: Caller, given: Mapping[str, Any], knows: Knows, post: Post) -> None:
    """A mail that proves the new address; whether somebody else has it is not told. Raises `Refused`, `TooMany`."""
    wanted = account_input(EmailChangeInput, given)
    _check(wanted.current_password, caller, knows)
    if wanted.email.lower() == caller.user.email.lower():
        raise Refused([Failure("/email", "unchanged", "did not change")])
    post.order(StaffMail.CHANGE_EMAIL, wanted.email, caller.user.id)


def change_email(caller: Caller, text: str) -> User:
    """The address that this token was mailed to becomes the caller's, and is proven. Raises `NotFound`, `Taken`."""
    token, user = _found(CHANGE, text)
    if token.user != caller.user.id or token.sent_to is None:
        raise NotFound("token")
    return _change(replace(user, email=token.sent_to, confirmed=True), "user.change_email", token)


def api_tokens(caller: Caller) -> list[Json]:
    """The caller's API tokens that still hold, the newest first."""
    return [shown_token(token) for token in _api_tokens(caller)]


def add_api_token(caller: Caller, given: Mapping[str, Any]) -> Json:
    """A new API token; its text is told here and never again. Raises `Refused`, `InUse`."""
    wanted = account_input(ApiTokenInput, given)
    if len(_api_tokens(caller)) >= MAX_API_TOKENS:
        raise InUse(f"there are {MAX_API_TOKENS} tokens already")
    secret, user = tokens.new_api_secret(), caller.user.id
    org = instances.get().org

    def along(transaction: Transaction) -> None:
        record(transaction, Change(user, org, "token.create", f"user#{user}", {}, {"name": wanted.name}))

    token = tokens.add(user, API, secret, API_VALID_MS, name=wanted.name, along=along)
    return {**shown_token(token), "token": tokens.text_of(secret)}


def remove_api_token(caller: Caller, number: str) -> None:
    """Make an API token void. Raises `NotFound`."""
    token = next((each for each in _api_tokens(caller) if each.id == number), None)
    if token is None:
        raise NotFound("token")
    user, org = caller.user.id, instances.get().org

    def along(transaction: Transaction) -> None:
        record(transaction, Change(user, org, "token.delete", f"user#{user}", {"name": token.name}, {}))

    tokens.remove(token, along)


def shown_token(token: Token) -> Json:
    """A token, as its user sees it."""
    return {
        "id": token.id,
        "name": token.name,
        "createdAt": _moment(token.made_ms),
        "lastUsedAt": None if token.used_ms is None else _moment(token.used_ms),
        "expiresAt": _moment(token.expires_ms),
    }


# --- who manages users


def listed(caller: Caller, after: int, limit: int, email: str | None) -> list[User]:
    """Users by their numbers, after this one; with `email` those whose address holds it, in any case of letters."""
    caller.must_be(Permission.MANAGE_USERS)
    return store.page(after, limit, email)


def get(caller: Caller, number: int) -> User:
    """A user. Raises `NotAllowed`, `NotFound`."""
    caller.must_be(Permission.MANAGE_USERS)
    return store.get(number)


def change_user(caller: Caller, number: int, patch: Mapping[str, Any], seen: Seen) -> User:
    """Another profile of another user. Raises `NotAllowed`, `NotFound`, `Refused`, `Outdated`."""
    user = get(caller, number)
    seen(user.version)
    return _change(replace(user, profile=patched(user.profile, Profile, patch)), "user.update", who=caller.user.id)


def _check(password: str, caller: Caller, knows: Knows) -> None:
    if not knows(caller.user.email, password):
        raise Refused([Failure("/currentPassword", "wrong", "is not valid")])


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _found(context: str, text: str) -> tuple[Token, User]:
    """The token and its user, while the address is as it was when it was mailed. Raises `NotFound`."""
    secret = tokens.secret_of(text)
    token = None if secret is None else tokens.find(context, secret)
    if token is None:
        raise NotFound("token")
    user = store.get(token.user)
    mailed = token.name if context == CHANGE else token.sent_to
    if token.made_ms < user.tokens_since_ms or (mailed or "").lower() != user.email.lower():
        raise NotFound("token")
    return token, user


def _api_tokens(caller: Caller) -> list[Token]:
    since = caller.user.tokens_since_ms
    return [token for token in tokens.of_user(caller.user.id, API) if token.made_ms >= since]


def _change(
    user: User, action: str, token: Token | None = None, password: str | None = None, who: int | None = None
) -> User:
    """Store the user, use up the token and write it down. What is written down holds no personal data."""
    org = instances.get().org

    def along(transaction: Transaction) -> None:
        record(transaction, Change(who or user.id, org, action, f"user#{user.id}", {}, {}))
        if token is not None:
            tokens.use_up(transaction, token)

    return store.change(user, password=password, along=along)
