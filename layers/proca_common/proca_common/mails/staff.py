"""Mails to the people behind the campaigns: about their accounts, and to agree to what needs two (domain 7.4, 8.5).

They are mails of the instance's org, with its templates; where it has none, with the texts of `staff_texts`. The token
of a link is made when its mail is written, and is nowhere but in it: every mail has one of its own. Whether an address
has an account is only found out here, where nobody waits for the answer.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from nacl.exceptions import CryptoError

from proca_common.action_pages.context import page_context
from proca_common.aws import clock
from proca_common.aws.logs import logger
from proca_common.confirms import store as confirms
from proca_common.confirms.confirm import Confirm
from proca_common.confirms.links import code_links
from proca_common.errors import NotFound, TooMany
from proca_common.guards.caps import count_mail
from proca_common.guards.settings import AddressCap
from proca_common.mails import staff_claims, templates
from proca_common.mails.claims import Claimed
from proca_common.mails.letter import Letter, NotAnAddress, is_address, staff_letter
from proca_common.mails.office import (
    LEASE_MARGIN_MS,
    Counted,
    Counts,
    Dropped,
    Later,
    Office,
    find_way,
    hand_over,
    take_back,
    wait_for_turn,
)
from proca_common.mails.render import rendered
from proca_common.mails.staff_claims import AlreadySent, StaffClaim
from proca_common.mails.staff_texts import DEFAULTS, LOCALE
from proca_common.mails.templates import EmailTemplateInput
from proca_common.mails.ways_out import Way
from proca_common.orgs import encryption
from proca_common.orgs import instance as instances
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.pipes.orders import StaffMail, StaffMailOrder, Unread
from proca_common.users import store as users
from proca_common.users import tokens
from proca_common.users.tokens import CHANGE, CONFIRM, RESET, VALID_MS
from proca_common.users.user import User

CAP = AddressCap()
PAGES = {
    StaffMail.CONFIRM_EMAIL: (CONFIRM, "confirmations"),
    StaffMail.RESET_PASSWORD: (RESET, "password-resets"),
    StaffMail.CHANGE_EMAIL: (CHANGE, "email-changes"),
}
"""What the token of a mail is for, and where its link leads to: the same path at a front end and at the API."""
TWITTER = ("name", "screenName", "picture", "description", "url", "followersCount")


@dataclass(frozen=True, slots=True)
class _Addressed:
    """Who a mail is for. `user`: whose account it is about, if it is; `confirm`: what is to be agreed to; `org`: whose
    queue is not read.
    """

    email: str
    user: User | None = None
    confirm: Confirm | None = None
    org: Org | None = None


def send(order: StaffMailOrder, office: Office, deadline_ms: int, counts: Counts) -> None:
    """Send the mail of an order. Raises `Dropped`, `Later`, `CloudError`."""
    instance = instances.get()
    org = orgs.get(instance.org)
    if org.email_backend is None or org.email_from is None or not is_address(org.email_from):
        raise Later("the instance's org sends no mails")
    to = _addressed(order, office)
    way = find_way(org, org.id, transactional=True)
    sent = False
    try:
        wait_for_turn(way, office.ways, deadline_ms)
        held = _claimed(order, deadline_ms, counts)
        if not held.again:
            _check_cap(to.email, held, office)
        base = instance.frontend_url or office.link_base_url
        written = _letter(order, to, org, base)
        sent = _hand_over(written, held, way, office)
    finally:
        if not sent:
            take_back(way, org.id)
    counts[Counted.SENT if sent else Counted.FAILED] += 1


def _addressed(order: StaffMailOrder, office: Office) -> _Addressed:
    """Who it is for, as it stands now. Raises `Dropped`."""
    mail = StaffMail(order.mail)
    if order.code is not None:
        return _of_confirm(order, _waiting(order.code))
    if order.unread is not None:
        return _of_unread(order, order.unread)
    given = _opened(order, office)
    if mail is StaffMail.CHANGE_EMAIL:
        return _Addressed(given, _user(order))
    try:
        user = users.find(given)
    except NotFound:
        raise Dropped("no such user") from None
    if mail is StaffMail.CONFIRM_EMAIL and user.confirmed:
        raise Dropped("confirmed meanwhile")
    return _Addressed(user.email, user)


def _user(order: StaffMailOrder) -> User:
    try:
        return users.get(order.user or users.NOBODY)
    except NotFound:
        raise Dropped("no such user") from None


def _of_confirm(order: StaffMailOrder, confirm: Confirm) -> _Addressed:
    if order.user is not None:
        return _Addressed(_user(order).email, None, confirm)
    if confirm.email is None:
        raise Dropped("for nobody")
    return _Addressed(confirm.email, None, confirm)


def _of_unread(order: StaffMailOrder, unread: Unread) -> _Addressed:
    """Whoever still works for the org."""
    user = _user(order)
    if user.id not in users.staff_of(unread.org):
        raise Dropped("works for the org no more")
    try:
        return _Addressed(user.email, org=orgs.get(unread.org))
    except NotFound:
        raise Dropped("gone") from None


def _waiting(code: str) -> Confirm:
    confirm = confirms.find(code)
    if confirm is None or confirm.charges <= 0 or confirm.has_ended(clock.now_ms()):
        raise Dropped("decided meanwhile")
    return confirm


def _opened(order: StaffMailOrder, office: Office) -> str:
    try:
        return encryption.unseal(encryption.from_text(order.sealed or ""), office.sealing_key).decode()
    except CryptoError:
        raise Later("the address was sealed with another key") from None


def _claimed(order: StaffMailOrder, deadline_ms: int, counts: Counts) -> StaffClaim:
    try:
        held = staff_claims.claim(order.key, order.org, deadline_ms + LEASE_MARGIN_MS)
    except AlreadySent:
        raise Dropped("already mailed") from None
    except Claimed as claimed:
        raise Later("claimed by somebody else", claimed.until_ms) from None
    if held.possibly_twice:
        counts[Counted.POSSIBLY_TWICE] += 1
        logger.warning("mail possibly sent twice", extra={"mail": order.mail})
    return held


def _check_cap(email: str, held: StaffClaim, office: Office) -> None:
    try:
        count_mail(CAP, email, office.guard_secret(), clock.now_ms())
    except TooMany:
        staff_claims.settle(held)
        raise Dropped("too many mails to this address") from None


def _letter(order: StaffMailOrder, to: _Addressed, org: Org, base: str) -> Letter | None:
    """The mail; None where none can go to this address."""
    mail = StaffMail(order.mail)
    told: dict[str, Any] = {"email": to.email, "firstName": to.email.partition("@")[0]}
    if to.confirm is not None:
        told |= _of_operation(to.confirm, base)
    elif to.org is not None and order.unread is not None:
        told |= {"org": _named(to.org), "queue": order.unread.queue, "hours": order.unread.hours}
    elif to.user is not None and mail in PAGES:
        told["confirmLink"] = _link(mail, to.user, to.email, base)
    try:
        return staff_letter(
            rendered(_template(org, mail), told),
            key=mail.value,
            title=org.title,
            sender=str(org.email_from),
            recipient=to.email,
            random_part=secrets.token_hex(12),
            now_ms=clock.now_ms(),
        )
    except NotAnAddress:
        return None


def _template(org: Org, mail: StaffMail) -> EmailTemplateInput:
    try:
        return templates.resolve(org.id, mail.value, LOCALE)
    except NotFound:
        return DEFAULTS[mail]


def _link(mail: StaffMail, user: User, email: str, base: str) -> str:
    """A link with a new token: what it is worth stands in the table, it itself in this mail alone."""
    context, page = PAGES[mail]
    secret = tokens.new_secret()
    tokens.add(user.id, context, secret, VALID_MS[context], name=user.email, sent_to=email)
    return f"{base.rstrip('/')}/account/{page}/{tokens.text_of(secret)}"


def _of_operation(confirm: Confirm, base: str) -> dict[str, Any]:
    """The merge fields of domain 7.4. Raises `Dropped` where what it is about is gone."""
    links = code_links(base, confirm)
    told: dict[str, Any] = {
        "operation": confirm.operation,
        "email": confirm.email or "",
        "message": confirm.message or "",
        "subjectId": confirm.subject,
        "objectId": confirm.object,
        "code": confirm.code,
        "creator": _creator(confirm.creator),
        "acceptLink": links.accept,
        "rejectLink": links.reject,
    }
    try:
        if confirm.operation == StaffMail.ADD_STAFFER:
            return told | {"org": _named(orgs.get(confirm.subject))}
        if confirm.operation == StaffMail.LAUNCH_PAGE:
            context = page_context(confirm.object or 0)
            org = _named(context.org) | {"twitter": _twitter(context.org)}
            return told | {"campaign": _named(context.campaign), "org": org}
    except NotFound:
        raise Dropped("gone") from None
    return told


def _creator(user: int | None) -> dict[str, Any]:
    try:
        found = users.get(user or users.NOBODY)
    except NotFound:
        return {}
    return {"email": found.email, "jobTitle": found.profile.job_title}


def _named(entity: Any) -> dict[str, Any]:
    return {"name": entity.name, "title": entity.title}


def _twitter(org: Org) -> dict[str, Any]:
    said = org.config.get("twitter")
    known = said if isinstance(said, dict) else {}
    snake = {"screenName": "screen_name", "followersCount": "followers_count"}
    return {name: known.get(snake.get(name, name)) for name in TWITTER}


def _hand_over(written: Letter | None, held: StaffClaim, way: Way, office: Office) -> bool:
    """Hand the claimed mail to the provider and record what became of it; False when it will never go out.

    Raises `Later`, `Unavailable`; then the claim was given back, or nobody knows and it stays.
    """
    sent = written is not None and hand_over(written, held, way, office.ways, mail=written.key)
    staff_claims.settle(held)
    return sent
