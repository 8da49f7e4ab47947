"""The items of the Actions table (design 4): one person's records are one item collection under their contact ref.

ref                     sk
<contact ref>           S#<page org>#<supporter>    Supporter
<contact ref>           C#<supporter>#<org>         Contact
<contact ref>           A#<action>                  Action
<contact ref>           M#<campaign>                Membership
<contact ref>           T#<action>, W#<campaign>    messages to targets, as `mtt.store` says
u#<page org>#<sha256>   A#<action>                  Action that is not bound to a supporter yet
gone#<random>           A#<action>, M#<campaign>    what still counts of a person who was erased
id#<action>             id                          where an action is, by its id alone
I#<page>#<key>          I                           Idempotency
challenge#<nonce>       challenge                   Challenge that was solved and used
event#<id>              event                       Event of a mail provider that was heard
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    NumberAttribute,
    NumberSetAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.exceptions import DoesNotExist, PynamoDBException

from proca_common.aws.dynamo import ActionsItem, translated
from proca_common.ids import padded

CAMPAIGN_BUCKETS: Final = 16
PENDING_BUCKETS: Final = 64
UNBOUND_DAYS: Final = 90
Key = tuple[str, str]


class Outbox(ActionsItem):
    """An item that may have something to emit (design 5); `stage` None: nothing to do.

    `due`: ms since 1970 from when it is to be done. `owed`: destinations still to be served, as `<org>/<queue>`.
    `attempt`: how often the sweep woke it.
    """

    id = NumberAttribute()
    stage = UnicodeAttribute(null=True)
    owed = UnicodeSetAttribute(null=True)
    attempt = NumberAttribute(null=True)


class SupporterItem(Outbox, discriminator="supporter"):
    """A supporter. `actions` counts all its actions, `waiting` those that wait for its confirmation.

    `held`: the rule for which it is kept out of everything until somebody looked at it; its signature has it too.
    `confirmed`: by a link. `detailed`: its org was asked what it knows of it. `mail`: what a mail to it needs, sealed;
    only there while one may be due. `mailed`: the keys of the mails that went out. `mail_claim`: the key of the mail
    that is being sent and until when (ms) nobody else may, as `<key>@<until>`. `soft_bounces`: when mails to it came
    back for a passing reason (ms since 1970).
    """

    status = UnicodeAttribute()
    campaign = NumberAttribute()
    page = NumberAttribute()
    org = NumberAttribute()
    area = UnicodeAttribute(null=True)
    email_status = UnicodeAttribute(null=True)
    email_status_changed = NumberAttribute(null=True)
    recipients: ListAttribute[int] = ListAttribute()
    actions = NumberAttribute()
    waiting = NumberAttribute()
    link_refs = UnicodeSetAttribute(null=True)
    held = NumberAttribute(null=True)
    confirmed = BooleanAttribute(null=True)
    detailed = BooleanAttribute(null=True)
    mail = BinaryAttribute(null=True, legacy_encoding=False)
    mailed = UnicodeSetAttribute(null=True)
    mail_claim = UnicodeAttribute(null=True)
    soft_bounces = NumberSetAttribute(null=True)


class ContactItem(ActionsItem, discriminator="contact"):
    """The personal data for one org: exactly one of `clear` (JSON text), `payload` (box, with its keys) and
    `sealed`. `given_at`: when consent to communication was given (s since 1970), if not with the signature.
    """

    org = NumberAttribute()
    communication_consent = BooleanAttribute(null=True)
    given_at = NumberAttribute(null=True)
    delivery_consent = BooleanAttribute()
    clear = UnicodeAttribute(null=True)
    payload = BinaryAttribute(null=True, legacy_encoding=False)
    nonce = BinaryAttribute(null=True, legacy_encoding=False)
    key_id = NumberAttribute(null=True)
    key_public = BinaryAttribute(null=True, legacy_encoding=False)
    sign_id = NumberAttribute(null=True)
    sign_public = BinaryAttribute(null=True, legacy_encoding=False)
    sealed = BinaryAttribute(null=True, legacy_encoding=False)


class ActionItem(Outbox, discriminator="action"):
    """An action. `supporter` and `recipients` are missing while it is not bound; `org` is the page org. `donation` has
    the form of the message. `reminded`: how many reminders its supporter was sent. `messages`: to how many targets its
    supporter wrote with it. `accepted`: when it became delivered or a repeat (ms since 1970). `area`: only
    of somebody who was erased, whose supporter cannot tell it any more. `idempotency`: the key of the request, if any.
    `unlisted`: its supporter was erased for one of the orgs, so the public never sees it (again).
    """

    status = UnicodeAttribute()
    action_type = UnicodeAttribute()
    campaign = NumberAttribute()
    page = NumberAttribute()
    org = NumberAttribute()
    supporter = NumberAttribute(null=True)
    recipients: ListAttribute[int] = ListAttribute(null=True)
    with_consent = BooleanAttribute()
    testing = BooleanAttribute()
    late = BooleanAttribute(null=True)
    fields = JSONAttribute(null=True)
    donation = JSONAttribute(null=True)
    source = JSONAttribute(null=True)
    dupe_rank = NumberAttribute(null=True)
    accepted = NumberAttribute(null=True)
    held = NumberAttribute(null=True)
    reminded = NumberAttribute(null=True)
    messages = NumberAttribute(null=True)
    area = UnicodeAttribute(null=True)
    idempotency = UnicodeAttribute(null=True)
    unlisted = BooleanAttribute(null=True)


class OverdueItem(Outbox):
    """As much of an item that owes something as the sweep needs: it wakes also what cannot be read as a whole."""

    id = NumberAttribute()
    status = UnicodeAttribute()


class MembershipItem(ActionsItem, discriminator="membership"):
    """The members of one person in one campaign (see `monitors.persons.Membership`)."""

    version = NumberAttribute()
    n = NumberAttribute()
    members = JSONAttribute()


class ActionIdItem(ActionsItem, discriminator="id"):
    """Makes the id unique and tells the ref under which the action stands."""

    at = UnicodeAttribute()


class IdempotencyItem(ActionsItem, discriminator="idempotency"):
    """An answered request: its action, and an HMAC of what was asked."""

    action = NumberAttribute()
    asked = UnicodeAttribute()


class UsedChallengeItem(ActionsItem, discriminator="challenge"):
    """A challenge that a signature used up; gone when it would be refused as expired anyway."""


class SeenEventItem(ActionsItem, discriminator="event"):
    """An event of a mail provider that was heard: it says nothing the second time."""


def supporter_key(ref: str, org: int, supporter: int) -> Key:
    """Key of a supporter."""
    return ref, f"S#{org}#{padded(supporter)}"


def contact_key(ref: str, supporter: int, org: int) -> Key:
    """Key of the contact of a supporter for one org."""
    return ref, f"C#{padded(supporter)}#{org}"


def action_key(ref: str, action: int) -> Key:
    """Key of an action."""
    return ref, f"A#{padded(action)}"


def membership_key(ref: str, campaign: int) -> Key:
    """Key of a person's membership in a campaign."""
    return ref, f"M#{campaign}"


def action_id_key(action: int) -> Key:
    """Key of the item that finds an action by its id."""
    return f"id#{action}", "id"


def idempotency_key(page: int, key: str) -> Key:
    """Key of an answered request."""
    return f"I#{page}#{key}", "I"


def challenge_key(nonce: str) -> Key:
    """Key of a used challenge."""
    return f"challenge#{nonce}", "challenge"


def event_key(event_id: str) -> Key:
    """Key of an event of a mail provider that was heard."""
    return f"event#{event_id}", "event"


def unbound_ref(page_org: int, text: str) -> str:
    """The ref of actions that wait for a supporter under the client's text; only pages of the same org share it."""
    return f"u#{page_org}#{hashlib.sha256(text.encode()).hexdigest()}"


def gone_ref(random_part: str) -> str:
    """The ref under which the counted actions of a person stand who was erased: no client's text can be like it."""
    return f"gone#{random_part}"


def campaign_bucket(campaign: int, action: int) -> str:
    """Partition of `by_campaign`: the id's random bits spread a campaign over 16 partitions."""
    return f"{campaign}#{action % CAMPAIGN_BUCKETS}"


def pending_bucket(kind: str, identifier: int) -> str:
    """Partition of `pending` for an item with this id; kinds are `emit`, `link`, `remind`, `wipe` and `review` (design
    4).
    """
    return f"{kind}#{identifier % PENDING_BUCKETS}"


def asked_hmac(secret: bytes, *parts: bytes) -> str:
    """HMAC of a request, so that its repetition is known without its content being kept."""
    digest = hmac.new(secret, digestmod="sha256")
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.hexdigest()


def read(key: Key) -> ActionsItem | None:
    """The item as last written; raises `Unavailable`."""
    try:
        return ActionsItem.get(*key, consistent_read=True)
    except DoesNotExist:
        return None
    except PynamoDBException as error:
        raise translated(error) from None


def read_many(keys: Iterable[Key]) -> dict[Key, ActionsItem]:
    """The items as last written, those that exist, by key; unprocessed keys are asked for again. Raises
    `Unavailable`.
    """
    wanted = list(dict.fromkeys(keys))
    try:
        found = ActionsItem.batch_get(wanted, consistent_read=True) if wanted else ()
        return {(item.ref, item.sk): item for item in found}
    except PynamoDBException as error:
        raise translated(error) from None


def read_overdue(keys: Iterable[Key]) -> list[OverdueItem]:
    """What the sweep needs of the items with these keys, as last written. Raises `Unavailable`."""
    needed = ["ref", "sk", "id", "status", "stage", "due", "attempt"]
    try:
        return list(OverdueItem.batch_get(list(keys), consistent_read=True, attributes_to_get=needed))
    except PynamoDBException as error:
        raise translated(error) from None


def items_under(ref: str) -> list[ActionsItem]:
    """Everything under a ref, of whatever kind, as last written. Raises `Unavailable`."""
    try:
        return list(ActionsItem.query(ref, consistent_read=True))
    except PynamoDBException as error:
        raise translated(error) from None


def latest_supporter(ref: str, org: int) -> SupporterItem | None:
    """The supporter of this ref that came last through a page of the org (domain 3.3); one consistent query."""
    try:
        found = SupporterItem.query(
            ref, SupporterItem.sk.startswith(f"S#{org}#"), scan_index_forward=False, limit=1, consistent_read=True
        )
        return next(iter(found), None)
    except PynamoDBException as error:
        raise translated(error) from None


def actions_of(ref: str, supporter: int | None = None) -> list[ActionItem]:
    """The actions of a person, or of one of its supporters, in the order of their ids, as last written.

    A supporter's actions may be older than itself: they were linked to it. Raises `Unavailable`.
    """
    of_one = None if supporter is None else ActionItem.supporter == supporter
    try:
        return list(ActionItem.query(ref, ActionItem.sk.startswith("A#"), of_one, consistent_read=True))
    except PynamoDBException as error:
        raise translated(error) from None


def action_by_id(action: int) -> ActionItem | None:
    """The action with this id, wherever it stands; two consistent reads."""
    where = read(action_id_key(action))
    if not isinstance(where, ActionIdItem):
        return None
    found = read(action_key(where.at, action))
    return found if isinstance(found, ActionItem) else None
