"""The operations that need a second person (domain 7.4): the one place that says what each does.

Accepting and the charge that it takes are one transaction, so that whoever is quicker is the only one; apart from
`confirm_action`, which may be done twice, because its charge is taken after it was done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from proca_common.action_pages import copies
from proca_common.action_pages import store as pages
from proca_common.action_pages.page import ActionPage
from proca_common.approvals.second import Second
from proca_common.aws.dynamo import Transaction
from proca_common.aws.errors import Cancelled
from proca_common.campaigns import store as campaigns
from proca_common.campaigns.campaign import Campaign
from proca_common.catalog import happenings, items
from proca_common.confirms import store
from proca_common.confirms.confirm import (
    ADD_PARTNER,
    ADD_STAFFER,
    CONFIRM_ACTION,
    JOIN_CAMPAIGN,
    LAUNCH_PAGE,
    Confirm,
)
from proca_common.errors import Ended, InUse, NotAllowed, NotFound, Outdated
from proca_common.management.audit import Change, record
from proca_common.orgs import store as orgs
from proca_common.orgs.org import Org
from proca_common.stages import decide
from proca_common.users import store as users
from proca_common.users.permissions import Permission, check_may_give, may_any, role_of
from proca_common.users.user import User

OF_OTHERS = "The invitation is for another e-mail address"
UNPROVEN = "Confirm your e-mail address first"
MEMBER = "User is a member of the org already"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became: whether anything `changed`, and what it is about."""

    changed: bool
    page: ActionPage | None = None
    campaign: Campaign | None = None
    org: Org | None = None

    def shown(self) -> dict[str, object]:
        """As JSON."""
        about: dict[str, object] = {}
        if self.page is not None:
            about["actionPage"] = {"id": self.page.id, "name": self.page.name, "live": self.page.live}
        if self.campaign is not None:
            about["campaign"] = {"id": self.campaign.id, "name": self.campaign.name, "title": self.campaign.title}
        if self.org is not None:
            about["org"] = {"id": self.org.id, "name": self.org.name, "title": self.org.title}
        return {"status": "SUCCESS" if self.changed else "NOOP", **about}


@dataclass(frozen=True, slots=True)
class Operation:
    """What a second person may do. `accept` does it and takes the charge, `may_reject` only says whether that person
    may refuse, `reject` does it and ends the Confirm. They may raise `NotKnown`, `NotAllowed`, `NotFound`, `InUse`,
    `Ended`, `Outdated` (somebody else was quicker: look again) and `Unavailable`.

    `decided_by_org`: staff of the org that has it in its list decide, so that for them the code is no secret.
    """

    accept: Callable[[Confirm, Second], Outcome]
    reject: Callable[[Confirm, Second], Outcome]
    decided_by_org: bool = False


# --- confirm_action: anybody who has the code


def _accept_action(confirm: Confirm, _: Second) -> Outcome:
    changed = decide.accept_action(confirm.subject)
    transaction = Transaction()
    store.use(transaction, confirm)
    _commit_what_may_be_done(transaction)
    return Outcome(changed)


def _reject_action(confirm: Confirm, _: Second) -> Outcome:
    changed = decide.reject_action(confirm.subject)
    transaction = Transaction()
    store.end(transaction, confirm)
    _commit_what_may_be_done(transaction)
    return Outcome(changed)


def _commit_what_may_be_done(transaction: Transaction) -> None:
    try:
        items.commit(transaction)
    except Cancelled:
        return  # somebody else used it up meanwhile


# --- add_staffer: the invited address, and no other (decision 18 of domain 15)


def _accept_staffer(confirm: Confirm, second: Second) -> Outcome:
    user = _invited(confirm, second)
    org = orgs.get(confirm.subject)
    perms = Permission(confirm.object or 0)
    if org.id in second.known().staff:
        raise InUse(MEMBER)
    _check_still_given(confirm, org, perms)
    transaction = Transaction()
    users.put_staffer(transaction, user.id, org.id, perms)
    store.use(transaction, confirm)
    after = {"role": role_of(perms), "invited_by": confirm.creator}
    record(transaction, Change(user.id, org.id, "staff.join", f"user#{user.id}", {}, after))
    _commit(transaction)
    return Outcome(changed=True, org=org)


def _invited(confirm: Confirm, second: Second) -> User:
    """Who has the invited address, and has proven it: the code proves nothing, because the inviter has it, too."""
    user = second.known().user
    if user.email.casefold() != (confirm.email or "").casefold():
        raise NotAllowed(OF_OTHERS)
    if not user.confirmed:
        raise NotAllowed(UNPROVEN)
    return user


def _check_still_given(confirm: Confirm, org: Org, perms: Permission) -> None:
    """Raise `Ended` when whoever invited may no longer give this role: an invitation is worth what its inviter is."""
    if confirm.creator is None:
        return
    try:
        inviter, _ = users.caller(confirm.creator)
        own = inviter.perms_in(org.id)
        check_may_give(own, perms)
    except (NotFound, NotAllowed):
        raise Ended from None
    if not may_any(own, Permission.CHANGE_ORG_USERS):
        raise Ended


# --- add_partner: staff of another org, who choose for which


def _accept_partner(confirm: Confirm, second: Second) -> Outcome:
    second.known()
    original = pages.get(confirm.subject)
    org = orgs.get(second.org_with(Permission.MANAGE_ACTION_PAGES))

    def along(transaction: Transaction, page: ActionPage) -> None:
        store.use(transaction, confirm)
        after = {"name": page.name, "copy_of": original.id}
        record(transaction, Change(second.known().user.id, org.id, "page.add", f"page#{page.id}", {}, after))

    page = copies.create_for(org, original, along)
    return Outcome(changed=True, page=page, org=org)


# --- launch_page and join_campaign: staff of the org that leads the campaign


def _accept_launch(confirm: Confirm, second: Second) -> Outcome:
    campaign = _led(confirm.subject, second)
    page = pages.get(confirm.object or 0)
    if page.campaign != campaign.id:
        raise NotFound("action page")
    changed = _launch([page], campaign, confirm, second)
    return Outcome(changed, page=page.model_copy(update={"live": True}), campaign=campaign)


def _accept_joining(confirm: Confirm, second: Second) -> Outcome:
    campaign = _led(confirm.object or 0, second)
    org = orgs.get(confirm.subject)
    entries = pages.of_org(org.id, campaign=campaign.id)
    changed = _launch(pages.get_many(int(entry.id) for entry in entries), campaign, confirm, second)
    return Outcome(changed, campaign=campaign, org=org)


def _launch(found: list[ActionPage], campaign: Campaign, confirm: Confirm, second: Second) -> bool:
    """Make those of a partner's pages live that are not, and tell of the latest who asked for it."""
    waiting = [page for page in found if not page.live]
    transaction = Transaction()
    store.use(transaction, confirm)
    for page in waiting:
        pages.put_changed(transaction, page, page.model_copy(update={"live": True}), f"{page.id} ")
        change = Change(
            second.known().user.id, page.org, "page.launch", f"page#{page.id}", {"live": False}, {"live": True}
        )
        record(transaction, change)
    if waiting and waiting[-1].org != campaign.org:
        happenings.join_campaign(transaction, waiting[-1].id, _email(confirm.creator))
    _commit(transaction)
    return bool(waiting)


def _email(user: int | None) -> str | None:
    try:
        return None if user is None else users.get(user).email
    except NotFound:
        return None


def _led(campaign: int, second: Second) -> Campaign:
    """The campaign, if the second person may decide about it."""
    second.known()
    found = campaigns.get(campaign)
    second.must(found.org, Permission.MANAGE_CAMPAIGNS)
    return found


# --- refusing


def _refuse_as_who_has_the_code(confirm: Confirm, second: Second) -> Outcome:
    """Whoever has code and address may say no, without an account too: maybe that is what is not wanted."""
    return _refuse(confirm, second)


def _refuse_launch(confirm: Confirm, second: Second) -> Outcome:
    _led(confirm.subject, second)
    return _refuse(confirm, second)


def _refuse_joining(confirm: Confirm, second: Second) -> Outcome:
    _led(confirm.object or 0, second)
    return _refuse(confirm, second)


def _refuse(confirm: Confirm, second: Second) -> Outcome:
    transaction = Transaction()
    store.end(transaction, confirm)
    if confirm.org is not None and confirm.charges > 0:
        who = 0 if second.caller is None else second.caller.user.id
        change = Change(who, confirm.org, f"{confirm.operation}.reject", f"confirm#{confirm.id}", {}, {"open": False})
        record(transaction, change)
    _commit(transaction)
    return Outcome(changed=confirm.charges > 0)


def _commit(transaction: Transaction) -> None:
    try:
        items.commit(transaction)
    except Cancelled:
        raise Outdated from None


OPERATIONS: Mapping[str, Operation] = {
    CONFIRM_ACTION: Operation(_accept_action, _reject_action),
    ADD_STAFFER: Operation(_accept_staffer, _refuse_as_who_has_the_code),
    ADD_PARTNER: Operation(_accept_partner, _refuse_as_who_has_the_code),
    LAUNCH_PAGE: Operation(_accept_launch, _refuse_launch, decided_by_org=True),
    JOIN_CAMPAIGN: Operation(_accept_joining, _refuse_joining, decided_by_org=True),
}
